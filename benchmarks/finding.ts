import { sql } from 'drizzle-orm'
import { rowsOf } from '../platform/database/transaction.ts'
import { barcodesService } from '../services/barcodes/service.ts'
import { samplesService } from '../services/samples/service.ts'
import { sampleId } from '../services/samples/testing/many-samples.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { type FilledLaboratory, openFilledLaboratory } from './filled-laboratory.ts'
import { growthOverLogarithm, median, percentile, ratio } from './statistics.ts'

const smallest = 1_000
const warmUps = 20
const budgets = { code: 5, text: 50 } as const
const byKey = 'its row by primary key, same database'

/**
 * Finding one of many samples by what is printed on its tube, by a word, and by looking through the list, against reading
 * one row by its primary key in the same database. Every measure is taken in laboratories of a thousand samples, ten
 * thousand and so on up to the size asked for: the last lines say how its median grew, as a multiple of the row by primary
 * key, against the smallest laboratory.
 */
export async function measureFinding({ size, say }: BenchmarkOptions): Promise<readonly Row[]> {
  const sizes: number[] = []
  for (let next = smallest; next < size; next *= 10) sizes.push(next)
  sizes.push(size)
  const costs = new Map<string, number[]>()
  let largest: readonly Row[] = []
  for (const each of sizes) {
    say(`filling a laboratory with ${each.toLocaleString('en')} samples`)
    const laboratory = await openFilledLaboratory(each)
    try {
      say('measuring')
      largest = await measureIn(laboratory, costs)
    } finally {
      await laboratory.close()
    }
  }
  return [...largest, ...describeGrowth(sizes, costs)]
}

interface Search {
  readonly words: string
  readonly times: number
  readonly budgetMs: number | null
  readonly find: (number: number) => Promise<unknown>
}

async function measureIn(
  laboratory: FilledLaboratory,
  costs: Map<string, number[]>,
): Promise<readonly Row[]> {
  const { bench, size, codeOf } = laboratory
  const [barcodes, samples] = [bench.client(barcodesService), bench.client(samplesService)]
  const searches: readonly Search[] = [
    {
      words: 'find a sample by a printed code',
      times: 300,
      budgetMs: budgets.code,
      async find(number) {
        const { matches } = await barcodes.resolve({ text: codeOf(number) })
        if (matches[0]?.thing?.id !== sampleId(number)) throw new Error(`${codeOf(number)} was not found`)
      },
    },
    {
      words: 'free text: a rare word',
      times: 100,
      budgetMs: budgets.text,
      async find(number) {
        const { items } = await samples.list({ search: `patient draw ${number}` })
        if (items.length === 0) throw new Error(`Draw ${number} was not found`)
      },
    },
    {
      words: 'free text: a word that all have',
      times: 50,
      budgetMs: budgets.text,
      find: () => samples.list({ search: 'patient' }),
    },
    {
      words: 'open a sample',
      times: 200,
      budgetMs: null,
      find: (number) => samples.get({ id: sampleId(number) }),
    },
    { words: 'the first page of all samples', times: 50, budgetMs: null, find: () => samples.list({}) },
    {
      words: 'a page of a project, sorted by name',
      times: 50,
      budgetMs: null,
      find: (number) => samples.list({ project: `Project ${number % 20}`, sort: 'name' }),
    },
    {
      words: 'give out a code',
      times: 60,
      budgetMs: null,
      find: () => barcodes.allocate({ kind: 'sample', count: 1 }),
    },
    {
      words: 'write a note',
      times: 60,
      budgetMs: null,
      find: (number) => samples.addNote({ id: sampleId(number), note: 'Looked at' }),
    },
  ]
  const rows: Row[] = []
  for (const { words, times, budgetMs, find } of searches) {
    const [ours, baseline]: [number[], number[]] = [[], []]
    for (let turn = 0; turn < warmUps + times; turn += 1) {
      // Far from each other, so that one page of the database does not serve them all. Every fourth sample is deleted.
      const number = 1 + 4 * ((turn * 7_919) % Math.floor(size / 4))
      const oursMs = await timed(() => find(number))
      const baselineMs = await timed(() => readByKey(laboratory, number))
      if (turn < warmUps) continue
      ours.push(oursMs)
      baseline.push(baselineMs)
    }
    costs.set(words, [...(costs.get(words) ?? []), ratio(median(ours), median(baseline))])
    const p95 = percentile(ours, 0.95)
    rows.push(
      makeRow({
        measure: `${words} (of ${size.toLocaleString('en')}), p95`,
        unit: 'ms',
        baseline: { what: byKey, value: percentile(baseline, 0.95) },
        ours: p95,
        budget: budgetMs === null ? null : { words: `p95 ≤ ${budgetMs} ms`, held: p95 <= budgetMs },
      }),
    )
  }
  return rows
}

async function readByKey({ bench }: FilledLaboratory, number: number): Promise<void> {
  const rows = await bench
    .database('samples')
    .asOwner((tx) =>
      rowsOf(
        tx,
        sql`select * from sample where laboratory_id = ${bench.actor.laboratoryId}::uuid and id = ${sampleId(number)}::uuid`,
      ),
    )
  if (rows.length !== 1) throw new Error(`Sample ${number} is not there`)
}

function describeGrowth(sizes: readonly number[], costs: ReadonlyMap<string, readonly number[]>): Row[] {
  const [from, to] = [sizes[0] ?? 0, sizes.at(-1) ?? 0]
  if (sizes.length < 2) return []
  return [...costs].map(([words, medians]) =>
    makeRow({
      measure: `growth of “${words}”: p50 of ${medians.map((cost) => cost.toFixed(1)).join(' · ')} × a row by key`,
      unit: '×',
      baseline: { what: `the same of ${from.toLocaleString('en')}`, value: medians[0] ?? Number.NaN },
      ours: medians.at(-1) ?? Number.NaN,
      budget: {
        words: `≤ log ${to} / log ${from}`,
        held: growthOverLogarithm(sizes, medians) <= 1,
      },
    }),
  )
}
