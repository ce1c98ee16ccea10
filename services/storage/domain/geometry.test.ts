import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type BoxFormat,
  decideBoxFormat,
  fillOrders,
  findSpace,
  indexOfPosition,
  labelRow,
  listPositions,
  nextFreePosition,
  padPosition,
  parsePosition,
  positionAt,
} from './geometry.ts'
import { fixturePath, hasFixtures } from '../../testing/fixtures.ts'

const plate: BoxFormat = { rows: 8, columns: 12 }
const side = fc.integer({ min: 1, max: 64 })
const format = fc.record({ rows: side, columns: side })
const order = fc.constantFrom(...fillOrders)

function labels(positions: readonly { readonly label: string }[]): readonly string[] {
  return positions.map((position) => position.label)
}

describe('labels', () => {
  it('go on after Z', () => {
    expect([1, 8, 26, 27, 52, 53, 64].map(labelRow)).toEqual(['A', 'H', 'Z', 'AA', 'AZ', 'BA', 'BL'])
  })

  it('are read in every usual spelling', () => {
    const read = ['C4', 'c4', 'C04', 'C 4', ' c04 ', 'C-4', 'C004', 'Ｃ４'].map((text) => {
      const parsed = parsePosition(text, plate)
      return parsed.ok ? parsed.value : parsed.refusal
    })
    expect(read).toEqual(Array.from({ length: 8 }, () => ({ row: 3, column: 4, label: 'C4' })))
    expect(padPosition({ row: 3, column: 4, label: 'C4' })).toBe('C04')
  })

  it.each([
    ['I1', 'position_outside', 'The box has no position I1: it ends at H12.'],
    ['A13', 'position_outside', 'The box has no position A13: it ends at H12.'],
    ['AA1', 'position_outside', 'The box has no position AA1: it ends at H12.'],
    ['4C', 'position_unreadable', '"4C" is not a position: write row and column, such as A1 or H12.'],
  ])('refuse %s', (text, rule, message) => {
    expect(parsePosition(text, plate)).toEqual({ ok: false, refusal: { rule, message } })
  })

  it.each(['', 'A', '1', 'A0', 'A00', 'A1.5', 'A-', 'A1 B2', 'ABC1', 'A100', 'A١', 'Ä1'])(
    'refuse "%s"',
    (text) => {
      expect(parsePosition(text, plate)).toMatchObject({
        ok: false,
        refusal: { rule: 'position_unreadable' },
      })
    },
  )

  it('are read back in any box, padded or not', () => {
    fc.assert(
      fc.property(format, order, fc.nat(), (box, direction, pick) => {
        const index = pick % (box.rows * box.columns)
        const position = positionAt(index, box, direction)
        expect(parsePosition(position.label, box)).toEqual({ ok: true, value: position })
        expect(parsePosition(padPosition(position).toLowerCase(), box)).toEqual({ ok: true, value: position })
        expect(indexOfPosition(position, box, direction)).toBe(index)
      }),
    )
  })
})

describe('formats', () => {
  it.each([
    [9, 9],
    [1, 1],
    [3, 5],
    [64, 64],
  ])('may be %i × %i', (rows, columns) => {
    expect(decideBoxFormat(rows, columns)).toEqual({ ok: true, value: { rows, columns } })
    const all = listPositions({ rows, columns }, 'row-major')
    expect(new Set(labels(all)).size).toBe(rows * columns)
  })

  it.each([
    [0, 9],
    [9, 65],
    [2.5, 2],
    [Number.NaN, 3],
  ])('may not be %d × %d', (rows, columns) => {
    expect(decideBoxFormat(rows, columns)).toMatchObject({ refusal: { rule: 'box_format_invalid' } })
  })

  it('are filled in either direction', () => {
    const small = { rows: 2, columns: 3 }
    expect(labels(listPositions(small, 'row-major'))).toEqual(['A1', 'A2', 'A3', 'B1', 'B2', 'B3'])
    expect(labels(listPositions(small, 'column-major'))).toEqual(['A1', 'B1', 'A2', 'B2', 'A3', 'B3'])
  })
})

