import { accept, type Decision, type Refusal } from './decision.ts'

/**
 * What a position holds. At most one container, always; the database says so too. A reservation is either for a time
 * (`reservedUntil`) or the kept place of a checked-out container (`containerId`, which does not expire).
 */
export type Occupancy =
  | { readonly state: 'available' }
  | { readonly state: 'occupied'; readonly containerId: string; readonly containerLabel: string }
  | {
      readonly state: 'reserved'
      /** Who or what it is for, in words; for a checked-out container its label. */
      readonly reservedFor: string
      /** UTC instant; null for a kept place. */
      readonly reservedUntil: string | null
      readonly containerId: string | null
    }
  | { readonly state: 'out_of_use'; readonly reason: string }

export type PositionState = Occupancy['state']

export const positionStates = [
  'available',
  'occupied',
  'reserved',
  'out_of_use',
] as const satisfies readonly PositionState[]

/** A position as it was read, with the words by which a person knows it (`F1 › Shelf 2 › Box 7, C4`). */
export interface PositionFacts {
  readonly id: string
  readonly label: string
  readonly occupancy: Occupancy
}

export const containerStates = ['unplaced', 'placed', 'checked_out', 'disposed'] as const
export type ContainerState = (typeof containerStates)[number]

export interface ContainerFacts {
  readonly id: string
  /** What stands on it. */
  readonly label: string
  readonly state: ContainerState
  /** Where it is, or while checked out the place kept for it; null when it has none. */
  readonly positionId: string | null
}

/** Everything that a decision changes; write all of it in one transaction. */
export interface OccupancyChange {
  readonly containers: readonly {
    readonly id: string
    readonly state: ContainerState
    readonly positionId: string | null
  }[]
  readonly positions: readonly { readonly id: string; readonly occupancy: Occupancy }[]
}

/** Says what is in the way. `occupant` is the container or the person it is kept for. */
export interface OccupancyRefusal extends Refusal {
  readonly position?: {
    readonly id: string
    readonly label: string
    readonly state: PositionState
    readonly occupant: string
  }
}

export type OccupancyDecision = Decision<OccupancyChange, OccupancyRefusal>

export interface PlannedMove {
  readonly container: ContainerFacts
  /** Where it lies now. */
  readonly from: PositionFacts
  readonly to: PositionFacts
}

/** A container that was found somewhere, wherever the books have it. */
export interface FoundContainer {
  readonly container: ContainerFacts
  /** Where it lies, or the place kept for it; null when it has none. */
  readonly from: PositionFacts | null
  readonly to: PositionFacts
}

const available: Occupancy = { state: 'available' }

/** What a position holds at an instant: a reservation whose time is over holds nothing. */
export function readOccupancy(occupancy: Occupancy, now: string): Occupancy {
  if (occupancy.state !== 'reserved' || occupancy.reservedUntil === null) return occupancy
  return Date.parse(occupancy.reservedUntil) <= Date.parse(now) ? available : occupancy
}

/** Puts a container that has no place into a position. Placed and checked-out ones are moved or returned instead. */
export function decidePlace(container: ContainerFacts, to: PositionFacts, now: string): OccupancyDecision {
  return requireState(container, 'unplaced') ?? requireFree(to, container, now) ?? settle(container, to, [])
}

/** Moves a container from its position to another. */
export function decideMove(move: PlannedMove, now: string): OccupancyDecision {
  return decideMoves([move], now)
}

/**
 * Moves several containers at once, whole or not at all. A position that another move of the same batch leaves is
 * free, so containers can change places.
 */
export function decideMoves(moves: readonly PlannedMove[], now: string): OccupancyDecision {
  for (const { container, from, to } of moves) {
    const refused = requireState(container, 'placed') ?? requireAt(container, from, 'occupied')
    if (refused !== null) return refused
    if (from.id === to.id)
      return no('container_already_there', `${container.label} is already at ${to.label}.`)
  }
  return decideArrangement(moves, now)
}

/**
 * Brings the books in line with what was found: unplaced containers are placed, placed ones moved, checked-out ones
 * returned, all together, whole or not at all.
 */
export function decideArrangement(found: readonly FoundContainer[], now: string): OccupancyDecision {
  const leaving = new Set(found.flatMap(({ from }) => (from === null ? [] : [from.id])))
  const seenIds = new Set<string>()
  const targetIds = new Set<string>()
  for (const { container, from, to } of found) {
    if (seenIds.has(container.id)) {
      return no('container_moved_twice', `${container.label} is to be moved twice at once.`)
    }
    if (targetIds.has(to.id)) {
      return no('position_wanted_twice', `Two containers are to be moved to ${to.label}.`)
    }
    const refused = refuseFound({ container, from, to }, leaving, now)
    if (refused !== null) return refused
    seenIds.add(container.id)
    targetIds.add(to.id)
  }
  const freed = [...leaving].filter((id) => !targetIds.has(id))
  return accept({
    containers: found.map(({ container, to }) => ({ id: container.id, state: 'placed', positionId: to.id })),
    positions: [
      ...freed.map((id) => ({ id, occupancy: available })),
      ...found.map(({ container, to }) => ({ id: to.id, occupancy: occupy(container) })),
    ],
  })
}

