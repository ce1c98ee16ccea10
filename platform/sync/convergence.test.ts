import fc from 'fast-check'
import { describe, it } from 'vitest'
import { history, play } from './simulation/history.ts'

const runs = Number(process.env.TRACSEQ_RUNS ?? 300)
const seed = Number(process.env.TRACSEQ_SEED ?? Date.now() % 1_000_000)

describe('copies that work apart', () => {
  it(
    `are equal again and have lost nothing (${runs} histories, TRACSEQ_SEED=${seed})`,
    () => {
      fc.assert(fc.property(history, play), { numRuns: runs, seed, endOnFailure: false })
    },
    runs * 5_000,
  )
})
