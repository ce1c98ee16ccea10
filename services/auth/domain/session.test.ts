import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sessionEnd, sessionLivesMs, sessionState } from './session.ts'

const hour = 60 * 60_000
const started = { wallMs: Date.parse('2026-03-01T08:00:00.000Z'), monotonicMs: 500 * hour }
const live = { started, locked: false, ended: false }
const after = (wallHours: number, monotonicHours: number) => ({
  wallMs: started.wallMs + wallHours * hour,
  monotonicMs: started.monotonicMs + monotonicHours * hour,
})

describe('a session', () => {
  it.each([
    ['at once', 0, 0, 'live'],
    ['just before eight hours', 7.999, 7.999, 'live'],
    ['after eight hours', 8, 8, 'ended'],
    ['after eight hours with the clock set back', -20, 8, 'ended'],
    ['after the machine slept for the night', 12, 1, 'ended'],
    ['when a wrong clock was put right by a day', -24, 0.1, 'live'],
    ['when the clock was set ahead by a day', 24, 0.1, 'ended'],
    ['after the machine was started again', 2, -499, 'live'],
    ['after the machine was started again, with the clock set back', -2, -499, 'ended'],
  ] as const)('%s', (_when, wall, monotonic, state) => {
    expect(sessionState(live, after(wall, monotonic))).toBe(state)
  })

  it('is locked while it lives, and ended once it was ended', () => {
    expect(sessionState({ ...live, locked: true }, after(1, 1))).toBe('locked')
    expect(sessionState({ ...live, locked: true }, after(9, 9))).toBe('ended')
    expect(sessionState({ ...live, ended: true }, after(0, 0))).toBe('ended')
  })

  it('never outlives eight hours of running time, however the clock is set', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: sessionLivesMs, max: 1_000 * hour }), (wallMs, ranMs) => {
        const now = { wallMs, monotonicMs: started.monotonicMs + ranMs }
        expect(sessionState(live, now)).toBe('ended')
      }),
    )
  })

  it('says when it ends', () => {
    expect(sessionEnd('2026-03-01T08:00:00.000Z')).toBe('2026-03-01T16:00:00.000Z')
  })
})
