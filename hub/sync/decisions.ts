import type { z } from 'zod'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { ChangeSet, RowImage } from '../../platform/sync/change-set.ts'
import type { Resolution } from '../../platform/sync/contract.ts'
import { findReady, type HeldItem, isHeld, type WorkItem } from '../../platform/sync/work-item.ts'
import type { Domains } from './domains.ts'
import { Fates } from './fates.ts'
import { groupByDomain } from './grouping.ts'
import { listPermitted } from './permitted.ts'
import { SyncProblem } from './sync-problem.ts'

/** What a domain decided about a set. */
export interface Decided {
  readonly changeSetId: string
  readonly outcome: string
  readonly status: 'taken' | 'waiting' | 'dropped'
}

/** An open work item with when it came. */
export interface OpenItem {
  readonly item: WorkItem
  readonly openedAt: string
}

/** Open work items with the Hub's rows that they are about, by address. */
export interface OpenItemsWithRows {
  readonly items: readonly OpenItem[]
  readonly rows: Readonly<Record<string, RowImage>>
  /** How many there are, with those that were not asked for. */
  readonly total: number
}

const decidedAtOnce = 200

/**
 * Has the domains decide what was pushed, one laboratory at a time and in order. What settles something that others
 * wait for lets those be decided again.
 */
export class Decisions {
  readonly #gateway: Gateway
  readonly #domains: Domains
  readonly #fates: Fates
  readonly #queues = new Map<string, Promise<unknown>>()
  /** Laboratories in which something may wait behind something else. */
  readonly #mayWait = new Set<string>()

  constructor(gateway: Gateway, domains: Domains) {
    this.#gateway = gateway
    this.#domains = domains
    this.#fates = new Fates(domains)
  }

  /** Runs work of one laboratory after all that was asked for it before. */
  inTurn<T>(laboratoryId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(laboratoryId) ?? Promise.resolve()
    const done = before.then(work)
    const settled = done.then(
      () => undefined,
      () => undefined,
    )
    this.#queues.set(laboratoryId, settled)
    return done
  }

