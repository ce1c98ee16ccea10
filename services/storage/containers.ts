import { and, inArray, isNull } from 'drizzle-orm'
import type { z } from 'zod'
import { notFound } from '../../platform/contract/refusal.ts'
import { toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import type { Container, Place } from './contract.ts'
import type { ContainerFacts } from './domain/occupancy.ts'
import { type Box, findBox, type NodesById, placeWords, readNodesAbove } from './nodes.ts'
import { container, placement } from './schema.ts'

export type ContainerRow = typeof container.$inferSelect
export type PlacementRow = typeof placement.$inferSelect

/** A container and where it is. */
export interface ContainerRecord {
  readonly row: ContainerRow
  /** Live; an uncontested one where there are several. */
  readonly placement: PlacementRow | null
}

/** How positions are named inside the program: box and stored label. */
export function positionKey(boxId: string, label: string): string {
  return `${boxId}/${label}`
}

/** The inverse of {@link positionKey}. */
export function splitPositionKey(key: string): { readonly boxId: string; readonly label: string } {
  const at = key.indexOf('/')
  return { boxId: key.slice(0, at), label: key.slice(at + 1) }
}

/** Containers with their places, in the order of their labels. Those that were removed are left out. */
export async function readContainers(
  tx: ReadTransaction,
  by: { readonly ids: readonly string[] } | { readonly sampleIds: readonly string[] },
): Promise<readonly ContainerRecord[]> {
  const wanted =
    'ids' in by ? inArray(container.id, [...by.ids]) : inArray(container.sampleId, [...by.sampleIds])
  if (('ids' in by ? by.ids : by.sampleIds).length === 0) return []
  const rows = await tx
    .select()
    .from(container)
    .where(and(wanted, isNull(container.removedAt)))
    .orderBy(container.label, container.id)
  return withPlacements(tx, rows)
}

/** Adds where they are to some rows, keeping their order. */
export async function withPlacements(
  tx: ReadTransaction,
  rows: readonly ContainerRow[],
): Promise<readonly ContainerRecord[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const placements = await tx
    .select()
    .from(placement)
    .where(and(inArray(placement.containerId, ids), placement.live))
    .orderBy(placement.contested)
  const places = new Map(placements.toReversed().map((each) => [each.containerId, each]))
  return rows.map((row) => ({ row, placement: places.get(row.id) ?? null }))
}

/** One container by its id; refused when it is not known or was removed. */
export async function readContainer(tx: ReadTransaction, id: string): Promise<ContainerRecord> {
  const [record] = await readContainers(tx, { ids: [id] })
  if (record === undefined) throw notFound('container', id)
  return record
}

/** The boxes in which some containers are, with all nodes above them. */
export async function readNodesOf(
  tx: ReadTransaction,
  records: readonly ContainerRecord[],
): Promise<NodesById> {
  const boxIds = records.flatMap((record) => (record.placement === null ? [] : [record.placement.boxId]))
  return readNodesAbove(tx, [...new Set(boxIds)])
}

/** What the rules of occupancy know of a container. */
export function factsOf(record: ContainerRecord): ContainerFacts {
  const { row, placement: place } = record
  return {
    id: row.id,
    label: row.label,
    state: row.state,
    positionId: place === null ? null : positionKey(place.boxId, place.position),
  }
}

/** A container as the contract shows it. */
export function toContainer(record: ContainerRecord, nodes: NodesById): z.input<typeof Container> {
  const { row, placement: at } = record
  const { state } = row
  const shown = at === null ? null : toPlace(at, nodes)
  return {
    id: row.id,
    kind: row.kind,
    sampleId: row.sampleId,
    material: row.material,
    label: row.label,
    state,
    place: state === 'placed' ? shown : null,
    reservedPlace: state === 'checked_out' ? shown : null,
    heldBy: at?.heldBy ?? null,
    heldById: at?.heldById ?? null,
    since: toInstant(row.stateSince),
    contested: at?.contested ?? false,
    // The later of the two rows that make it up; revisions are ordered by time.
    revision: at !== null && at.revision > row.revision ? at.revision : row.revision,
  }
}

/** Where a placement is, in words; a box that has not arrived here yet is said to be so. */
export function wordsOfPlacement(at: PlacementRow, nodes: NodesById): string {
  return nodes.has(at.boxId)
    ? placeWords(findBox(at.boxId, nodes), at.position)
    : `a box not known here yet, ${at.position}`
}

function toPlace(at: PlacementRow, nodes: NodesById): z.input<typeof Place> {
  const box: Box | null = nodes.has(at.boxId) ? findBox(at.boxId, nodes) : null
  return {
    boxId: at.boxId,
    boxName: box?.row.name ?? 'Box not known here yet',
    boxCode: box?.row.code ?? null,
    position: at.position,
    zone: box?.zone ?? null,
    path: [...(box?.path ?? [])],
  }
}
