/** Why a file could not be read. Each is an answer to the person who dropped the file, not a defect. */
export type SpreadsheetErrorCode =
  | 'empty-file'
  | 'not-a-spreadsheet'
  | 'unsupported-format'
  | 'password-protected'
  | 'too-large'
  | 'damaged'
  | 'unclosed-quote'

/** Thrown by {@link readWorkbook}; the message is for the person, `code` for the program. */
export class SpreadsheetError extends Error {
  readonly code: SpreadsheetErrorCode
  /** 1-based line in a text file, where the trouble has one. */
  readonly line: number | null

  constructor(code: SpreadsheetErrorCode, message: string, options: { line?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SpreadsheetError'
    this.code = code
    this.line = options.line ?? null
  }
}
