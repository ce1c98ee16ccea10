import { and, inArray, isNull } from 'drizzle-orm'
import { notFound, Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import type { Transaction } from '../../platform/database/transaction.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import {
  type ContainerRecord,
  type ContainerRow,
  positionKey,
  splitPositionKey,
  withPlacements,
} from './containers.ts'
import { nextFreePosition } from './domain/geometry.ts'
import type { Occupancy, OccupancyDecision, OccupancyRefusal, PositionFacts } from './domain/occupancy.ts'
import { type Box, findBox, lockNodes, type NodesById, placeWords, readNodesAbove } from './nodes.ts'
import { boxFull, findPosition, type Occupancies, readOccupancies } from './positions.ts'
import { container } from './schema.ts'

/** Where something is to go, as callers say it. */
export interface Target {
  readonly boxId: string
  readonly position?: string | undefined
  readonly useReservation: boolean
}

/** A position of a box that a target names. */
export interface Spot {
  readonly box: Box
  readonly label: string
  readonly useReservation: boolean
}

/** All that a decision needs, read in the transaction that will write it and held until it ends. */
export interface Situation {
  readonly now: string
  readonly records: ReadonlyMap<string, ContainerRecord>
  readonly nodes: NodesById
  readonly occupancies: Occupancies
}

/**
 * Reads containers, the boxes they are in and the boxes they are to go to. Containers are locked before boxes, each in
 * the order of their ids, so two commands wait for each other and never deadlock.
 */
export async function gather(
  scope: Pick<WriteScope, 'tx' | 'now'>,
  containerIds: readonly string[],
  targets: readonly Target[],
): Promise<Situation> {
  const { tx, now } = scope
  const locked = await withPlacements(tx, await lockContainers(tx, containerIds))
  const records = new Map(locked.map((record) => [record.row.id, record]))
  const places = [...records.values()].flatMap((record) => record.placement ?? [])
  const boxIds = [...new Set([...places, ...targets].map(({ boxId }) => boxId))]
  await lockNodes(tx, boxIds)
  const nodes = await readNodesAbove(tx, boxIds)
  const wanted = [
    ...places.map(({ boxId, position }) => ({ boxId, labels: [position] })),
    ...targets.map(({ boxId, position }) => ({
      boxId,
      labels: position === undefined ? null : [findPosition(findBox(boxId, nodes), position).label],
    })),
  ]
  return { now, records, nodes, occupancies: await readOccupancies(tx, wanted, now) }
}

export function findRecord(situation: Situation, id: string): ContainerRecord {
  const record = situation.records.get(id)
  if (record === undefined) throw notFound('container', id)
  return record
}

/** The position a target names, or the next free one of its box; refused when there is none. */
export function findSpot(situation: Situation, target: Target): Spot {
  const box = findBox(target.boxId, situation.nodes)
  const { useReservation } = target
  if (target.position !== undefined) {
    return { box, label: findPosition(box, target.position).label, useReservation }
  }
  const isFree = (label: string) => readAt(situation, box.row.id, label).state === 'available'
  const free = nextFreePosition(box.format, box.order, isFree)
  if (free === null) throw boxFull(box)
  return { box, label: free.label, useReservation }
}

/** A target position for the rules. A reservation that is to be used up does not stand in the way. */
export function positionOf(situation: Situation, { box, label, useReservation }: Spot): PositionFacts {
  const occupancy = readAt(situation, box.row.id, label)
  const isUsedUp = useReservation && occupancy.state === 'reserved' && occupancy.containerId === null
  return {
    id: positionKey(box.row.id, label),
    label: placeWords(box, label),
    occupancy: isUsedUp ? { state: 'available' } : occupancy,
  }
}

/**
 * Where a container is, for the rules; null when it has no place. It is taken from the container's own placement, so
 * that one whose position is contested can be moved away as well.
 */
export function placeOf(situation: Situation, record: ContainerRecord): PositionFacts | null {
  const { placement, row } = record
  if (placement === null) return null
  const { boxId, position, kept } = placement
  const box = situation.nodes.has(boxId) ? findBox(boxId, situation.nodes) : null
  return {
    id: positionKey(boxId, position),
    label: box === null ? position : placeWords(box, position),
    occupancy: kept
      ? { state: 'reserved', reservedFor: row.label, reservedUntil: null, containerId: row.id }
      : { state: 'occupied', containerId: row.id, containerLabel: row.label },
  }
}

/** Like {@link placeOf}, where having none is refused. */
export function requirePlace(situation: Situation, record: ContainerRecord): PositionFacts {
  const place = placeOf(situation, record)
  if (place !== null) return place
  const { label } = record.row
  const words =
    record.row.state === 'disposed' ? `${label} was disposed of.` : `${label} has no place: place it first.`
  throw ruleBroken(
    record.row.state === 'disposed' ? 'container_disposed' : 'container_not_placed',
    words,
    'containerId',
  )
}

/** The value of a decision; a refusal is thrown in the contract's words. */
export function accepted(decision: OccupancyDecision) {
  if (decision.ok) return decision.value
  throw explainRefusal(decision.refusal)
}

/** A rule's "no" in the contract's words. */
export function explainRefusal(refusal: OccupancyRefusal): Refusal {
  const { position } = refusal
  if (position === undefined) return ruleBroken(refusal.rule, refusal.message)
  return new Refusal('POSITION_TAKEN', `${refusal.message} Nothing was changed; choose another position.`, {
    position: splitPositionKey(position.id).label,
    occupant: position.occupant,
    state: position.state,
  })
}

function readAt(situation: Situation, boxId: string, label: string): Occupancy {
  return situation.occupancies.at.get(positionKey(boxId, label)) ?? { state: 'available' }
}

async function lockContainers(tx: Transaction, ids: readonly string[]): Promise<readonly ContainerRow[]> {
  if (ids.length === 0) return []
  return tx
    .select()
    .from(container)
    .where(and(inArray(container.id, [...ids]), isNull(container.removedAt)))
    .orderBy(container.id)
    .for('update')
}
