import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeTestFolder } from '../database/testing/test-folder.ts'
import { composePayload, hashEntry, hashPayload, type JournalEntry } from '../journal/entry.ts'
import { openWorkstationKey } from '../journal/workstation-key.ts'
import { emptyLog } from './log.ts'
import {
  composeRun,
  continueRun,
  type JournalPlace,
  type PushRun,
  readSets,
  TamperedRun,
  verifyRun,
} from './push-run.ts'

const key = openWorkstationKey(makeTestFolder('tracseq-push-run-'))
const stranger = openWorkstationKey(makeTestFolder('tracseq-push-run-'))
const start: JournalPlace = { sequence: 0, hash: emptyLog.hash }
const laboratoryId = randomUUID()

/** A journal of so many entries, every third of which came from the Hub. */
function journalOf(length: number, change: (index: number) => object = () => ({})): readonly JournalEntry[] {
  let previous: Uint8Array = Buffer.from(start.hash, 'hex')
  return Array.from({ length }, (_, index) => {
    const id = randomUUID()
    const metadata = {
      kind: 'change',
      domain: 'samples',
      domainSequence: index + 1,
      changeSetId: randomUUID(),
      origin: index % 3 === 2 ? 'hub' : 'local',
      actorId: randomUUID(),
      workstationId: 'bench-1',
      hybridLogicalTime: '1763715600000-0000-bench-1',
      reason: null,
      correlationId: 'c',
      recordedAt: '2026-11-21T10:00:00.000Z',
      eventNames: [],
    } as const
    const row = {
      table: 'sample',
      operation: 'insert',
      key: { laboratory_id: laboratoryId, id },
      replaces: null,
      values: { id, laboratory_id: laboratoryId, name: `Tube ${index}` },
      before: {},
      ...change(index),
    }
    const payload = composePayload(metadata, {
      laboratoryId,
      command: { procedure: 'samples.create' },
      causedBy: null,
      changes: [row],
      events: [],
      sync: null,
    })
    const payloadHash = hashPayload(payload)
    previous = hashEntry(previous, index + 1, payloadHash)
    return {
      ...metadata,
      payload,
      sequence: index + 1,
      payloadHash: payloadHash.toString('hex'),
      hash: Buffer.from(previous).toString('hex'),
    }
  })
}

const isPushed = ({ origin }: JournalEntry) => origin === 'local'

describe('a run of the journal', () => {
  it('proves itself, one run after the other, and holds what was made here', () => {
    const journal = journalOf(9)
    const first = composeRun(start, journal.slice(0, 5), isPushed, key)
    expect(verifyRun(first.run, key.publicKey)).toEqual(first.end)
    const second = composeRun(first.end, journal.slice(5), isPushed, key)
    expect(verifyRun(second.run, key.publicKey)).toEqual({ sequence: 9, hash: journal[8]?.hash })
    const sets = [...readSets(first.run), ...readSets(second.run)]
    expect(sets.map(({ sequence }) => sequence)).toEqual([1, 2, 4, 5, 7, 8])
    expect(sets.map(({ set }) => set.id)).toEqual(
      journal.filter(isPushed).map(({ changeSetId }) => changeSetId),
    )
  })

  it('is refused whatever is changed, left out, put in or moved', () => {
    const journal = journalOf(6)
    const { run } = composeRun(start, journal, isPushed, key)
    const tampered: readonly PushRun[] = [
      ...run.entries.map((_, index) => ({ ...run, entries: run.entries.filter((__, at) => at !== index) })),
      ...run.entries.flatMap((entry, index) =>
        entry.payload === null
          ? []
          : [withEntry(run, index, { ...entry, payload: entry.payload.replace('Tube', 'Tub') })],
      ),
      withEntry(run, 2, { payloadHash: hashPayload('{}').toString('hex'), payload: '{}' }),
      { ...run, entries: [...run.entries].reverse() },
      { ...run, entries: [...run.entries, ...run.entries.slice(0, 1)] },
      { ...run, after: { ...run.after, sequence: 1 } },
      { ...run, after: { ...run.after, hash: run.entries[0]?.payloadHash ?? '' } },
      { ...run, signature: stranger.sign('push', Buffer.from('')) },
      composeRun(start, journal, isPushed, stranger).run,
    ]
    for (const one of tampered) expect(() => verifyRun(one, key.publicKey)).toThrow(TamperedRun)
  })

  it('is refused for any other text of a payload', () => {
    const { run } = composeRun(start, journalOf(3), isPushed, key)
    const [first] = run.entries
    const payload = first?.payload ?? ''
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        const other = `${payload.slice(0, at)}${letter}${payload.slice(at + 1)}`
        if (other === payload || first === undefined) return
        expect(() => verifyRun(withEntry(run, 0, { ...first, payload: other }), key.publicKey)).toThrow(
          TamperedRun,
        )
      }),
    )
  })

  it('can be gone on with from any place inside of it, and from no place of another journal', () => {
    const journal = journalOf(8)
    const { run, end } = composeRun(start, journal, isPushed, key)
    fc.assert(
      fc.property(fc.nat(7), (known) => {
        const from = { sequence: known, hash: journal[known - 1]?.hash ?? start.hash }
        const rest = continueRun(run, from)
        expect(rest === null ? null : verifyRun(rest, key.publicKey)).toEqual(end)
        expect(rest?.entries).toEqual(run.entries.slice(known))
        expect(continueRun(run, { ...from, hash: hashPayload('another').toString('hex') })).toBeNull()
      }),
    )
    expect(() => continueRun(run, end)).toThrow(RangeError)
  })

  it('names the place and the rule of what is wrong in it', () => {
    const { run } = composeRun(
      start,
      journalOf(2, (index) => (index === 1 ? { table: 'Sample"' } : {})),
      isPushed,
      key,
    )
    expect(() => readSets(run)).toThrow(/entries[\s\S]*1[\s\S]*table[\s\S]*must be a name of a table/)
  })
})

function withEntry(run: PushRun, index: number, entry: PushRun['entries'][number]): PushRun {
  return { ...run, entries: run.entries.map((each, at) => (at === index ? entry : each)) }
}
