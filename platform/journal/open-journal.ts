import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renameDurably, syncFolder } from './durable-files.ts'
import { GENESIS_HASH } from './entry.ts'
import { checkRow, ENTRY_COLUMNS } from './entry-row.ts'
import { findMissingTables, openForReading, openForWriting } from './journal-connection.ts'
import type { Connection } from './journal-connection.ts'
import { classifySqliteFailure, describeError, JournalError } from './journal-error.ts'
import { JournalStore } from './journal-store.ts'
import type { JournalStoreOptions } from './journal-store.ts'

export interface OpenResult {
  /** There was no journal: this file was made now. If databases exist, a new epoch must be started. */
  readonly fresh: boolean
  /** Where the damaged journal now lies; it is never deleted. */
  readonly setAside: string | null
  /** How many entries of the damaged journal's valid chain stand in the new one. */
  readonly carriedEntries: number
  /** What was found and done, in words. */
  readonly problems: readonly string[]
}

export interface OpenJournal {
  readonly store: JournalStore
  readonly result: OpenResult
}

export function journalPath(home: string): string {
  return join(home, 'journal.sqlite')
}

/** At open every page of a journal up to this size is checked; above it only the end, unless damage was seen before. */
const WHOLE_CHECK_BYTES = 32 * 1024 * 1024
const CHECKED_END_ENTRIES = 1_000

/**
 * Opens the journal of a home or makes it. A malformed file is set aside, never deleted, and the valid beginning of its
 * chain is carried into a new file; the new epoch that this makes necessary stays noted until it is announced.
 * Throws JOURNAL_TOO_NEW, JOURNAL_NOT_WRITABLE or JOURNAL_UNAVAILABLE.
 */
export function openJournal(path: string, options: JournalStoreOptions): OpenJournal {
  const paths = pathsBeside(path)
  try {
    // First the log: SQLite would replay a stray one into whatever file takes its name.
    const strayLog = setAsideStrayLog(path, options.now())
    finishRebuild(path, paths)
    const fresh = !existsSync(path) || statSync(path).size === 0
    const damage = fresh ? null : findDamage(path, existsSync(paths.checkNeeded))
    if (damage === null) {
      const connection = openForWriting(path)
      if (fresh) syncFolder(dirname(path))
      rmSync(paths.checkNeeded, { force: true })
      const result = { fresh, setAside: strayLog, carriedEntries: 0, problems: [] }
      return { store: new JournalStore(connection, options), result }
    }
    return rebuild(path, damage, options)
  } catch (error) {
    return openReadOnly(path, options, error)
  }
}

/** Asks the next open to check the whole file, because SQLite met damage while it was in use. */
export function requestWholeCheck(path: string): void {
  writeFileSync(
    pathsBeside(path).checkNeeded,
    'SQLite met damage in the journal; it is checked at the next start.\n',
  )
}

interface PathsBeside {
  /** Being written; worthless until it is complete. */
  readonly rebuilding: string
  /** Complete, waiting to take the damaged one's place. */
  readonly rebuilt: string
  readonly checkNeeded: string
}

function pathsBeside(path: string): PathsBeside {
  return {
    rebuilding: `${path}.rebuilding`,
    rebuilt: `${path}.rebuilt`,
    checkNeeded: `${path}.check-needed`,
  }
}

/** Says what is malformed, or null. Anything that is not damage (locks, rights, a newer version) is thrown. */
function findDamage(path: string, wholeCheck: boolean): string | null {
  try {
    const connection = openForWriting(path)
    try {
      const missing = findMissingTables(connection)
      if (missing.length > 0) return `it lacks the tables ${missing.join(', ')}`
      return wholeCheck || statSync(path).size <= WHOLE_CHECK_BYTES
        ? checkWhole(connection, wholeCheck)
        : checkEnd(connection)
    } finally {
      connection.close()
    }
  } catch (error) {
    if (classifySqliteFailure(error) === 'damaged') return describeError(error)
    throw error
  }
}

