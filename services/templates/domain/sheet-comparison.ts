import { findCell, isFilled, type Sheet } from './workbook.ts'

/** A version of an uploaded sheet, with what tells its columns and rows apart. */
export interface ComparedSheet {
  readonly sheet: Sheet
  readonly headerRow: number
  /** Headers of the columns that identify a row. Empty: rows are compared by their position below the header. */
  readonly key: readonly string[]
}

export interface CellChange {
  readonly column: string
  readonly before: string
  readonly after: string
}

export type RowChange =
  | { readonly kind: 'added'; readonly key: string; readonly afterRow: number }
  | { readonly kind: 'removed'; readonly key: string; readonly beforeRow: number }
  | {
      readonly kind: 'changed'
      readonly key: string
      readonly beforeRow: number
      readonly afterRow: number
      readonly cells: readonly CellChange[]
    }

export interface SheetComparison {
  readonly addedColumns: readonly string[]
  readonly removedColumns: readonly string[]
  readonly rows: readonly RowChange[]
  readonly unchangedRows: number
}

/** The rows of a sheet by key and its values by header: what is compared, whatever the order in the file. */
interface Table {
  readonly columns: readonly string[]
  readonly rows: ReadonlyMap<string, TableRow>
}

interface TableRow {
  readonly number: number
  readonly values: ReadonlyMap<string, string>
}

function readTable({ sheet, headerRow, key }: ComparedSheet): Table {
  const header = sheet.rows.find((row) => row.number === headerRow)
  const names = new Map<number, string>()
  const used = new Set<string>()
  for (const cell of header?.cells.filter(isFilled) ?? []) {
    const name = findFree(cell.text.trim(), used)
    used.add(name)
    names.set(cell.column, name)
  }
  const rows = new Map<string, TableRow>()
  const keys = new Set<string>()
  for (const row of sheet.rows) {
    if (row.number <= headerRow || !row.cells.some(isFilled)) continue
    const values = new Map([...names].map(([column, name]) => [name, findCell(row, column)?.text ?? '']))
    const own = key.map((name) => (values.get(name) ?? '').trim()).join(' · ')
    const rowKey = findFree(key.length === 0 ? String(row.number - headerRow) : own, keys)
    keys.add(rowKey)
    rows.set(rowKey, { number: row.number, values })
  }
  return { columns: [...names.values()], rows }
}

/** Repeated headers and keys get a number, so that the second one is compared with the second one. */
function findFree(name: string, used: ReadonlySet<string>): string {
  let free = name
  for (let count = 2; used.has(free); count += 1) free = `${name} (${count})`
  return free
}

/** What changed between two versions of a sheet: columns, rows, and within rows the cells, texts compared exactly. */
export function compareSheets(before: ComparedSheet, after: ComparedSheet): SheetComparison {
  const old = readTable(before)
  const young = readTable(after)
  const columns = [...new Set([...old.columns, ...young.columns])]
  const changes: RowChange[] = []
  let unchangedRows = 0
  for (const [key, row] of old.rows) {
    const other = young.rows.get(key)
    if (other === undefined) {
      changes.push({ kind: 'removed', key, beforeRow: row.number })
      continue
    }
    const cells = columns
      .map((column) => ({
        column,
        before: row.values.get(column) ?? '',
        after: other.values.get(column) ?? '',
      }))
      .filter((cell) => cell.before !== cell.after)
    if (cells.length === 0) unchangedRows += 1
    else changes.push({ kind: 'changed', key, beforeRow: row.number, afterRow: other.number, cells })
  }
  for (const [key, row] of young.rows) {
    if (!old.rows.has(key)) changes.push({ kind: 'added', key, afterRow: row.number })
  }
  return {
    addedColumns: young.columns.filter((column) => !old.columns.includes(column)),
    removedColumns: old.columns.filter((column) => !young.columns.includes(column)),
    rows: changes,
    unchangedRows,
  }
}