  /** Decides pushed sets, and answers in their order. Call it {@link inTurn}. */
  async decide(laboratoryId: string, sets: readonly ChangeSet[]): Promise<readonly Decided[]> {
    const byId = new Map<string, Decided>()
    for (const group of groupByDomain(sets, decidedAtOnce)) {
      for (const each of await this.#decideGroup(laboratoryId, group, false)) byId.set(each.changeSetId, each)
    }
    const decided = sets.flatMap(({ id }) => byId.get(id) ?? [])
    if (decided.some(({ outcome }) => outcome === 'parked')) this.#mayWait.add(laboratoryId)
    if (this.#mayWait.has(laboratoryId)) await this.#decideWaiting(laboratoryId)
    return decided
  }

  /** Decides what waited for something that is settled by now, as after a start. Call it {@link inTurn}. */
  async decideWaiting(laboratoryId: string): Promise<void> {
    await this.#decideWaiting(laboratoryId)
  }

  /** Settles a work item as a person chose, and whatever waited for it. */
  async resolve(
    laboratoryId: string,
    resolution: z.output<typeof Resolution>,
    actorId: string,
  ): Promise<void> {
    const { domain, itemId, choice, reason } = resolution
    if (!this.#domains.has(domain)) throw unknownItem(itemId)
    await this.inTurn(laboratoryId, async () => {
      const [open] = await this.#readOpenItems(laboratoryId, [domain], { id: itemId })
      if (open === undefined) throw unknownItem(itemId)
      const sets = isHeld(open.item) ? [open.item.set] : []
      const known = await this.#knownOf(laboratoryId, sets)
      const client = this.#domains.client(domain)
      const answer = await client.syncResolve({ laboratoryId, itemId, choice, reason, actorId, known })
      if (!answer.done) throw new SyncProblem(422, 'RULE_BROKEN', answer.words)
      await this.#decideWaiting(laboratoryId)
    })
  }

  /** The open work items of a laboratory in which any of these ids stands, oldest first. */
  openItemsAbout(laboratoryId: string, ids: readonly string[]): Promise<readonly OpenItem[]> {
    return this.#readOpenItems(laboratoryId, this.#domains.names, { about: [...ids] })
  }

  /** The oldest ones for people, who want to see what they are about, and to know how many there are. */
  async openItemsWithRows(
    laboratoryId: string,
    { domain, limit }: { readonly domain?: string | undefined; readonly limit: number },
  ): Promise<OpenItemsWithRows> {
    const names = domain === undefined ? this.#domains.names : [domain]
    const answers = await Promise.all(
      names.map((name) => this.#domains.client(name).syncWorkItems({ laboratoryId, withRows: true, limit })),
    )
    return {
      items: oldestFirst(answers.flatMap((answer) => answer.items)).slice(0, limit),
      rows: Object.assign({}, ...answers.map(({ rows }) => rows)) as OpenItemsWithRows['rows'],
      total: answers.reduce((sum, { total }) => sum + total, 0),
    }
  }

  async #readOpenItems(
    laboratoryId: string,
    domains: readonly string[],
    wanted: { readonly kind?: string; readonly id?: string; readonly about?: string[] },
  ): Promise<readonly OpenItem[]> {
    const answers = await Promise.all(
      domains.map((name) => this.#domains.client(name).syncWorkItems({ laboratoryId, ...wanted })),
    )
    return oldestFirst(answers.flatMap(({ items }) => items))
  }

  async #decideGroup(
    laboratoryId: string,
    sets: readonly ChangeSet[],
    again: boolean,
  ): Promise<readonly Decided[]> {
    const [first] = sets
    if (first === undefined) return []
    const known = await this.#knownOf(laboratoryId, sets)
    const input = { sets: [...sets], known, again }
    const { decided } = await this.#domains.client(first.domain).syncDecide(input)
    return decided
  }

  async #knownOf(laboratoryId: string, sets: readonly ChangeSet[]) {
    const fates = await this.#fates.causesOf(sets)
    const isKnown = (id: string) => (fates[id] ?? null) !== null || sets.some((set) => set.id === id)
    return { fates, permitted: await listPermitted(this.#gateway, laboratoryId, sets, isKnown) }
  }

  async #decideWaiting(laboratoryId: string): Promise<void> {
    for (;;) {
      const open = await this.#readOpenItems(laboratoryId, this.#domains.names, { kind: 'parked' })
      const parked = open.map(({ item }) => item).filter(isHeld)
      const fates = await this.#fates.of(
        laboratoryId,
        parked.flatMap(({ behind }) => behind),
      )
      const ready = takeReady(parked, (id) => fates[id]?.status === 'waiting')
      const sets = ready.map(({ set }) => set)
      for (const group of groupByDomain(sets, decidedAtOnce))
        await this.#decideGroup(laboratoryId, group, true)
      if (parked.length === 0) this.#mayWait.delete(laboratoryId)
      else this.#mayWait.add(laboratoryId)
      if (ready.length === 0) return
    }
  }
}

function oldestFirst(
  items: readonly { readonly item?: unknown; readonly openedAt: string }[],
): readonly OpenItem[] {
  return items
    .map(({ item, openedAt }) => ({ item: item as WorkItem, openedAt }))
    .toSorted((left, right) => (left.openedAt < right.openedAt ? -1 : left.openedAt > right.openedAt ? 1 : 0))
}

/** All parked items that wait for nothing any more. None of them waits for another, or it would not be ready. */
function takeReady(parked: readonly HeldItem[], isWaiting: (id: string) => boolean): readonly HeldItem[] {
  const ready: HeldItem[] = []
  let rest = parked
  for (let next = findReady(rest, isWaiting); next !== null; next = findReady(rest, isWaiting)) {
    const found = next
    ready.push(found)
    rest = rest.filter((item) => item !== found)
  }
  return ready
}

function unknownItem(itemId: string): SyncProblem {
  return new SyncProblem(
    404,
    'NOT_FOUND',
    `No open work item has the id ${itemId}: somebody may have decided it`,
  )
}
