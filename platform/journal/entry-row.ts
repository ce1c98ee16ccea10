import { z } from 'zod'
import { describeIssue, ENTRY_KINDS, hashEntry, hashPayload, ORIGINS, serialiseMetadata } from './entry.ts'
import type { JournalEntry } from './entry.ts'

const EventNames = z.array(z.string())

/** One row of `journal_entry`, as SQLite gives it. Rows of a file that may be damaged are parsed with this. */
export const EntryRowSchema = z.object({
  sequence: z.int(),
  kind: z.enum(ENTRY_KINDS),
  domain: z.string(),
  domain_sequence: z.int(),
  change_set_id: z.string(),
  origin: z.enum(ORIGINS),
  actor_id: z.string(),
  workstation_id: z.string(),
  hybrid_logical_time: z.string(),
  reason: z.string().nullable(),
  correlation_id: z.string(),
  recorded_at: z.string(),
  event_names: z.string(),
  payload_hash: z.instanceof(Buffer),
  hash: z.instanceof(Buffer),
  payload: z.instanceof(Buffer).nullable(),
})
export type EntryRow = z.infer<typeof EntryRowSchema>

/** The payload comes as bytes, because bytes are what was hashed. */
export const ENTRY_COLUMNS = `sequence, kind, domain, domain_sequence, change_set_id, origin, actor_id, workstation_id,
  hybrid_logical_time, reason, correlation_id, recorded_at, event_names, payload_hash, hash, CAST(payload AS BLOB) AS payload`

/** Turns a row into an entry. Throws when the event names are no JSON list. */
export function entryFromRow(row: EntryRow): JournalEntry {
  return {
    sequence: row.sequence,
    kind: row.kind,
    domain: row.domain,
    domainSequence: row.domain_sequence,
    changeSetId: row.change_set_id,
    origin: row.origin,
    actorId: row.actor_id,
    workstationId: row.workstation_id,
    hybridLogicalTime: row.hybrid_logical_time,
    reason: row.reason,
    correlationId: row.correlation_id,
    recordedAt: row.recorded_at,
    eventNames: parseEventNames(row.event_names),
    payloadHash: row.payload_hash.toString('hex'),
    hash: row.hash.toString('hex'),
    payload: row.payload === null ? null : row.payload.toString('utf8'),
  }
}

function parseEventNames(text: string): readonly string[] {
  return EventNames.parse(JSON.parse(text))
}

export type CheckedRow =
  | { readonly sound: true; readonly row: EntryRow; readonly entry: JournalEntry }
  | { readonly sound: false; readonly problem: string; readonly hash: Uint8Array | null }

/** Checks one raw row against the chain before it: form, payload hash, chain hash, and columns against the payload. */
export function checkRow(raw: unknown, previousHash: Uint8Array): CheckedRow {
  const parsed = EntryRowSchema.safeParse(raw)
  if (!parsed.success)
    return { sound: false, problem: `its row is malformed (${describeIssue(parsed.error)})`, hash: null }
  const row = parsed.data
  const fail = (problem: string): CheckedRow => ({ sound: false, problem, hash: row.hash })

  if (row.payload !== null && !hashPayload(row.payload).equals(row.payload_hash))
    return fail('its payload is not the one that was hashed')
  if (
    row.payload_hash.length !== 32 ||
    !hashEntry(previousHash, row.sequence, row.payload_hash).equals(row.hash)
  )
    return fail('its hash does not follow from the entry before it')
  try {
    const entry = entryFromRow(row)
    const column = entry.payload === null ? null : findDifference(entry, JSON.parse(entry.payload))
    return column === null
      ? { sound: true, row, entry }
      : fail(`its column ${column} is not what its payload says`)
  } catch (error) {
    return fail(`it cannot be read as JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

const StatedMetadata = z.record(z.string(), z.unknown())
const Payload = z.object({ entry: StatedMetadata })

function findDifference(entry: JournalEntry, payload: unknown): string | null {
  const parsed = Payload.safeParse(payload)
  if (!parsed.success) return 'entry'
  const stated = parsed.data.entry
  const columns = StatedMetadata.parse(JSON.parse(serialiseMetadata(entry)))
  const names = new Set([...Object.keys(columns), ...Object.keys(stated)])
  return [...names].find((key) => JSON.stringify(columns[key]) !== JSON.stringify(stated[key])) ?? null
}
