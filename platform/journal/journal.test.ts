import { rmSync } from 'node:fs'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { EntryMetadata } from './entry.ts'
import { connectJournal } from './journal-client.ts'
import { journalPath } from './open-journal.ts'
import { startJournal } from './start-journal.ts'
import type { RunningJournal, StartJournalOptions } from './start-journal.ts'
import { makeEntries, makeEntry, makeHome, removeHomes, TEST_AUTHOR, testOptions } from './test-entries.ts'
import { openWorkstationKey } from './workstation-key.ts'

const running: RunningJournal[] = []

async function start(
  home = makeHome(),
  options: Partial<StartJournalOptions> = {},
): Promise<RunningJournal & { home: string }> {
  const journal = await startJournal({ ...testOptions(home), ...options })
  running.push(journal)
  return { ...journal, home }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((journal) => journal.close()))
})
afterAll(removeHomes)

describe('appending', () => {
  it('commits 1,000 concurrent appends in few transactions, in order, each answered with its place', async () => {
    const { client, createPort } = await start()
    const other = await connectJournal(createPort())
    const before = await client.statistics()
    const results = await Promise.all([
      ...makeEntries('samples', 1, 500).map((entry) => client.append(entry)),
      ...makeEntries('storage', 1, 500).map((entry) => other.append(entry)),
    ])
    const after = await client.statistics()

    expect(after.appended - before.appended).toBe(1000)
    expect(after.commits - before.commits).toBeLessThan(100)
    expect(results.map((result) => result.sequence).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index + 1),
    )
    for (const domain of ['samples', 'storage']) {
      const entries = await client.readDomain({ domain, afterDomainSequence: 0, limit: 1000 })
      expect(entries.map((entry) => entry.domainSequence)).toEqual(
        Array.from({ length: 500 }, (_, index) => index + 1),
      )
      expect(entries.map((entry) => entry.sequence)).toEqual(
        entries.map((entry) => entry.sequence).sort((a, b) => a - b),
      )
    }
    expect(await client.verify()).toMatchObject({ status: 'whole', entries: 1000, problems: [] })
    other.close()
  })

  it('answers the same entry again with its place, and calls another payload a fork', async () => {
    const { client } = await start()
    const first = await client.append(makeEntry('samples', 1))
    await client.append(makeEntry('samples', 2))
    expect(await client.append(makeEntry('samples', 1))).toEqual(first)
    await expect(client.append(makeEntry('samples', 1, { reason: 'other' }))).rejects.toMatchObject({
      code: 'FORK',
      data: { domain: 'samples', domainSequence: 1, sequence: 1 },
    })
    expect(await client.head()).toMatchObject({ sequence: 2 })
  })

  it('refuses a number out of turn, and one refusal does not hurt what shares its commit', async () => {
    const { client } = await start()
    const outcomes = await Promise.allSettled([
      client.append(makeEntry('samples', 1)),
      client.append(makeEntry('samples', 3)),
      client.append(makeEntry('storage', 1)),
      client.append({ ...makeEntry('samples', 2), actorId: 'someone else' }),
      client.append(makeEntry('samples', 2)),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(outcomes[1]).toMatchObject({
      reason: { code: 'DOMAIN_SEQUENCE_GAP', data: { domain: 'samples', expected: 2, given: 3 } },
    })
    expect(outcomes[3]).toMatchObject({ reason: { code: 'INVALID_ENTRY' } })
    expect((await client.verify()).status).toBe('whole')
  })

  it('gives entries back exactly, with the head of each domain', async () => {
    const { client } = await start()
    const entry = makeEntry('samples', 1, { reason: 'wegen µ', eventNames: ['SampleAccessioned'] })
    const { sequence, hash } = await client.append(entry)
    const head = await client.domainHead('samples')
    expect(await client.entryAt('samples', 1)).toEqual({
      ...entry,
      sequence,
      hash,
      payloadHash: head?.payloadHash,
    })
    expect(head).toEqual({ domainSequence: 1, sequence, hash, payloadHash: head?.payloadHash })
    expect(await client.domainHead('storage')).toBeNull()
    expect(await client.entryAt('samples', 2)).toBeNull()
    expect(await client.entry(7)).toBeNull()
    expect(await client.domains()).toEqual(['samples'])
  })

  it('hints at growth to those who listen', async () => {
    const { client, createPort } = await start()
    const other = await connectJournal(createPort())
    const hint = new Promise((resolve) => other.onAppended(resolve))
    await other.head()
    await client.append(makeEntry('samples', 1))
    expect(await hint).toBe(1)
    other.close()
  })
})

describe('reading', () => {
  it('filters by domain and event names and goes on from a cursor', async () => {
    const { client } = await start()
    const named = (name: string): Partial<EntryMetadata> => ({ eventNames: [name] })
    await client.append(makeEntry('samples', 1, named('SampleAccessioned')))
    await client.append(makeEntry('storage', 1, named('ContainerPlaced')))
    await client.append(makeEntry('samples', 2))
    await client.append(makeEntry('samples', 3, { eventNames: ['SampleAccessioned', 'SampleRenamed'] }))
    await client.append(makeEntry('storage', 2, named('SampleAccessioned')))
    const read = async (request: Parameters<typeof client.read>[0]) =>
      (await client.read(request)).map((entry) => entry.sequence)

    expect(await read({ afterSequence: 0, limit: 10 })).toEqual([1, 2, 3, 4, 5])
    expect(await read({ afterSequence: 2, limit: 2 })).toEqual([3, 4])
    expect(await read({ afterSequence: 1, domain: 'samples', limit: 10 })).toEqual([3, 4])
    expect(
      await read({ afterSequence: 0, eventNames: ['SampleAccessioned', 'SampleRenamed'], limit: 10 }),
    ).toEqual([1, 4, 5])
    expect(
      await read({ afterSequence: 0, domain: 'storage', eventNames: ['SampleAccessioned'], limit: 10 }),
    ).toEqual([5])
    expect(await read({ afterSequence: 0, eventNames: [], limit: 10 })).toEqual([])
  })

  it('reads more than one answer holds', async () => {
    const { client } = await start()
    const large = 'x'.repeat(1024 * 1024)
    for (let number = 1; number <= 20; number += 1)
      await client.append(makeEntry('samples', number, {}, { large }))
    const entries = await client.read({ afterSequence: 0, limit: 100 })
    expect(entries.map((entry) => entry.sequence)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
  })

  it('names the command of an entry, whatever its reason says', async () => {
    const { client } = await start()
    const command = { procedure: 'samples.update', idempotencyKey: null }
    const reason = 'He wrote "procedure":"samples.remove"'
    await client.append(makeEntry('samples', 1, { reason }, { command, changes: [] }))
    await client.append(makeEntry('samples', 2, {}, { command, changes: 'x'.repeat(300_000) }))
    await client.append(makeEntry('samples', 3, {}, { lostFrom: 3, lostTo: 4 }))
    const { items } = await client.search({ limit: 5 })
    expect(items.map(({ procedure }) => procedure)).toEqual([null, null, 'samples.update'])
  })

  it('searches the audit trail by every filter, newest first, page by page', async () => {
    const { client } = await start()
    await client.append(makeEntry('samples', 1, { actorId: 'ben', reason: 'Typo in 100% of_names' }))
    await client.append(makeEntry('storage', 1, { correlationId: 'receive-7', eventNames: ['Placed'] }))
    await client.append(makeEntry('samples', 2, { correlationId: 'receive-7', reason: 'wrong tube' }))
    for (const entry of makeEntries('samples', 3, 30)) await client.append(entry)
    const search = async (filter: Omit<Parameters<typeof client.search>[0], 'limit'>) =>
      (await client.search({ ...filter, limit: 5 })).items.map((item) => item.sequence)

    expect(await search({ actorId: 'ben' })).toEqual([1])
    expect(await search({ correlationId: 'receive-7' })).toEqual([3, 2])
    expect(await search({ correlationId: 'receive-7', domain: 'storage' })).toEqual([2])
    expect(await search({ changeSetId: 'change-samples-2' })).toEqual([3])
    expect(await search({ eventName: 'Placed' })).toEqual([2])
    expect(await search({ reasonContains: 'WRONG' })).toEqual([3])
    expect(await search({ reasonContains: '% of_' })).toEqual([1])
    expect(await search({ reasonContains: '%' })).toEqual([1])
    expect(await search({ from: '2026-11-21T09:00:05Z', to: '2026-11-21T09:00:07Z' })).toEqual([7, 6])
    await expect(client.search({ limit: 5, cursor: 'x' })).rejects.toMatchObject({ code: 'INVALID_ENTRY' })
    await expect(client.search({ limit: 5, from: 'yesterday' })).rejects.toMatchObject({
      code: 'INVALID_ENTRY',
      message: expect.stringContaining('from') as string,
    })

    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page = await client.search({
        domain: 'samples',
        limit: 7,
        ...(cursor === null ? {} : { cursor }),
      })
      seen.push(...page.items.map((item) => item.domainSequence))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => 30 - index))
  })
})

