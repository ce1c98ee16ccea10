import { z } from 'zod'
import { describeIssue } from './entry.ts'
import type { JournalEntry } from './entry.ts'
import { ENTRY_COLUMNS, entryFromRow } from './entry-row.ts'
import type { EntryRow } from './entry-row.ts'
import type { Connection } from './journal-connection.ts'
import { JournalError } from './journal-error.ts'

/** Filters of the audit trail; all given ones must hold. */
export interface AuditFilter {
  readonly domain?: string
  readonly actorId?: string
  readonly changeSetId?: string
  readonly correlationId?: string
  readonly eventName?: string
  /** Inclusive, UTC. */
  readonly from?: string
  /** Exclusive, UTC. */
  readonly to?: string
  /** Text anywhere in the reason, without regard to the case of A to Z. */
  readonly reasonContains?: string
}

export interface AuditSearch extends AuditFilter {
  /** `nextCursor` of the page before. */
  readonly cursor?: string
  readonly limit: number
}

/** An entry without its payload; ask for `entry(sequence)` to see what changed. */
export type AuditItem = Omit<JournalEntry, 'payload'> & {
  readonly payloadRemoved: boolean
  /** The command that made it, `samples.update`; null when no command did, or when a list leaves a long content unread. */
  readonly procedure: string | null
}

export interface AuditPage {
  /** Newest first. */
  readonly items: readonly AuditItem[]
  readonly nextCursor: string | null
}

export interface AuditWindow {
  readonly items: readonly AuditItem[]
  /** Where to go on, null at the journal's beginning. */
  readonly nextBefore: number | null
}

export interface AuditWindowRequest extends AuditFilter {
  /** Look at entries below this sequence; null starts at the end. */
  readonly before: number | null
  readonly limit: number
}

/** One request looks at this many entries of the covering index, a few milliseconds, so that appends go on in between. */
const WINDOW_ENTRIES = 20_000

const Instant = z.iso.datetime()
const FilterSchema = z.object({
  domain: z.string().optional(),
  actorId: z.string().optional(),
  changeSetId: z.string().optional(),
  correlationId: z.string().optional(),
  eventName: z.string().optional(),
  from: Instant.optional(),
  to: Instant.optional(),
  reasonContains: z.string().max(500).optional(),
  before: z.int().min(1).nullable(),
  limit: z.int().min(1).max(1_000),
})

/** Searches one window of the journal backwards. The client strings windows together until a page is full. */
export function searchWindow(connection: Connection, request: AuditWindowRequest): AuditWindow {
  const parsed = FilterSchema.safeParse(request)
  if (!parsed.success)
    throw new JournalError('INVALID_ENTRY', `Audit search refused: ${describeIssue(parsed.error)}`)
  const filter = parsed.data
  const before = filter.before ?? endOf(connection) + 1
  // Few entries share a change set or a correlation: their own index answers at once.
  const indexed = filter.changeSetId !== undefined || filter.correlationId !== undefined
  const bottom = indexed ? 1 : Math.max(1, before - WINDOW_ENTRIES)
  const clauses = [
    filter.domain === undefined ? null : 'domain = @domain',
    filter.actorId === undefined ? null : 'actor_id = @actorId',
    filter.changeSetId === undefined ? null : 'change_set_id = @changeSetId',
    filter.correlationId === undefined ? null : 'correlation_id = @correlationId',
    filter.from === undefined ? null : 'recorded_at >= @from',
    filter.to === undefined ? null : 'recorded_at < @to',
    filter.reasonContains === undefined ? null : "reason LIKE @reason ESCAPE '\\'",
    filter.eventName === undefined
      ? null
      : 'EXISTS (SELECT 1 FROM journal_event WHERE name = @eventName AND journal_event.sequence = journal_entry.sequence)',
  ].filter((clause) => clause !== null)
  // The sign keeps SQLite from choosing the row order over the index that was asked for.
  const order = indexed ? '+sequence' : 'sequence'
  const sequences = connection
    .prepare<[Readonly<Record<string, unknown>>], number>(
      `SELECT sequence FROM journal_entry ${indexed ? '' : 'INDEXED BY journal_entry_audit'}
       WHERE ${order} < @before AND ${order} >= @bottom ${clauses.map((clause) => `AND ${clause}`).join(' ')}
       ORDER BY ${order} DESC LIMIT @limit`,
    )
    .pluck()
    .all({
      ...filter,
      before,
      bottom,
      from: filter.from === undefined ? null : new Date(filter.from).toISOString(),
      to: filter.to === undefined ? null : new Date(filter.to).toISOString(),
      reason: `%${(filter.reasonContains ?? '').replace(/[\\%_]/g, '\\$&')}%`,
    })
  const last = sequences.length === filter.limit ? (sequences.at(-1) ?? bottom) : bottom
  const entry = connection.prepare<[number], EntryRow>(
    `SELECT ${ITEM_COLUMNS} FROM journal_entry WHERE sequence = ?`,
  )
  return {
    items: sequences.flatMap((sequence) => {
      const row = entry.get(sequence)
      return row === undefined ? [] : [itemFromRow(row)]
    }),
    nextBefore: last > 1 ? last : null,
  }
}

/** SQLite reads a payload whole to see its beginning; longer ones stay on disk. */
const LONGEST_READ_BYTES = 256 * 1024

/** Of the payload only where the command is named, at the beginning of its body. */
const ITEM_COLUMNS = ENTRY_COLUMNS.replace(
  'CAST(payload AS BLOB) AS payload',
  `CASE WHEN payload IS NULL THEN NULL WHEN octet_length(payload) > ${LONGEST_READ_BYTES} THEN x''
    ELSE CAST(substr(payload, instr(payload, '"body":'), 300) AS BLOB) END AS payload`,
)

function itemFromRow(row: EntryRow): AuditItem {
  const { payload, ...item } = entryFromRow(row)
  return {
    ...item,
    payloadRemoved: payload === null,
    procedure: payload === null ? null : findProcedure(payload),
  }
}

/** The command named in a payload or in the beginning of its body. Quotes inside of texts are escaped, so no text can pose as it. */
export function findProcedure(payload: string): string | null {
  return /"procedure"\s*:\s*"([^"\\]+)"/.exec(payload)?.[1] ?? null
}

function endOf(connection: Connection): number {
  return connection.prepare<[], number | null>('SELECT max(sequence) FROM journal_entry').pluck().get() ?? 0
}
