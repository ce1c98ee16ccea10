import { isGivenColumn } from './given-values.ts'
import type { ColumnMapping, HeaderResult } from './header.ts'
import { findCell, isFilled, nameColumn, type Sheet, type SheetRow } from './workbook.ts'

/** What becomes of the values of a column: read as a field, kept with the sample as they came, or left out. */
export type ColumnUse = 'field' | 'extra' | 'left-out'

export interface PlannedColumn {
  /** 1 is column A. */
  readonly column: number
  readonly letter: string
  /** Exactly as in the file; empty where the column has none. */
  readonly heading: string
  readonly use: ColumnUse
  readonly mapping: ColumnMapping | null
  /** Under which its values are kept with a sample: the heading, made unique and storable. */
  readonly extraName: string
  /** In plain words. */
  readonly why: string
  /** The first values below the header. */
  readonly examples: readonly string[]
}

const EXAMPLES = 3
/** Longest name under which a value can be kept with a sample. */
const LONGEST_NAME = 200

/**
 * Says of every column that has a heading or values what becomes of it, so that none is lost unseen. Columns that are
 * no field are kept with the sample when they belong to the table. A run of headings in which no field was found,
 * behind an empty column, is another table beside it: left out unless a person says otherwise.
 */
export function planColumns(
  sheet: Sheet,
  header: HeaderResult,
  uses: Readonly<Record<string, 'extra' | 'left-out'>> = {},
): readonly PlannedColumn[] {
  if (header.headerRow === null) return []
  const headerRow = sheet.rows.find((row) => row.number === header.headerRow)
  const first = Math.max(header.headerRow, header.unitRow ?? 0)
  const examples = collectExamples(sheet.rows.filter((row) => row.number > first))
  const headings = new Map(
    (headerRow?.cells ?? []).filter(isFilled).map((cell) => [cell.column, cell.text] as const),
  )
  const mapped = new Map(header.columns.map((mapping) => [mapping.column, mapping]))
  const own = findOwnRange([...headings.keys()], new Set(mapped.keys()))
  const names = new Set<string>()
  return [...new Set([...headings.keys(), ...examples.keys(), ...mapped.keys()])]
    .toSorted((a, b) => a - b)
    .map((column): PlannedColumn => {
      const mapping = mapped.get(column) ?? null
      const letter = mapping?.letter ?? nameColumn(column)
      const heading = mapping?.header ?? headings.get(column) ?? ''
      const { use, why } =
        mapping === null
          ? decideUse(uses[letter], own(column), headings.has(column))
          : { use: 'field' as const, why: mapping.explanation }
      const extraName =
        use === 'left-out' ? '' : nameExtra(heading, letter || `field ${mapping?.field ?? ''}`, names)
      return { column, letter, heading, use, mapping, extraName, why, examples: examples.get(column) ?? [] }
    })
}

function collectExamples(rows: readonly SheetRow[]): ReadonlyMap<number, readonly string[]> {
  const examples = new Map<number, string[]>()
  for (const cell of rows.flatMap((row) => row.cells)) {
    if (isGivenColumn(cell.column) || cell.text === '') continue
    const known = examples.get(cell.column)
    if (known === undefined) examples.set(cell.column, [cell.text])
    else if (known.length < EXAMPLES && !known.includes(cell.text)) known.push(cell.text)
  }
  return examples
}

/** Whether a column belongs to the table: in a run of headings that names a field, or between two such runs. */
function findOwnRange(headings: readonly number[], mapped: ReadonlySet<number>): (column: number) => boolean {
  const runs: number[][] = []
  for (const column of headings.toSorted((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run !== undefined && run.at(-1) === column - 1) run.push(column)
    else runs.push([column])
  }
  const own = runs.filter((run) => run.some((column) => mapped.has(column)))
  const all = new Set(headings)
  const inOwnRun = new Set(own.flat())
  const [from, to] = [Math.min(...inOwnRun), Math.max(...inOwnRun)]
  return (column) => inOwnRun.has(column) || (!all.has(column) && column > from && column < to)
}

function decideUse(
  chosen: 'extra' | 'left-out' | undefined,
  own: boolean,
  headed: boolean,
): { readonly use: ColumnUse; readonly why: string } {
  if (chosen === 'extra') return { use: 'extra', why: 'Kept with each sample as it came, as you chose.' }
  if (chosen === 'left-out') return { use: 'left-out', why: 'Left out, as you chose.' }
  if (own) {
    return {
      use: 'extra',
      why: headed ? 'It is no field of the template.' : 'It has no heading.',
    }
  }
  return {
    use: 'left-out',
    why: headed
      ? 'It stands beside the table and is left out.'
      : 'It has no heading, stands beside the table and is left out.',
  }
}

function nameExtra(heading: string, place: string, taken: Set<string>): string {
  const clean = heading.replaceAll('\u0000', '␀').toWellFormed()
  // A property of this name would be no property at all.
  const usable = clean.trim() !== '' && clean.length <= LONGEST_NAME && clean !== '__proto__'
  let name =
    clean.trim() === ''
      ? `Column ${place}`
      : usable
        ? clean
        : `${clean.slice(0, 150).toWellFormed()} (${place})`
  while (taken.has(name)) name = `${name.slice(0, 150).toWellFormed()} (${place})`
  taken.add(name)
  return name
}

/** What is kept with a sample as it came: the filled cells of a row in columns that are no field. */
export function listExtras(
  row: SheetRow,
  plan: readonly PlannedColumn[],
): readonly { readonly name: string; readonly text: string }[] {
  return plan
    .filter(({ use }) => use === 'extra')
    .map(({ column, extraName }) => ({ name: extraName, text: findCell(row, column)?.text ?? '' }))
    .filter(({ text }) => text !== '')
}
