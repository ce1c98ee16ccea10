import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { notFound } from '../../platform/contract/refusal.ts'
import type { ReadTransaction, Transaction } from '../../platform/database/transaction.ts'
import type { StorageNode } from './contract.ts'
import type { Capacity } from './domain/capacity.ts'
import type { FillOrder } from './domain/geometry.ts'
import { pathTo } from './domain/hierarchy.ts'
import type { ZoneName } from './domain/zone.ts'
import { storageNode } from './schema.ts'

export type NodeRow = typeof storageNode.$inferSelect

/** Nodes that are not removed, by id. For a path, all nodes above must be among them. */
export type NodesById = ReadonlyMap<string, NodeRow>

/** A box with what every decision about its positions needs. */
export interface Box {
  readonly row: NodeRow
  readonly format: { readonly rows: number; readonly columns: number }
  readonly order: FillOrder
  /** Its own zone, or that of the nearest node above. */
  readonly zone: ZoneName | null
  /** Names of the nodes above, from the top down. */
  readonly path: readonly string[]
}

/** Every node of the laboratory. */
export async function readAllNodes(tx: ReadTransaction): Promise<NodesById> {
  return byId(await tx.select().from(storageNode).where(isNull(storageNode.removedAt)))
}

/** Some nodes and all above them. */
export async function readNodesAbove(tx: ReadTransaction, ids: readonly string[]): Promise<NodesById> {
  if (ids.length === 0) return new Map()
  return readNodesWhere(tx, inArray(storageNode.id, idsAbove(ids)))
}

/** One node, all above it and all below it. */
export async function readNodesAround(tx: ReadTransaction, id: string): Promise<NodesById> {
  return readNodesWhere(tx, or(inArray(storageNode.id, idsAbove([id])), isBelow(id)))
}

/** What a decision needs about a node (null for one to be made) and the place it is to lie in, with what lies there. */
export async function readNodesToJoin(
  tx: ReadTransaction,
  id: string | null,
  parentId: string | null,
): Promise<NodesById> {
  const above = [id, parentId].filter((each) => each !== null)
  return readNodesWhere(
    tx,
    or(
      above.length === 0 ? undefined : inArray(storageNode.id, idsAbove(above)),
      id === null ? undefined : isBelow(id),
      parentId === null ? isNull(storageNode.parentId) : eq(storageNode.parentId, parentId),
    ),
  )
}

/** Holds some nodes until the transaction ends, in one order for all, so that decisions about them queue up. */
export async function lockNodes(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .select({ id: storageNode.id })
    .from(storageNode)
    .where(inArray(storageNode.id, [...ids]))
    .orderBy(storageNode.id)
    .for('update')
}

/** The box with an id; refused when there is none, or it is something else. */
export function findBox(id: string, nodes: NodesById): Box {
  const row = nodes.get(id)
  if (row === undefined) throw notFound('box', id)
  const box = toBox(row, nodes)
  if (box === null) throw notFound('box', id)
  return box
}

/** Null when the node is no box. */
export function toBox(row: NodeRow, nodes: NodesById): Box | null {
  if (row.kind !== 'box' || row.rows === null || row.columns === null) return null
  return {
    row,
    format: { rows: row.rows, columns: row.columns },
    order: row.fillOrder ?? 'row-major',
    zone: zoneOf(row, nodes),
    path: pathNames(row, nodes),
  }
}

/** Its own zone, or that of the nearest node above. */
export function zoneOf(row: NodeRow, nodes: NodesById): ZoneName | null {
  return pathRows(row, nodes).findLast((each) => each.zone !== null)?.zone ?? null
}

/** Names of the nodes above, from the top down. */
export function pathNames(row: NodeRow, nodes: NodesById): readonly string[] {
  return pathRows(row, nodes)
    .slice(0, -1)
    .map((each) => each.name)
}

/** `F1 › Shelf 2 › Rack C › Plasma ONC-14`. */
export function nodeWords(row: NodeRow, nodes: NodesById): string {
  return [...pathNames(row, nodes), row.name].join(' › ')
}

/** `F1 › Shelf 2 › Rack C › Plasma ONC-14, F8`. */
export function placeWords(box: Box, position: string): string {
  return `${[...box.path, box.row.name].join(' › ')}, ${position}`
}

/** A node as the contract shows it. */
export function toNode(row: NodeRow, nodes: NodesById, capacity: Capacity): z.input<typeof StorageNode> {
  const { rows, columns, fillOrder } = row
  return {
    id: row.id,
    parentId: row.parentId,
    kind: row.kind,
    name: row.name,
    code: row.code,
    zone: zoneOf(row, nodes),
    grid: rows === null || columns === null ? null : { rows, columns, order: fillOrder ?? 'row-major' },
    capacity,
    revision: row.revision,
  }
}

/** The nodes from the top down to this one, itself included. */
function pathRows(row: NodeRow, nodes: NodesById): readonly NodeRow[] {
  return pathTo(row.id, nodes).flatMap(({ id }) => nodes.get(id) ?? [])
}

async function readNodesWhere(tx: ReadTransaction, where: SQL | undefined): Promise<NodesById> {
  return byId(
    await tx
      .select()
      .from(storageNode)
      .where(and(isNull(storageNode.removedAt), where)),
  )
}

/** The node itself too. A circle that two workstations made together ends, since UNION drops what was found before. */
function isBelow(id: string): SQL {
  const below = sql`(with recursive down(id) as (select ${id}::uuid
    union select below.id from storage_node below join down on below.parent_id = down.id)
    select id from down)`
  return inArray(storageNode.id, below)
}

function idsAbove(ids: readonly string[]): SQL {
  const first = sql.join(
    ids.map((id) => sql`${id}::uuid`),
    sql`, `,
  )
  return sql`(with recursive up(id, parent_id) as (
      select id, parent_id from storage_node where id in (${first})
      union select above.id, above.parent_id from storage_node above join up on above.id = up.parent_id)
    select id from up)`
}

function byId(rows: readonly NodeRow[]): NodesById {
  return new Map(rows.map((row) => [row.id, row]))
}
