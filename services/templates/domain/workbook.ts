/**
 * What a cell held, beside its text. `uncalculated` is a formula whose result the file does not hold: the
 * program that wrote it never computed it, so nobody knows the value.
 */
export type CellKind = 'text' | 'number' | 'date' | 'boolean' | 'error' | 'uncalculated'

/** One filled cell. `text` is exactly what the file holds: it is never trimmed, rounded or re-formatted. */
export interface Cell {
  /** 1 is column A. */
  readonly column: number
  readonly text: string
  readonly kind: CellKind
  /** What the file stores where that is not `text`: a date's serial number, a number without its shown zeros. */
  readonly stored?: string
  /** The number format with which the sheet showed the cell, where it says more than "General". */
  readonly format?: string
  /** True where the text is the saved result of a formula. */
  readonly formula?: true
  /** What was there before a person corrected the cell; null where it was empty. */
  readonly original?: Cell | null
}

/** One filled row. Empty rows and empty formatted cells are left out; the numbers are the file's own. */
export interface SheetRow {
  /** 1-based, as the spreadsheet program shows it. For delimited text it counts records, quoted line breaks included. */
  readonly number: number
  readonly cells: readonly Cell[]
  /** Delimited text only: how many values the record has, empty ones included. */
  readonly width?: number
  /** Delimited text only: the line on which the record starts, where quoted line breaks make it differ. */
  readonly line?: number
  /** True where the sheet hides the row, by hand or by a filter. */
  readonly hidden?: true
}

/** A rectangle of cells shown as one; only its top left cell holds a value. */
export interface MergedRange {
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

export interface Sheet {
  readonly name: string
  readonly hidden: boolean
  readonly rows: readonly SheetRow[]
  readonly merges: readonly MergedRange[]
}

export type WorkbookFormat =
  | { readonly type: 'xlsx' }
  | {
      readonly type: 'text'
      readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'
      readonly byteOrderMark: boolean
      readonly delimiter: ',' | ';' | '\t' | '|'
    }

export interface Workbook {
  readonly fileName: string
  readonly format: WorkbookFormat
  readonly sheets: readonly Sheet[]
  /** What a person should know about how the file was read, in plain words. */
  readonly notes: readonly string[]
}

/** The letter of a column as spreadsheet programs write it: 1 is A, 27 is AA. */
export function nameColumn(column: number): string {
  let name = ''
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name
  }
  return name
}

/** The cell of a row in a column, or undefined where it is empty. */
export function findCell(row: SheetRow, column: number): Cell | undefined {
  return row.cells.find((cell) => cell.column === column)
}

/** Whether a cell says anything: text of blanks only says nothing, an uncalculated formula does. */
export function isFilled(cell: Cell | undefined): cell is Cell {
  return cell !== undefined && (cell.kind === 'uncalculated' || cell.text.trim() !== '')
}