describe('free positions', () => {
  const box = { rows: 2, columns: 4 }

  it('are taken after the last one and then from the start', () => {
    const free = new Set(['A2', 'B1'])
    const isFree = (label: string) => free.has(label)
    const next = [null, 'A1', 'A2', 'B4', 'nonsense'].map(
      (after) => nextFreePosition(box, 'row-major', isFree, after)?.label,
    )
    expect(next).toEqual(['A2', 'A2', 'B1', 'A2', 'A2'])
    expect(nextFreePosition(box, 'column-major', isFree)?.label).toBe('B1')
    expect(nextFreePosition(box, 'row-major', () => false)).toBeNull()
  })

  it('are found together where possible, else one by one', () => {
    const free = new Set(['A1', 'A3', 'A4', 'B1', 'B3'])
    const found = [2, 3, 4, 5].map((count) => {
      const decision = findSpace(box, 'row-major', (label) => free.has(label), count)
      return decision.ok && [decision.value.contiguous, ...labels(decision.value.positions)]
    })
    expect(found).toEqual([
      [true, 'A3', 'A4'],
      [true, 'A3', 'A4', 'B1'],
      [false, 'A1', 'A3', 'A4', 'B1'],
      [false, 'A1', 'A3', 'A4', 'B1', 'B3'],
    ])
    expect(findSpace(box, 'row-major', (label) => free.has(label), 6)).toMatchObject({
      refusal: { message: 'There are 5 free positions, 6 are needed.' },
    })
    expect(findSpace(box, 'row-major', () => true, 0)).toMatchObject({
      refusal: { rule: 'space_count_invalid' },
    })
  })

  it('are free, different and as many as asked, in any box', () => {
    fc.assert(
      fc.property(
        fc.record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 12 }) }),
        order,
        fc.array(fc.boolean(), { minLength: 144, maxLength: 144 }),
        fc.integer({ min: 1, max: 40 }),
        (any, direction, pattern, count) => {
          const all = listPositions(any, direction)
          const free = new Set(labels(all.filter((_, index) => pattern[index])))
          const decision = findSpace(any, direction, (label) => free.has(label), count)
          expect(decision.ok).toBe(free.size >= count)
          if (!decision.ok) return
          const { positions, contiguous } = decision.value
          expect(new Set(labels(positions)).size).toBe(count)
          expect(labels(positions).every((label) => free.has(label))).toBe(true)
          const numbers = positions.map((position) => indexOfPosition(position, any, direction))
          const run = numbers.every((number, index) => number === (numbers[0] ?? 0) + index)
          if (contiguous) expect(run).toBe(true)
        },
      ),
    )
  })
})

const labware = fixturePath('labware/Opentrons-opentrons')

/** What the public definitions say of their geometry: columns of wells, and where each well lies. */
const Definition = z.object({
  ordering: z.array(z.array(z.string())),
  wells: z.record(z.string(), z.object({ x: z.number(), y: z.number() })),
})

describe.runIf(hasFixtures)('geometry of real labware', () => {
  it('has the same wells in the same order and place', () => {
    const files = readdirSync(labware, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    )
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      const { ordering, wells } = Definition.parse(JSON.parse(readFileSync(join(labware, file), 'utf8')))
      const box = { rows: ordering[0]?.length ?? 0, columns: ordering.length }
      const positions = listPositions(box, 'column-major')
      expect(labels(positions), file).toEqual(ordering.flat())
      expect(positions, file).toHaveLength(Object.keys(wells).length)
      const byPlace = positions.toSorted((left, right) => {
        const [from, to] = [wells[left.label], wells[right.label]]
        if (from === undefined || to === undefined) throw new Error(`${file} lacks a well`)
        // Columns go to the right; the y axis points to the back, so the first row has the greatest y.
        return from.x - to.x || to.y - from.y
      })
      expect(labels(byPlace), file).toEqual(labels(positions))
    }
  })
})
