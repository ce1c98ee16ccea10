import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { growthOverLogarithm, median, percentile, ratio } from './statistics.ts'

describe('percentile', () => {
  it.each([
    [[5], 0.5, 5],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2],
    [Array.from({ length: 100 }, (_, index) => 100 - index), 0.95, 95],
    [Array.from({ length: 100 }, (_, index) => index + 1), 1, 100],
  ])('of %j at %d', (values, share, expected) => {
    expect(percentile(values, share)).toBe(expected)
  })

  it('is a value that was measured, and as many as its share say do not exceed it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (values, share) => {
          const found = percentile(values, share)
          expect(values).toContain(found)
          expect(values.filter((value) => value <= found).length / values.length).toBeGreaterThanOrEqual(
            share,
          )
        },
      ),
    )
  })

  it('refuses what has no answer', () => {
    expect(() => median([])).toThrow('nothing')
    expect(() => percentile([1], 0)).toThrow('above 0')
    expect(() => percentile([1], 95)).toThrow('at most 1')
  })
})

it('a ratio needs a baseline that measured something', () => {
  expect(ratio(6, 2)).toBe(3)
  expect(() => ratio(6, 0)).toThrow('compares with nothing')
  expect(() => ratio(6, Number.NaN)).toThrow('compares with nothing')
})

it('growth is held against the logarithm of the size', () => {
  const sizes = [1_000, 10_000, 100_000]
  expect(growthOverLogarithm(sizes, sizes.map(Math.log))).toBeCloseTo(1)
  expect(growthOverLogarithm(sizes, [2, 2, 2])).toBeCloseTo(0.6)
  expect(growthOverLogarithm(sizes, sizes)).toBeCloseTo(60)
})
