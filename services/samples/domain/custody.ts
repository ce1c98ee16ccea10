import { accept, type Decision, refuse } from './decision.ts'

/** Where a thing is in the eyes of custody, derived from its last event. */
export type CustodyState = 'in_hand' | 'stored' | 'checked_out' | 'in_transit' | 'ended'

interface CustodyStep {
  /** States the step may follow; empty for the first event of all. */
  readonly from: readonly CustodyState[]
  /** The state afterwards; null leaves it as it was. */
  readonly to: CustodyState | null
}

/** What may happen to a thing in custody, and after what. */
export const custodySteps = {
  received: { from: [], to: 'in_hand' },
  stored: { from: ['in_hand'], to: 'stored' },
  moved: { from: ['in_hand', 'stored', 'checked_out'], to: null },
  checked_out: { from: ['in_hand', 'stored'], to: 'checked_out' },
  returned: { from: ['checked_out'], to: 'stored' },
  shipped: { from: ['in_hand', 'stored', 'checked_out'], to: 'in_transit' },
  received_elsewhere: { from: ['in_transit'], to: 'in_hand' },
  consumed: { from: ['in_hand', 'stored', 'checked_out'], to: 'ended' },
  disposed: { from: ['in_hand', 'stored', 'checked_out'], to: 'ended' },
} as const satisfies Record<string, CustodyStep>

export type CustodyKind = keyof typeof custodySteps

/**
 * One append-only fact about one thing. Order is given by `predecessorId` alone, never by time: clocks of
 * workstations differ. Who, where, when and why stand in the same row but decide nothing here.
 */
export interface CustodyEvent {
  readonly id: string
  /** The event its author saw as the last one; null only for the first. */
  readonly predecessorId: string | null
  /** Last events of other branches that a person settled with this one. */
  readonly settlesIds: readonly string[]
  readonly kind: CustodyKind
  /** The laboratory that acts: the holder, or for `received_elsewhere` the one that took it in. */
  readonly laboratoryId: string
  /** For `shipped`: the receiver, when it is a laboratory known here. */
  readonly toLaboratoryId: string | null
}

/** The end of a chain. More than one means that the chain is forked. */
export interface CustodyHead {
  readonly eventId: string
  readonly kind: CustodyKind
  /** Null when a gap hides it. */
  readonly state: CustodyState | null
  /** Who holds it, or who shipped it while it is on the way. */
  readonly laboratoryId: string
  readonly toLaboratoryId: string | null
}

export type CustodyProblemKind =
  'gap' | 'fork' | 'second_start' | 'impossible_step' | 'wrong_holder' | 'circle'

export interface CustodyProblem {
  readonly problem: CustodyProblemKind
  /** The events to show, in the order of their ids. */
  readonly eventIds: readonly string[]
  readonly message: string
}

export interface CustodyReport {
  /** In the order of their ids. One for a sound chain, none when nothing was recorded. */
  readonly heads: readonly CustodyHead[]
  /** Empty for a sound chain. */
  readonly problems: readonly CustodyProblem[]
}

/**
 * Checks the events of one thing, in any order; an event given twice counts once. A predecessor that is not here is a
 * gap, two events after one are a fork until a later event follows both branches. Everything found is reported.
 */
export function checkCustody(events: readonly CustodyEvent[]): CustodyReport {
  const byId = new Map(events.map((event) => [event.id, event]))
  const ordered = [...byId.values()].sort((left, right) => (left.id < right.id ? -1 : 1))
  const successors = groupSuccessors(ordered)
  const problems: CustodyProblem[] = []
  const heads = new Map<string, CustodyHead>()

  const starts = ordered.filter((event) => event.predecessorId === null)
  if (starts.length > 1) {
    problems.push(problem('second_start', starts, `This chain of custody begins ${starts.length} times.`))
  }
  for (const event of ordered) {
    for (const missingId of missingIds(event, byId)) {
      const message = `Before "${words(event.kind)}" the event ${missingId} is missing: it has not arrived yet or was lost.`
      problems.push(problem('gap', [event], message))
    }
  }

  const open = ordered.filter((event) => event.predecessorId === null || !byId.has(event.predecessorId))
  for (const event of open) {
    const before = event.predecessorId === null ? null : (heads.get(event.predecessorId) ?? 'unknown')
    heads.set(event.id, advance(before, event))
    const fault = findFault(before, event)
    if (fault !== null) problems.push(problem(fault.problem, [event], fault.message))
    open.push(...(successors.get(event.id) ?? []))
  }
  for (const [id, followers] of successors) {
    if (byId.has(id) && followers.length > 1 && !isSettled(followers, ordered)) {
      const kinds = followers.map((event) => `"${words(event.kind)}"`).join(' and ')
      problems.push(
        problem(
          'fork',
          followers,
          `${kinds} were recorded after the same event, without knowing each other.`,
        ),
      )
    }
  }
  const circling = ordered.filter((event) => !heads.has(event.id))
  if (circling.length > 0) {
    problems.push(problem('circle', circling, 'These events name each other as predecessors.'))
  }

  const followed = new Set(ordered.flatMap((event) => [event.predecessorId, ...event.settlesIds]))
  return {
    heads: [...heads.values()].filter((head) => !followed.has(head.eventId)).sort(compareHeads),
    problems,
  }
}

/**
 * The events in the order of their predecessors, for showing: every event stands after the one it names, branches of a
 * fork in the order of their ids, events behind a gap after the sound ones, circles last.
 */
