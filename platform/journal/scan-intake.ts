import { z } from 'zod'
import { describeIssue } from './entry.ts'
import type { Connection } from './journal-connection.ts'
import { JournalError } from './journal-error.ts'

/** A scan waits until a command acted on it, a person dismissed it, or it proved to be a repeat of another scan. */
export const SCAN_STATES = ['waiting', 'acted', 'dismissed', 'repeat'] as const
export type ScanState = (typeof SCAN_STATES)[number]

export interface NewScan {
  /** Given by the device host; also the idempotency key of the command the scan causes. */
  readonly scanId: string
  readonly text: string
  /** Kind of source, such as `serial`, `hid`, `wedge`. */
  readonly source: string
  readonly deviceId: string | null
  /** UTC with milliseconds. */
  readonly receivedAt: string
  /** Which screen was open and what it was about: a scan is never applied to another one. */
  readonly screen: Readonly<Record<string, string | null>>
}

export interface Scan extends NewScan {
  readonly state: ScanState
  readonly settledAt: string | null
  /** The command that acted on it. */
  readonly correlationId: string | null
  /** What became of it, in words. */
  readonly summary: string | null
}

export interface ScanSettlement {
  readonly scanId: string
  readonly state: Exclude<ScanState, 'waiting'>
  readonly settledAt: string
  readonly correlationId: string | null
  readonly summary: string | null
}

const Screen = z.record(z.string(), z.string().nullable())
const Instant = z.iso.datetime({ precision: 3 })

const NewScanSchema = z.object({
  scanId: z.string().min(1).max(200),
  text: z.string().min(1).max(65_536),
  source: z.string().min(1).max(200),
  deviceId: z.string().max(500).nullable(),
  receivedAt: Instant,
  screen: Screen,
}) satisfies z.ZodType<NewScan>

const ScanSettlementSchema = z.object({
  scanId: z.string().min(1),
  state: z.enum(['acted', 'dismissed', 'repeat']),
  settledAt: Instant,
  correlationId: z.string().max(200).nullable(),
  summary: z.string().max(2_000).nullable(),
}) satisfies z.ZodType<ScanSettlement>

/** Durable memory of scans, beside the hash chain: written before the green flash, listed for review after a restart. */
export class ScanIntake {
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(connection: Connection) {
    this.#statements = prepareStatements(connection)
  }

  /** Stores the scan as waiting. The same id again answers what is stored, so a repeated delivery changes nothing. */
  record(scan: NewScan): Scan {
    const parsed = NewScanSchema.safeParse(scan)
    if (!parsed.success)
      throw new JournalError('INVALID_ENTRY', `Scan refused: ${describeIssue(parsed.error)}`)
    const { screen, ...columns } = parsed.data
    this.#statements.insert.run({ ...columns, screen: JSON.stringify(screen) })
    return this.#require(scan.scanId)
  }

  /** Ends the waiting. The same settlement again is fine; another one is SCAN_ALREADY_SETTLED. */
  settle(settlement: ScanSettlement): Scan {
    const parsed = ScanSettlementSchema.safeParse(settlement)
    if (!parsed.success)
      throw new JournalError('INVALID_ENTRY', `Scan settlement refused: ${describeIssue(parsed.error)}`)
    const before = this.#require(settlement.scanId)
    if (before.state === 'waiting') {
      this.#statements.settle.run(parsed.data)
      return this.#require(settlement.scanId)
    }
    if (before.state === settlement.state && before.correlationId === settlement.correlationId) return before
    throw new JournalError(
      'SCAN_ALREADY_SETTLED',
      `Scan ${settlement.scanId} is already ${before.state}${before.summary === null ? '' : `: ${before.summary}`}`,
      { scanId: before.scanId, state: before.state },
    )
  }

  /** Oldest first. */
  waiting(): readonly Scan[] {
    return this.#statements.waiting.all().map(scanFromRow)
  }

  /** Newest first. */
  recent(limit: number): readonly Scan[] {
    return this.#statements.recent.all(limit).map(scanFromRow)
  }

  #require(scanId: string): Scan {
    const row = this.#statements.get.get(scanId)
    if (row === undefined) throw new JournalError('SCAN_UNKNOWN', `No scan has the id ${scanId}`, { scanId })
    return scanFromRow(row)
  }
}

type ScanRow = Omit<Scan, 'screen'> & { readonly screen: string }

const COLUMNS = `scan_id AS scanId, text, source, device_id AS deviceId, received_at AS receivedAt, screen, state,
  settled_at AS settledAt, correlation_id AS correlationId, summary`

function prepareStatements(connection: Connection) {
  return {
    insert: connection.prepare<[Omit<NewScan, 'screen'> & { readonly screen: string }]>(
      `INSERT INTO journal_scan (scan_id, text, source, device_id, received_at, screen, state)
       VALUES (@scanId, @text, @source, @deviceId, @receivedAt, @screen, 'waiting') ON CONFLICT (scan_id) DO NOTHING`,
    ),
    get: connection.prepare<[string], ScanRow>(`SELECT ${COLUMNS} FROM journal_scan WHERE scan_id = ?`),
    settle: connection.prepare<[ScanSettlement]>(
      `UPDATE journal_scan SET state = @state, settled_at = @settledAt, correlation_id = @correlationId, summary = @summary
       WHERE scan_id = @scanId AND state = 'waiting'`,
    ),
    waiting: connection.prepare<[], ScanRow>(
      `SELECT ${COLUMNS} FROM journal_scan WHERE state = 'waiting' ORDER BY received_at, scan_id`,
    ),
    recent: connection.prepare<[number], ScanRow>(
      `SELECT ${COLUMNS} FROM journal_scan ORDER BY received_at DESC, scan_id DESC LIMIT ?`,
    ),
  }
}

function scanFromRow(row: ScanRow): Scan {
  return { ...row, screen: Screen.parse(JSON.parse(row.screen)) }
}
