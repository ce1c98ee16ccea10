import { and, eq, getColumns, inArray } from 'drizzle-orm'
import type { z } from 'zod'
import { notFound, ruleBroken } from '../../platform/contract/refusal.ts'
import { toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction, Transaction } from '../../platform/database/transaction.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import type { Sample } from './contract.ts'
import { type Balance, deriveMassNg, foldMovements, type Movement } from './domain/amount.ts'
import { amountMovement, sample } from './schema.ts'

const { search, clientSkeleton, ...columns } = getColumns(sample)
/** Kept out of every answer: they only serve finding. */
export const findingColumns = { search, clientSkeleton }
/** What is read of a sample. */
export const sampleColumns = columns

export type SampleRow = Omit<typeof sample.$inferSelect, keyof typeof findingColumns>
export type SampleItem = z.input<typeof Sample>

/** One sample, deleted ones too: the record stays. Refused when it is not known here. */
export async function readSample(tx: ReadTransaction, id: string): Promise<SampleRow> {
  const row = await findSample(tx, id)
  if (row === null) throw notFound('sample', id)
  return row
}

export async function findSample(tx: ReadTransaction, id: string): Promise<SampleRow | null> {
  const [row] = await tx.select(sampleColumns).from(sample).where(eq(sample.id, id))
  return row ?? null
}

/** What is with another laboratory is a stub here, and says with which shipment it left. */
function requireHere(row: SampleRow): void {
  if (row.shipmentId === null) return
  const where = row.shippedTo ?? `another laboratory, shipment ${row.shipmentId}`
  throw ruleBroken(
    'sample_is_shipped',
    `${row.name} was shipped to ${where}: nothing can be done with it here until it comes back.`,
  )
}

/** A deleted sample's record stays as it was. */
export function requireKept(row: SampleRow): void {
  requireHere(row)
  if (row.state !== 'deleted') return
  throw ruleBroken('sample_is_deleted', `${row.name} is deleted: its record stays as it was.`)
}

/**
 * One sample that is about to change. It is held until the transaction ends, so that on a server nobody else decides
 * something about it from what is about to be the past: amounts, custody, state, codes and places are all decided from
 * what is there. Whatever else is held with it is taken after it. Refused for a sample that was shipped.
 */
export async function holdSample(tx: Transaction, id: string): Promise<SampleRow> {
  const row = await holdSampleIfKnown(tx, id)
  if (row === null) throw notFound('sample', id)
  requireHere(row)
  return row
}

/** For what follows facts: null when the sample has not arrived here, and shipped ones too. */
export async function holdSampleIfKnown(tx: Transaction, id: string): Promise<SampleRow | null> {
  const [row] = await tx.select(sampleColumns).from(sample).where(eq(sample.id, id)).for('update')
  return row ?? null
}

/** Samples by their ids, in the order asked for; unknown ids are left out. */
export async function readSamples(
  tx: ReadTransaction,
  ids: readonly string[],
): Promise<readonly SampleRow[]> {
  if (ids.length === 0) return []
  const rows = await tx
    .select(sampleColumns)
    .from(sample)
    .where(inArray(sample.id, [...ids]))
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** Changes columns of one sample. */
export async function updateSample(
  scope: WriteScope,
  id: string,
  values: Partial<typeof sample.$inferInsert>,
): Promise<SampleRow> {
  const [row] = await scope.tx
    .update(sample)
    .set(values)
    .where(and(eq(sample.laboratoryId, scope.laboratoryId), eq(sample.id, id)))
    .returning(sampleColumns)
  if (row === undefined) throw notFound('sample', id)
  return row
}

/** All movements of some samples. */
export async function readMovements(
  tx: ReadTransaction,
  sampleIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Movement[]>> {
  if (sampleIds.length === 0) return new Map()
  const { sampleId, id, quantity, kind, value, covers } = getColumns(amountMovement)
  const rows = await tx
    .select({ sampleId, id, quantity, kind, value, covers })
    .from(amountMovement)
    .where(inArray(amountMovement.sampleId, [...sampleIds]))
  return Map.groupBy(rows, (row) => row.sampleId)
}

/** Samples as the contract shows them, their amounts derived from their movements. */
export async function showSamples(tx: ReadTransaction, rows: readonly SampleRow[]): Promise<SampleItem[]> {
  const movements = await readMovements(
    tx,
    rows.map((row) => row.id),
  )
  return rows.map((row) => toSample(row, movements.get(row.id) ?? []))
}

export async function showSample(tx: ReadTransaction, row: SampleRow): Promise<SampleItem> {
  const movements = await readMovements(tx, [row.id])
  return toSample(row, movements.get(row.id) ?? [])
}

function toSample(row: SampleRow, movements: readonly Movement[]): SampleItem {
  const volume = foldMovements(movements, 'volume_ul')
  const thaws = foldMovements(movements, 'thaw_cycles')
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    state: row.state,
    code: row.code,
    clientId: row.clientId,
    donor: row.donor,
    project: row.project,
    collectedOn: row.collectedOn,
    volumeUl: volume.value,
    concentrationNgPerUl: row.concentrationNgPerUl,
    amountNg: deriveMassNg(volume.value, row.concentrationNgPerUl),
    thawCycles: Number(thaws.value ?? 0),
    amountRemark: remarkOn(volume) ?? remarkOn(thaws),
    taxonId: row.taxonId,
    priority: row.priority,
    extra: { ...row.extra },
    location: row.location,
    importId: row.importId,
    shippedTo: row.shippedTo,
    createdAt: toInstant(row.createdAt),
    createdBy: row.createdBy,
    createdById: row.createdById,
    updatedAt: toInstant(row.updatedAt),
    revision: row.writtenRevision,
  }
}

function remarkOn(balance: Balance): string | null {
  if (balance.overdrawn) return 'More was taken than was there: measure it and correct the amount.'
  if (balance.competingCorrectionIds.length > 0) {
    return 'It was measured in two places without knowing of each other: measure it again.'
  }
  return null
}