describe('epochs and gaps', () => {
  it('announces what is lost, lets the numbering jump there only, and verifies', async () => {
    const { client } = await start()
    await client.append(makeEntry('samples', 1))
    const epoch = await client.startEpoch({ ...TEST_AUTHOR, reason: 'The journal was behind the databases.' })
    const gap = {
      ...TEST_AUTHOR,
      domain: 'samples',
      lostFrom: 2,
      lostTo: 9,
      reason: 'Entries 2 to 9 were lost.',
    }
    await expect(client.markGap({ ...gap, lostFrom: 3 })).rejects.toMatchObject({
      code: 'DOMAIN_SEQUENCE_GAP',
    })
    await expect(client.markGap({ ...gap, lostTo: 1 })).rejects.toMatchObject({ code: 'INVALID_ENTRY' })
    const marked = await client.markGap(gap)
    expect(await client.markGap(gap)).toEqual(marked)
    await expect(client.append(makeEntry('samples', 5))).rejects.toMatchObject({
      code: 'DOMAIN_SEQUENCE_GAP',
      message: expect.stringContaining('inside an announced gap') as string,
    })
    await client.append(makeEntry('samples', 10))

    expect(epoch).toEqual({
      number: 2,
      startedAtSequence: 2,
      startedAt: TEST_AUTHOR.recordedAt,
      reason: 'The journal was behind the databases.',
      gaps: [],
    })
    expect(await client.epochs()).toEqual([
      {
        number: 1,
        startedAtSequence: 1,
        startedAt: '2026-11-21T09:00:01.000Z',
        reason: 'first start',
        gaps: [],
      },
      { ...epoch, gaps: [{ domain: 'samples', lostFrom: 2, lostTo: 9, sequence: 3 }] },
    ])
    expect(await client.verify()).toMatchObject({ status: 'whole', entries: 4, problems: [] })
  })

  it('says so when there was no journal', async () => {
    const first = await start()
    await first.client.append(makeEntry('samples', 1))
    await first.close()
    const reopened = await start(first.home)
    expect(reopened.opened).toMatchObject({ fresh: false, setAside: null })
    await reopened.close()
    rmSync(journalPath(first.home))
    const again = await start(first.home)
    expect(again.opened).toMatchObject({ fresh: true, setAside: null, carriedEntries: 0 })
    expect(await again.client.verify({ heads: [{ domain: 'samples', domainSequence: 1 }] })).toMatchObject({
      status: 'tail-short',
      firstBadSequence: 1,
    })
  })
})

