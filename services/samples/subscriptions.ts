import { and, eq } from 'drizzle-orm'
import { z } from 'zod'
import { event, type EventDefinition } from '../../platform/contract/event.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { on, type Subscription } from '../../platform/service/implementation.ts'
import { barcodesEvents } from '../barcodes/contract.ts'
import { storageEvents } from '../storage/contract.ts'
import { noteLinked, noteUnlinked } from './codes.ts'
import type { StorageNews } from './domain/storage-news.ts'
import { sampleHistory } from './schema.ts'
import { followContainer } from './placements.ts'

/** What the events about containers have in common; a name is better than the id that every journal entry carries. */
const ContainerNewsData = z.object({
  containerId: z.uuid(),
  sampleId: z.uuid().nullable(),
  label: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  reason: z.string().nullable().default(null),
  by: z.string().optional(),
})

/** What the sample's own history calls a person; somebody who is new to it is known by the id alone. */
async function nameOf(tx: ReadTransaction, sampleId: string | null, userId: string): Promise<string> {
  if (sampleId === null) return userId
  const [known] = await tx
    .select({ by: sampleHistory.by })
    .from(sampleHistory)
    .where(and(eq(sampleHistory.sampleId, sampleId), eq(sampleHistory.byId, userId)))
    .limit(1)
  return known?.by ?? userId
}

function follow(definition: EventDefinition, what: StorageNews): Subscription {
  return on(event(definition.name, ContainerNewsData), 'origin', async (scope, data, { at, actorId }) => {
    const { by: name, ...news } = data
    const by = name ?? (await nameOf(scope.tx, news.sampleId, actorId))
    return followContainer(scope, { what, ...news }, { at, by, byId: actorId })
  })
}

/**
 * Codes and places shown on a sample follow barcodes and storage. They are written where it happened and travel to
 * other workstations as rows, so each subscription runs at the origin.
 */
export const samplesSubscriptions: readonly Subscription[] = [
  on(barcodesEvents.CodeLinked, 'origin', (scope, { code, thing }, { at }) =>
    noteLinked(scope, { code, thing, at }),
  ),
  on(barcodesEvents.CodeUnlinked, 'origin', (scope, { code, thing }) => noteUnlinked(scope, { code, thing })),
  follow(storageEvents.ContainerPlaced, 'placed'),
  follow(storageEvents.ContainerMoved, 'moved'),
  follow(storageEvents.ContainerTakenOut, 'taken_out'),
  follow(storageEvents.ContainerCheckedOut, 'checked_out'),
  follow(storageEvents.ContainerReturned, 'returned'),
  follow(storageEvents.ContainerDisposed, 'disposed'),
]
