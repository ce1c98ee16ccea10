import { expect, test } from 'vitest'
import { durationText } from './moments.ts'

test('a duration is told in the unit a person would use, and no unit reaches its next one', () => {
  const told = [0, 1.44, 9.94, 9.96, 87.4, 999.4, 999.6, 9_404, 59_940, 59_960, 192_000].map(durationText)
  expect(told).toEqual([
    '0.0 ms',
    '1.4 ms',
    '9.9 ms',
    '10 ms',
    '87 ms',
    '999 ms',
    '1.0 s',
    '9.4 s',
    '59.9 s',
    '1 min 0 s',
    '3 min 12 s',
  ])
})
