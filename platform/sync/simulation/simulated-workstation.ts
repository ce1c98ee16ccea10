import { type ChangeSet, compactChanges, addressOf, type RowAddress, type RowImage } from '../change-set.ts'
import { claimOf, isContested } from '../exclusive.ts'
import {
  foldRow,
  followCommit,
  followEntry,
  type FollowNeeds,
  type FollowPlan,
  type LocalView,
  type PendingChange,
} from '../follow.ts'
import { emptyLog, type LogEntry, type LogHead, placeEntry } from '../log.ts'
import type { SyncRules } from '../rules.ts'
import { nameQuestion } from '../view.ts'
import type { WorkItem } from '../work-item.ts'
import type { SimulatedEvent } from './draft.ts'
import type { Message } from './messages.ts'
import { RowStore } from './row-store.ts'
import type { Steps } from './simulated-hub.ts'

/** An event whose reaction has not been written yet. */
export interface DueReaction {
  readonly causedBy: string
  readonly domain: string
  readonly event: SimulatedEvent
}

/** A workstation whose databases and journal are in memory. All fields are durable but those under `#memory`. */
export class SimulatedWorkstation {
  readonly name: number
  readonly rows = new RowStore()
  readonly items = new Map<string, WorkItem>()
  readonly journal: ChangeSet[] = []
  readonly reactions: DueReaction[] = []
  readonly #hubImages = new Map<RowAddress, RowImage | null>()
  readonly #pending = new Map<string, { readonly set: ChangeSet; readonly order: number }>()
  readonly #pendingOn = new Map<RowAddress, readonly PendingChange[]>()
  readonly #outbox: ChangeSet[] = []
  /** Each domain follows on its own: they are databases of their own. */
  readonly #heads = new Map<string, LogHead>()
  readonly #rules: SyncRules
  #orders = 0
  /** How many of the journal's sets were sent. Only a hint, and gone after a crash. */
  #memory = { pushed: 0 }

  constructor(name: number, rules: SyncRules) {
    this.name = name
    this.#rules = rules
    for (const domain of Object.keys(rules)) this.#heads.set(domain, emptyLog)
  }

