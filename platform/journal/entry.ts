import { hash } from 'node:crypto'
import { z } from 'zod'
import { JournalError } from './journal-error.ts'

export const ORIGINS = ['local', 'hub', 'migration', 'repair'] as const
/** Where a write came from. Only `local` is pushed to the Hub; all are journaled. */
export type Origin = (typeof ORIGINS)[number]

export const ENTRY_KINDS = ['change', 'migration', 'gap', 'epoch'] as const
/** `gap` announces domain sequences that are lost for ever; `epoch` announces that the journal was begun anew. */
export type EntryKind = (typeof ENTRY_KINDS)[number]

/** Everything about an entry but its payload. It is repeated inside the payload, so that the hash covers it. */
export interface EntryMetadata {
  readonly kind: EntryKind
  readonly domain: string
  /** Dense per domain, from 1; only a gap entry may jump. */
  readonly domainSequence: number
  readonly changeSetId: string
  readonly origin: Origin
  readonly actorId: string
  readonly workstationId: string
  readonly hybridLogicalTime: string
  readonly reason: string | null
  readonly correlationId: string
  /** UTC with milliseconds: `2026-11-21T10:31:05.123Z`. */
  readonly recordedAt: string
  readonly eventNames: readonly string[]
}

export interface NewJournalEntry extends EntryMetadata {
  /** JSON text made by `composePayload`; the bytes hashed are its UTF-8. */
  readonly payload: string
}

export interface JournalEntry extends EntryMetadata {
  /** Dense over the whole journal, from 1. */
  readonly sequence: number
  /** SHA-256 of the payload's bytes, hex. */
  readonly payloadHash: string
  /** The chain's hash at this entry, hex. */
  readonly hash: string
  /** Null when the payload was removed (legal erasure, pruning); its hash stays. */
  readonly payload: string | null
}

/** The domain under which the journal itself announces new epochs. */
export const JOURNAL_DOMAIN = 'journal'

/** Far above the 4 MB a change set may have: an entry that was committed must never be refused for its size. */
const MAXIMUM_PAYLOAD_CHARACTERS = 64 * 1024 * 1024

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

const storable = z.string().refine(isStorableText, 'must not contain NUL or a lone surrogate')
const name = storable.min(1).max(200)

/** The rules for an entry's columns. Enforced when the payload is composed, so before the domain commits. */
export const EntryMetadataSchema = z.object({
  kind: z.enum(ENTRY_KINDS),
  domain: name,
  domainSequence: z.int().min(1),
  changeSetId: name,
  origin: z.enum(ORIGINS),
  actorId: name,
  workstationId: name,
  hybridLogicalTime: storable.max(200),
  reason: storable.max(10_000).nullable(),
  correlationId: storable.max(200),
  recordedAt: z.iso.datetime({ precision: 3 }),
  eventNames: z.array(name).max(1_000).readonly(),
}) satisfies z.ZodType<EntryMetadata>

/** Describes the first broken rule of a zod error as "field: rule". */
export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'unknown rule'
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`
}

/**
 * Makes the payload of an entry: its metadata under `entry`, what happened under `body`. The metadata in the text must
 * equal the columns given to `append`. Throws INVALID_ENTRY for broken metadata and for numbers that JSON cannot keep exactly.
 */
export function composePayload(metadata: EntryMetadata, body: object): string {
  const parsed = EntryMetadataSchema.safeParse(metadata)
  if (!parsed.success)
    throw new JournalError('INVALID_ENTRY', `Journal entry refused: ${describeIssue(parsed.error)}`)
  return `${payloadBeginning(metadata)}${JSON.stringify(body, refuseInexactNumber)}}`
}

/**
 * Reads a payload's metadata back without its body. In a text every quote is escaped, so what looks like the metadata's
 * end is its end.
 */
export function metadataOf(payload: string): EntryMetadata {
  const end = payload.indexOf('},"body":')
  return EntryMetadataSchema.parse(JSON.parse(payload.slice('{"entry":'.length, end + 1)))
}

/** Refuses an entry whose columns break a rule or differ from what its payload says about them. */
export function assertEntryIsSound(entry: NewJournalEntry): void {
  const parsed = EntryMetadataSchema.safeParse(entry)
  if (!parsed.success)
    throw new JournalError('INVALID_ENTRY', `Journal entry refused: ${describeIssue(parsed.error)}`)
  if (entry.payload.length > MAXIMUM_PAYLOAD_CHARACTERS)
    throw new JournalError('INVALID_ENTRY', 'Journal entry refused: payload: longer than 64 MiB')
  if (!entry.payload.startsWith(payloadBeginning(entry)) || !entry.payload.endsWith('}'))
    throw new JournalError(
      'INVALID_ENTRY',
      'Journal entry refused: payload: must be made by composePayload from the same metadata',
    )
}

/** The metadata as it stands in the payload, in fixed key order. */
export function serialiseMetadata(entry: EntryMetadata): string {
  return JSON.stringify({
    kind: entry.kind,
    domain: entry.domain,
    domainSequence: entry.domainSequence,
    changeSetId: entry.changeSetId,
    origin: entry.origin,
    actorId: entry.actorId,
    workstationId: entry.workstationId,
    hybridLogicalTime: entry.hybridLogicalTime,
    reason: entry.reason,
    correlationId: entry.correlationId,
    recordedAt: entry.recordedAt,
    eventNames: entry.eventNames,
  })
}

function payloadBeginning(entry: EntryMetadata): string {
  return `{"entry":${serialiseMetadata(entry)},"body":`
}

function refuseInexactNumber(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new JournalError(
      'INVALID_ENTRY',
      `Journal entry refused: body.${key}: ${value} is no safe integer; amounts are text`,
    )
  return value
}

/** The 32 zero bytes that stand before the first entry. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32)

/** SHA-256 over the payload's bytes as stored (UTF-8). */
export function hashPayload(payload: string | Uint8Array): Buffer {
  return hash('sha256', payload, 'buffer')
}

/** `SHA-256( previous[32] ‖ uint64be(sequence) ‖ payloadHash[32] )`. */
export function hashEntry(previous: Uint8Array, sequence: number, payloadHash: Uint8Array): Buffer {
  const bytes = Buffer.alloc(72)
  bytes.set(previous, 0)
  bytes.writeBigUInt64BE(BigInt(sequence), 32)
  bytes.set(payloadHash, 40)
  return hash('sha256', bytes, 'buffer')
}

/** What a checkpoint's signature covers: `uint64be(sequence) ‖ hash[32]`. */
export function checkpointBytes(sequence: number, entryHash: Uint8Array): Buffer {
  const bytes = Buffer.alloc(40)
  bytes.writeBigUInt64BE(BigInt(sequence), 0)
  bytes.set(entryHash, 8)
  return bytes
}