function checkWhole(connection: Connection, withIndexes: boolean): string | null {
  const answer = connection.pragma(withIndexes ? 'integrity_check(1)' : 'quick_check(1)', { simple: true })
  return answer === 'ok' ? null : String(answer).replaceAll(/\s+/g, ' ')
}

/** Reads the last entries through every index that appending uses; SQLite throws when it meets a malformed page. */
function checkEnd(connection: Connection): null {
  connection
    .prepare(
      `SELECT sum(length(payload)) FROM (SELECT payload FROM journal_entry ORDER BY sequence DESC LIMIT ${CHECKED_END_ENTRIES})`,
    )
    .get()
  connection
    .prepare(
      `SELECT count(*) FROM (SELECT sequence FROM journal_entry INDEXED BY journal_entry_audit
       WHERE sequence > (SELECT max(sequence) - ${CHECKED_END_ENTRIES} FROM journal_entry))`,
    )
    .get()
  connection.prepare("SELECT count(*) FROM journal_scan WHERE state = 'waiting'").get()
  return null
}

/** Completes a rebuild that a crash interrupted between its two renames, and clears away an unfinished one. */
function finishRebuild(path: string, paths: PathsBeside): void {
  removeDatabase(paths.rebuilding)
  if (!existsSync(paths.rebuilt)) return
  if (existsSync(path)) removeDatabase(paths.rebuilt)
  else renameDurably(paths.rebuilt, path)
}

/** A log without its file would be thrown away by SQLite; it is kept beside instead. */
function setAsideStrayLog(path: string, now: string): string | null {
  const log = `${path}-wal`
  if (!existsSync(log) || statSync(log).size === 0) return null
  if (existsSync(path) && statSync(path).size > 0) return null
  const aside = setAsidePath(path, now)
  renameDurably(log, `${aside}-wal`)
  return `${aside}-wal`
}

function setAsidePath(path: string, now: string): string {
  const stem = path.replace(/\.sqlite$/, '')
  const aside = `${stem}.damaged-${now.replaceAll(':', '-').replace('.', '-')}.sqlite`
  return existsSync(aside) || existsSync(`${aside}-wal`) ? setAsidePath(path, `${now}+`) : aside
}

function rebuild(path: string, damage: string, options: JournalStoreOptions): OpenJournal {
  const paths = pathsBeside(path)
  const aside = setAsidePath(path, options.now())
  const problems = [`The journal is malformed: ${damage}. It was set aside as ${aside}.`]
  const carriedEntries = writeRebuilt(path, paths, aside, options, problems)

  renameDurably(path, aside)
  if (existsSync(`${path}-wal`)) renameDurably(`${path}-wal`, `${aside}-wal`)
  // Only an index into the log; SQLite makes it anew.
  rmSync(`${path}-shm`, { force: true })
  renameDurably(paths.rebuilt, path)
  rmSync(paths.checkNeeded, { force: true })
  return {
    store: new JournalStore(openForWriting(path), options),
    result: { fresh: false, setAside: aside, carriedEntries, problems },
  }
}

function writeRebuilt(
  path: string,
  paths: PathsBeside,
  aside: string,
  options: JournalStoreOptions,
  problems: string[],
): number {
  const connection = openForWriting(paths.rebuilding)
  let carried: number
  try {
    const store = new JournalStore(connection, options)
    carried = store.transaction(() => {
      const entries = carryReadable(path, store, problems)
      store.noteEpochDue(
        `The journal was damaged and set aside as ${aside}; ${entries} entries were carried over.`,
      )
      return entries
    })
    connection.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    connection.close()
  }
  removeLogFiles(paths.rebuilding)
  renameDurably(paths.rebuilding, paths.rebuilt)
  return carried
}

