import { GENESIS_HASH, hashEntry, hashPayload } from '../journal/entry.ts'
import type { ChangeSet } from './change-set.ts'
import type { WorkItem } from './work-item.ts'

/** What became of a change set at the Hub. */
export type Outcome = 'applied' | 'merged' | 'conflict' | 'parked' | 'refused' | 'review'

/**
 * Everything a decision adds to the log, before it has a position: a change set of its own. Its id is the pushed set's
 * where that was applied as it came, and otherwise derived from it; its changes are those that really resulted.
 */
export interface LogEntryBody extends ChangeSet {
  /** The pushed set, and the Hub's revisions it was merged with. Empty where the entry is the set itself. */
  readonly parents: readonly string[]
  readonly outcome: Outcome | 'resolved'
  /** The change set that this entry decides; its workstation takes it off the pending ones. */
  readonly decides: string
  /** Who decided by hand, where somebody did. */
  readonly resolvedBy: string | null
  readonly opens: readonly WorkItem[]
  /** Ids of work items that are done with. */
  readonly closes: readonly string[]
  /** Of those, the ones about something that stays as it is because a person has seen it. */
  readonly acknowledges: readonly string[]
}

/** An entry of a laboratory's log: positions are dense from 1, the hash chains it to all before it. */
export interface LogEntry extends LogEntryBody {
  readonly position: number
  readonly hash: string
}

/** The end of a log, or of what somebody has of it. */
export interface LogHead {
  readonly position: number
  readonly hash: string
}

/** Where every log begins. */
export const emptyLog: LogHead = { position: 0, hash: Buffer.from(GENESIS_HASH).toString('hex') }

/** Gives an entry its position and hash. */
export function sequenceEntry(head: LogHead, body: LogEntryBody): LogEntry {
  const position = head.position + 1
  return { ...body, position, hash: hashBody(head, body) }
}

/** How an entry stands to what is there: the next one, one that is there already, one too far on, or a forged one. */
export function placeEntry(head: LogHead, entry: LogEntry): 'next' | 'repeated' | 'gap' | 'forged' {
  if (entry.position <= head.position) return 'repeated'
  if (entry.position > head.position + 1) return 'gap'
  return hashBody(head, bodyOf(entry)) === entry.hash ? 'next' : 'forged'
}

/** The position of the first entry that does not follow from those before it; null when the log is whole. */
export function findBrokenEntry(entries: readonly LogEntry[], from: LogHead = emptyLog): number | null {
  let head = from
  for (const entry of entries) {
    if (placeEntry(head, entry) !== 'next') return head.position + 1
    head = entry
  }
  return null
}

function hashBody(head: LogHead, body: LogEntryBody): string {
  const payload = hashPayload(JSON.stringify(sortKeys(body)))
  return hashEntry(Buffer.from(head.hash, 'hex'), head.position + 1, payload).toString('hex')
}

function bodyOf(entry: LogEntry): LogEntryBody {
  const { position: _position, hash: _hash, ...body } = entry
  return body
}

/** The order of keys is lost on the way through a database, so it may not count. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
