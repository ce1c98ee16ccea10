/**
 * How texts are compared. Nothing here changes a value: these are keys for finding equal or similar things, and
 * every value that only matched this way is shown with what it was taken for.
 */

/** Compatibility forms, blanks and case made alike, for telling whether two entries mean the same. */
export function foldText(text: string): string {
  return text.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
}

/**
 * Like {@link foldText}, but blanks, degree signs and the kinds of minus and micro make no difference, so that
 * `−80 °C`, `-80C` and `-80 °c` are one option.
 */
export function foldOption(text: string): string {
  return foldText(text)
    .replace(/[‐‑‒–—−]/g, '-')
    .replace(/[°º\s]/g, '')
    .replaceAll('μ', 'u')
}

/** Letters and digits only: `Sample_ID`, `sample id` and `SampleID` are one name. */
export function foldName(text: string): string {
  return foldText(text)
    .replaceAll('μ', 'u')
    .replace(/[^\p{L}\p{N}]/gu, '')
}

/** How many letters must be typed otherwise to turn one text into the other; two swapped neighbours count once. */
export function countEdits(left: string, right: string): number {
  const a = [...left]
  const b = [...right]
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      let edits = Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] && row > 1 && column > 1) {
        edits = Math.min(edits, (beforePrevious[column - 2] ?? 0) + 1)
      }
      current.push(edits)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

/** Whether exactly one letter was typed otherwise, left out or added, or two neighbours were swapped. */
export function isOneSlip(left: string, right: string): boolean {
  if (left === right || Math.abs(left.length - right.length) > 1) return false
  const [shorter, longer] = left.length <= right.length ? [left, right] : [right, left]
  let start = 0
  while (start < shorter.length && shorter[start] === longer[start]) start += 1
  let end = 0
  while (end < shorter.length - start && shorter.at(-1 - end) === longer.at(-1 - end)) end += 1
  const [a, b] = [shorter.slice(start, shorter.length - end), longer.slice(start, longer.length - end)]
  return b.length === 1 || (b.length === 2 && a.length === 2 && a[0] === b[1] && a[1] === b[0])
}

/** The candidates most like a text, nearest first, among those at most a third of it (never more than three) apart. */
export function findNearest<T>(
  text: string,
  candidates: readonly T[],
  name: (candidate: T) => readonly string[],
): T[] {
  const wanted = foldOption(text).slice(0, 60)
  const reach = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)))
  return candidates
    .map((candidate) => ({
      candidate,
      edits: Math.min(...name(candidate).map((one) => countEdits(wanted, foldOption(one)))),
    }))
    .filter(({ edits }) => edits <= reach)
    .toSorted((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}
