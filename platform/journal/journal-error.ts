/** What can go wrong in the journal, by name. Every code is safe to retry with the same entry: appends are idempotent. */
export const JOURNAL_ERROR_CODES = [
  /** The entry skips a number of its domain, or lies inside an announced gap. */
  'DOMAIN_SEQUENCE_GAP',
  /** The domain already has another entry under this number: two histories exist. Stop and say so. */
  'FORK',
  /** The disk cannot take the entry now (full, failing, removed). Nothing was written. */
  'JOURNAL_NOT_WRITABLE',
  /** SQLite finds the file malformed. Writing stops until the next start, which sets the file aside. */
  'JOURNAL_DAMAGED',
  /** The file was written by a newer TracSeq. It is left untouched. */
  'JOURNAL_TOO_NEW',
  /** The journal's worker has ended, was never reached, or the file cannot be opened at all. */
  'JOURNAL_UNAVAILABLE',
  /** No answer in time. An append may or may not have been written: append it again. */
  'DEADLINE',
  /** The entry or request breaks a stated rule; the message names the field. */
  'INVALID_ENTRY',
  'SCAN_UNKNOWN',
  'SCAN_ALREADY_SETTLED',
  /** Not expected: a mistake in our code. */
  'DEFECT',
] as const
export type JournalErrorCode = (typeof JOURNAL_ERROR_CODES)[number]

export type JournalErrorData = Readonly<Record<string, string | number | null>>

/** An expected failure of the journal, in words a person can act on, with a stable code. */
export class JournalError extends Error {
  readonly code: JournalErrorCode
  readonly data: JournalErrorData

  constructor(code: JournalErrorCode, message: string, data: JournalErrorData = {}) {
    super(message)
    this.name = 'JournalError'
    this.code = code
    this.data = data
  }
}

export type SqliteFailure = 'full' | 'input-output' | 'busy' | 'read-only' | 'damaged' | 'other'

const FAILURES_BY_PREFIX: readonly (readonly [string, SqliteFailure])[] = [
  ['SQLITE_FULL', 'full'],
  ['SQLITE_IOERR', 'input-output'],
  ['SQLITE_CANTOPEN', 'input-output'],
  ['SQLITE_BUSY', 'busy'],
  ['SQLITE_LOCKED', 'busy'],
  ['SQLITE_READONLY', 'read-only'],
  ['SQLITE_PERM', 'read-only'],
  ['SQLITE_CORRUPT', 'damaged'],
  ['SQLITE_NOTADB', 'damaged'],
]

/** Sorts an SQLite error by what can be done about it; 'other' is anything that is not the disk's or the file's fault. */
export function classifySqliteFailure(error: unknown): SqliteFailure {
  const code = codeOf(error)
  return FAILURES_BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'other'
}

/** The error as a sentence part, with SQLite's or the system's code where there is one. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = codeOf(error)
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
