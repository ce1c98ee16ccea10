import { afterAll, expect, it } from 'vitest'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import { GENESIS_HASH } from '../../platform/journal/entry.ts'
import { startJournal } from '../../platform/journal/start-journal.ts'
import { makeEntry, makeHome, removeHomes, testOptions } from '../../platform/journal/test-entries.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import { Domains } from './domains.ts'
import { EnrolmentFile } from './enrolment-file.ts'
import { FileExchange } from './file-exchange.ts'
import { HubConnection } from './hub-connection.ts'
import { Pushing } from './pushing.ts'

afterAll(removeHomes)

const beginning = { sequence: 0, hash: Buffer.from(GENESIS_HASH).toString('hex') }
/** What came from the Hub is journaled as its own, and goes back to it by its hash alone. */
const quiet = (number: number) => makeEntry('samples', number, { origin: 'hub' })

it('a large change set behind a few entries of the Hub is sent, after them', async () => {
  const home = makeHome()
  const journal = await startJournal(testOptions(home))
  const key = openWorkstationKey(home)
  const file = new EnrolmentFile(home)
  const step = { enrolledAt: 0, sha256: '', path: '', place: null }
  file.write({
    ...{ hubUrl: 'http://127.0.0.1:1', hubKey: key.publicKey, laboratoryId: crypto.randomUUID() },
    ...{ role: 'joiner', isComplete: true, journal: beginning, domains: { samples: step }, pushed: null },
    ...{ hubSealingKey: null, isPaused: false, offlineUntil: null },
  })
  const connection = new HubConnection({ url: 'http://127.0.0.1:1', hubKey: key.publicKey }, key, {})
  // Nothing is sent here, so nobody is asked.
  const domains = new Domains({} as unknown as Gateway, [])
  const { laboratoryId } = file.require()
  const files = new FileExchange({ home, laboratoryId, domains, connection, log: () => undefined })
  const pushing = new Pushing({ home, journal: journal.client, key, file, connection, files })
  try {
    for (const number of [1, 2, 3]) await journal.client.append(quiet(number))
    expect(await pushing.nextRun(beginning)).toBeNull()
    const text = 'x'.repeat(3_500_000)
    await journal.client.append(
      makeEntry(
        'samples',
        4,
        {},
        {
          laboratoryId: 'a',
          command: { procedure: 'samples.addNote' },
          causedBy: null,
          changes: [{ text }],
          events: [],
          sync: null,
        },
      ),
    )

    const first = await pushing.nextRun(beginning)
    expect(first).toMatchObject({ end: { sequence: 3 }, pushed: [] })
    const second = await pushing.nextRun(first?.end ?? beginning)
    expect(second?.pushed.map(({ sequence }) => sequence)).toEqual([4])
    expect(await pushing.nextRun(second?.end ?? beginning)).toBeNull()
  } finally {
    await journal.close()
  }
})
