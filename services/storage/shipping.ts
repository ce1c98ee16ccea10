import { and, count, eq, inArray, isNotNull, isNull } from 'drizzle-orm'
import { ruleBroken } from '../../platform/contract/refusal.ts'
import { orchestrates, reads, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { rowsOfTable, TravellingTables } from '../../platform/sync/database/travelling-rows.ts'
import { type ContainerRecord, readContainers, readNodesOf } from './containers.ts'
import type { InputOf } from './inputs.ts'
import { container, containerEvent, placement } from './schema.ts'
import { type Happening, placeThen, tellStory } from './story.ts'

const tables = new TravellingTables()

export const shippingCheck = reads((scope: ReadScope, input: InputOf<'shippingCheck'>) =>
  scope.read(async (tx) => {
    const records = await readContainers(tx, { ids: input.containerIds })
    const told = await tx
      .select({ id: containerEvent.containerId, rows: count() })
      .from(containerEvent)
      .where(inArray(containerEvent.containerId, [...input.containerIds]))
      .groupBy(containerEvent.containerId)
    return records.map((record) => ({
      containerId: record.row.id,
      words: obstacleOf(record),
      rows: 1 + (told.find(({ id }) => id === record.row.id)?.rows ?? 0),
    }))
  }),
)

/** They leave their positions and this storage. No event is announced: their sample knows of the shipment itself. */
export const leave = writes(async (scope: WriteScope, input: InputOf<'leave'>) => {
  const { tx, laboratoryId } = scope
  await hold(tx, input.containerIds)
  const records = await readContainers(tx, { ids: input.containerIds })
  const obstacle = records.map(obstacleOf).find((words) => words !== null)
  if (obstacle != null) throw ruleBroken('container_cannot_be_shipped', obstacle)
  if (records.length === 0) return {}
  const nodes = await readNodesOf(tx, records)
  const ids = records.map(({ row }) => row.id)
  await tx
    .update(placement)
    .set({ live: false })
    .where(and(eq(placement.laboratoryId, laboratoryId), inArray(placement.containerId, ids), placement.live))
  await tx
    .update(container)
    .set({ state: 'unplaced', stateSince: scope.now, removedAt: scope.now })
    .where(and(eq(container.laboratoryId, laboratoryId), inArray(container.id, ids)))
  const tell = ({ row, placement: at }: ContainerRecord): Happening => ({
    ...happening(row, 'removed', input.reason),
    from: at === null ? null : placeThen(nodes, at.boxId, at.position),
  })
  await tellStory(scope, records.map(tell))
  return {}
})

export const comeBack = writes(async (scope: WriteScope, input: InputOf<'comeBack'>) => {
  const { tx, laboratoryId } = scope
  if (input.containerIds.length === 0) return {}
  const rows = await tx
    .update(container)
    .set({ state: 'unplaced', stateSince: scope.now, removedAt: null })
    .where(
      and(
        eq(container.laboratoryId, laboratoryId),
        inArray(container.id, [...input.containerIds]),
        isNotNull(container.removedAt),
      ),
    )
    .returning()
  await tellStory(
    scope,
    rows.map((row) => happening(row, 'registered', input.reason)),
  )
  return {}
})

export const shippingRecord = orchestrates((scope: OrchestrationScope, input: InputOf<'shippingRecord'>) =>
  scope.asOwner(async (tx) => {
    const read = (table: string, column: string) =>
      tables.read(
        tx,
        scope.laboratoryId,
        table,
        input.containerIds.map((id) => ({ [column]: id })),
      )
    return { rows: [...(await read('container', 'id')), ...(await read('container_event', 'container_id'))] }
  }),
)

/** They come in hand, without a place. What is in this storage already stays as it is. */
export const land = writes(async (scope: WriteScope, input: InputOf<'land'>) => {
  const { tx, laboratoryId } = scope
  const rows = rowsOfTable(input.rows, 'container')
  const known = await tables.known(tx, laboratoryId, 'container', rows)
  const isHere = (id: string) => known.has(id) && known.get(id)?.removed_at === null
  const coming = rows.filter(({ id }) => !isHere(id ?? ''))
  const landing = coming.map((row) => ({
    ...row,
    ...{ state: row.state === 'disposed' ? row.state : 'unplaced', state_since: scope.now, removed_at: null },
  }))
  await tables.land(tx, laboratoryId, 'container', landing)
  // Boxes of another laboratory are not known here; their names in words are.
  const elsewhere = { from_box_id: null, from_position: null, to_box_id: null, to_position: null }
  const events = rowsOfTable(input.rows, 'container_event').map((row) => ({ ...row, ...elsewhere }))
  await tables.landNew(tx, laboratoryId, 'container_event', events)
  const arrived = await readContainers(tx, { ids: coming.flatMap(({ id }) => id ?? []) })
  await tellStory(
    scope,
    arrived.map(({ row }) => happening(row, 'registered', input.reason)),
  )
  return {}
})

function obstacleOf({ row, placement: at }: ContainerRecord): string | null {
  if (row.state === 'checked_out')
    return `${row.label} is checked out by ${at?.heldBy ?? 'somebody'}: bring it back to its place first.`
  if (at?.contested === true)
    return `The position of ${row.label} is contested: decide first which tube lies there.`
  return null
}

/** Nobody else moves them until the transaction ends. */
async function hold(tx: WriteScope['tx'], ids: readonly string[]): Promise<void> {
  await tx
    .select({ id: container.id })
    .from(container)
    .where(and(inArray(container.id, [...ids]), isNull(container.removedAt)))
    .orderBy(container.id)
    .for('update')
}

function happening(which: Happening['container'], what: Happening['what'], reason: string): Happening {
  return { container: which, what, from: null, to: null, reason, zoneOverridden: false }
}
