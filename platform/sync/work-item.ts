import { addressOf, type ChangeSet, type RowAddress } from './change-set.ts'

/** One point where a pushed change and the Hub's row do not go together. */
export interface ConflictPoint {
  readonly table: string
  readonly id: string
  /** Null where the row as a whole is in question. */
  readonly column: string | null
  readonly base: string | null
  readonly hub: string | null
  readonly pushed: string | null
  readonly words: string
}

/** Work items that hold a change set back until a person decides, or until what they wait for is decided. */
export type HeldKind = 'conflict' | 'parked' | 'refused' | 'review'

/** A change set that is not applied. Its two proposals are the set and the Hub's rows. */
export interface HeldItem {
  readonly kind: HeldKind
  readonly id: string
  readonly domain: string
  readonly set: ChangeSet
  readonly words: string
  /** `conflict` only. */
  readonly conflicts: readonly ConflictPoint[]
  /** `parked` only: the change sets it waits for. */
  readonly behind: readonly string[]
}

/** Something in the rows that a person must look at: `contested`, or a kind of a domain's notices. Stops nothing. */
export interface StandingItem {
  readonly kind: 'contested' | (string & {})
  readonly id: string
  readonly domain: string
  readonly set: null
  readonly words: string
  /** What it is about; one stands for each kind and subject. */
  readonly subject: string
  readonly rows: readonly RowAddress[]
}

export type WorkItem = HeldItem | StandingItem

export function isHeld(item: WorkItem): item is HeldItem {
  return item.set !== null
}

/** The rows that a work item is about. */
export function rowsOfItem(item: WorkItem): readonly RowAddress[] {
  if (!isHeld(item)) return item.rows
  return [...new Set(item.set.changes.map(({ table, key }) => addressOf(item.domain, table, key.id)))]
}

/**
 * The first parked item that waits for nothing any more; null when there is none. Whoever has decided something looks
 * here, decides the set again, and looks again. `open` is in the order in which the items came.
 */
export function findReady(
  open: Iterable<WorkItem>,
  isWaiting: (changeSetId: string) => boolean,
): HeldItem | null {
  for (const item of open) {
    if (isHeld(item) && item.kind === 'parked' && !item.behind.some(isWaiting)) return item
  }
  return null
}

/** What a standing item found, so that the same finding is known again. */
export function describeFinding(item: {
  readonly words: string
  readonly rows: readonly RowAddress[]
}): string {
  return [item.words, ...[...item.rows].sort()].join(' ')
}
