import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { Refusal } from '../contract/refusal.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import { JournalError } from '../journal/journal-error.ts'
import { type Changed, type ChangeRequest, type ChangeScope, makeChange, type OutboxEntry } from './change.ts'
import { DatabaseStopped, type Engine } from './engine.ts'
import { isDamage, isDiskFull, isRolledBack } from './errors.ts'
import { Housekeeping, type HousekeepingOptions } from './housekeeping.ts'
import { type Migration, migrate } from './migrate.ts'
import { openPglite, type PgliteOptions, wordsOf } from './pglite-engine.ts'
import type { DomainTables } from './policy.ts'
import {
  drainOutbox,
  journalEntryOf,
  type OnProgress,
  readPosition,
  recover,
  type Recovery,
} from './recovery.ts'
import { EntryLost } from './replay.ts'
import { hasSnapshotAfter, restoreNewest, takeSnapshot } from './snapshot.ts'
import { listSnapshots, type SnapshotFile } from './snapshot-file.ts'
import { type ReadTransaction, rowsOf, type Transaction } from './transaction.ts'

export interface DomainDatabaseOptions {
  readonly domain: string
  readonly tables: DomainTables
  readonly journal: JournalClient
  readonly workstationId: string
  readonly platformMigrations: readonly Migration[]
  readonly migrations: readonly Migration[]
  /** `TRACSEQ_HOME/snapshots/<domain>`; null takes none and restores from none. */
  readonly snapshots: string | null
  /** Change sets after which a quiet moment is used for a snapshot. */
  readonly snapshotEvery?: number
  readonly housekeeping?: Pick<HousekeepingOptions, 'checkpointBytes' | 'vacuumEvery'>
  /** Told what the opening does, because making a big database anew takes minutes. */
  readonly onProgress?: OnProgress
  /** Told of what went wrong when nobody waited for it. It is tried again, or made good by itself. */
  readonly onTrouble?: (words: string, error: unknown) => void
}

/** Replaying as many entries takes about half a minute. */
const defaultSnapshotEvery = 10_000
/** How often entries that the journal refused are offered again while nobody writes. */
const drainAgainAfterMs = 5_000

/**
 * A domain's database with its way into the journal. Reads run under the service role, read-only; a change is answered
 * when its entry is on disk in the journal.
 */
export class DomainDatabase {
  readonly #engine: Engine
  readonly #options: DomainDatabaseOptions
  readonly #housekeeping: Housekeeping
  readonly #forgetState: () => void
  /** The last entry handed to the journal, so that entries leave in the order they were committed. */
  #lastSent: Promise<unknown> = Promise.resolve()
  /** Entries were committed and the journal did not confirm them; they are sent again before anything else. */
  #behind = false
  #drainTimer: NodeJS.Timeout | null = null
  #lastSequence = 0
  #snapshotAt = 0
  /** Calls that want the one connection; a snapshot steps aside for them. */
  #waiting = 0
  #closing = false

