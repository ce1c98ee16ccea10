import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { type ContainerRecord, factsOf } from './containers.ts'
import {
  decideCheckOut,
  decideDispose,
  decideMove,
  decideMoves,
  decidePlace,
  decideReturn,
  decideTakeOut,
  type OccupancyDecision,
} from './domain/occupancy.ts'
import type { InputOf } from './inputs.ts'
import { settle, showContainers } from './settle.ts'
import {
  accepted,
  findRecord,
  findSpot,
  gather,
  placeOf,
  positionOf,
  requirePlace,
  type Situation,
  type Spot,
  type Target,
} from './situation.ts'
import { passZone, type ZoneOverride } from './zones.ts'

export const place = writes(putIntoPlace)

/** Puts a container that has no place into the position of the target, as part of a change. */
export function putIntoPlace(
  scope: WriteScope,
  input: {
    readonly containerId: string
    readonly target: Target
    readonly zoneOverride?: ZoneOverride | undefined
  },
) {
  return changeOne(scope, input, [input.target], (situation, record) => {
    const spot = findSpot(situation, input.target)
    return {
      decision: decidePlace(factsOf(record), positionOf(situation, spot), situation.now),
      spot,
    }
  })
}

export const move = writes((scope: WriteScope, input: InputOf<'move'>) =>
  changeOne(scope, input, [input.target], (situation, record) => {
    const from = requirePlace(situation, record)
    const spot = findSpot(situation, input.target)
    const planned = { container: factsOf(record), from, to: positionOf(situation, spot) }
    return { decision: decideMove(planned, situation.now), spot }
  }),
)

export const returnToPlace = writes((scope: WriteScope, input: InputOf<'returnToPlace'>) =>
  changeOne(scope, input, input.target === undefined ? [] : [input.target], (situation, record) => {
    const kept = requirePlace(situation, record)
    const spot = input.target === undefined ? null : findSpot(situation, input.target)
    const to = spot === null ? kept : positionOf(situation, spot)
    return { decision: decideReturn(factsOf(record), kept, to, situation.now), spot }
  }),
)

export const takeOut = writes((scope: WriteScope, input: InputOf<'takeOut'>) =>
  changeOne(scope, input, [], (situation, record) => ({
    decision: decideTakeOut(factsOf(record), requirePlace(situation, record)),
  })),
)

export const checkOut = writes((scope: WriteScope, input: InputOf<'checkOut'>) =>
  changeOne(scope, { ...input, reason: input.purpose }, [], (situation, record) => ({
    decision: decideCheckOut(factsOf(record), requirePlace(situation, record)),
  })),
)

export const dispose = writes((scope: WriteScope, input: InputOf<'dispose'>) =>
  changeOne(scope, input, [], (situation, record) => ({
    decision: decideDispose(factsOf(record), placeOf(situation, record)),
  })),
)

export const moveMany = writes(async (scope: WriteScope, input: InputOf<'moveMany'>) => {
  const ids = input.moves.map(({ containerId }) => containerId)
  const situation = await gather(
    scope,
    ids,
    input.moves.map(({ target }) => target),
  )
  const planned = input.moves.map(({ containerId, target }) => {
    const record = findRecord(situation, containerId)
    const spot = findSpot(situation, target)
    const from = requirePlace(situation, record)
    return { record, spot, move: { container: factsOf(record), from, to: positionOf(situation, spot) } }
  })
  const change = accepted(
    decideMoves(
      planned.map((each) => each.move),
      situation.now,
    ),
  )
  const overridden = planned
    .filter(({ record, spot }) => passZoneOf(scope, record, spot, input.zoneOverride))
    .map(({ record }) => record.row.id)
  const records = await settle(scope, situation, change, {
    reason: overridden.length === 0 ? null : (input.zoneOverride?.reason ?? null),
    overridden: new Set(overridden),
  })
  return showContainers(records, ids, situation.nodes)
})

/** What is to become of one container, and where it is to go if it goes anywhere. */
interface Intent {
  readonly decision: OccupancyDecision
  readonly spot?: Spot | null
}

async function changeOne(
  scope: WriteScope,
  input: {
    readonly containerId: string
    readonly reason?: string | undefined
    readonly zoneOverride?: ZoneOverride | undefined
  },
  targets: readonly Target[],
  decide: (situation: Situation, record: ContainerRecord) => Intent,
) {
  const situation = await gather(scope, [input.containerId], targets)
  const record = findRecord(situation, input.containerId)
  const { decision, spot = null } = decide(situation, record)
  const change = accepted(decision)
  const isOverridden = spot !== null && passZoneOf(scope, record, spot, input.zoneOverride)
  const records = await settle(scope, situation, change, {
    reason: input.reason ?? (isOverridden ? (input.zoneOverride?.reason ?? null) : null),
    overridden: new Set(isOverridden ? [record.row.id] : []),
  })
  const [shown] = showContainers(records, [record.row.id], situation.nodes)
  if (shown === undefined) throw new Error(`The container ${record.row.id} was lost while it was written`)
  return shown
}

/** Asks the zone rule, except where the container is in that box already: then it was asked before. */
export function passZoneOf(
  scope: WriteScope,
  record: ContainerRecord,
  spot: Spot,
  override: ZoneOverride | undefined,
): boolean {
  if (record.row.state === 'placed' && record.placement?.boxId === spot.box.row.id) return false
  const { label, material } = record.row
  return passZone(scope, { label, material, zone: spot.box.zone }, override)
}
