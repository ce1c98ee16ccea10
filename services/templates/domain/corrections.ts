import { z } from 'zod'
import { findCell, type Cell, type Sheet, type SheetRow } from './workbook.ts'

const place = { sheet: z.string(), row: z.number().int().min(1) }
const author = { id: z.string().min(1), by: z.string().min(1), at: z.iso.datetime() }

/**
 * What a person decided about an uploaded sheet. The file itself is never touched: corrections are kept beside it,
 * in order, with their author, and laid over it each time it is shown or checked.
 */
export const Correction = z.discriminatedUnion('kind', [
  /** Another value for a cell. `expected` is what the person saw there, so that a stale click changes nothing. */
  z.object({
    kind: z.literal('set'),
    ...author,
    ...place,
    column: z.number().int().min(1),
    expected: z.string(),
    value: z.string(),
  }),
  /** The value stands although a rule objects to it. Holds as long as the cell says `expected`. */
  z.object({
    kind: z.literal('accept'),
    ...author,
    ...place,
    column: z.number().int().min(1).nullable(),
    rule: z.string().min(1),
    expected: z.string(),
    reason: z.string().nullable(),
  }),
])
export type Correction = z.infer<typeof Correction>
export type Acceptance = Extract<Correction, { kind: 'accept' }>

export interface CorrectedSheet {
  /** The sheet as it now reads; changed cells carry what the file said in `original`. */
  readonly sheet: Sheet
  readonly acceptances: readonly Acceptance[]
  /** Corrections that no longer fit, because the cell says something else than the person saw. */
  readonly rejected: readonly { readonly correction: Correction; readonly found: string }[]
}

/** Lays corrections over a sheet, in their order. Setting a cell back to the file's value restores it entirely. */
export function applyCorrections(sheet: Sheet, corrections: readonly Correction[]): CorrectedSheet {
  const rows = new Map(sheet.rows.map((row) => [row.number, row]))
  const acceptances: Acceptance[] = []
  const rejected: { correction: Correction; found: string }[] = []
  for (const correction of corrections) {
    if (correction.sheet !== sheet.name) continue
    if (correction.kind === 'accept') {
      acceptances.push(correction)
      continue
    }
    const row = rows.get(correction.row) ?? { number: correction.row, cells: [] }
    const cell = findCell(row, correction.column)
    const found = cell?.text ?? ''
    if (found === correction.expected)
      rows.set(row.number, setCell(row, correction.column, cell, correction.value))
    else rejected.push({ correction, found })
  }
  const ordered = [...rows.values()].toSorted((a, b) => a.number - b.number)
  return { sheet: { ...sheet, rows: ordered }, acceptances, rejected }
}

function setCell(row: SheetRow, column: number, cell: Cell | undefined, value: string): SheetRow {
  const original = cell === undefined ? null : cell.original === undefined ? cell : cell.original
  const restored =
    original?.text === value ? original : { column, text: value, kind: 'text' as const, original }
  const others = row.cells.filter((other) => other.column !== column)
  if (original === null && value === '') return { ...row, cells: others }
  return { ...row, cells: [...others, restored].toSorted((a, b) => a.column - b.column) }
}
