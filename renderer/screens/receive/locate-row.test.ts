import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { locateRow } from './locate-row.ts'

function reader(rows: readonly number[]) {
  const state = { reads: 0 }
  return {
    state,
    read: (index: number) => {
      state.reads += 1
      return Promise.resolve(rows[index] ?? null)
    },
  }
}

describe('finding a row in a list on the server', () => {
  it('finds every row of a list with gaps, and no row that is not there', async () => {
    const lists = fc.uniqueArray(fc.integer({ min: 2, max: 400 }), { minLength: 1, maxLength: 120 })
    await fc.assert(
      fc.asyncProperty(lists, fc.integer({ min: 1, max: 420 }), async (unordered, wanted) => {
        const rows = unordered.toSorted((a, b) => a - b)
        const index = rows.indexOf(wanted)
        expect(await locateRow(wanted, rows.length, reader(rows).read)).toBe(index === -1 ? null : index)
      }),
    )
  })

  it('reads twice where no row is left out, and few times in a long list with gaps', async () => {
    const whole = reader(Array.from({ length: 200_000 }, (_, index) => index + 10))
    expect(await locateRow(150_010, 200_000, whole.read)).toBe(150_000)
    expect(whole.state.reads).toBe(2)
    const gaps = reader(Array.from({ length: 100_000 }, (_, index) => index * 2 + 10))
    expect(await locateRow(150_010, 100_000, gaps.read)).toBe(75_000)
    expect(gaps.state.reads).toBeLessThan(22)
  })
})
