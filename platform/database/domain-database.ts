import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { Refusal } from '../contract/refusal.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import { type ChangeRequest, type ChangeScope, makeChange, type OutboxEntry } from './change.ts'
import { DatabaseDamaged, type Engine } from './engine.ts'
import { Housekeeping } from './housekeeping.ts'
import { type Migration, migrate } from './migrate.ts'
import { openPglite, wordsOf } from './pglite-engine.ts'
import type { DomainTables } from './policy.ts'
import { drainOutbox, journalEntryOf, readPosition, recover } from './recovery.ts'
import type { ReadTransaction, Transaction } from './transaction.ts'

export interface DomainDatabaseOptions {
  readonly domain: string
  readonly tables: DomainTables
  readonly journal: JournalClient
  readonly workstationId: string
  readonly platformMigrations: readonly Migration[]
  readonly migrations: readonly Migration[]
}

/**
 * A domain's database with its way into the journal. Reads run under the service role, read-only; a change is answered
 * when its entry is on disk in the journal.
 */
export class DomainDatabase {
  readonly #engine: Engine
  readonly #options: DomainDatabaseOptions
  readonly #housekeeping: Housekeeping
  /** The last entry handed to the journal, so that entries leave in the order they were committed. */
  #lastSent: Promise<unknown> = Promise.resolve()
  /** Entries committed but refused by the journal (a full disk); they are sent again before anything else. */
  #behind = false

  private constructor(engine: Engine, options: DomainDatabaseOptions) {
    this.#engine = engine
    this.#options = options
    this.#housekeeping = new Housekeeping(engine)
  }

  /** Recovers, migrates and drains; afterwards database and journal agree. */
  static async open(
    engine: Engine,
    options: DomainDatabaseOptions,
  ): Promise<{ readonly database: DomainDatabase; readonly recovery: readonly string[] }> {
    const { domain, journal, tables, workstationId } = options
    const migration = { domain, workstationId, tables, platform: options.platformMigrations }
    // The shared tables must be there before the position can be read; the domain's own come after the replay.
    await migrate(engine, { ...migration, own: [], mayBeAhead: true })
    const recovery = await recover(engine, journal, domain, tables, workstationId)
    await migrate(engine, { ...migration, own: options.migrations })
    const head = (await journal.domainHead(domain))?.domainSequence ?? 0
    await drainOutbox(engine, journal, head)
    const database = new DomainDatabase(engine, options)
    await database.#housekeeping.noteAcknowledged((await readPosition(engine)).last)
    return { database, recovery }
  }

  /** Runs reads of one laboratory. */
  read<T>(laboratoryId: string, work: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return this.#engine.transact(async (tx) => {
      await tx.execute(sql`select set_config('role', 'tracseq_service', true),
        set_config('tracseq.laboratory_id', ${laboratoryId}, true), set_config('transaction_read_only', 'on', true)`)
      return work(tx)
    })
  }

  /**
   * Makes one change set and waits until the journal has it. Refuses with NOT_STARTED before anything is written when
   * the journal cannot take it, and with OUTCOME_UNKNOWN when it was committed and the journal did not confirm.
   */
  async change<T>(
    request: ChangeRequest,
    work: (scope: ChangeScope) => Promise<T>,
    observe: Observe = unobserved,
  ): Promise<T> {
    const { state } = this.#options.journal
    if (!state.writable) {
      throw new Refusal(
        'NOT_STARTED',
        `Nothing can be saved at the moment: ${state.why ?? 'the journal is not writable'}`,
        {
          why: 'journal',
        },
      )
    }
    if (Date.now() > request.deadlineAt) {
      throw new Refusal('NOT_STARTED', 'The deadline passed before the change could begin', {
        why: 'deadline',
      })
    }
    const { answer, entry, repeated } = await observe('transaction', () =>
      this.#engine.transact((tx) => makeChange(tx, request, work)),
    )
    if (entry !== null) await observe('journal', () => this.#send(entry))
    // The first answer may still be on its way to the journal; a repeat must not overtake it.
    else if (repeated) await this.#caughtUp()
    return answer
  }

  /** Writes to tables outside of capture (secrets, sessions): durable with the commit, in no journal. */
  changeLocal<T>(laboratoryId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#engine.transact(async (tx) => {
      await tx.execute(sql`select set_config('role', 'tracseq_service', true),
        set_config('tracseq.laboratory_id', ${laboratoryId}, true)`)
      return work(tx)
    })
  }

  /** Reads of no particular laboratory, as the owner: who a token belongs to, before anything else is known. */
  readAsOwner<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return this.#engine.transact(async (tx) => {
      await tx.execute(sql`select set_config('transaction_read_only', 'on', true)`)
      return work(tx)
    })
  }

  /** Work of the platform itself, as the owner: cursors, sagas to resume. */
  asOwner<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#engine.transact(work)
  }

  sizeInBytes(): Promise<number> {
    return this.#engine.sizeInBytes()
  }

  async close(): Promise<void> {
    await this.#lastSent.catch(() => undefined)
    await this.#housekeeping.close()
    await this.#engine.close()
  }

  async #send(entry: OutboxEntry): Promise<void> {
    // Appends go out in commit order and share a group commit; none waits for the one before.
    const sent = this.#behind ? this.#drain() : this.#options.journal.append(journalEntryOf(entry.payload))
    this.#lastSent = sent
    try {
      await sent
      this.#housekeeping.noteChange(entry.sequence)
    } catch (error) {
      this.#behind = true
      throw new Refusal(
        'OUTCOME_UNKNOWN',
        `It was saved, but the journal did not confirm: ${wordsOf(error)}`,
        {
          why: 'journal',
        },
      )
    }
  }

  async #caughtUp(): Promise<void> {
    try {
      await this.#lastSent
      if (this.#behind) await this.#drain()
    } catch (error) {
      throw new Refusal(
        'OUTCOME_UNKNOWN',
        `It was saved, but the journal did not confirm: ${wordsOf(error)}`,
        {
          why: 'journal',
        },
      )
    }
  }

  async #drain(): Promise<void> {
    const { journal, domain } = this.#options
    const head = (await journal.domainHead(domain))?.domainSequence ?? 0
    await drainOutbox(this.#engine, journal, head)
    this.#behind = false
  }
}

