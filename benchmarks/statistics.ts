/** The value that this share of all values does not exceed, by the nearest rank. Throws when there are no values. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('There is nothing to take a percentile of')
  if (!(share > 0 && share <= 1)) throw new Error(`A percentile is above 0 and at most 1, not ${share}`)
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** How many times the baseline ours is. Throws when the baseline measured nothing. */
export function ratio(ours: number, baseline: number): number {
  if (!(baseline > 0)) throw new Error(`A baseline of ${baseline} compares with nothing`)
  return ours / baseline
}

/**
 * How much more a measure grew than logarithmically: the growth of `costs` from the first to the last size, as a share of
 * what a cost that is proportional to the logarithm of the size would have grown. At most 1 is "not faster".
 */
export function growthOverLogarithm(sizes: readonly number[], costs: readonly number[]): number {
  const [firstSize, lastSize] = [sizes[0], sizes.at(-1)]
  const [firstCost, lastCost] = [costs[0], costs.at(-1)]
  if (firstSize === undefined || lastSize === undefined || firstCost === undefined || lastCost === undefined)
    throw new Error('Growth needs a size and a cost')
  return ratio(lastCost, firstCost) / ratio(Math.log(lastSize), Math.log(firstSize))
}
