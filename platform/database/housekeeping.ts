import { sql } from 'drizzle-orm'
import type { Engine } from './engine.ts'
import { rowsOf } from './transaction.ts'

/**
 * Outbox rows kept behind the journal's head, so that a journal that lost its tail can be given it again. What the Hub has
 * not confirmed is kept however much it is, with all behind it: lost with the journal, it could not be pushed any more.
 */
const outboxKept = 2_000
/** Change sets between two notes of what the journal has. */
const noteEvery = 256
/** Change sets between two rounds of vacuum and analyze; PGlite does neither by itself. */
const vacuumEvery = 10_000
/** Log written since the last checkpoint that makes one due; PGlite would keep all of it. */
const checkpointBytes = 64 * 1024 * 1024
/** The same for a moment when nobody waits, so that the next start has little to recover. */
const idleCheckpointBytes = 4 * 1024 * 1024
const idleAfterMs = 2_000

export interface HousekeepingOptions {
  readonly checkpointBytes?: number
  readonly vacuumEvery?: number
  /** Runs after the tidying of an idle moment. */
  readonly whenIdle?: () => Promise<void>
  /** Told when something could not be tidied; the next round tries again. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * What a server's background processes would do. It runs between calls, in pieces short enough that a scan never waits
 * for it.
 */
export class Housekeeping {
  readonly #engine: Engine
  readonly #options: HousekeepingOptions
  #lastAcknowledged = 0
  #notedAt = 0
  #sinceVacuum = 0
  #idleTimer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(engine: Engine, options: HousekeepingOptions = {}) {
    this.#engine = engine
    this.#options = options
  }

  /**
   * Tells that the journal has confirmed a change set. It takes entries of a domain only in order, so it has all
   * before this one as well.
   */
  noteChange(sequence: number): void {
    this.#lastAcknowledged = Math.max(this.#lastAcknowledged, sequence)
    this.#sinceVacuum += 1
    if (this.#lastAcknowledged - this.#notedAt >= noteEvery) this.#run(() => this.#tidy(false))
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => this.#run(() => this.#tidyIdle()), idleAfterMs)
    this.#idleTimer.unref()
  }

  /** Writes down what the journal has, and drops what nobody needs any more. */
  async noteAcknowledged(sequence: number): Promise<void> {
    this.#lastAcknowledged = Math.max(this.#lastAcknowledged, sequence)
    await this.#tidy(false)
  }

  /** Writes the last notes; a database that takes no writes is closed without them. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    await this.#running
    await this.#tidy(false).catch((error: unknown) => this.#options.onFailure?.(error))
  }

  #run(work: () => Promise<void>): void {
    if (this.#closed) return
    // A failure here (a full disk) must not end the service: the next round tries again, and commands tell the person.
    this.#running = this.#running.then(work).catch((error: unknown) => this.#options.onFailure?.(error))
  }

  async #tidyIdle(): Promise<void> {
    await this.#tidy(true)
    await this.#options.whenIdle?.()
  }

  async #tidy(idle: boolean): Promise<void> {
    if (this.#lastAcknowledged > this.#notedAt) {
      const upTo = this.#lastAcknowledged
      await this.#engine.transact(async (tx) => {
        await tx.execute(sql`update platform.journal_position set acknowledged_sequence = ${upTo},
          acknowledged_hash = coalesce((select encode(sha256(convert_to(payload, 'UTF8')), 'hex')
            from platform.outbox where sequence = ${upTo}), '')`)
        if (upTo > outboxKept)
          await tx.execute(sql`delete from platform.outbox where sequence <= ${upTo - outboxKept}
            and sequence < coalesce((select min(domain_sequence) from platform.pending_change), 9223372036854775807)`)
      })
      this.#notedAt = upTo
    }
    if (this.#engine.kind !== 'pglite') return
    if (this.#sinceVacuum >= (this.#options.vacuumEvery ?? vacuumEvery)) await this.#vacuum()
    const due = idle ? idleCheckpointBytes : (this.#options.checkpointBytes ?? checkpointBytes)
    if ((await this.#logBytes()) >= due) await this.#engine.execute('checkpoint')
  }

  /** Table by table, so that calls come in between. */
  async #vacuum(): Promise<void> {
    this.#sinceVacuum = 0
    const tables = await this.#engine.transact((tx) =>
      rowsOf<{ name: string }>(
        tx,
        sql`select format('%I.%I', nspname, relname) as name from pg_class join pg_namespace n on n.oid = relnamespace
          where relkind = 'r' and nspname in ('public', 'platform') order by 1`,
      ),
    )
    for (const { name } of tables) await this.#engine.execute(`vacuum analyze ${name}`)
  }

  async #logBytes(): Promise<number> {
    const [row] = await this.#engine.transact((tx) =>
      rowsOf<{ bytes: string }>(
        tx,
        sql`select (pg_current_wal_lsn() - redo_lsn)::text as bytes from pg_control_checkpoint()`,
      ),
    )
    return Number(row?.bytes ?? 0)
  }
}
