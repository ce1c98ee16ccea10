import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countFailure, type Lockout, lockedUntil, noFailures } from './lockout.ts'

const start = Date.parse('2026-03-01T08:00:00.000Z')
const at = (minutes: number) => new Date(start + minutes * 60_000).toISOString()

function fail(times: number, minutes: number, from: Lockout = noFailures): Lockout {
  let state = from
  for (let count = 0; count < times; count += 1) state = countFailure(state, at(minutes))
  return state
}

describe('lockout', () => {
  it('locks at the fifth wrong password, for 15 minutes', () => {
    expect(lockedUntil(fail(4, 0), at(0))).toBeNull()
    expect(lockedUntil(fail(5, 0), at(0))).toBe(at(15))
    expect(lockedUntil(fail(5, 0), at(14.99))).toBe(at(15))
    expect(lockedUntil(fail(5, 0), at(15))).toBeNull()
  })

  it('begins the count anew after a lock has passed', () => {
    const after = countFailure(fail(5, 0), at(20))
    expect(after).toEqual({ failures: 1, lockedUntil: null })
    expect(lockedUntil(fail(4, 20, after), at(20))).toBe(at(35))
  })

  it('is locked exactly when five failures came since the last success or lock, whenever they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 40 }), (waits) => {
        let state = noFailures
        let minute = 0
        let inARow = 0
        for (const wait of waits) {
          minute += wait
          if (lockedUntil(state, at(minute)) !== null) continue
          state = countFailure(state, at(minute))
          inARow = inARow === 5 ? 1 : inARow + 1
          expect(lockedUntil(state, at(minute)) !== null).toBe(inARow === 5)
        }
      }),
    )
  })
})
