import { and, eq, exists, gte, ilike, inArray, isNull, not, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { pageClauses, pageOf, toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import {
  type ContainerRecord,
  readContainer,
  readContainers,
  readNodesOf,
  toContainer,
  withPlacements,
  wordsOfPlacement,
} from './containers.ts'
import type { InputOf } from './inputs.ts'
import { container, containerEvent, placement } from './schema.ts'

export const listContainers = reads((scope: ReadScope, input: InputOf<'listContainers'>) =>
  scope.read(async (tx) => {
    const page = pageClauses(input, { label: container.label, since: container.stateSince }, container.id)
    const rows = await tx
      .select()
      .from(container)
      .where(
        and(
          isNull(container.removedAt),
          page.after,
          input.state === undefined ? undefined : eq(container.state, input.state),
          input.sampleId === undefined ? undefined : eq(container.sampleId, input.sampleId),
          input.boxId === undefined ? undefined : hasPlace(tx, eq(placement.boxId, input.boxId)),
          input.search === undefined ? undefined : ilike(container.label, `%${escapeLike(input.search)}%`),
          input.heldByMe
            ? hasPlace(tx, and(placement.kept, eq(placement.heldById, scope.actor?.userId ?? '')))
            : undefined,
        ),
      )
      .orderBy(...page.orderBy)
      .limit(page.limit)
    const key = (row: (typeof rows)[number]) =>
      [input.sort.endsWith('label') ? row.label : row.stateSince, row.id] as const
    const { items, nextCursor } = pageOf(rows, input, key, (row) => row)
    return { items: await show(tx, await withPlacements(tx, items)), nextCursor }
  }),
)

export const getContainer = reads((scope: ReadScope, input: InputOf<'getContainer'>) =>
  scope.read(async (tx) => {
    const record = await readContainer(tx, input.id)
    return toContainer(record, await readNodesOf(tx, [record]))
  }),
)

export const containersOfSamples = reads((scope: ReadScope, input: InputOf<'containersOfSamples'>) =>
  scope.read(async (tx) => show(tx, await readContainers(tx, input))),
)

export const locate = reads((scope: ReadScope, input: InputOf<'locate'>) =>
  scope.read(async (tx) => {
    const ofSamples = await readContainers(tx, { sampleIds: input.sampleIds })
    const byId = await readContainers(tx, { ids: input.containerIds })
    const found = new Map([...ofSamples, ...byId].map((record) => [record.row.id, record]))
    const records = [...found.values()]
    const nodes = await readNodesOf(tx, records)
    return records.map((record) => ({
      containerId: record.row.id,
      sampleId: record.row.sampleId,
      label: record.row.label,
      state: record.row.state,
      place: record.placement === null ? null : wordsOfPlacement(record.placement, nodes),
      boxId: record.placement?.boxId ?? null,
      position: record.placement?.position ?? null,
      heldBy: record.placement?.heldBy ?? null,
    }))
  }),
)

export const history = reads((scope: ReadScope, input: InputOf<'history'>) =>
  scope.read(async (tx) => {
    const before = alias(containerEvent, 'event_before')
    const rival = alias(containerEvent, 'rival')
    const request = { ...input, sort: '-at' }
    const page = pageClauses(request, { at: containerEvent.at }, containerEvent.id)
    const whats = input.what === undefined ? [] : [input.what].flat()
    const hasRival = exists(
      tx
        .select({ id: rival.id })
        .from(rival)
        .where(
          and(
            eq(rival.laboratoryId, containerEvent.laboratoryId),
            eq(rival.predecessorId, containerEvent.predecessorId),
            not(eq(rival.id, containerEvent.id)),
          ),
        ),
    )
    const rows = await tx
      .select({ event: containerEvent, before, hasRival: sql<boolean>`${hasRival}` })
      .from(containerEvent)
      .leftJoin(
        before,
        and(
          eq(before.laboratoryId, containerEvent.laboratoryId),
          eq(before.id, containerEvent.predecessorId),
        ),
      )
      .where(
        and(
          page.after,
          input.containerId === undefined ? undefined : eq(containerEvent.containerId, input.containerId),
          input.sampleId === undefined ? undefined : eq(containerEvent.sampleId, input.sampleId),
          input.boxId === undefined
            ? undefined
            : or(eq(containerEvent.toBoxId, input.boxId), eq(containerEvent.fromBoxId, input.boxId)),
          whats.length === 0 ? undefined : inArray(containerEvent.what, whats),
          input.since === undefined ? undefined : gte(containerEvent.at, input.since),
        ),
      )
      .orderBy(...page.orderBy)
      .limit(page.limit)
    return pageOf(rows, request, ({ event }) => [event.at, event.id], showHappening)
  }),
)

type EventRow = typeof containerEvent.$inferSelect

function showHappening({
  event,
  before,
  hasRival,
}: {
  readonly event: EventRow
  readonly before: EventRow | null
  readonly hasRival: boolean
}) {
  return {
    id: event.id,
    containerId: event.containerId,
    label: event.label,
    sampleId: event.sampleId,
    what: event.what,
    from: event.fromPlace,
    to: event.toPlace,
    fromPosition: reference(event.fromBoxId, event.fromPosition),
    toPosition: reference(event.toBoxId, event.toPosition),
    reason: event.reason,
    zoneOverridden: event.zoneOverridden,
    by: event.by,
    byId: event.byId,
    at: toInstant(event.at),
    broken: hasRival ? ('fork' as const) : follows(event, before) ? null : ('gap' as const),
  }
}

/** Whether an event begins where the one before it ended. Only a registration has none before it. */
function follows(event: EventRow, before: EventRow | null): boolean {
  if (before === null) return event.what === 'registered'
  return event.fromBoxId === before.toBoxId && event.fromPosition === before.toPosition
}

function reference(boxId: string | null, position: string | null) {
  return boxId === null || position === null ? null : { boxId, position }
}

async function show(tx: ReadTransaction, records: readonly ContainerRecord[]) {
  const nodes = await readNodesOf(tx, records)
  return records.map((record) => toContainer(record, nodes))
}

function hasPlace(tx: ReadTransaction, such: SQL | undefined): SQL {
  return exists(
    tx
      .select({ id: placement.id })
      .from(placement)
      .where(
        and(
          eq(placement.laboratoryId, container.laboratoryId),
          eq(placement.containerId, container.id),
          placement.live,
          such,
        ),
      ),
  )
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}
