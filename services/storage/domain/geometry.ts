import { accept, type Decision, refuse } from './decision.ts'

/** How many rows and columns a box, rack or plate has: 9×9, 10×10, 8×12, 16×24, 4×6 or any other up to 64×64. */
export interface BoxFormat {
  readonly rows: number
  readonly columns: number
}

/** In which direction a person fills a box: A1, A2, A3 … (`row-major`) or A1, B1, C1 … (`column-major`). */
export const fillOrders = ['row-major', 'column-major'] as const
export type FillOrder = (typeof fillOrders)[number]

/** A place in a box. `row` and `column` count from 1; `label` is the one spelling that is stored, `C4`. */
export interface BoxPosition {
  readonly row: number
  readonly column: number
  readonly label: string
}

export const largestBoxSide = 64

/** Refuses sides that are not whole numbers from 1 to 64. */
export function decideBoxFormat(rows: number, columns: number): Decision<BoxFormat> {
  const fits = [rows, columns].every((side) => Number.isInteger(side) && side >= 1 && side <= largestBoxSide)
  if (fits) return accept({ rows, columns })
  return refuse(
    'box_format_invalid',
    `A box of ${rows} × ${columns} is not possible: rows and columns are whole numbers from 1 to ${largestBoxSide}.`,
  )
}

export function countPositions(format: BoxFormat): number {
  return format.rows * format.columns
}

/** 1 → A, 26 → Z, 27 → AA, 64 → BL. */
export function labelRow(row: number): string {
  const last = String.fromCharCode(65 + ((row - 1) % 26))
  return row <= 26 ? last : labelRow(Math.floor((row - 1) / 26)) + last
}

/** The stored spelling, `C4`. */
export function labelPosition(row: number, column: number): string {
  return `${labelRow(row)}${column}`
}

/** The spelling of many rack scanners and robots, with two digits: `C04`. */
export function padPosition(position: BoxPosition): string {
  return `${labelRow(position.row)}${String(position.column).padStart(2, '0')}`
}

/**
 * Reads a position as people and instruments write it: `C4`, `c4`, `C04`, `C 4`, `C-4`. Refused with the size of the
 * box when it is no position or lies outside.
 */
export function parsePosition(text: string, format: BoxFormat): Decision<BoxPosition> {
  const match = /^([A-Z]{1,2})[\s-]?0*([1-9]\d?)$/.exec(text.normalize('NFKC').trim().toUpperCase())
  const [, letters = '', digits = ''] = match ?? []
  if (match === null) {
    return refuse(
      'position_unreadable',
      `"${text}" is not a position: write row and column, such as A1 or ${labelPosition(format.rows, format.columns)}.`,
    )
  }
  const row = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0)
  const column = Number(digits)
  if (row > format.rows || column > format.columns) {
    return refuse(
      'position_outside',
      `The box has no position ${letters}${column}: it ends at ${labelPosition(format.rows, format.columns)}.`,
    )
  }
  return accept({ row, column, label: labelPosition(row, column) })
}

/** All positions in the order of filling. */
export function listPositions(format: BoxFormat, order: FillOrder): readonly BoxPosition[] {
  return Array.from({ length: countPositions(format) }, (_, index) => positionAt(index, format, order))
}

/** The position with a number in the order of filling; the first has 0. */
export function positionAt(index: number, format: BoxFormat, order: FillOrder): BoxPosition {
  const across = order === 'row-major' ? format.columns : format.rows
  const line = Math.floor(index / across) + 1
  const place = (index % across) + 1
  const [row, column] = order === 'row-major' ? [line, place] : [place, line]
  return { row, column, label: labelPosition(row, column) }
}

/** The number of a position in the order of filling; the inverse of {@link positionAt}. */
export function indexOfPosition(
  position: Pick<BoxPosition, 'row' | 'column'>,
  format: BoxFormat,
  order: FillOrder,
): number {
  return order === 'row-major'
    ? (position.row - 1) * format.columns + position.column - 1
    : (position.column - 1) * format.rows + position.row - 1
}

/**
 * The next free position in the order of filling, after `after` (a stored label) and then from the start again; null
 * when nothing is free. `isFree` answers for stored labels.
 */
export function nextFreePosition(
  format: BoxFormat,
  order: FillOrder,
  isFree: (label: string) => boolean,
  after: string | null = null,
): BoxPosition | null {
  const last = after === null ? null : parsePosition(after, format)
  const start = last?.ok === true ? indexOfPosition(last.value, format, order) + 1 : 0
  const positions = listPositions(format, order)
  const turned = [...positions.slice(start), ...positions.slice(0, start)]
  return turned.find((position) => isFree(position.label)) ?? null
}

export interface FoundSpace {
  readonly positions: readonly BoxPosition[]
  /** One run without anything between, in the order of filling. */
  readonly contiguous: boolean
}

/**
 * Finds room for `count` containers in one box: the first run without a gap that is long enough, else the first free
 * positions one by one. Refused, with the number that would fit, when there are too few.
 */
export function findSpace(
  format: BoxFormat,
  order: FillOrder,
  isFree: (label: string) => boolean,
  count: number,
): Decision<FoundSpace> {
  if (!Number.isInteger(count) || count < 1) {
    return refuse('space_count_invalid', `Space for ${count} containers cannot be looked for.`)
  }
  const positions = listPositions(format, order)
  const free = positions.filter((position) => isFree(position.label))
  if (free.length < count) {
    return refuse('space_too_small', `There are ${free.length} free positions, ${count} are needed.`)
  }
  let run: BoxPosition[] = []
  for (const position of positions) {
    if (isFree(position.label)) run.push(position)
    else run = []
    if (run.length === count) return accept({ positions: run, contiguous: true })
  }
  return accept({ positions: free.slice(0, count), contiguous: false })
}
