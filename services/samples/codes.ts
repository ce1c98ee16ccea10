import { and, eq, inArray, ne, or } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import type { Thing } from '../barcodes/contract.ts'
import { findSample, holdSampleIfKnown, updateSample } from './sample-rows.ts'
import { sampleCode, sampleContainer } from './schema.ts'

type CodedThing = { readonly kind: 'sample' | 'container'; readonly id: string }

/** A code leads to a sample, or to a container that holds one or may turn out to. */
export async function noteLinked(
  scope: WriteScope,
  link: { readonly code: string; readonly thing: Thing; readonly at: string },
): Promise<void> {
  const thing = codedThing(link.thing)
  if (thing === null) return
  const sampleId = await holdSampleOf(scope, thing)
  const known = await findLink(scope.tx, thing, link.code)
  if (known?.live === true) return
  if (known === null) await insertLink(scope, thing, link)
  else await setLive(scope, known.id, { live: true, linkedAt: link.at })
  if (sampleId !== null) await refreshCode(scope, sampleId)
}

/** Receive's own note, while it holds the sample: says nothing when barcodes has told of the link before, even if it was taken off since. */
export async function noteFirstLink(
  scope: WriteScope,
  sampleId: string,
  link: { readonly code: string; readonly thing: CodedThing; readonly at: string },
): Promise<void> {
  if ((await findLink(scope.tx, link.thing, link.code)) !== null) return
  await insertLink(scope, link.thing, link)
  await refreshCode(scope, sampleId)
}

export async function noteUnlinked(
  scope: WriteScope,
  link: { readonly code: string; readonly thing: Thing },
): Promise<void> {
  const thing = codedThing(link.thing)
  if (thing === null) return
  const sampleId = await holdSampleOf(scope, thing)
  const known = await findLink(scope.tx, thing, link.code)
  if (known === null || !known.live) return
  await setLive(scope, known.id, { live: false })
  if (sampleId !== null) await refreshCode(scope, sampleId)
}

/** Shows the first linked code of a sample, when that is another one than before. */
export async function refreshCode(scope: WriteScope, sampleId: string): Promise<void> {
  const row = await findSample(scope.tx, sampleId)
  if (row === null) return
  const [first] = await liveCodes(scope.tx, sampleId)
  if (row.code !== (first ?? null)) await updateSample(scope, sampleId, { code: first ?? null })
}

/** The codes that lead to a sample, first linked first. */
export async function liveCodes(tx: ReadTransaction, sampleId: string): Promise<readonly string[]> {
  const containers = await tx
    .select({ id: sampleContainer.id })
    .from(sampleContainer)
    .where(and(eq(sampleContainer.sampleId, sampleId), ne(sampleContainer.state, 'removed')))
  const rows = await tx
    .select({ code: sampleCode.code })
    .from(sampleCode)
    .where(
      and(
        sampleCode.live,
        or(
          and(eq(sampleCode.thingKind, 'sample'), eq(sampleCode.thingId, sampleId)),
          and(
            eq(sampleCode.thingKind, 'container'),
            inArray(
              sampleCode.thingId,
              containers.map(({ id }) => id),
            ),
          ),
        ),
      ),
    )
    .orderBy(sampleCode.linkedAt, sampleCode.id)
  return rows.map(({ code }) => code)
}

/** The samples that live codes lead to. */
export async function samplesWithCodes(
  tx: ReadTransaction,
  codes: readonly string[],
): Promise<readonly { readonly code: string; readonly sampleId: string }[]> {
  if (codes.length === 0) return []
  const links = await tx
    .select({ code: sampleCode.code, kind: sampleCode.thingKind, id: sampleCode.thingId })
    .from(sampleCode)
    .where(and(inArray(sampleCode.code, [...codes]), sampleCode.live))
  const containerIds = links.filter(({ kind }) => kind === 'container').map(({ id }) => id)
  const containers =
    containerIds.length === 0
      ? []
      : await tx
          .select({ id: sampleContainer.id, sampleId: sampleContainer.sampleId })
          .from(sampleContainer)
          .where(inArray(sampleContainer.id, containerIds))
  const inside = new Map(containers.map(({ id, sampleId }) => [id, sampleId]))
  return links.flatMap(({ code, kind, id }) => {
    const sampleId = kind === 'sample' ? id : inside.get(id)
    return sampleId === undefined ? [] : [{ code, sampleId }]
  })
}

/** The sample behind a thing, held; null when none is known. */
async function holdSampleOf(scope: WriteScope, thing: CodedThing): Promise<string | null> {
  const sampleId = thing.kind === 'sample' ? thing.id : await sampleInside(scope.tx, thing.id)
  return sampleId === null ? null : ((await holdSampleIfKnown(scope.tx, sampleId))?.id ?? null)
}

async function sampleInside(tx: ReadTransaction, containerId: string): Promise<string | null> {
  const [container] = await tx
    .select({ sampleId: sampleContainer.sampleId })
    .from(sampleContainer)
    .where(eq(sampleContainer.id, containerId))
  return container?.sampleId ?? null
}

/** Ids of ours are UUIDs; a code may be linked to anything. */
function codedThing({ kind, id }: Thing): CodedThing | null {
  if (kind !== 'sample' && kind !== 'container') return null
  return z.uuid().safeParse(id).success ? { kind, id } : null
}

async function findLink(tx: ReadTransaction, thing: CodedThing, code: string) {
  const [row] = await tx
    .select({ id: sampleCode.id, live: sampleCode.live })
    .from(sampleCode)
    .where(
      and(eq(sampleCode.thingKind, thing.kind), eq(sampleCode.thingId, thing.id), eq(sampleCode.code, code)),
    )
  return row ?? null
}

async function insertLink(
  scope: WriteScope,
  thing: CodedThing,
  link: { readonly code: string; readonly at: string },
): Promise<void> {
  await scope.tx.insert(sampleCode).values({
    laboratoryId: scope.laboratoryId,
    id: uuidv7(),
    code: link.code,
    thingKind: thing.kind,
    thingId: thing.id,
    live: true,
    linkedAt: link.at,
  })
}

async function setLive(
  scope: WriteScope,
  id: string,
  values: { readonly live: boolean; readonly linkedAt?: string },
): Promise<void> {
  await scope.tx
    .update(sampleCode)
    .set(values)
    .where(and(eq(sampleCode.laboratoryId, scope.laboratoryId), eq(sampleCode.id, id)))
}
