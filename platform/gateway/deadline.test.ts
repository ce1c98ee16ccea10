import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerWithinMs, withDeadline } from './deadline.ts'

test('the answer is due before the deadline, but not much', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_600_000 }), (leftMs) => {
      const withinMs = answerWithinMs(1_000_000 + leftMs, 1_000_000)
      expect(withinMs).toBeGreaterThan(0)
      expect(withinMs).toBeLessThan(leftMs)
      expect(leftMs - withinMs).toBeLessThanOrEqual(50)
    }),
  )
})

test('work that is too late is given up, work in time is not', async () => {
  const late = () => new Error('too late')
  await expect(withDeadline(new Promise(() => undefined), Date.now() + 30, late)).rejects.toThrow('too late')
  expect(await withDeadline(Promise.resolve('done'), Date.now() + 5_000, late)).toBe('done')
  await expect(withDeadline(Promise.resolve('done'), Date.now() - 1, late)).resolves.toBe('done')
})