  private constructor(engine: Engine, options: DomainDatabaseOptions) {
    this.#engine = engine
    this.#options = options
    this.#housekeeping = new Housekeeping(engine, {
      ...options.housekeeping,
      whenIdle: () => this.#snapshotWhenDue(),
      onFailure: (error) =>
        options.onTrouble?.(
          `${options.domain}: the database could not be tidied up; it is tried again`,
          error,
        ),
    })
    this.#forgetState = options.journal.onState((state) => {
      if (state.writable && this.#behind) this.#drainSoon(0)
    })
  }

  /** Recovers, migrates and drains; afterwards database and journal agree. */
  static async open(
    engine: Engine,
    options: DomainDatabaseOptions,
  ): Promise<{ readonly database: DomainDatabase; readonly recovery: readonly string[] }> {
    const database = new DomainDatabase(engine, options)
    try {
      return { database, recovery: await database.#prepare() }
    } catch (error) {
      database.#forgetState()
      throw error
    }
  }

  async #prepare(): Promise<readonly string[]> {
    const { domain, journal, tables, workstationId, snapshots } = this.#options
    const said: string[] = []
    const onProgress: OnProgress = (...progress) => this.#options.onProgress?.(...progress)
    const migration = {
      domain,
      workstationId,
      tables,
      platform: this.#options.platformMigrations,
      onProgress,
    }
    // The shared tables must be there before the position can be read; the domain's own come after the replay.
    await migrate(this.#engine, { ...migration, own: [], mayBeAhead: true })
    onProgress(`${domain}: the database is compared with the journal`)
    const isNew = (await readPosition(this.#engine)).last === 0
    if (isNew && snapshots !== null) {
      said.push(...(await restoreNewest(this.#engine, { ...this.#options, folder: snapshots, onProgress })))
    }
    this.#snapshotAt = snapshots === null ? 0 : (listSnapshots(snapshots)[0]?.sequence ?? 0)
    const recovery = await this.#recover(said, onProgress)
    const { applied } = await migrate(this.#engine, { ...migration, own: this.#options.migrations })
    onProgress(`${domain}: the journal is given what it lacks`)
    await this.#drainAtOpen(said)
    const { last, hasChanges } = await readPosition(this.#engine)
    this.#lastSequence = last
    if (!this.#behind) await this.#housekeeping.noteAcknowledged(last)
    // After a migration or a lost journal the way back begins here. An empty database has nothing to lose yet.
    if ((applied.length > 0 || recovery.journalLost) && hasChanges) {
      const taken = await this.#takeSnapshot(() => {
        onProgress(`${domain}: a snapshot is taken`)
        return false
      })
      if (taken !== null) said.push(`${domain}: a snapshot at entry ${taken.sequence} was taken`)
    }
    if (this.#behind)
      said.push(`${domain}: the journal takes nothing at the moment: ${journal.state.why ?? ''}`)
    return said
  }

  async #recover(said: string[], onProgress: OnProgress): Promise<Recovery> {
    try {
      const recovery = await recover(this.#engine, {
        ...this.#options,
        onReplayed: (sequence) => this.#housekeeping.noteAcknowledged(sequence),
        onProgress,
      })
      said.push(...recovery.words)
      return recovery
    } catch (error) {
      // With a full disk the domain still opens: reading goes on, and changes are refused before they commit.
      if (!isNotWritable(error)) throw error
      this.#behind = true
      return { words: [], journalLost: false }
    }
  }

  async #drainAtOpen(said: string[]): Promise<void> {
    try {
      const drained = await this.#drain()
      if (drained > 1) said.push(`${this.#options.domain}: ${drained} entries were given to the journal`)
    } catch (error) {
      if (!isNotWritable(error)) throw error
      this.#behind = true
      this.#drainSoon(drainAgainAfterMs)
    }
  }

  /** Aborted when the database can do nothing any more and must be opened anew. */
  get stopped(): AbortSignal {
    return this.#engine.stopped
  }

  /** Runs reads of one laboratory. */
  read<T>(laboratoryId: string, work: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return this.#transact(async (tx) => {
      // A plan for any values at all may be a bad one for those that people look for.
      await tx.execute(sql`select set_config('role', 'tracseq_service', true),
        set_config('tracseq.laboratory_id', ${laboratoryId}, true), set_config('transaction_read_only', 'on', true),
        set_config('plan_cache_mode', 'force_custom_plan', true)`)
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
    this.#refuseUnwritable()
    if (Date.now() > request.deadlineAt) {
      throw notStarted('The deadline passed before the change could begin', 'deadline')
    }
    const { answer, entry, repeated } = await observe('transaction', () => this.#commit(request, work))
    if (entry !== null) await observe('journal', () => this.#send(entry))
    // The first answer may still be on its way to the journal; a repeat must not overtake it.
    else if (repeated) await this.untilConfirmed()
    return answer
  }

  #refuseUnwritable(): void {
    const { state } = this.#options.journal
    if (state.writable) return
    const why = state.why ?? 'the journal is not writable'
    throw notStarted(`Nothing can be saved at the moment: ${why}`, 'journal')
  }

  async #commit<T>(request: ChangeRequest, work: (scope: ChangeScope) => Promise<T>): Promise<Changed<T>> {
    const commit = () => this.#commitWith((tx) => makeChange(tx, request, work))
    try {
      return await commit()
    } catch (error) {
      // Another worker may have done the same at the same moment: then its answer holds, whatever this one met.
      if (!(await this.#wasAnswered(request.idempotencyKey))) throw error
      return commit()
    }
  }

  async #wasAnswered(idempotencyKey: string | null): Promise<boolean> {
    if (idempotencyKey === null || this.#engine.kind === 'pglite') return false
    try {
      const found = await this.#transact((tx) =>
        rowsOf(tx, sql`select from platform.idempotency where key = ${idempotencyKey}`),
      )
      return found.length > 0
    } catch {
      // The first failure says more.
      return false
    }
  }

  /** Commits, and says of every failure whether anything can have been done. */
  async #commitWith<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const progress = { committing: false }
    try {
      return await this.#transact(async (tx) => {
        const changed = await work(tx)
        progress.committing = true
        return changed
      })
    } catch (error) {
      if (progress.committing && !isRolledBack(error)) {
        // The outbox knows; whoever comes next looks into it first.
        this.#behind = true
        throw outcomeUnknown(`The database did not confirm that it was saved: ${wordsOf(error)}`, 'database')
      }
      if (error instanceof DatabaseStopped) throw notStarted(error.message, 'database')
      if (isDiskFull(error)) throw notStarted('The disk is full', 'disk')
      throw error
    }
  }

  /**
   * Runs the platform's own work, as the owner, which makes change sets itself: all in one transaction, answered when
   * the journal has every one of them.
   */
  async changeAsPlatform<T>(
    work: (tx: Transaction) => Promise<{ readonly answer: T; readonly entries: readonly OutboxEntry[] }>,
  ): Promise<T> {
    this.#refuseUnwritable()
    const { answer, entries } = await this.#commitWith(work)
    await Promise.all(entries.map((entry) => this.#send(entry)))
    // Nothing new: what it tells may be what another worker committed a moment ago.
    if (entries.length === 0) await this.untilConfirmed()
    return answer
  }

  /** Writes to tables outside of capture (secrets, sessions): durable with the commit, in no journal. */
  changeLocal<T>(laboratoryId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#transact(async (tx) => {
      await tx.execute(sql`select set_config('role', 'tracseq_service', true),
        set_config('tracseq.laboratory_id', ${laboratoryId}, true)`)
      return work(tx)
    })
  }

  /** Reads of no particular laboratory, as the owner: who a token belongs to, before anything else is known. */
  readAsOwner<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return this.#transact(async (tx) => {
      await tx.execute(sql`select set_config('transaction_read_only', 'on', true)`)
      return work(tx)
    })
  }

  /** Work of the platform itself, as the owner: cursors, sagas to resume. */
  asOwner<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#transact(work)
  }

  /** The last change set that the journal confirmed; null while the journal lags behind. */
  get confirmedSequence(): number | null {
    return this.#behind ? null : this.#lastSequence
  }

  sizeInBytes(): Promise<number> {
    return this.#engine.sizeInBytes()
  }

  /** Takes a snapshot now; null when the newest one is of this very moment, or none are kept. */
  async snapshot(): Promise<SnapshotFile | null> {
    return this.#takeSnapshot(() => false)
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#forgetState()
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer)
    await this.#lastSent.catch(() => undefined)
    await this.#housekeeping.close()
    await this.#engine.close()
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#waiting += 1
    try {
      return await this.#engine.transact(work)
    } finally {
      this.#waiting -= 1
    }
  }

  async #send(entry: OutboxEntry): Promise<void> {
    // Appends go out in commit order and share a group commit; none waits for the one before.
    const sent = this.#behind ? this.#drain() : this.#append(entry)
    this.#lastSent = sent
    try {
      await sent
      this.#lastSequence = Math.max(this.#lastSequence, entry.sequence)
      this.#housekeeping.noteChange(entry.sequence)
    } catch (error) {
      this.#behind = true
      this.#drainSoon(drainAgainAfterMs)
      throw outcomeUnknown(`It was saved, but the journal did not confirm: ${wordsOf(error)}`, 'journal')
    }
  }

  async #append(entry: OutboxEntry): Promise<void> {
    try {
      await this.#options.journal.append(journalEntryOf(entry.payload))
    } catch (error) {
      // Another connection's commit came first and is still on its way, or an earlier entry was lost on its own.
      if (!(error instanceof JournalError) || error.code !== 'DOMAIN_SEQUENCE_GAP') throw error
      await this.#drain()
    }
  }

  /**
   * Waits until the journal has all that is committed now, whichever worker of the service committed it: what is told before
   * that could be built on in another domain, and stand before it in the log.
   */
  async untilConfirmed(): Promise<void> {
    try {
      await this.#lastSent.catch(() => undefined)
      await this.#drain()
    } catch (error) {
      throw outcomeUnknown(`It was saved, but the journal did not confirm: ${wordsOf(error)}`, 'journal')
    }
  }

  async #drain(): Promise<number> {
    const { journal, domain } = this.#options
    const head = (await journal.domainHead(domain))?.domainSequence ?? 0
    const drained = await drainOutbox(this.#engine, journal, head)
    this.#behind = false
    return drained
  }

  /** Nobody may write for hours: what the journal lacks is offered to it again all the same. */
  #drainSoon(afterMs: number, isTold = false): void {
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer)
    this.#drainTimer = setTimeout(() => {
      this.#drainTimer = null
      if (!this.#behind || this.#engine.stopped.aborted) return
      this.#lastSent = this.#drain().catch((error: unknown) => {
        const { domain, onTrouble } = this.#options
        const words = `${domain}: the journal did not take what it lacks; it is offered again until it does`
        if (!isTold) onTrouble?.(words, error)
        this.#drainSoon(drainAgainAfterMs, true)
      })
    }, afterMs)
    this.#drainTimer.unref()
  }

  async #snapshotWhenDue(): Promise<void> {
    if (this.#lastSequence - this.#snapshotAt < (this.#options.snapshotEvery ?? defaultSnapshotEvery)) return
    // PGlite has one connection: whoever wants it now is served first, and the snapshot waits for another quiet moment.
    await this.#takeSnapshot(() => this.#closing || (this.#engine.kind === 'pglite' && this.#waiting > 0))
  }

  async #takeSnapshot(giveUp: () => boolean): Promise<SnapshotFile | null> {
    const { domain, snapshots } = this.#options
    if (snapshots === null) return null
    const taken = await takeSnapshot(this.#engine, domain, snapshots, giveUp)
    if (taken !== null) this.#snapshotAt = taken.sequence
    return taken
  }
}

