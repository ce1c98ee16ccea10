import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csv, openTemplatesBench, type TemplatesBench } from './testing/templates-bench.ts'

let on: TemplatesBench
beforeAll(async () => {
  on = await openTemplatesBench()
})
afterAll(() => on.bench.close())

describe('a long manifest', () => {
  const header = ['Barcode', 'Client ID', 'Type', 'Volume', 'Donor', 'Lot']
  const tubes = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const number = String(index).padStart(4, '0')
      return [`${prefix}-${number}`, `${prefix}${number}`, 'plasma', '495.50', `P-${number}`, number]
    })

  it('shows honest progress while it is saved', async () => {
    const { id } = await on.open(csv([header, ...tubes('LONG', 130)]), 'long.csv')
    const running = new AbortController()
    const applying = on.templates.applyImport({ id }).finally(() => running.abort())
    const seen = new Set<number>()
    async function watch(): Promise<void> {
      while (!running.signal.aborted) {
        const { summary } = await on.templates.getImport({ id })
        expect(summary.good + summary.saving + summary.saved + summary.withErrors).toBe(130)
        seen.add(summary.saved)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const [applied] = await Promise.all([applying, watch()])
    expect(applied).toMatchObject({ state: 'applied', summary: { saved: 130 } })
    expect([...seen].filter((saved) => saved === 0 || saved === 100)).toEqual([0, 100])
    expect((await on.samples.list({ importId: id, limit: 500 })).items).toHaveLength(130)
  }, 240_000)

  it('is checked without keeping other calls waiting', async () => {
    const bytes = csv([header, ...tubes('MANY', 10_000)])
    const running = new AbortController()
    const opening = on.open(bytes, 'many.csv').finally(() => running.abort())
    let longest = 0
    while (!running.signal.aborted) {
      const asked = performance.now()
      await on.templates.list({ limit: 1 })
      longest = Math.max(longest, performance.now() - asked)
    }
    expect(await opening).toMatchObject({ summary: { rows: 10_000, good: 10_000, leadingZerosKept: 1_000 } })
    // A tenth of the deadline of a call, on a machine that has other things to do as well.
    expect(longest).toBeLessThan(1_000)
  }, 240_000)
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