/**
 * Takes out of an arrangement what cannot be done, until the rest can: a container whose target is taken, and then those
 * that wanted the place it does not leave.
 */
export function splitArrangement(
  found: readonly FoundContainer[],
  now: string,
): {
  readonly possible: readonly FoundContainer[]
  readonly refused: readonly { readonly container: ContainerFacts; readonly refusal: OccupancyRefusal }[]
} {
  let possible = found
  const refused: { container: ContainerFacts; refusal: OccupancyRefusal }[] = []
  for (;;) {
    const leaving = new Set(possible.flatMap(({ from }) => (from === null ? [] : [from.id])))
    const out = possible.flatMap((each) => {
      const answer = refuseFound(each, leaving, now)
      return answer === null ? [] : [{ container: each.container, refusal: answer.refusal }]
    })
    if (out.length === 0) return { possible, refused }
    refused.push(...out)
    possible = possible.filter((each) => !out.some(({ container }) => container.id === each.container.id))
  }
}

function refuseFound(
  { container, from, to }: FoundContainer,
  leaving: ReadonlySet<string>,
  now: string,
): Refused | null {
  if (container.state === 'disposed') return wrongState(container)
  const held = container.state === 'placed' ? 'occupied' : 'reserved'
  if ((from?.id ?? null) !== container.positionId) return notThere(container, from)
  return (
    (from === null ? null : requireAt(container, from, held)) ??
    (leaving.has(to.id) ? null : requireFree(to, container, now))
  )
}

/** Takes a container in hand. Its place is kept for it until it returns, however long that takes. */
export function decideCheckOut(container: ContainerFacts, from: PositionFacts): OccupancyDecision {
  const refused = requireState(container, 'placed') ?? requireAt(container, from, 'occupied')
  if (refused !== null) return refused
  const kept: Occupancy = {
    state: 'reserved',
    reservedFor: container.label,
    reservedUntil: null,
    containerId: container.id,
  }
  return accept({
    containers: [{ id: container.id, state: 'checked_out', positionId: from.id }],
    positions: [{ id: from.id, occupancy: kept }],
  })
}

/**
 * Puts a checked-out container back: to the place kept for it (`to` is `kept`), or to another, which gives the kept
 * place free. `kept` is null when it has none, as after being checked out elsewhere.
 */
export function decideReturn(
  container: ContainerFacts,
  kept: PositionFacts | null,
  to: PositionFacts,
  now: string,
): OccupancyDecision {
  const refused =
    requireState(container, 'checked_out') ??
    (kept === null ? null : requireAt(container, kept, 'reserved')) ??
    (kept?.id === to.id ? null : requireFree(to, container, now))
  return refused ?? settle(container, to, kept === null || kept.id === to.id ? [] : [kept.id])
}

/** Undoes a placement: the container has no place again and the position is free. */
export function decideTakeOut(container: ContainerFacts, from: PositionFacts): OccupancyDecision {
  return (
    requireState(container, 'placed') ??
    requireAt(container, from, 'occupied') ??
    accept({
      containers: [{ id: container.id, state: 'unplaced', positionId: null }],
      positions: [{ id: from.id, occupancy: available }],
    })
  )
}

/** Disposes of a container wherever it is; the place it had, or that was kept for it, becomes free. */
export function decideDispose(container: ContainerFacts, place: PositionFacts | null): OccupancyDecision {
  if (container.state === 'disposed') return wrongState(container)
  if ((place?.id ?? null) !== container.positionId) return notThere(container, place)
  const held = container.state === 'placed' ? 'occupied' : 'reserved'
  const refused = place === null ? null : requireAt(container, place, held)
  if (refused !== null) return refused
  return accept({
    containers: [{ id: container.id, state: 'disposed', positionId: null }],
    positions: place === null ? [] : [{ id: place.id, occupancy: available }],
  })
}

/** Keeps a free position until an instant that must lie ahead. */
export function decideReserve(
  position: PositionFacts,
  reservation: { readonly reservedFor: string; readonly until: string },
  now: string,
): OccupancyDecision {
  const { reservedFor, until } = reservation
  if (!(Date.parse(until) > Date.parse(now))) {
    return no('reservation_in_the_past', 'A reservation must end in the future.')
  }
  const taken = requireFree(position, null, now)
  return (
    taken ?? change(position, { state: 'reserved', reservedFor, reservedUntil: until, containerId: null })
  )
}