describe('checkpoints', () => {
  it('are signed every so many entries, on request and on close', async () => {
    const home = makeHome()
    const { client, close } = await start(home, { checkpointEvery: 10 })
    for (const entry of makeEntries('samples', 1, 25)) await client.append(entry)
    const asked = await client.checkpoint()
    expect(await client.checkpoint()).toBeNull()
    await client.append(makeEntry('samples', 26))
    await close()

    const reopened = await start(home, { checkpointEvery: 10 })
    const checkpoints = await reopened.client.checkpoints(10)
    expect(checkpoints.map((checkpoint) => checkpoint.sequence)).toEqual([26, 25, 20, 10])
    expect(checkpoints[1]).toEqual(asked)
    const trustedKeys = [openWorkstationKey(home).fingerprint]
    expect(await reopened.client.verify({ trustedKeys })).toMatchObject({ status: 'whole', problems: [] })
    expect(await reopened.client.verify({ trustedKeys: ['another'] })).toMatchObject({ status: 'broken' })
  })
})

describe('removing a payload', () => {
  it('keeps the hash and the chain', async () => {
    const { client } = await start()
    for (const entry of makeEntries('samples', 1, 3)) await client.append(entry)
    const before = await client.entry(2)
    expect([await client.removePayload(2), await client.removePayload(2)]).toEqual([true, false])
    expect(await client.entry(2)).toEqual({ ...before, payload: null })
    expect((await client.search({ limit: 5 })).items.map((item) => item.payloadRemoved)).toEqual([
      false,
      true,
      false,
    ])
    expect((await client.verify()).status).toBe('whole')
  })
})

