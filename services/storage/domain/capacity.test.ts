import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addCapacities, countedCapacity, recountCapacity } from './capacity.ts'
import { type PositionState, positionStates } from './occupancy.ts'

function states(counts: Partial<Record<PositionState, number>>): readonly PositionState[] {
  return positionStates.flatMap((state) => Array.from({ length: counts[state] ?? 0 }, () => state))
}

const anyState = fc.constantFrom(...positionStates)

describe('levels', () => {
  it.each([
    [{ occupied: 79, available: 21 }, 'normal'],
    [{ occupied: 80, available: 20 }, 'warning'],
    [{ occupied: 4, available: 1 }, 'warning'],
    [{ occupied: 94, available: 6 }, 'warning'],
    [{ occupied: 95, available: 5 }, 'critical'],
    [{ occupied: 19, available: 1 }, 'critical'],
    [{ occupied: 81 }, 'critical'],
    [{ occupied: 79, reserved: 1, available: 20 }, 'warning'],
    [{ occupied: 40, out_of_use: 50, available: 10 }, 'warning'],
    [{ out_of_use: 3 }, 'critical'],
    [{ available: 81 }, 'normal'],
    [{}, 'normal'],
  ] as const)('of %o is %s', (counts, level) => {
    expect(recountCapacity(states(counts)).level).toBe(level)
  })

  it('come with counts that add up', () => {
    expect(recountCapacity(states({ occupied: 61, reserved: 9, available: 28, out_of_use: 2 }))).toEqual({
      positions: 100,
      occupied: 61,
      reserved: 9,
      outOfUse: 2,
      available: 28,
      level: 'normal',
    })
  })
})

describe('a capacity', () => {
  it('made of counts equals a recount', () => {
    fc.assert(
      fc.property(fc.array(anyState, { maxLength: 200 }), (all) => {
        const count = (state: PositionState) => all.filter((each) => each === state).length
        const counted = {
          occupied: count('occupied'),
          reserved: count('reserved'),
          outOfUse: count('out_of_use'),
        }
        expect(countedCapacity(all.length, counted)).toEqual(recountCapacity(all))
      }),
    )
  })

  it('adds up for a freezer as if its boxes were one', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyState, { maxLength: 40 }), { maxLength: 8 }), (boxes) => {
        expect(addCapacities(boxes.map(recountCapacity))).toEqual(recountCapacity(boxes.flat()))
      }),
    )
  })
})
