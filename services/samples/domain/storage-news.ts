import type { CustodyKind, CustodyState } from './custody.ts'
import { nextStates, type SampleState } from './lifecycle.ts'

/*
 * What a sample makes of what storage tells of its containers. Storage's word is a fact: nothing here refuses it.
 *
 * A pending sample stays pending wherever it lies, since nobody has checked it; it goes on to `in_storage` when it is
 * validated. A tube that is checked out keeps its sample's state.
 */

export const storageNews = ['placed', 'moved', 'taken_out', 'checked_out', 'returned', 'disposed'] as const
export type StorageNews = (typeof storageNews)[number]

/** What is known of the sample's other containers at that moment. */
export interface OtherContainers {
  /** At least one other lies in a position, or has one kept for it. */
  readonly placed: boolean
  /** At least one other is not disposed of. */
  readonly alive: boolean
}

/** The state a sample goes on to; null when it stays. */
export function stateAfter(
  news: StorageNews,
  state: SampleState,
  others: OtherContainers,
): SampleState | null {
  switch (news) {
    case 'placed':
    case 'moved':
    case 'returned':
      return state === 'validated' ? 'in_storage' : null
    case 'checked_out':
      return null
    case 'taken_out':
      return state === 'in_storage' && !others.placed ? 'validated' : null
    case 'disposed':
      if (!others.alive && canBecome(state, 'discarded')) return 'discarded'
      return state === 'in_storage' && !others.placed ? 'validated' : null
  }
}

/**
 * The custody events that record the news, in order. A sample that nobody received (it was only announced) is received
 * when its tube is first handled. While another container of the sample is alive, its chain goes on.
 */
export function custodyAfter(
  news: StorageNews,
  state: CustodyState | 'not_begun' | 'unknown',
  others: OtherContainers,
): readonly CustodyKind[] {
  if (news === 'disposed' && others.alive) return []
  const kind = custodyKindOf(news, state)
  if (state === 'not_begun') return ['received', kind]
  return state === 'in_transit' ? ['received_elsewhere', kind] : [kind]
}

function custodyKindOf(news: StorageNews, state: CustodyState | 'not_begun' | 'unknown'): CustodyKind {
  switch (news) {
    case 'placed':
    case 'moved':
    case 'returned':
      if (state === 'checked_out') return news === 'moved' ? 'moved' : 'returned'
      return state === 'stored' ? 'moved' : 'stored'
    case 'taken_out':
      return 'moved'
    case 'checked_out':
      return state === 'checked_out' ? 'moved' : 'checked_out'
    case 'disposed':
      return 'disposed'
  }
}

function canBecome(from: SampleState, to: SampleState): boolean {
  return nextStates(from).includes(to)
}
