import { and, eq, inArray, ne } from 'drizzle-orm'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { refreshCode } from './codes.ts'
import { addCustody, lastOf, readChain } from './custody.ts'
import { checkCustody } from './domain/custody.ts'
import { decideTransition } from './domain/lifecycle.ts'
import { custodyAfter, type OtherContainers, stateAfter, type StorageNews } from './domain/storage-news.ts'
import { line, stateLine, tell } from './history.ts'
import type { Occasion } from './people.ts'
import { holdSampleIfKnown, type SampleRow, updateSample } from './sample-rows.ts'
import { sampleContainer } from './schema.ts'

export type ContainerLink = typeof sampleContainer.$inferSelect

/** What storage tells of a container. */
export interface ContainerNews {
  readonly what: StorageNews
  readonly containerId: string
  readonly sampleId: string | null
  readonly label: string
  readonly from: string | null
  readonly to: string | null
  readonly reason: string | null
}

/** Writes down what became of a container, and what that means for the sample in it. */
export async function followContainer(
  scope: WriteScope,
  news: ContainerNews,
  occasion: Occasion,
  options: { readonly aheadOfStorage: boolean } = { aheadOfStorage: false },
): Promise<void> {
  const sampleId = news.sampleId ?? (await findContainer(scope.tx, news.containerId))?.sampleId
  if (sampleId === undefined) return
  const row = await holdSampleIfKnown(scope.tx, sampleId)
  const before = await findContainer(scope.tx, news.containerId)
  // News of a container whose receiving was taken back comes after the fact.
  if (before?.state === 'removed') return
  // It has left meanwhile: where its tube had been before is told, and changes nothing.
  if (row !== null && row.shipmentId !== null) {
    const { what, label: container, from, to, reason } = news
    const said = { lane: 'storage', what, detail: { container, from, to }, reason } as const
    return tell(scope, [line(scope, row.id, occasion, said)])
  }
  if (news.what === 'placed' && before?.placementAhead === true) {
    return confirmPlacement(scope, before, row, news.to)
  }
  const containers = await keepContainer(scope, before, {
    sampleId,
    placementAhead: options.aheadOfStorage || before?.placementAhead === true,
    ...situationAfter(news, before),
    id: news.containerId,
  })
  if (before?.sampleId !== sampleId) await refreshCode(scope, sampleId)
  if (row !== null) await followSample(scope, row, news, containers, occasion)
}

/** Storage tells of the placement that Receive wrote already; only its words for the place may be new. */
async function confirmPlacement(
  scope: WriteScope,
  link: ContainerLink,
  row: SampleRow | null,
  place: string | null,
): Promise<void> {
  await updateContainer(scope, link.id, { placementAhead: false, place })
  const location = placeOf(await containersOf(scope.tx, link.sampleId))
  if (row !== null && row.location !== location) await updateSample(scope, row.id, { location })
}

export async function findContainer(tx: ReadTransaction, id: string): Promise<ContainerLink | null> {
  const [row] = await tx.select().from(sampleContainer).where(eq(sampleContainer.id, id))
  return row ?? null
}

/** The containers a sample is in, in the order in which they were made. */
export function containersOf(tx: ReadTransaction, sampleId: string): Promise<ContainerLink[]> {
  return tx
    .select()
    .from(sampleContainer)
    .where(and(eq(sampleContainer.sampleId, sampleId), ne(sampleContainer.state, 'removed')))
    .orderBy(sampleContainer.id)
}

export async function updateContainer(
  scope: WriteScope,
  id: string,
  values: Partial<typeof sampleContainer.$inferInsert>,
): Promise<void> {
  await scope.tx
    .update(sampleContainer)
    .set(values)
    .where(and(eq(sampleContainer.laboratoryId, scope.laboratoryId), eq(sampleContainer.id, id)))
}

/** Whether a container of the sample lies in a position, or has one kept for it. */
export async function hasPlacedContainer(tx: ReadTransaction, sampleId: string): Promise<boolean> {
  const [found] = await tx
    .select({ id: sampleContainer.id })
    .from(sampleContainer)
    .where(
      and(eq(sampleContainer.sampleId, sampleId), inArray(sampleContainer.state, ['placed', 'checked_out'])),
    )
    .limit(1)
  return found !== undefined
}

async function keepContainer(
  scope: WriteScope,
  before: ContainerLink | null,
  after: Pick<ContainerLink, 'id' | 'sampleId' | 'state' | 'place' | 'placementAhead'>,
): Promise<readonly ContainerLink[]> {
  if (before === null) {
    await scope.tx.insert(sampleContainer).values({
      laboratoryId: scope.laboratoryId,
      byReceive: false,
      receivedPlace: null,
      ...after,
    })
  } else {
    await updateContainer(scope, before.id, after)
  }
  return containersOf(scope.tx, after.sampleId)
}

function situationAfter(
  news: ContainerNews,
  before: ContainerLink | null,
): Pick<ContainerLink, 'state' | 'place'> {
  switch (news.what) {
    case 'placed':
    case 'moved':
    case 'returned':
      return { state: 'placed', place: news.to }
    case 'taken_out':
      return { state: 'unplaced', place: null }
    case 'checked_out':
      return { state: 'checked_out', place: before?.place ?? news.from }
    case 'disposed':
      return { state: 'disposed', place: null }
  }
}

async function followSample(
  scope: WriteScope,
  row: SampleRow,
  news: ContainerNews,
  containers: readonly ContainerLink[],
  occasion: Occasion,
): Promise<void> {
  const { what, label, from, to, reason } = news
  const lines = [
    line(scope, row.id, occasion, { lane: 'storage', what, detail: { container: label, from, to }, reason }),
  ]
  const others = othersThan(news.containerId, containers)
  const location = placeOf(containers)
  // A deleted sample's tube may still have to be carried away; the record of the sample stays as it was.
  const next = row.state === 'deleted' ? null : stateAfter(what, row.state, others)
  const step = next === null ? null : decideTransition(row.state, next, { reason })
  if (step?.ok === true) lines.push(stateLine(scope, row.id, occasion, step.value))
  await tell(scope, lines)
  if (row.state !== 'deleted') await followCustody(scope, row.id, news, others, occasion)
  const state = step?.ok === true ? step.value.to : row.state
  if (state !== row.state || location !== row.location) {
    await updateSample(scope, row.id, { state, location, updatedAt: scope.now })
  }
}

async function followCustody(
  scope: WriteScope,
  sampleId: string,
  news: ContainerNews,
  others: OtherContainers,
  occasion: Occasion,
): Promise<void> {
  const { heads } = checkCustody(await readChain(scope.tx, sampleId))
  const head = lastOf(heads)
  const state = head === null ? 'not_begun' : (head.state ?? 'unknown')
  let predecessorId = head?.eventId ?? null
  for (const kind of custodyAfter(news.what, state, others)) {
    const place = kind === 'received' || kind === 'received_elsewhere' ? null : news.to
    const said = { kind, holder: occasion.by, place, reason: news.reason }
    predecessorId = await addCustody(scope, sampleId, said, occasion, predecessorId)
  }
}

function othersThan(containerId: string, containers: readonly ContainerLink[]): OtherContainers {
  const others = containers.filter(({ id }) => id !== containerId)
  return {
    placed: others.some(({ state }) => state === 'placed' || state === 'checked_out'),
    alive: others.some(({ state }) => state !== 'disposed'),
  }
}

/** The place that is shown for a sample: that of its first container that has one. */
function placeOf(containers: readonly ContainerLink[]): string | null {
  return containers.find(({ place }) => place !== null)?.place ?? null
}
