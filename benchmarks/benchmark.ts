import { ratio } from './statistics.ts'

export type Unit = 'ms' | 'MB' | 'rows/s' | 'requests/s' | 'sets/s' | '×'

/** One line of the table: what TracSeq needs, what the baseline needed in the same run, and how they compare. */
export interface Row {
  readonly measure: string
  readonly unit: Unit
  readonly baseline: { readonly what: string; readonly value: number }
  readonly ours: number
  readonly ratio: number
  /** Null where the row is there to be read beside others. */
  readonly budget: { readonly words: string; readonly held: boolean } | null
}

export interface BenchmarkOptions {
  /** How many samples the laboratory has where that matters. */
  readonly size: number
  /** Says what is being done; it may take minutes. */
  readonly say: (words: string) => void
}

export interface Benchmark {
  readonly name: string
  readonly run: (options: BenchmarkOptions) => Promise<readonly Row[]>
  /** It opens the real application, so it needs a build and a display. */
  readonly needsWindow?: boolean
}

/** Makes a line of the table; `budget.held` is judged by whoever measured. */
export function makeRow(row: Omit<Row, 'ratio'>): Row {
  return { ...row, ratio: ratio(row.ours, row.baseline.value) }
}

/** Runs a piece of work and gives how long it took, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
