import type { FindingGroup } from '../../../services/templates/contract.ts'

/** Stands for the row as a whole, where a finding is about no single cell. */
export const rowKey = 'row'

/** One place of the sheet that a person should look at. */
export interface ProblemPlace {
  /** Row as the file counts it. */
  readonly row: number
  /** Key of the grid's column, or `rowKey`. */
  readonly key: string
  readonly severity: 'error' | 'confirm'
}

interface PlaceColumn {
  readonly key: string
  readonly fieldKey: string | null
  readonly heading: string
}

/** All places with problems, row by row and from left to right, each once with its worst severity. */
export function listPlaces(
  groups: readonly FindingGroup[],
  columns: readonly PlaceColumn[],
): readonly ProblemPlace[] {
  const places = new Map<string, ProblemPlace>()
  for (const group of groups) {
    const { severity } = group
    if (severity === 'note') continue
    const key = columnOf(group, columns)
    for (const row of group.rows) {
      const at = `${String(row)} ${key}`
      if (places.get(at)?.severity !== 'error') places.set(at, { row, key, severity })
    }
  }
  const order = new Map(columns.map(({ key }, index) => [key, index]))
  return [...places.values()].toSorted(
    (a, b) => a.row - b.row || (order.get(a.key) ?? -1) - (order.get(b.key) ?? -1),
  )
}

/** The column that a group is about; `rowKey` when it is about whole rows. */
export function columnOf(
  group: Pick<FindingGroup, 'fieldKey' | 'heading'>,
  columns: readonly PlaceColumn[],
): string {
  const column = columns.find(({ fieldKey, heading }) =>
    group.fieldKey === null
      ? fieldKey === null && group.heading !== '' && heading === group.heading
      : fieldKey === group.fieldKey,
  )
  return column?.key ?? rowKey
}

/** The problem after (1) or before (-1) a place; from the last one on to the first. Null when there is none. */
export function nextPlace(
  places: readonly ProblemPlace[],
  from: { readonly row: number; readonly key: string } | null,
  direction: 1 | -1,
  columns: readonly PlaceColumn[],
): ProblemPlace | null {
  if (places.length === 0) return null
  if (from === null) return places.at(direction === 1 ? 0 : -1) ?? null
  const rank = (key: string) => columns.findIndex((column) => column.key === key)
  const compare = (place: ProblemPlace) => place.row - from.row || rank(place.key) - rank(from.key)
  return direction === 1
    ? (places.find((place) => compare(place) > 0) ?? places[0] ?? null)
    : (places.findLast((place) => compare(place) < 0) ?? places.at(-1) ?? null)
}

/** Numbers of the rows that have a problem, each once. */
export function countProblemRows(places: readonly ProblemPlace[]): number {
  return new Set(places.map(({ row }) => row)).size
}