/** Lets the caller measure the parts of a change. */
export type Observe = <T>(part: 'transaction' | 'journal', work: () => Promise<T>) => Promise<T>

function unobserved<T>(_part: string, work: () => Promise<T>): Promise<T> {
  return work()
}

export interface WorkstationDatabaseOptions extends DomainDatabaseOptions {
  /** `TRACSEQ_HOME/databases/<domain>`. */
  readonly directory: string
  readonly template: string | null
  readonly wasmModule?: WebAssembly.Module
}

/** Opens a domain's PGlite; a damaged one is set aside and made anew from the journal. */
export async function openWorkstationDatabase(
  options: WorkstationDatabaseOptions,
): Promise<{ readonly database: DomainDatabase; readonly recovery: readonly string[] }> {
  const said: string[] = []
  if (existsSync(damageMark(options.directory))) said.push(setAside(options, 'it was found damaged'))
  try {
    const opened = await openOnce(options)
    return { ...opened, recovery: [...said, ...opened.recovery] }
  } catch (error) {
    if (!isDamage(error)) throw error
    said.push(setAside(options, wordsOf(error)))
    const opened = await openOnce(options)
    return { ...opened, recovery: [...said, ...opened.recovery] }
  }
}

async function openOnce(options: WorkstationDatabaseOptions) {
  const engine = await openPglite(options)
  try {
    return await DomainDatabase.open(engine, options)
  } catch (error) {
    await engine.close()
    throw error
  }
}

function setAside(options: WorkstationDatabaseOptions, why: string): string {
  const kept = `${options.directory}.damaged-${new Date().toISOString().replaceAll(':', '-')}`
  if (existsSync(options.directory)) renameSync(options.directory, kept)
  rmSync(damageMark(options.directory), { force: true })
  return `${options.domain}: the database could not be used (${why}). It was set aside and made anew from the journal.`
}

/** Says for the next start that a database's pages are damaged. */
export function markDamaged(directory: string): void {
  writeFileSync(damageMark(directory), '')
}

function damageMark(directory: string): string {
  return join(directory, '..', `${directory.split(/[\\/]/).at(-1) ?? 'database'}.is-damaged`)
}

/** XX001 is PostgreSQL's "data corrupted", XX002 "index corrupted", 58030 an I/O error. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DatabaseDamaged) return true
  const code =
    (error as { readonly cause?: { readonly code?: unknown }; readonly code?: unknown } | null) ?? {}
  return ['XX001', 'XX002'].includes(String(code.cause?.code ?? code.code ?? ''))
}