function notStarted(message: string, why: string): Refusal {
  return new Refusal('NOT_STARTED', message, { why })
}

function outcomeUnknown(message: string, why: string): Refusal {
  return new Refusal('OUTCOME_UNKNOWN', message, { why })
}

function isNotWritable(error: unknown): boolean {
  return error instanceof JournalError && error.code === 'JOURNAL_NOT_WRITABLE'
}

/** Lets the caller measure the parts of a change. */
export type Observe = <T>(part: 'transaction' | 'journal', work: () => Promise<T>) => Promise<T>

function unobserved<T>(_part: string, work: () => Promise<T>): Promise<T> {
  return work()
}

/** `directory` is `TRACSEQ_HOME/databases/<domain>`. */
export type WorkstationDatabaseOptions = DomainDatabaseOptions & PgliteOptions

/**
 * Opens a domain's PGlite. A damaged one is set aside and made anew from snapshot and journal; so is one that is behind
 * entries which only a snapshot knows.
 */
export async function openWorkstationDatabase(
  options: WorkstationDatabaseOptions,
): Promise<{ readonly database: DomainDatabase; readonly recovery: readonly string[] }> {
  const said: string[] = []
  if (existsSync(damageMark(options.directory))) said.push(setAsideDatabase(options, 'it was found damaged'))
  try {
    const opened = await openOnce(options)
    return { ...opened, recovery: [...said, ...opened.recovery] }
  } catch (error) {
    if (!isDamage(error) && !(await isCuredBySnapshot(error, options))) throw error
    said.push(setAsideDatabase(options, wordsOf(error)))
    const opened = await openOnce(options)
    return { ...opened, recovery: [...said, ...opened.recovery] }
  }
}

async function isCuredBySnapshot(error: unknown, options: WorkstationDatabaseOptions): Promise<boolean> {
  const { snapshots } = options
  if (!(error instanceof EntryLost) || snapshots === null) return false
  return hasSnapshotAfter(error.domainSequence, { ...options, folder: snapshots })
}

async function openOnce(options: WorkstationDatabaseOptions) {
  const engine = await openPglite(options)
  try {
    return await DomainDatabase.open(engine, options)
  } catch (error) {
    // What went wrong first is what helps; a broken database may not even close.
    await engine.close().catch(() => undefined)
    throw error
  }
}

/** Moves a database out of the way, so that the next opening makes it anew. Returns what happened, in words. */
export function setAsideDatabase(
  options: { readonly domain: string; readonly directory: string },
  why: string,
): string {
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
