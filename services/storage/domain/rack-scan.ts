import { CsvError, parse } from 'csv-parse/sync'
import { type BoxFormat, parsePosition } from './geometry.ts'

/** The columns of a file without a header. A header, where there is one, names the columns itself. */
export const rackScanLayouts = {
  position_barcode: ['position', 'barcode'],
  rack_position_barcode: ['rack', 'position', 'barcode'],
} as const

export type RackScanLayout = keyof typeof rackScanLayouts

/** One position as the scanner saw it. */
export interface RackRead {
  /** Row of the file, counted from 1. */
  readonly row: number
  /** The stored label, `C4`. */
  readonly position: string
  /** In upper case; null when the scanner says that there is no tube. */
  readonly barcode: string | null
  /** The scanner's words for no tube (`NO READ`), as they stand in the file. */
  readonly noTubeWords: string | null
}

export type RackProblemKind =
  | 'unreadable_file'
  | 'no_rows'
  | 'column_count'
  | 'invalid_position'
  | 'empty_barcode'
  | 'empty_rack_barcode'
  | 'not_ascii'
  | 'duplicate_positions'
  | 'duplicate_tubes'
  | 'different_racks'

export interface RackProblem {
  readonly problem: RackProblemKind
  /** Null when it concerns the file as a whole. */
  readonly row: number | null
  /** As it stands in the file; null when there is none. */
  readonly position: string | null
  readonly message: string
}

export interface RackScan {
  /** Of the rack itself; null when the file does not say, or says several in equal number. */
  readonly rackBarcode: string | null
  /** Every read that can be relied on, empty positions included, in the order of the file. */
  readonly reads: readonly RackRead[]
  /** Positions that the file names but whose read cannot be relied on: scan them again. */
  readonly refusedPositions: readonly string[]
  /** All of them, those of rows first. Empty for a sound file. */
  readonly problems: readonly RackProblem[]
}

/** What scanners of several makers write for "no tube", without blanks and dashes. A blank cell is an error instead. */
const noTubeWords: ReadonlySet<string> = new Set([
  'NOREAD',
  'NOSCAN',
  'NOTUBE',
  'NOCODE',
  'NOBARCODE',
  'EMPTY',
])

const headerWords = {
  position: ['position', 'pos', 'tubeposition', 'rackposition', 'well', 'wellposition', 'coordinate', 'cell'],
  barcode: [
    'barcode',
    'tubebarcode',
    'tube',
    'tubeid',
    'tubecode',
    'code',
    'dbarcode',
    'dcode',
    'samplebarcode',
  ],
  rack: [
    'rack',
    'rackbarcode',
    'rackid',
    'rackcode',
    'plate',
    'platebarcode',
    'plateid',
    'boxbarcode',
    'boxid',
  ],
} as const satisfies Record<Field, readonly string[]>

type Field = 'rack' | 'position' | 'barcode'

/** Where the fields stand, and how many columns a row should have. */
interface Columns {
  readonly of: Readonly<Partial<Record<Field, number>>>
  readonly count: number
  readonly headerRow: number | null
}

interface ScanRow {
  readonly row: number
  readonly rack: string
  /** Null when it is no position of this rack. */
  readonly position: string | null
  /** Upper case; blank when missing. */
  readonly barcode: string
  readonly noTubeWords: string | null
  readonly problems: readonly RackProblem[]
}

/**
 * Reads and judges the file of a whole-rack scanner: `position,barcode` or `rack,position,barcode`, separated by comma,
 * semicolon, tab or bar, with or without byte order mark and header, any line ends. Everything wrong is reported
 * together, and reads that nothing is wrong with are kept. A tube or a position that occurs twice is refused in all its
 * rows, since nobody can tell which is right. Without `layout` the columns are found from the content.
 */
export function parseRackScan(
  text: string,
  format: BoxFormat,
  layout: RackScanLayout | null = null,
): RackScan {
  const table = readTable(text)
  if (typeof table === 'string') return unreadable('unreadable_file', table)
  const columns = layout === null ? findColumns(table) : columnsOf(layout)
  const rows = table
    .map((cells, index) => ({ cells, row: index + 1 }))
    .filter(({ cells, row }) => row !== columns.headerRow && cells.some((cell) => cell !== ''))
    .map(({ cells, row }) => judgeRow(cells, row, columns, format))
  if (rows.length === 0) return unreadable('no_rows', 'contains no rows')

  const twicePlaced = findRepeated(rows, (row) => row.position)
  const twiceRead = findRepeated(rows, (row) => (row.noTubeWords === null ? row.barcode || null : null))
  const racks = countEach(rows.map((row) => row.rack).filter((rack) => rack !== ''))
  const rackBarcode = pickRack(racks)
  const sound = (row: ScanRow) =>
    row.problems.length === 0 &&
    (row.position === null || !twicePlaced.has(row.position)) &&
    !twiceRead.has(row.barcode) &&
    (racks.size < 2 || row.rack === rackBarcode)
  const reads = rows.flatMap((row) =>
    row.position !== null && sound(row) ? [toRead(row, row.position)] : [],
  )
  const refused = rows.flatMap((row) => (row.position !== null && !sound(row) ? [row.position] : []))

  return {
    rackBarcode,
    reads,
    refusedPositions: [...new Set(refused)],
    problems: [
      ...rows.flatMap((row) => row.problems),
      ...listProblem('duplicate_positions', 'contains duplicate rack positions', twicePlaced),
      ...listProblem('duplicate_tubes', 'contains duplicate tube barcodes', twiceRead),
      ...(racks.size < 2
        ? []
        : listProblem('different_racks', 'should not contain different rack barcodes', racks.keys())),
    ],
  }
}