/** Two people decided differently; `null` stands for "the row is gone". The merged table keeps the base's value. */
export interface MergeConflict {
  readonly key: string
  /** Null where one side removed the row that the other changed. */
  readonly column: string | null
  readonly base: string | null
  readonly left: string | null
  readonly right: string | null
}

export interface MergedTable {
  readonly columns: readonly string[]
  readonly rows: readonly { readonly key: string; readonly values: Readonly<Record<string, string>> }[]
  readonly conflicts: readonly MergeConflict[]
}

/**
 * Brings two versions of a sheet together that both began from `base`. What one side changed is taken, what both
 * changed alike is taken once, and what they changed differently is a conflict for a person, never a silent choice.
 */
export function mergeSheets(base: ComparedSheet, left: ComparedSheet, right: ComparedSheet): MergedTable {
  const tables = { base: readTable(base), left: readTable(left), right: readTable(right) }
  const columns = mergeColumns(tables.base, tables.left, tables.right)
  const keys = new Set([...tables.base.rows.keys(), ...tables.left.rows.keys(), ...tables.right.rows.keys()])
  const conflicts: MergeConflict[] = []
  const rows: { key: string; values: Record<string, string> }[] = []
  for (const key of keys) {
    const sides = {
      base: tables.base.rows.get(key),
      left: tables.left.rows.get(key),
      right: tables.right.rows.get(key),
    }
    const removed = sides.base !== undefined && (sides.left === undefined || sides.right === undefined)
    if (removed) {
      const survivor = sides.left ?? sides.right
      if (survivor === undefined || isSameRow(sides.base, survivor, columns)) continue
      const say = (row: TableRow | undefined): string | null =>
        row === undefined ? null : describeRow(row, columns)
      conflicts.push({
        key,
        column: null,
        base: say(sides.base),
        left: say(sides.left),
        right: say(sides.right),
      })
      rows.push({
        key,
        values: Object.fromEntries(columns.map((column) => [column, sides.base?.values.get(column) ?? ''])),
      })
      continue
    }
    const values: Record<string, string> = {}
    for (const column of columns) {
      const read = (row: TableRow | undefined): string | undefined => row?.values.get(column)
      const cell = mergeCell(read(sides.base) ?? '', read(sides.left), read(sides.right))
      values[column] = cell.value
      if (cell.conflict !== null) conflicts.push({ key, column, ...cell.conflict })
    }
    rows.push({ key, values })
  }
  return { columns, rows, conflicts }
}

/** A column that one side dropped is gone only if the other side left it as it was; else its values are wanted. */
function mergeColumns(base: Table, left: Table, right: Table): readonly string[] {
  const all = [...new Set([...base.columns, ...left.columns, ...right.columns])]
  return all.filter((column) => {
    if (!base.columns.includes(column)) return true
    const gone = [left, right].filter((side) => !side.columns.includes(column))
    const kept = [left, right].filter((side) => side.columns.includes(column))
    return gone.length === 0 || kept.some((side) => hasColumnChanged(base, side, column))
  })
}

function hasColumnChanged(base: Table, side: Table, column: string): boolean {
  return [...side.rows].some(
    ([key, row]) => (row.values.get(column) ?? '') !== (base.rows.get(key)?.values.get(column) ?? ''),
  )
}

function mergeCell(
  base: string,
  left: string | undefined,
  right: string | undefined,
): { value: string; conflict: Pick<MergeConflict, 'base' | 'left' | 'right'> | null } {
  // A side without the row or the column has no opinion about the cell.
  const ours = left ?? base
  const theirs = right ?? base
  if (ours === theirs || theirs === base) return { value: ours, conflict: null }
  if (ours === base) return { value: theirs, conflict: null }
  return { value: base, conflict: { base, left: ours, right: theirs } }
}

function isSameRow(base: TableRow | undefined, other: TableRow, columns: readonly string[]): boolean {
  return columns.every((column) => (base?.values.get(column) ?? '') === (other.values.get(column) ?? ''))
}

function describeRow(row: TableRow, columns: readonly string[]): string {
  return columns.map((column) => row.values.get(column) ?? '').join(' | ')
}