export function orderCustody<Event extends CustodyEvent>(events: readonly Event[]): readonly Event[] {
  const byId = events.toSorted((left, right) => (left.id < right.id ? -1 : 1))
  const known = new Set(byId.map((event) => event.id))
  const successors = groupSuccessors(byId)
  const starts = byId.filter((event) => event.predecessorId === null)
  const behindGaps = byId.filter((event) => event.predecessorId !== null && !known.has(event.predecessorId))
  const ordered = new Set<Event>()
  for (const open of [starts, behindGaps]) {
    // Depth first: a branch is shown whole before the next one begins.
    const waiting = open.toReversed()
    for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
      ordered.add(event)
      waiting.push(...(successors.get(event.id) ?? []).toReversed())
    }
  }
  return [...ordered, ...byId.filter((event) => !ordered.has(event))]
}

/**
 * Decides whether an event may be appended, given the heads that {@link checkCustody} reports. While a chain is forked
 * work goes on from the branch a person chose; the fork stays open until an event settles the other branches.
 */
export function decideCustody(heads: readonly CustodyHead[], event: CustodyEvent): Decision<CustodyEvent> {
  const before = heads.find((head) => head.eventId === event.predecessorId) ?? null
  if (before === null && (heads.length > 0 || event.predecessorId !== null)) {
    const last = heads.map((head) => `"${words(head.kind)}"`).join(' and ') || 'nothing'
    return refuse(
      'custody_not_at_head',
      `Something else was recorded meanwhile: the last event is ${last}. Look at it, then record this again.`,
    )
  }
  const others = heads.filter((head) => head !== before).map((head) => head.eventId)
  if (!event.settlesIds.every((id) => others.includes(id))) {
    return refuse('custody_nothing_to_settle', 'Only the ends of other branches can be settled.', others)
  }
  const fault = findFault(before, event)
  if (fault === null) return accept(event)
  return refuse(`custody_${fault.problem}`, fault.message, nextCustodyKinds(before?.state ?? null))
}

/** What may be recorded next; null stands for a thing without any event. */
export function nextCustodyKinds(state: CustodyState | null): readonly CustodyKind[] {
  return custodyKinds.filter((kind) => mayFollow(kind, state))
}

const custodyKinds = Object.keys(custodySteps) as readonly CustodyKind[]

/** `unknown` stands for a predecessor that is not here, null for none. */
type Before = CustodyHead | 'unknown' | null

function mayFollow(kind: CustodyKind, state: CustodyState | null): boolean {
  const step: CustodyStep = custodySteps[kind]
  return state === null ? step.from.length === 0 : step.from.includes(state)
}

function findFault(
  before: Before,
  event: CustodyEvent,
): { readonly problem: 'impossible_step' | 'wrong_holder'; readonly message: string } | null {
  if (before === 'unknown' || (before !== null && before.state === null)) return null
  if (!mayFollow(event.kind, before?.state ?? null)) {
    const message =
      before === null
        ? `A chain of custody begins with "received", not with "${words(event.kind)}".`
        : `"${words(event.kind)}" cannot follow "${words(before.kind)}".`
    return { problem: 'impossible_step', message }
  }
  if (before === null) return null
  const holder = event.kind === 'received_elsewhere' ? before.toLaboratoryId : before.laboratoryId
  // Who shipped it may take it back before it arrives.
  if (holder === null || holder === event.laboratoryId || before.laboratoryId === event.laboratoryId)
    return null
  const message =
    event.kind === 'received_elsewhere'
      ? 'It was shipped to another laboratory than the one that took it in.'
      : `Another laboratory holds it, so "${words(event.kind)}" cannot be recorded here.`
  return { problem: 'wrong_holder', message }
}

function advance(before: Before, event: CustodyEvent): CustodyHead {
  const stateBefore = before === 'unknown' || before === null ? null : before.state
  return {
    eventId: event.id,
    kind: event.kind,
    state: custodySteps[event.kind].to ?? stateBefore,
    laboratoryId: event.laboratoryId,
    toLaboratoryId: event.kind === 'shipped' ? event.toLaboratoryId : null,
  }
}

function groupSuccessors<Event extends CustodyEvent>(
  ordered: readonly Event[],
): ReadonlyMap<string, readonly Event[]> {
  const successors = new Map<string, Event[]>()
  for (const event of ordered) {
    if (event.predecessorId === null) continue
    const list = successors.get(event.predecessorId)
    if (list === undefined) successors.set(event.predecessorId, [event])
    else list.push(event)
  }
  return successors
}

function missingIds(event: CustodyEvent, byId: ReadonlyMap<string, CustodyEvent>): readonly string[] {
  const named = event.predecessorId === null ? event.settlesIds : [event.predecessorId, ...event.settlesIds]
  return named.filter((id) => !byId.has(id))
}

/** A fork is settled once some event comes after every branch. */
function isSettled(branches: readonly CustodyEvent[], ordered: readonly CustodyEvent[]): boolean {
  const [first, ...others] = branches.map((branch) => collectFollowing(branch.id, ordered))
  return first !== undefined && [...first].some((id) => others.every((following) => following.has(id)))
}

function collectFollowing(startId: string, ordered: readonly CustodyEvent[]): ReadonlySet<string> {
  const following = new Set([startId])
  for (const id of following) {
    for (const event of ordered) {
      if (event.predecessorId === id || event.settlesIds.includes(id)) following.add(event.id)
    }
  }
  return following
}

function problem(kind: CustodyProblemKind, events: readonly CustodyEvent[], message: string): CustodyProblem {
  return { problem: kind, eventIds: events.map((event) => event.id), message }
}

function compareHeads(left: CustodyHead, right: CustodyHead): number {
  return left.eventId < right.eventId ? -1 : 1
}

function words(kind: CustodyKind): string {
  return kind.replaceAll('_', ' ')
}
