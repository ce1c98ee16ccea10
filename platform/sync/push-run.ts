import { z } from 'zod'
import { EntryMetadataSchema, hashEntry, hashPayload, type JournalEntry } from '../journal/entry.ts'
import { verifySignature, type WorkstationKey } from '../journal/workstation-key.ts'
import { checkpointBytes } from '../journal/entry.ts'
import { pushedSetOf } from './journaled.ts'
import { type ChangeSet, ChangeSetSchema } from './change-set.ts'

/*
 * What a workstation pushes is a run of its journal: every entry by the hash of its payload, and the payload itself
 * where it is work that the Hub must decide. The run follows from the one before it and its end is signed, so nothing
 * can be changed, left out or put in between, neither on the way nor in the journal afterwards.
 */

const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 hash in hexadecimal')

/** A place in a workstation's journal, with the chain's hash there. */
export const JournalPlace = z.object({ sequence: z.int().min(0), hash: Hash })
export type JournalPlace = z.output<typeof JournalPlace>

/** The end of what a Hub has of a journal, with its signature over it. */
export const CountersignedPlace = JournalPlace.extend({ countersignature: z.string().max(200) })
export type CountersignedPlace = z.output<typeof CountersignedPlace>

export function countersign({ sequence, hash }: JournalPlace, hubKey: WorkstationKey): CountersignedPlace {
  const place = { sequence, hash }
  return { ...place, countersignature: hubKey.sign('hub-countersignature', endBytes(place)) }
}

export const largestRun = 1_000

export const PushRun = z.strictObject({
  after: JournalPlace,
  entries: z
    .array(z.strictObject({ payloadHash: Hash, payload: z.string().nullable() }))
    .min(1)
    .max(largestRun),
  /** Of the workstation's key, over the run's last place. */
  signature: z.string().max(200),
})
export type PushRun = z.output<typeof PushRun>

/** A run that does not hold together. */
export class TamperedRun extends Error {
  override readonly name = 'TamperedRun'
}

/** Makes a run of journal entries that follow each other. `isPushed` says which ones the Hub must decide. */
export function composeRun(
  after: JournalPlace,
  entries: readonly JournalEntry[],
  isPushed: (entry: JournalEntry) => boolean,
  key: WorkstationKey,
): { readonly run: PushRun; readonly end: JournalPlace } {
  const last = entries.at(-1)
  if (last === undefined) throw new Error('A run has entries')
  const end = { sequence: last.sequence, hash: last.hash }
  const sent = entries.map((entry) => ({
    payloadHash: entry.payloadHash,
    payload: isPushed(entry) ? entry.payload : null,
  }))
  return { run: { after, entries: sent, signature: key.sign('push', endBytes(end)) }, end }
}

/** The chain's hash at a place that lies in a run; null where it does not reach there. The run was verified. */
export function hashWithin({ after, entries }: PushRun, at: number): string | null {
  if (at <= after.sequence || at > after.sequence + entries.length) return null
  let hash: Uint8Array = Buffer.from(after.hash, 'hex')
  for (const [index, { payloadHash }] of entries.slice(0, at - after.sequence).entries())
    hash = hashEntry(hash, after.sequence + index + 1, Buffer.from(payloadHash, 'hex'))
  return Buffer.from(hash).toString('hex')
}

/** Where a run ends. Throws {@link TamperedRun} for one that was changed since the workstation signed it. */
export function verifyRun(run: PushRun, publicKey: string): JournalPlace {
  let hash: Uint8Array = Buffer.from(run.after.hash, 'hex')
  let { sequence } = run.after
  for (const { payloadHash, payload } of run.entries) {
    sequence += 1
    if (payload !== null && hashPayload(payload).toString('hex') !== payloadHash)
      throw new TamperedRun(`The payload of journal entry ${sequence} is not the one that was hashed`)
    hash = hashEntry(hash, sequence, Buffer.from(payloadHash, 'hex'))
  }
  const end = { sequence, hash: Buffer.from(hash).toString('hex') }
  const signed = { publicKey, purpose: 'push', data: endBytes(end), signature: run.signature } as const
  if (!verifySignature(signed))
    throw new TamperedRun(
      `Journal entries ${run.after.sequence + 1} to ${sequence} are not what the workstation signed`,
    )
  return end
}

/**
 * The part of a run that follows a place inside of it: a run of its own, since the signature is over the end alone. The
 * run itself where the place is its beginning; null where the run has another history up to there.
 */
export function continueRun(run: PushRun, from: JournalPlace): PushRun | null {
  let hash: Uint8Array = Buffer.from(run.after.hash, 'hex')
  const known = from.sequence - run.after.sequence
  if (known < 0 || known >= run.entries.length)
    throw new RangeError(`Entry ${from.sequence} is not followed by any of the run`)
  for (const [index, { payloadHash }] of run.entries.slice(0, known).entries())
    hash = hashEntry(hash, run.after.sequence + 1 + index, Buffer.from(payloadHash, 'hex'))
  if (!Buffer.from(hash).equals(Buffer.from(from.hash, 'hex'))) return null
  return { ...run, after: from, entries: run.entries.slice(known) }
}

/** Whether a run begins with the entry that says that its journal was lost and begun anew. */
export function beginsAnew({ entries: [first] }: PushRun): boolean {
  return first?.payload?.startsWith('{"entry":{"kind":"epoch",') === true
}

/** What a pushed payload says, beside where it stood in its journal. */
export interface PushedSet {
  readonly sequence: number
  readonly set: ChangeSet
}

const Head = z.object({ entry: EntryMetadataSchema })

/** The change sets of a run in their order. Throws a `ZodError` that names the place and the rule. */
export function readSets(run: PushRun): readonly PushedSet[] {
  return run.entries.flatMap(({ payload }, index) => {
    if (payload === null) return []
    const sequence = run.after.sequence + 1 + index
    const content = parseJson(payload, index)
    const set = pushedSetOf(Head.parse(content).entry, content)
    if (set === null) return []
    const checked = ChangeSetSchema.safeParse(set)
    if (checked.success) return [{ sequence, set: checked.data }]
    throw new z.ZodError(
      checked.error.issues.map((issue) => ({ ...issue, path: ['entries', index, 'set', ...issue.path] })),
    )
  })
}

function parseJson(payload: string, index: number): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    throw new z.ZodError([
      { code: 'custom', path: ['entries', index, 'payload'], message: 'must be JSON', input: undefined },
    ])
  }
}

/** What the signature covers. */
export function endBytes(end: JournalPlace): Uint8Array {
  return checkpointBytes(end.sequence, Buffer.from(end.hash, 'hex'))
}
