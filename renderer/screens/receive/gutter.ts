import type { ProblemPlace } from './problem-places.ts'

/** A mark of the scroll gutter: where in the sheet a problem is, in percent from the top. */
export interface GutterMark {
  readonly top: number
  readonly severity: 'error' | 'confirm'
}

/**
 * Marks for the problems of a sheet between its first and last row. Places nearer to each other than one of `slots`
 * share a mark with the worst severity, so that ten thousand problems are a few hundred marks.
 */
export function gutterMarks(
  places: readonly ProblemPlace[],
  firstRow: number,
  lastRow: number,
  slots: number,
): readonly GutterMark[] {
  const rows = Math.max(1, lastRow - firstRow + 1)
  const marks = new Map<number, GutterMark>()
  for (const { row, severity } of places) {
    if (row < firstRow || row > lastRow) continue
    const slot = Math.floor(((row - firstRow) / rows) * slots)
    if (marks.get(slot)?.severity !== 'error') marks.set(slot, { top: (slot / slots) * 100, severity })
  }
  return [...marks.values()].toSorted((a, b) => a.top - b.top)
}

/** The frame that shows which part of the sheet is in sight, in percent. */
export function gutterFrame(
  first: number,
  last: number,
  total: number,
): { readonly top: number; readonly height: number } {
  if (total === 0) return { top: 0, height: 100 }
  return { top: (first / total) * 100, height: Math.min(100, ((last - first + 1) / total) * 100) }
}