/** Copies what can be read: the chain up to the first entry that is unreadable or wrong, then epochs, checkpoints and scans. */
function carryReadable(path: string, store: JournalStore, problems: string[]): number {
  let damaged: Connection
  try {
    damaged = openForReading(path)
  } catch (error) {
    problems.push(`Nothing of it can be read: ${describeError(error)}`)
    return 0
  }
  try {
    const carried = carryChain(damaged, store, problems)
    const old = new JournalStore(damaged, store.options)
    carryBestEffort('epochs', problems, () => {
      for (const epoch of old.epochs().filter((each) => each.startedAtSequence <= carried)) {
        const gaps = epoch.gaps.filter((gap) => gap.sequence <= carried)
        store.carryEpoch({ ...epoch, gaps })
      }
    })
    carryBestEffort('checkpoints', problems, () => {
      for (const checkpoint of old.checkpoints(-1))
        if (store.entry(checkpoint.sequence)?.hash === checkpoint.hash) store.carryCheckpoint(checkpoint)
    })
    carryBestEffort('scans', problems, () => {
      const columns = `scan_id, text, source, device_id, received_at, screen, state, settled_at, correlation_id, summary`
      const insert = store.connection.prepare(
        `INSERT OR IGNORE INTO journal_scan (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      for (const row of damaged
        .prepare<[], unknown[]>(`SELECT ${columns} FROM journal_scan NOT INDEXED`)
        .raw()
        .iterate())
        insert.run(...row)
    })
    return carried
  } finally {
    damaged.close()
  }
}

function carryChain(damaged: Connection, store: JournalStore, problems: string[]): number {
  let carried = 0
  let previous: Uint8Array = GENESIS_HASH
  try {
    // By primary key, one at a time: this walks only the pages it needs and stops at the first bad one.
    const next = damaged.prepare<[number]>(`SELECT ${ENTRY_COLUMNS} FROM journal_entry WHERE sequence = ?`)
    for (;;) {
      const raw = next.get(carried + 1)
      if (raw === undefined) break
      const checked = checkRow(raw, previous)
      if (!checked.sound) {
        problems.push(`Entry ${carried + 1} was not carried over: ${checked.problem}.`)
        break
      }
      store.carryEntry(checked.row, checked.entry.eventNames)
      previous = checked.row.hash
      carried += 1
    }
  } catch (error) {
    if (classifySqliteFailure(error) !== 'damaged' && !isMissingTable(error)) throw error
    problems.push(`Entry ${carried + 1} cannot be read: ${describeError(error)}`)
  }
  return carried
}

function carryBestEffort(what: string, problems: string[], carry: () => void): void {
  try {
    carry()
  } catch (error) {
    const failure = classifySqliteFailure(error)
    if (failure === 'full' || failure === 'input-output') throw error
    problems.push(`Not all ${what} could be carried over: ${describeError(error)}`)
  }
}

function isMissingTable(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('no such table')
}

/** When the file is whole but cannot be written, reading still helps; when not even that works, the reason is named. */
function openReadOnly(path: string, options: JournalStoreOptions, error: unknown): OpenJournal {
  if (error instanceof JournalError) throw error
  const failure = classifySqliteFailure(error)
  if (failure === 'read-only' && existsSync(path)) {
    try {
      const store = new JournalStore(openForReading(path), options)
      const why = `${path} cannot be written (${describeError(error)}). New work is refused; reading goes on.`
      return {
        store,
        result: {
          fresh: false,
          setAside: null,
          carriedEntries: 0,
          problems: [why],
        },
      }
    } catch (readError) {
      throw new JournalError(
        'JOURNAL_UNAVAILABLE',
        `${path} can be neither written nor read: ${describeError(readError)}`,
      )
    }
  }
  throw new JournalError(
    failure === 'full' || failure === 'input-output' ? 'JOURNAL_NOT_WRITABLE' : 'JOURNAL_UNAVAILABLE',
    `${path} cannot be opened: ${describeError(error)}`,
  )
}

function removeDatabase(path: string): void {
  rmSync(path, { force: true })
  removeLogFiles(path)
}

function removeLogFiles(path: string): void {
  rmSync(`${path}-wal`, { force: true })
  rmSync(`${path}-shm`, { force: true })
}
