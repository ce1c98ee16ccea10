import type { z } from 'zod'
import type { storage } from '../../../services/storage/contract.ts'
import type { IconName } from '../../components/drawings.tsx'
import type { StatusTone } from '../../components/status.tsx'

type Answer = z.infer<NonNullable<(typeof storage)['readRackScan']['~orpc']['outputSchema']>>
export type RackRead = Answer['reads'][number]
export type RackResult = RackRead['result']

/** What each outcome looks like, in the order in which a person wants to see them. */
export const rackLooks: Readonly<Record<RackResult, { readonly tone: StatusTone; readonly icon: IconName }>> =
  {
    unknown_code: { tone: 'bad', icon: 'ask' },
    unreadable: { tone: 'bad', icon: 'bad' },
    missing: { tone: 'bad', icon: 'minus' },
    moved_here: { tone: 'warn', icon: 'return' },
    new_here: { tone: 'now', icon: 'plus' },
    as_expected: { tone: 'ok', icon: 'check' },
    empty: { tone: 'idle', icon: 'ring' },
  }

const order: readonly RackResult[] = [
  'unknown_code',
  'unreadable',
  'missing',
  'moved_here',
  'new_here',
  'as_expected',
  'empty',
]

/** How often each outcome occurs; those that do not are left out. */
export function countResults(
  reads: readonly RackRead[],
): readonly { readonly result: RackResult; readonly count: number }[] {
  return order.flatMap((result) => {
    const count = reads.filter((read) => read.result === result).length
    return count === 0 ? [] : [{ result, count }]
  })
}

/** What a person has to look at: everything that is not as the books have it. */
export function differences(reads: readonly RackRead[]): readonly RackRead[] {
  return reads
    .filter(({ result, expected }) => {
      if (result === 'empty') return expected !== null
      return result !== 'as_expected'
    })
    .toSorted((a, b) => order.indexOf(a.result) - order.indexOf(b.result))
}

/** Reads that applying would put away. */
export function arrivals(reads: readonly RackRead[]): readonly RackRead[] {
  return reads.filter(({ result }) => result === 'new_here' || result === 'moved_here')
}
