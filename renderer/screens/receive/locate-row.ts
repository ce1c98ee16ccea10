/**
 * Index of a row in a list that is ordered by row number and may have gaps, with few reads: the list stays on the
 * server. Null when the row is not in the list.
 */
export async function locateRow(
  wanted: number,
  total: number,
  readRowAt: (index: number) => Promise<number | null>,
): Promise<number | null> {
  if (total === 0) return null
  let low = 0
  let high = total - 1
  const first = await readRowAt(0)
  if (first === null || wanted < first) return null
  // Without gaps it stands exactly here, and never further down.
  high = Math.min(high, wanted - first)
  let probe = high
  while (low <= high) {
    const row = await readRowAt(probe)
    if (row === null) return null
    if (row === wanted) return probe
    if (row < wanted) low = probe + 1
    else high = probe - 1
    probe = Math.floor((low + high) / 2)
  }
  return null
}
