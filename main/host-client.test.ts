import { ORPCError } from '@orpc/client'
import { expect, it } from 'vitest'
import { repeatUntilKnown } from './host-client.ts'

function failing(...codes: readonly string[]) {
  const calls: number[] = []
  return {
    calls,
    async call() {
      const code = codes[calls.length]
      calls.push(calls.length)
      if (code !== undefined) throw new ORPCError(code)
      return 'done'
    },
  }
}

it('repeats a call until its outcome is known', async () => {
  const { call, calls } = failing('OUTCOME_UNKNOWN', 'NOT_STARTED')
  expect(await repeatUntilKnown(call, [1, 1, 1])).toBe('done')
  expect(calls).toHaveLength(3)
})

it('takes a refusal for an answer', async () => {
  const { call, calls } = failing('RULE_BROKEN')
  await expect(repeatUntilKnown(call, [1])).rejects.toMatchObject({ code: 'RULE_BROKEN' })
  expect(calls).toHaveLength(1)
})

it('gives up at last, with the last failure', async () => {
  const { call, calls } = failing('BUSY', 'BUSY', 'OUTCOME_UNKNOWN')
  await expect(repeatUntilKnown(call, [1, 1])).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(calls).toHaveLength(3)
})
