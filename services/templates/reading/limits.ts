import { SpreadsheetError } from './spreadsheet-error.ts'

/** Largest file taken: a manifest of 100,000 samples is about 10 MB. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024
/** Largest part of an xlsx package after unpacking, and all read parts together. Also the guard against zip bombs. */
export const MAX_PART_BYTES = 256 * 1024 * 1024
export const MAX_UNPACKED_BYTES = 512 * 1024 * 1024
/** Filled rows and cells over all sheets, after which memory would suffer. */
export const MAX_ROWS = 250_000
export const MAX_CELLS = 5_000_000
/** One cell; spreadsheet programs stop at 32,767 characters. */
export const MAX_CELL_CHARACTERS = 1_000_000
/** The last column a spreadsheet program has (XFD). */
export const MAX_COLUMNS = 16_384

/** Counts filled rows and cells and refuses the file when a limit is passed. */
export class SizeGuard {
  #rows = 0
  #cells = 0

  addRow(cells: number): void {
    this.#rows += 1
    this.#cells += cells
    if (this.#rows > MAX_ROWS) {
      throw new SpreadsheetError(
        'too-large',
        `The file has more than ${MAX_ROWS} filled rows. Split it into smaller files.`,
      )
    }
    if (this.#cells > MAX_CELLS) {
      throw new SpreadsheetError(
        'too-large',
        `The file has more than ${MAX_CELLS} filled cells. Split it into smaller files.`,
      )
    }
  }
}
