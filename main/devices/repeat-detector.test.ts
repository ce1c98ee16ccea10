import { expect, test } from 'vitest'
import { createRepeatDetector } from './repeat-detector.ts'

test('the same code within 500 ms is a repeat, also with another code between', () => {
  const isRepeat = createRepeatDetector()
  const readings: readonly (readonly [string, number, boolean])[] = [
    ['A', 0, false],
    ['A', 300_000, true],
    ['B', 400_000, false],
    ['A', 500_000, true],
    ['A', 1_000_000, true],
    ['B', 1_000_001, false],
    ['A', 1_500_001, false],
  ]
  expect(readings.map(([text, us]) => isRepeat(text, us))).toEqual(readings.map(([, , repeat]) => repeat))
})
