import { z } from 'zod'
import { ENTRY_KINDS, type JournalEntry, ORIGINS } from '../../platform/journal/entry.ts'

const Count = z.string().transform(Number)

/** One row of `entry`, as PostgreSQL gives it: whole numbers come as text. */
export const LogRow = z.object({
  sequence: Count,
  laboratory_id: z.string(),
  position: Count,
  kind: z.enum(ENTRY_KINDS),
  domain: z.string(),
  domain_sequence: Count,
  change_set_id: z.string(),
  origin: z.enum(ORIGINS),
  actor_id: z.string(),
  workstation_id: z.string(),
  hybrid_logical_time: z.string(),
  reason: z.string().nullable(),
  correlation_id: z.string(),
  recorded_at: z.string(),
  event_names: z.array(z.string()),
  payload_hash: z.instanceof(Buffer),
  hash: z.instanceof(Buffer),
  payload: z.string().nullable(),
})
export type LogRow = z.output<typeof LogRow>

/** The columns of {@link LogRow}. */
export const LOG_COLUMNS = `sequence, laboratory_id, position, kind, domain, domain_sequence, change_set_id, origin,
  actor_id, workstation_id, hybrid_logical_time, reason, correlation_id, recorded_at, event_names, payload_hash, hash, payload`

/** A row as the services know an entry. */
export function toEntry(row: LogRow): JournalEntry {
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
    eventNames: row.event_names,
    payloadHash: row.payload_hash.toString('hex'),
    hash: row.hash.toString('hex'),
    payload: row.payload,
  }
}