describe('scans', () => {
  const scan = {
    scanId: 'scan-1',
    text: ']d2010409\u001d17',
    source: 'serial',
    deviceId: '/dev/pts/7',
    receivedAt: '2026-11-21T09:00:00.000Z',
    screen: { route: '/storage', sampleId: null },
  }

  it('are kept over a restart until somebody settles them', async () => {
    const first = await start()
    const waiting = { ...scan, state: 'waiting', settledAt: null, correlationId: null, summary: null }
    expect(await first.client.recordScan(scan)).toEqual(waiting)
    expect(await first.client.recordScan({ ...scan, text: 'delivered twice' })).toEqual(waiting)
    await first.client.recordScan({ ...scan, scanId: 'scan-2', receivedAt: '2026-11-21T09:00:01.000Z' })
    await first.close()

    const { client } = await start(first.home)
    expect((await client.waitingScans()).map((each) => each.scanId)).toEqual(['scan-1', 'scan-2'])
    const settlement = {
      scanId: 'scan-1',
      state: 'acted',
      settledAt: '2026-11-21T09:00:02.000Z',
      correlationId: 'command-9',
      summary: 'Tube checked in',
    } as const
    const settled = await client.settleScan(settlement)
    expect(settled).toEqual({ ...waiting, ...settlement })
    expect(await client.settleScan(settlement)).toEqual(settled)
    await expect(client.settleScan({ ...settlement, state: 'dismissed' })).rejects.toMatchObject({
      code: 'SCAN_ALREADY_SETTLED',
    })
    await expect(client.settleScan({ ...settlement, scanId: 'none' })).rejects.toMatchObject({
      code: 'SCAN_UNKNOWN',
    })
    expect((await client.waitingScans()).map((each) => each.scanId)).toEqual(['scan-2'])
    expect((await client.recentScans(1)).map((each) => each.scanId)).toEqual(['scan-2'])
    expect((await client.head())?.sequence).toBeUndefined()
  })

  it('are refused with the place named', async () => {
    const { client } = await start()
    await expect(client.recordScan({ ...scan, text: '' })).rejects.toMatchObject({
      code: 'INVALID_ENTRY',
      message: expect.stringContaining('text') as string,
    })
  })
})

describe('a client', () => {
  it('fails at once and by name when the journal is closed, in flight and afterwards', async () => {
    const { client, close } = await start()
    const states: boolean[] = []
    client.onState((state) => states.push(state.writable))
    expect(client.state).toEqual({ writable: true, why: null })
    const inFlight = client.append(makeEntry('samples', 1))
    const [appended] = await Promise.all([inFlight, close()])
    // Closing commits what was sent before.
    expect(appended).toMatchObject({ sequence: 1 })
    const began = performance.now()
    await expect(client.append(makeEntry('samples', 2))).rejects.toMatchObject({
      code: 'JOURNAL_UNAVAILABLE',
    })
    expect(performance.now() - began).toBeLessThan(100)
    expect(states).toEqual([false])
    expect(client.state.writable).toBe(false)
  })

  it('fails at once when the thread dies, and by its deadline when the thread never answers', async () => {
    const silent = new Worker('setInterval(() => {}, 1000)', { eval: true })
    const { port1, port2 } = new MessageChannel()
    const dead = new Worker(
      `require('node:worker_threads').parentPort.once('message', ({ port }) => {
         port.postMessage({ type: 'state', state: { writable: true, why: null } })
         port.on('message', (message) => { if (message.request?.method === 'head') process.exit(3) })
       })`,
      { eval: true },
    )
    dead.postMessage({ port: port1 }, [port1])
    const client = await connectJournal(port2, { deadlineMs: 500 })
    const slow = client.domainHead('samples')
    await expect(slow).rejects.toMatchObject({ code: 'DEADLINE' })
    await expect(client.head()).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' })
    await expect(client.head()).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' })

    const unanswered = new MessageChannel()
    silent.postMessage({ port: unanswered.port1 }, [unanswered.port1])
    await expect(connectJournal(unanswered.port2, { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE',
    })
    await silent.terminate()
  })
})
