import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countFurnishing, countOn, type Furnishing, planFurnishing } from './furnishing.ts'

const size = { rows: 9, columns: 9, order: 'row-major' } as const
const freezer: Furnishing = {
  kind: 'freezer',
  name: 'F1',
  count: 1,
  zone: 'minus_80',
  shelves: 2,
  racks: 1,
  boxes: 2,
  size,
}

test('a freezer with shelves, racks and boxes, parents first', () => {
  const plan = planFurnishing(freezer)
  expect(plan.map(({ name, inside }) => [name, inside])).toEqual([
    ['F1', null],
    ['Shelf 1', 0],
    ['Rack A', 1],
    ['Box 1', 2],
    ['Box 2', 2],
    ['Shelf 2', 0],
    ['Rack A', 5],
    ['Box 1', 6],
    ['Box 2', 6],
  ])
  expect(plan.filter(({ zone }) => zone !== null).map(({ name }) => name)).toEqual(['F1'])
  expect(plan.every(({ kind, size: own }) => (kind === 'box') === (own !== null))).toBe(true)
})

test('a level may be left out: boxes stand on shelves', () => {
  const plan = planFurnishing({ ...freezer, racks: 0, boxes: 1 })
  expect(plan.map(({ name }) => name)).toEqual(['F1', 'Shelf 1', 'Box 1', 'Shelf 2', 'Box 1'])
})

test('several boxes at once count on from the name', () => {
  const boxes: Furnishing = { ...freezer, kind: 'box', name: 'Plasma 09', count: 3 }
  expect(planFurnishing(boxes).map(({ name }) => name)).toEqual(['Plasma 09', 'Plasma 10', 'Plasma 11'])
  expect(countOn('Box', 2)).toEqual(['Box 1', 'Box 2'])
  expect(countOn('Box', 1)).toEqual(['Box'])
})

test('what is announced is what is made', () => {
  const few = fc.integer({ min: 0, max: 4 })
  fc.assert(
    fc.property(
      fc.constantFrom('room', 'freezer', 'shelf', 'rack', 'box'),
      fc.integer({ min: 1, max: 3 }),
      few,
      few,
      few,
      (kind, count, shelves, racks, boxes) => {
        const furnishing: Furnishing = { ...freezer, kind, count, shelves, racks, boxes }
        const plan = planFurnishing(furnishing)
        expect(countFurnishing(furnishing)).toEqual({
          places: plan.length,
          positions: plan.filter((place) => place.kind === 'box').length * 81,
        })
      },
    ),
  )
})
