import type { BoxContents, BoxPosition } from '../../components/box/box-colours.ts'
import { type Placing, planTargets, tubesAt, tubesThatFit } from './placing.ts'

/** What the primary button does at the selected position. */
export type PrimaryAct = 'place' | 'place-next' | 'override' | 'fill' | 'take' | 'return' | 'stop-filling'

/** What can be done besides, each with its letter inside the map. */
export type OtherAct =
  | 'put-down'
  | 'reserve'
  | 'give-free'
  | 'use-reservation'
  | 'out-of-use'
  | 'back-in-use'
  | 'swap'
  | 'check-out'
  | 'take-out'
  | 'dispose'

export interface Permissions {
  readonly place: boolean
  readonly manage: boolean
  readonly dispose: boolean
  readonly override: boolean
}

export interface PositionActs {
  readonly primary: PrimaryAct | null
  readonly others: readonly OtherAct[]
}

/** The letter that does it inside the map; the rest have buttons only, for they ask first. */
export const actKeys: Readonly<Partial<Record<OtherAct | 'take' | 'fill', string>>> = {
  take: 't',
  fill: 'f',
  reserve: 'r',
  'out-of-use': 'o',
  swap: 's',
  'check-out': 'c',
}

/** What a person may do now, by what is in hand and by what is chosen in the map. */
export function actsFor(
  placing: Placing,
  map: BoxContents,
  permissions: Permissions,
  isZoneAllowed: boolean,
): PositionActs {
  if (!permissions.place) return { primary: null, others: [] }
  const chosen = map.positions.filter(({ label }) => placing.selected.has(label))
  const framed = map.positions.find(({ label }) => label === placing.framed)
  const isFreeOnly = chosen.length > 0 && chosen.every(({ state }) => state === 'available')
  const marks: readonly OtherAct[] = [
    ...(isFreeOnly ? (['reserve'] as const) : []),
    ...(isFreeOnly && permissions.manage ? (['out-of-use'] as const) : []),
  ]
  if (placing.hand.length > 0) {
    const isReserved = framed?.state === 'reserved' && framed.container === null
    const usesUp = isReserved && isZoneAllowed && placing.hand.length === 1
    return {
      primary: placingAct(placing, map, permissions, isZoneAllowed),
      others: [
        ...(usesUp ? (['use-reservation'] as const) : []),
        ...(isFreeOnly ? (['reserve'] as const) : []),
        'put-down',
      ],
    }
  }
  if (placing.filling) return { primary: 'stop-filling', others: [] }
  if (chosen.length > 1) return actsForMany(map, placing, chosen, marks, permissions)
  return framed === undefined ? { primary: null, others: [] } : actsForOne(framed, marks, permissions)
}

/** Places where that is possible, else offers the way out: the next free position, or the override. */
function placingAct(
  placing: Placing,
  map: BoxContents,
  permissions: Permissions,
  isZoneAllowed: boolean,
): PrimaryAct | null {
  const framed = map.positions.find(({ label }) => label === placing.framed)
  const isMany = placing.hand.length > 1
  const hasRoom = isMany ? plannedFor(placing, map) !== null : framed?.state === 'available'
  if (hasRoom) return isZoneAllowed ? 'place' : permissions.override ? 'override' : null
  return isZoneAllowed && !isMany && map.nextFree !== null ? 'place-next' : null
}

function actsForOne(
  position: BoxPosition,
  marks: readonly OtherAct[],
  permissions: Permissions,
): PositionActs {
  const dispose = permissions.dispose ? (['dispose'] as const) : []
  switch (position.state) {
    case 'available':
      return { primary: 'fill', others: marks }
    case 'occupied':
      return { primary: 'take', others: ['check-out', 'take-out', ...dispose] }
    case 'reserved':
      return position.container === null
        ? { primary: null, others: ['give-free'] }
        : { primary: 'return', others: dispose }
    case 'out_of_use':
      return { primary: null, others: permissions.manage ? ['back-in-use'] : [] }
  }
}

function actsForMany(
  map: BoxContents,
  placing: Placing,
  chosen: readonly BoxPosition[],
  marks: readonly OtherAct[],
  permissions: Permissions,
): PositionActs {
  const tubes = tubesAt(map, placing.selected)
  const isReserved = chosen.every(({ state, container }) => state === 'reserved' && container === null)
  const isOut = chosen.every(({ state }) => state === 'out_of_use')
  return {
    primary: tubes.length > 0 ? 'take' : null,
    others: [
      ...(chosen.length === 2 && tubes.length === 2 ? (['swap'] as const) : []),
      ...marks,
      ...(isReserved ? (['give-free'] as const) : []),
      ...(isOut && permissions.manage ? (['back-in-use'] as const) : []),
    ],
  }
}

/** Where several tubes in hand would go from the framed position on; null when there is no room. */
export function plannedFor(placing: Placing, map: BoxContents): readonly string[] | null {
  if (placing.framed === null) return null
  return planTargets(map, placing.framed, tubesThatFit(map, placing.framed, placing.hand))
}
