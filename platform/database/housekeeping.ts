import { sql } from 'drizzle-orm'
import type { Engine } from './engine.ts'

/** Outbox rows kept behind the journal's head, so that a journal that lost its tail can be given it again. */
const outboxKept = 2_000
/** Change sets between two notes of what the journal has. */
const noteEvery = 256
/** Change sets between two rounds of vacuum, analyze and checkpoint; PGlite does none of them by itself. */
const vacuumEvery = 10_000
const checkpointBytes = 64 * 1024 * 1024
const idleAfterMs = 2_000

/**
 * What a server's background processes would do. It runs between calls, in pieces short enough that a scan never waits
 * for it.
 */
export class Housekeeping {
  readonly #engine: Engine
  #lastAcknowledged = 0
  #notedAt = 0
  #sinceVacuum = 0
  #walBytesAtCheckpoint = 0
  #idleTimer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Tells that the journal has confirmed a change set. */
  noteChange(sequence: number): void {
    this.#lastAcknowledged = Math.max(this.#lastAcknowledged, sequence)
    this.#sinceVacuum += 1
    if (this.#lastAcknowledged - this.#notedAt >= noteEvery) this.#run()
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => this.#run(), idleAfterMs)
    this.#idleTimer.unref()
  }

  /** Writes down what the journal has, and drops what nobody needs any more. */
  async noteAcknowledged(sequence: number): Promise<void> {
    this.#lastAcknowledged = Math.max(this.#lastAcknowledged, sequence)
    await this.#tidy()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    await this.#running
    await this.#tidy()
  }

  #run(): void {
    if (this.#closed) return
    // A failure here (a full disk) must not end the service: the next round tries again, and commands tell the person.
    this.#running = this.#running.then(() => this.#tidy()).catch(() => undefined)
  }

  async #tidy(): Promise<void> {
    if (this.#lastAcknowledged > this.#notedAt) {
      const upTo = this.#lastAcknowledged
      await this.#engine.transact(async (tx) => {
        await tx.execute(sql`update platform.journal_position set acknowledged_sequence = ${upTo},
          acknowledged_hash = coalesce((select encode(sha256(convert_to(payload, 'UTF8')), 'hex')
            from platform.outbox where sequence = ${upTo}), '')`)
        await tx.execute(sql`delete from platform.outbox where sequence <= ${upTo - outboxKept}`)
      })
      this.#notedAt = upTo
    }
    if (this.#engine.kind !== 'pglite') return
    if (this.#sinceVacuum >= vacuumEvery) {
      this.#sinceVacuum = 0
      await this.#engine.execute('vacuum analyze')
    }
    await this.#checkpointWhenDue()
  }

  async #checkpointWhenDue(): Promise<void> {
    const bytes = await this.#engine.transact(async (tx) => {
      const result: unknown = await tx.execute(
        sql`select (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as bytes`,
      )
      return Number((result as { readonly rows: readonly { readonly bytes: string }[] }).rows[0]?.bytes ?? 0)
    })
    if (bytes - this.#walBytesAtCheckpoint < checkpointBytes) return
    await this.#engine.execute('checkpoint')
    this.#walBytesAtCheckpoint = bytes
  }
}
