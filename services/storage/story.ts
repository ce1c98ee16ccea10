import { and, desc, inArray, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { v7 as uuidv7 } from 'uuid'
import type { Transaction } from '../../platform/database/transaction.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import type { ContainerRow } from './containers.ts'
import { findBox, type NodesById, placeWords } from './nodes.ts'
import { type containerChanges, containerEvent } from './schema.ts'

/** A place at a moment, with the words by which it was known then. */
export interface PlaceThen {
  readonly boxId: string
  readonly position: string
  readonly words: string
}

/** One thing that happened to a container. */
export interface Happening {
  readonly container: Pick<ContainerRow, 'id' | 'sampleId' | 'label'>
  readonly what: (typeof containerChanges)[number]
  readonly from: PlaceThen | null
  readonly to: PlaceThen | null
  readonly reason: string | null
  readonly zoneOverridden: boolean
}

/** Adds to the histories of some containers, each event behind the last one of its container. */
export async function tellStory(scope: WriteScope, happenings: readonly Happening[]): Promise<void> {
  if (happenings.length === 0) return
  const last = await lastEvents(
    scope.tx,
    happenings.map((each) => each.container.id),
  )
  await scope.tx.insert(containerEvent).values(
    happenings.map((each) => ({
      laboratoryId: scope.laboratoryId,
      id: uuidv7(),
      containerId: each.container.id,
      predecessorId: last.get(each.container.id) ?? null,
      sampleId: each.container.sampleId,
      label: each.container.label,
      what: each.what,
      fromBoxId: each.from?.boxId ?? null,
      fromPosition: each.from?.position ?? null,
      fromPlace: each.from?.words ?? null,
      toBoxId: each.to?.boxId ?? null,
      toPosition: each.to?.position ?? null,
      toPlace: each.to?.words ?? null,
      reason: each.reason,
      zoneOverridden: each.zoneOverridden,
      ...byWhom(scope),
      at: scope.now,
    })),
  )
}

export function placeThen(nodes: NodesById, boxId: string, position: string): PlaceThen {
  const words = nodes.has(boxId) ? placeWords(findBox(boxId, nodes), position) : position
  return { boxId, position, words }
}

export function byWhom(scope: Pick<WriteScope, 'actor'>): { readonly byId: string; readonly by: string } {
  return { byId: scope.actor?.userId ?? 'nobody', by: scope.actor?.name ?? 'nobody' }
}

/** The end of each container's history: the event that no other one follows. Of two ends the later is taken. */
async function lastEvents(
  tx: Transaction,
  containerIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const next = alias(containerEvent, 'next_event')
  const rows = await tx
    .selectDistinctOn([containerEvent.containerId], {
      containerId: containerEvent.containerId,
      id: containerEvent.id,
    })
    .from(containerEvent)
    .where(
      and(
        inArray(containerEvent.containerId, [...containerIds]),
        sql`not exists (select from ${containerEvent} as next_event
          where ${next.laboratoryId} = ${containerEvent.laboratoryId} and ${next.predecessorId} = ${containerEvent.id})`,
      ),
    )
    .orderBy(containerEvent.containerId, desc(containerEvent.id))
  return new Map(rows.map((row) => [row.containerId, row.id]))
}
