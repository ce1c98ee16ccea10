import type { ColumnMapping, HeaderResult } from './header.ts'
import type { Template } from './template.ts'
import type { Sheet } from './workbook.ts'

/** Behind the last column a spreadsheet can have, so that it never is a column of the file. */
const FIRST_GIVEN_COLUMN = 20_001

/** Whether a column stands for a field the file has no column for. */
export function isGivenColumn(column: number): boolean {
  return column >= FIRST_GIVEN_COLUMN
}

/**
 * The column that stands for a field where the file has none; null when the template has no such field. It stays the
 * same whatever columns are found, so that what a person filled in stays with its field.
 */
export function givenColumnOf(template: Pick<Template, 'fields'>, field: string): number | null {
  const index = template.fields.findIndex(({ key }) => key === field)
  return index === -1 ? null : FIRST_GIVEN_COLUMN + index
}

/**
 * Gives every field that the file has no column for a column of its own, filled with the one value that a person gave
 * for all rows, or empty. Both can then be corrected row by row like any other cell.
 */
export function layGivenValues(
  sheet: Sheet,
  header: HeaderResult,
  template: Pick<Template, 'fields'>,
  given: Readonly<Record<string, string>>,
): { readonly sheet: Sheet; readonly header: HeaderResult } {
  const mapped = new Set(header.columns.map(({ field }) => field))
  const columns = template.fields.flatMap(({ key, label }): ColumnMapping[] => {
    const column = givenColumnOf(template, key)
    if (mapped.has(key) || column === null) return []
    return [
      {
        field: key,
        column,
        letter: '',
        header: label,
        confidence: 1,
        reason: 'given',
        explanation: Object.hasOwn(given, key)
          ? `The file has no column for ${label}: all rows get “${given[key] ?? ''}”.`
          : `The file has no column for ${label}.`,
        unit: null,
      },
    ]
  })
  const filled = columns
    .map(({ column, field }) => ({ column, text: given[field] ?? '', kind: 'text' as const, original: null }))
    .filter(({ text }) => text !== '')
  const first = Math.max(header.headerRow ?? Infinity, header.unitRow ?? 0)
  const rows =
    filled.length === 0
      ? sheet.rows
      : sheet.rows.map((row) => (row.number > first ? { ...row, cells: [...row.cells, ...filled] } : row))
  return { sheet: { ...sheet, rows }, header: { ...header, columns: [...header.columns, ...columns] } }
}