  get position(): number {
    return Math.min(...[...this.#heads.values()].map(({ position }) => position))
  }

  get isSettled(): boolean {
    return this.#pending.size === 0 && this.#outbox.length === 0 && this.reactions.length === 0
  }

  get hubImageCount(): number {
    return this.#hubImages.size
  }

  /** A command: rows and outbox in one transaction, then the journal; only then does anybody say that it is done. */
  *execute(set: ChangeSet, reaction: DueReaction | null): Steps<ChangeSet> {
    yield 'before the commit'
    this.#orders += 1
    const plan = load((view) => followCommit(set, this.#orders, view, this.#rules), this.#view())
    for (const change of compactChanges(set)) {
      const address = addressOf(set.domain, change.table, change.key.id)
      const pending = { changeSetId: set.id, order: this.#orders, change }
      this.#pendingOn.set(address, [...(this.#pendingOn.get(address) ?? []), pending])
    }
    this.#write(plan)
    this.#pending.set(set.id, { set, order: this.#orders })
    this.#outbox.push(set)
    for (const event of set.events as readonly SimulatedEvent[]) {
      this.reactions.push({ causedBy: set.id, domain: set.domain, event })
    }
    if (reaction !== null) this.reactions.splice(this.reactions.indexOf(reaction), 1)
    yield 'committed'
    this.#drain()
    yield 'journaled'
    return set
  }

  /** What was committed and not journaled is journaled now; what was only in memory is gone. */
  restart(): readonly ChangeSet[] {
    this.#memory = { pushed: 0 }
    return this.#drain()
  }

  makePush(limit: number): Message | null {
    const sets = this.journal
      .slice(this.#memory.pushed)
      .filter(({ id }) => this.#pending.has(id))
      .slice(0, limit)
    const first = sets[0]
    if (first === undefined) return null
    const before = this.journal[this.journal.indexOf(first) - 1]
    // The next push goes on behind this one, without waiting to hear that it has come.
    this.#memory.pushed = this.journal.indexOf(sets.at(-1) ?? first) + 1
    return { to: 'hub', from: this.name, kind: 'push', after: before?.id ?? null, sets }
  }

  makePull(): Message {
    return { to: 'hub', from: this.name, kind: 'pull', after: this.position }
  }

  noteReceived(lastId: string): void {
    const index = this.journal.findIndex(({ id }) => id === lastId)
    this.#memory.pushed = Math.max(this.#memory.pushed, index + 1)
  }

  /** Forgets the hint, as when nothing was heard for long. */
  pushAgain(): void {
    this.#memory.pushed = 0
  }

  *takeEntries(entries: readonly LogEntry[]): Steps<void> {
    for (const entry of entries) {
      const least = [...this.#heads.values()].reduce((a, b) => (a.position < b.position ? a : b))
      const place = placeEntry(least, entry)
      if (place === 'gap') return
      if (place === 'forged') throw new Error(`Entry ${entry.position} does not follow from the one before`)
      if (place === 'repeated') continue
      for (const [domain, head] of this.#heads) {
        if (head.position >= entry.position) continue
        if (domain === entry.domain) this.#follow(entry)
        this.#heads.set(domain, { position: entry.position, hash: entry.hash })
        if (domain === entry.domain) yield 'entry followed'
      }
    }
  }

  /** The rows as one fold over everything gives them, for comparing with what following has made of them. */
  listMisfolded(): readonly RowAddress[] {
    return [...this.#pendingOn].flatMap(([address, pending]) => {
      const folded = foldRow(this.#hubImages.get(address) ?? null, pending)
      const row = this.rows.row(address)
      // The mark is laid over the row after the fold.
      const isMarked = folded !== null && row !== null && 'contested' in folded
      const expected = isMarked ? { ...folded, contested: row.contested ?? null } : folded
      return equalRows(row, expected) ? [] : [address]
    })
  }

  #follow(entry: LogEntry): void {
    const decided = this.#pending.get(entry.decides)?.set ?? null
    const plan = load((view) => followEntry(entry, decided, view, this.#rules), this.#view())
    if (decided !== null) {
      this.#pending.delete(decided.id)
      for (const { table, key } of decided.changes) {
        const address = addressOf(decided.domain, table, key.id)
        const rest = (this.#pendingOn.get(address) ?? []).filter(
          ({ changeSetId }) => changeSetId !== decided.id,
        )
        if (rest.length === 0) this.#pendingOn.delete(address)
        else this.#pendingOn.set(address, rest)
      }
    }
    this.#write(plan)
    for (const id of entry.closes) this.items.delete(id)
    for (const item of entry.opens) this.items.set(item.id, item)
  }

  #drain(): readonly ChangeSet[] {
    const drained = this.#outbox.splice(0)
    this.journal.push(...drained)
    return drained
  }

  #view(): LocalView {
    return {
      at: (address) => ({
        row: this.rows.row(address),
        hubImage: this.#hubImages.get(address) ?? null,
        pending: this.#pendingOn.get(address) ?? [],
      }),
      rows: (lookUp) => this.rows.find(lookUp),
    }
  }

  #write(plan: FollowPlan): void {
    for (const { address, image } of plan.rows) this.rows.write(address, image)
    for (const { address, image } of plan.hubImages) {
      if (image === undefined) this.#hubImages.delete(address)
      else this.#hubImages.set(address, image)
    }
    assertConstraints(this.rows, this.#rules)
  }
}

/** What the databases' exclusion constraints would say at the end of a transaction. */
export function assertConstraints(rows: RowStore, rules: SyncRules): void {
  for (const [domain, tables] of Object.entries(rules)) {
    for (const [table, { exclusive = [] }] of Object.entries(tables)) {
      for (const rule of exclusive) {
        const held = new Set<string>()
        for (const row of rows.all(domain, table)) {
          const claim = isContested(row) ? null : claimOf(domain, table, rule, row)
          if (claim === null) continue
          const name = nameQuestion({ ask: 'rows', lookUp: claim })
          if (held.has(name)) throw new Error(`${rule.name} is violated: ${name}`)
          held.add(name)
        }
      }
    }
  }
}

/** By the way of a database: what is asked for is loaded, then the attempt is made again. */
function load(attempt: (view: LocalView) => FollowPlan | FollowNeeds, store: LocalView): FollowPlan {
  const addresses = new Set<RowAddress>()
  const lookUps = new Set<string>()
  const nameOf = (lookUp: Parameters<LocalView['rows']>[0]) => nameQuestion({ ask: 'rows', lookUp })
  const view: LocalView = {
    at: (address) => (addresses.has(address) ? store.at(address) : undefined),
    rows: (lookUp) => (lookUps.has(nameOf(lookUp)) ? store.rows(lookUp) : undefined),
  }
  for (let round = 0; round < 50; round += 1) {
    const result = attempt(view)
    if (result.kind === 'plan') return result
    for (const address of result.addresses) addresses.add(address)
    for (const lookUp of result.lookUps) lookUps.add(nameOf(lookUp))
  }
  throw new Error('Following goes on asking')
}

export function equalRows(left: RowImage | null, right: RowImage | null): boolean {
  if (left === null || right === null) return left === right
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}
