import Database from 'better-sqlite3'
import { JournalError } from './journal-error.ts'
import {
  JOURNAL_APPLICATION_ID,
  JOURNAL_SCHEMA,
  JOURNAL_SCHEMA_VERSION,
  JOURNAL_TABLES,
} from './journal-schema.ts'

export type Connection = Database.Database

/** How long SQLite waits for another program's lock, in milliseconds; a scan must not wait longer. */
const LOCK_WAIT_MS = 2_000
/** The write-ahead log is cut back to this after a checkpoint, so that one bulk import does not leave a large file. */
const LOG_SIZE_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * Opens the journal for writing with every setting that durability rests on, and makes the tables in an empty file.
 * Throws SqliteError, or JOURNAL_TOO_NEW for a file of a newer program.
 */
export function openForWriting(path: string): Connection {
  const connection = new Database(path, { timeout: LOCK_WAIT_MS })
  try {
    connection.pragma('journal_mode = WAL')
    // better-sqlite3 is compiled with synchronous=NORMAL for WAL, which acknowledges before the disk has the bytes.
    connection.pragma('synchronous = FULL')
    connection.pragma('fullfsync = ON')
    connection.pragma('checkpoint_fullfsync = ON')
    connection.pragma('trusted_schema = OFF')
    connection.pragma('secure_delete = ON')
    connection.pragma(`journal_size_limit = ${LOG_SIZE_LIMIT_BYTES}`)
    if (
      connection.pragma('synchronous', { simple: true }) !== 2 ||
      connection.pragma('journal_mode', { simple: true }) !== 'wal'
    )
      throw new JournalError(
        'JOURNAL_UNAVAILABLE',
        `${path}: SQLite did not accept WAL with synchronous=FULL on this disk`,
      )
    prepareSchema(connection, path)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Opens the journal for reading only; no table is made and nothing is checked but the version. */
export function openForReading(path: string): Connection {
  const connection = new Database(path, { readonly: true, fileMustExist: true, timeout: LOCK_WAIT_MS })
  try {
    assertVersion(connection, path)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Names the tables that a journal should have and this file has not. */
export function findMissingTables(connection: Connection): readonly string[] {
  const present = new Set(
    connection.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all(),
  )
  return JOURNAL_TABLES.filter((table) => !present.has(table))
}

function prepareSchema(connection: Connection, path: string): void {
  assertVersion(connection, path)
  const objects = connection.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (objects !== 0) return
  connection
    .transaction(() => {
      connection.exec(JOURNAL_SCHEMA)
      connection.pragma(`application_id = ${JOURNAL_APPLICATION_ID}`)
      connection.pragma(`user_version = ${JOURNAL_SCHEMA_VERSION}`)
    })
    .immediate()
}

function assertVersion(connection: Connection, path: string): void {
  const version = connection.pragma('user_version', { simple: true })
  const applicationId = connection.pragma('application_id', { simple: true })
  if (
    applicationId === JOURNAL_APPLICATION_ID &&
    typeof version === 'number' &&
    version > JOURNAL_SCHEMA_VERSION
  )
    throw new JournalError(
      'JOURNAL_TOO_NEW',
      `${path} has journal format ${version}; this TracSeq knows ${JOURNAL_SCHEMA_VERSION}. Install the newer TracSeq again; the file was not touched.`,
    )
}