/** The cells of every line, trimmed, blank lines included so that rows keep their numbers; or what is wrong. */
function readTable(text: string): readonly (readonly string[])[] | string {
  const lines = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const delimiter = mostUsed(lines, [',', ';', '\t', '|'])
  try {
    const table = parse(lines, {
      delimiter,
      relax_column_count: true,
      relax_quotes: true,
      trim: true,
      skip_empty_lines: false,
    })
    return table.map((cells) => cells.map((cell) => cell.trim()))
  } catch (error) {
    if (error instanceof CsvError) return `could not be read: ${error.message}`
    throw error
  }
}

function mostUsed(lines: string, delimiters: readonly string[]): string {
  const counts = delimiters.map((delimiter) => lines.split(delimiter).length)
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ','
}

function findColumns(table: readonly (readonly string[])[]): Columns {
  const first = table.findIndex((cells) => cells.some((cell) => cell !== ''))
  const header = readHeader(table[first] ?? [], first + 1)
  if (header !== null) return header
  const withRack = table.filter(
    ([rack = '', position = '', barcode = '']) =>
      isPositionLike(position) && (barcode !== '' || !isPositionLike(rack)),
  )
  const withoutRack = table.filter((cells) => isPositionLike(cells[0] ?? '') && !withRack.includes(cells))
  return columnsOf(withRack.length > withoutRack.length ? 'rack_position_barcode' : 'position_barcode')
}

function readHeader(cells: readonly string[], row: number): Columns | null {
  const words = cells.map((cell) => cell.toLowerCase().replace(/[^a-z]/g, ''))
  const find = (field: Field) =>
    words.findIndex((word) => (headerWords[field] as readonly string[]).includes(word))
  const [rack, position, barcode] = [find('rack'), find('position'), find('barcode')]
  if (position === -1 || barcode === -1) return null
  return {
    of: { position, barcode, ...(rack === -1 ? {} : { rack }) },
    count: cells.length,
    headerRow: row,
  }
}

function columnsOf(layout: RackScanLayout): Columns {
  const fields: readonly Field[] = rackScanLayouts[layout]
  const of = Object.fromEntries(fields.map((field, index) => [field, index]))
  return { of, count: fields.length, headerRow: null }
}

/** Looks like a position of some rack, be it this one or a larger one. */
function isPositionLike(cell: string): boolean {
  return /^[A-Z]{1,2}[\s-]?0*[1-9]\d?$/i.test(cell)
}

function judgeRow(cells: readonly string[], row: number, columns: Columns, format: BoxFormat): ScanRow {
  const read = (field: Field) => cells[columns.of[field] ?? -1] ?? ''
  const positionText = read('position')
  const barcode = read('barcode').toUpperCase()
  const rack = read('rack').toUpperCase()
  const parsed = parsePosition(positionText, format)
  const where = positionText === '' ? `row ${row}` : `row ${row} [${positionText}]`
  const problems: RackProblem[] = []
  const report = (problem: RackProblemKind, message: string) =>
    problems.push({
      problem,
      row,
      position: positionText === '' ? null : positionText,
      message: say(message),
    })

  const width = countColumns(cells, columns.count)
  if (width !== columns.count) {
    report(
      'column_count',
      `contains an unexpected number of columns (${width} expecting ${columns.count}) at ${where}`,
    )
  }
  if (columns.of.rack !== undefined && rack === '') {
    report('empty_rack_barcode', `rack barcode cannot be empty, in ${where}`)
  }
  if (!parsed.ok) report('invalid_position', `tube position contains an invalid coordinate, in ${where}`)
  if (barcode === '') report('empty_barcode', `tube barcode cannot be empty, in ${where}`)
  if (cells.some((cell) => /[^ -~]/.test(cell))) {
    report('not_ascii', `contains a character that is not plain ASCII, in ${where}`)
  }
  return {
    row,
    rack,
    position: parsed.ok ? parsed.value.label : null,
    barcode,
    noTubeWords: noTubeWords.has(barcode.replace(/[\s_-]/g, '')) ? read('barcode') : null,
    problems,
  }
}

/** Scanners and spreadsheets end rows with empty columns; those beyond the expected ones say nothing. */
function countColumns(cells: readonly string[], expected: number): number {
  return Math.max(cells.findLastIndex((cell) => cell !== '') + 1, Math.min(cells.length, expected))
}

function toRead(row: ScanRow, position: string): RackRead {
  const barcode = row.noTubeWords === null ? row.barcode : null
  return { row: row.row, position, barcode, noTubeWords: row.noTubeWords }
}

/** The rack that more than half of the rows name. */
function pickRack(racks: ReadonlyMap<string, number>): string | null {
  const total = [...racks.values()].reduce((sum, count) => sum + count, 0)
  return [...racks].find(([, count]) => count * 2 > total)?.[0] ?? null
}

function findRepeated(rows: readonly ScanRow[], pick: (row: ScanRow) => string | null): ReadonlySet<string> {
  const counts = countEach(rows.map(pick).filter((value) => value !== null))
  return new Set([...counts].filter(([, count]) => count > 1).map(([value]) => value))
}

/** How often each text occurs, in the order of first occurrence. */
function countEach(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}

function listProblem(
  problem: RackProblemKind,
  message: string,
  values: Iterable<string>,
): readonly RackProblem[] {
  const list = [...values]
  if (list.length === 0) return []
  return [{ problem, row: null, position: null, message: say(`${message} (${list.join(',')})`) }]
}

function unreadable(problem: RackProblemKind, message: string): RackScan {
  return {
    rackBarcode: null,
    reads: [],
    refusedPositions: [],
    problems: [{ problem, row: null, position: null, message: say(message) }],
  }
}

function say(message: string): string {
  return `Tube rack scan ${message}`
}