/** Gives a reserved position free. The kept place of a checked-out container is not given away. */
export function decideCancelReservation(position: PositionFacts): OccupancyDecision {
  const { occupancy } = position
  if (occupancy.state !== 'reserved') {
    return no('position_not_reserved', `${position.label} is not reserved.`)
  }
  if (occupancy.containerId !== null) return taken(position, occupancy)
  return change(position, available)
}

/** Takes a free position out of use; what is in it or kept for someone must go first. */
export function decideOutOfUse(position: PositionFacts, reason: string, now: string): OccupancyDecision {
  if (position.occupancy.state === 'out_of_use') {
    return no('position_already_out_of_use', `${position.label} is already out of use.`)
  }
  return requireFree(position, null, now) ?? change(position, { state: 'out_of_use', reason })
}

export function decideBackInUse(position: PositionFacts): OccupancyDecision {
  if (position.occupancy.state !== 'out_of_use') {
    return no('position_in_use', `${position.label} is in use already.`)
  }
  return change(position, available)
}

function settle(
  container: ContainerFacts,
  to: PositionFacts,
  freedIds: readonly string[],
): Decision<OccupancyChange, never> {
  return accept({
    containers: [{ id: container.id, state: 'placed', positionId: to.id }],
    positions: [
      ...freedIds.map((id) => ({ id, occupancy: available })),
      { id: to.id, occupancy: occupy(container) },
    ],
  })
}

function change(position: PositionFacts, occupancy: Occupancy): Decision<OccupancyChange, never> {
  return accept({ containers: [], positions: [{ id: position.id, occupancy }] })
}

function occupy(container: ContainerFacts): Occupancy {
  return { state: 'occupied', containerId: container.id, containerLabel: container.label }
}

type Refused = Extract<OccupancyDecision, { readonly ok: false }>

function requireState(container: ContainerFacts, state: ContainerState): Refused | null {
  return container.state === state ? null : wrongState(container)
}

function wrongState(container: ContainerFacts): Refused {
  const { label, state } = container
  switch (state) {
    case 'unplaced':
      return no('container_not_placed', `${label} has no place yet.`)
    case 'placed':
      return no('container_already_placed', `${label} already has a place: move it instead.`)
    case 'checked_out':
      return no('container_checked_out', `${label} is checked out: return it first.`)
    case 'disposed':
      return no('container_disposed', `${label} was disposed of.`)
  }
}

/** The caller read container and position at different moments, or a change from elsewhere came between. */
function requireAt(
  container: ContainerFacts,
  position: PositionFacts,
  state: 'occupied' | 'reserved',
): Refused | null {
  const { occupancy } = position
  if (occupancy.state === state && occupancy.containerId === container.id) return null
  return notThere(container, position)
}

function notThere(container: ContainerFacts, position: PositionFacts | null): Refused {
  const where = position?.label ?? 'where it was'
  return no('container_not_there', `${container.label} is not at ${where} any more: look again.`)
}

function requireFree(position: PositionFacts, container: ContainerFacts | null, now: string): Refused | null {
  const occupancy = readOccupancy(position.occupancy, now)
  if (occupancy.state === 'available') return null
  if (container !== null && occupancy.state === 'occupied' && occupancy.containerId === container.id) {
    return no('container_already_there', `${container.label} is already at ${position.label}.`)
  }
  return taken(position, occupancy)
}

function taken(
  position: PositionFacts,
  occupancy: Exclude<Occupancy, { readonly state: 'available' }>,
): Refused {
  const refusal = (rule: string, message: string, occupant: string): Refused => ({
    ok: false,
    refusal: {
      rule,
      message,
      position: { id: position.id, label: position.label, state: occupancy.state, occupant },
    },
  })
  switch (occupancy.state) {
    case 'occupied':
      return refusal(
        'position_occupied',
        `${position.label} holds ${occupancy.containerLabel}.`,
        occupancy.containerLabel,
      )
    case 'reserved':
      return refusal(
        'position_reserved',
        occupancy.containerId === null
          ? `${position.label} is reserved for ${occupancy.reservedFor} until ${occupancy.reservedUntil ?? 'further notice'}.`
          : `${position.label} is kept for ${occupancy.reservedFor}, which is checked out.`,
        occupancy.reservedFor,
      )
    case 'out_of_use':
      return refusal(
        'position_out_of_use',
        `${position.label} is out of use: ${occupancy.reason}.`,
        occupancy.reason,
      )
  }
}

function no(rule: string, message: string): Refused {
  return { ok: false, refusal: { rule, message } }
}
