import { sql } from 'drizzle-orm'
import { notFound, ruleBroken } from '../../platform/contract/refusal.ts'
import type { TravellingRow } from '../../platform/contract/travelling-rows.ts'
import { type ReadTransaction, rowsOf, type Transaction } from '../../platform/database/transaction.ts'
import { orchestrates, reads, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { TravellingTables } from '../../platform/sync/database/travelling-rows.ts'
import { addCustody, lastOf, readChain } from './custody.ts'
import { checkCustody } from './domain/custody.ts'
import { decideTransition } from './domain/lifecycle.ts'
import { listObstacles } from './domain/shipping.ts'
import { stateLine, tell } from './history.ts'
import { type Occasion, occasionOf } from './people.ts'
import { containersOf, updateContainer } from './placements.ts'
import { holdSampleIfKnown, readSamples, type SampleRow, updateSample } from './sample-rows.ts'

/** A sample in a shipment, as the Hub asks for it. */
interface InShipment {
  readonly id: string
  readonly shipmentId: string
}

export const shippingCheck = reads((scope: ReadScope, input: { ids: string[] }) =>
  scope.read(async (tx) => {
    const rows = await readSamples(tx, input.ids)
    const written = await countWritten(tx, input.ids)
    return Promise.all(
      rows.map(async (row) => ({
        id: row.id,
        name: row.name,
        code: row.code,
        containerIds: await travellingContainers(tx, row.id),
        obstacles: [...(await findObstacles(tx, row))],
        rows: written.get(row.id) ?? 0,
      })),
    )
  }),
)

/** The sample leaves: custody goes to the shipment, and what stays is a stub. A repeat does nothing. */
export const shipOut = writes(
  async (
    scope: WriteScope,
    input: InShipment & { to: string; toLaboratoryId: string; reference: string; reason: string },
  ) => {
    const row = await hold(scope.tx, input.id)
    if (row.shipmentId === input.shipmentId) return {}
    const [obstacle] = await findObstacles(scope.tx, row)
    if (obstacle !== undefined) throw ruleBroken('sample_cannot_be_shipped', obstacle)
    const occasion = occasionOf(scope)
    const { reason, reference, to, toLaboratoryId } = input
    const head = lastOf(checkCustody(await readChain(scope.tx, row.id)).heads)
    const begun =
      head?.eventId ??
      (await addCustody(
        scope,
        row.id,
        { kind: 'received', holder: occasion.by, reason: null },
        occasion,
        null,
      ))
    const said = { kind: 'shipped', holder: reference, place: to, reason, toLaboratoryId } as const
    await addCustody(scope, row.id, said, occasion, begun)
    for (const id of await travellingContainers(scope.tx, row.id))
      await updateContainer(scope, id, { state: 'unplaced', place: null })
    await updateSample(scope, row.id, {
      ...(await leaveStorage(scope, row, occasion)),
      ...{ shipmentId: input.shipmentId, shippedTo: `${to}, ${reference}` },
      ...{ location: null, updatedAt: scope.now },
    })
    return {}
  },
)

/** It never arrived anywhere: whoever shipped it has it in hand again. A repeat does nothing. */
export const takeBack = writes(async (scope: WriteScope, input: InShipment & { reason: string }) => {
  const row = await hold(scope.tx, input.id)
  if (row.shipmentId !== input.shipmentId) return {}
  const occasion = occasionOf(scope)
  const head = lastOf(checkCustody(await readChain(scope.tx, row.id)).heads)
  const said = { kind: 'received_elsewhere', holder: occasion.by, reason: input.reason } as const
  await addCustody(scope, row.id, said, occasion, head?.eventId ?? null)
  await updateSample(scope, row.id, { shipmentId: null, shippedTo: null, updatedAt: scope.now })
  return {}
})

const tables = new TravellingTables()

export const shippingRecord = orchestrates((scope: OrchestrationScope, input: { id: string }) =>
  scope.asOwner(async (tx) => ({ rows: [...(await readRecord(tx, scope.laboratoryId, input.id))] })),
)

/** Changes whenever something is written of a sample. */
export const shippingDigests = reads((scope: ReadScope, input: { ids: string[] }) =>
  scope.read(async (tx) => {
    const ids = sql`any (array(select each::uuid from json_array_elements_text(${JSON.stringify(input.ids)}::json) each))`
    const ofSample = [
      'amount_movement',
      'custody_event',
      'sample_note',
      'sample_history',
      'sample_container',
    ].map(
      (table) => sql`select sample_id as id, revision from ${sql.identifier(table)} where sample_id = ${ids}`,
    )
    const rows = await rowsOf<{ id: string; digest: string }>(
      tx,
      sql`select id::text, md5(string_agg(revision::text, ' ' order by revision)) as digest
        from (select id, revision from sample where id = ${ids} union all ${sql.join(ofSample, sql` union all `)}
          union all select child_id, revision from sample_relation where child_id = ${ids}
          union all select parent_id, revision from sample_relation where parent_id = ${ids}
          union all select thing_id::uuid, revision from sample_code
            where thing_kind = 'sample' and thing_id = any (array(select json_array_elements_text(${JSON.stringify(input.ids)}::json)))
          union all select sample_id, sample_code.revision from sample_container join sample_code
            on thing_kind = 'container' and thing_id = sample_container.id::text where sample_id = ${ids}) as said
        group by id`,
    )
    return Object.fromEntries(rows.map(({ id, digest }) => [id, digest]))
  }),
)

/** Which samples these tubes, codes and relations are of, or were. */
export const shippingOwners = reads((scope: ReadScope, input: { rowIds: string[] }) =>
  scope.read(async (tx) => {
    const rows = await rowsOf<{ id: string }>(
      tx,
      sql`with wanted as (select each::uuid as id from json_array_elements_text(${JSON.stringify(input.rowIds)}::json) each),
        tube as (
          select id from wanted
          union all select thing_id::uuid from sample_code where thing_kind = 'container' and id in (select id from wanted))
        select sample_id::text as id from sample_container where id in (select id from tube)
        union select thing_id from sample_code where thing_kind = 'sample' and id in (select id from wanted)
        union select unnest(array[child_id, parent_id])::text from sample_relation where id in (select id from wanted)`,
    )
    return { sampleIds: rows.map(({ id }) => id) }
  }),
)

/** How many rows {@link readRecord} would read, by sample. */
async function countWritten(
  tx: ReadTransaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const wanted = sql`(select each::uuid from json_array_elements_text(${JSON.stringify(ids)}::json) each)`
  const ofSample = ['sample_container', 'amount_movement', 'custody_event', 'sample_note', 'sample_history']
  const parts = [
    ...ofSample.map(
      (table) => sql`select sample_id as id from ${sql.identifier(table)} where sample_id in ${wanted}`,
    ),
    sql`select child_id from sample_relation where child_id in ${wanted}`,
    sql`select parent_id from sample_relation where parent_id in ${wanted}`,
    sql`select thing_id::uuid from sample_code
      where thing_kind = 'sample' and thing_id in (select id::text from ${wanted} as each (id))`,
    sql`select sample_id from sample_container join sample_code
      on thing_kind = 'container' and thing_id = sample_container.id::text where sample_id in ${wanted}`,
  ]
  const rows = await rowsOf<{ id: string; rows: number }>(
    tx,
    // The sample itself and its type go along.
    sql`select id::text, count(*)::int + 2 as rows from (${sql.join(parts, sql` union all `)}) as said group by id`,
  )
  return new Map(rows.map(({ id, rows: count }) => [id, count]))
}

async function readRecord(
  tx: Transaction,
  laboratoryId: string,
  id: string,
): Promise<readonly TravellingRow[]> {
  const read = (table: string, ...where: readonly Readonly<Record<string, string>>[]) =>
    tables.read(tx, laboratoryId, table, where)
  const sample = await read('sample', { id })
  const containers = await read('sample_container', { sample_id: id })
  const codes = await read(
    'sample_code',
    { thing_kind: 'sample', thing_id: id },
    ...containers.map(({ row }) => ({ thing_kind: 'container', thing_id: row['id'] ?? '' })),
  )
  return [
    ...sample,
    ...(await read('sample_type', { key: sample[0]?.row['type'] ?? '' })),
    ...containers,
    ...codes,
    ...(await read('amount_movement', { sample_id: id })),
    ...(await read('custody_event', { sample_id: id })),
    ...(await read('sample_note', { sample_id: id })),
    ...(await read('sample_history', { sample_id: id })),
    ...(await read('sample_relation', { child_id: id }, { parent_id: id })),
  ]
}

async function hold(tx: Transaction, id: string): Promise<SampleRow> {
  const row = await holdSampleIfKnown(tx, id)
  if (row === null) throw notFound('sample', id)
  return row
}

async function findObstacles(tx: ReadTransaction, row: SampleRow): Promise<readonly string[]> {
  const containers = await containersOf(tx, row.id)
  return listObstacles({
    ...row,
    custody: checkCustody(await readChain(tx, row.id)),
    hasCheckedOutTube: containers.some(({ state }) => state === 'checked_out'),
    openWork: await openWork(tx, row.id),
  })
}

/** Work across domains that names the sample and is not over. */
async function openWork(tx: ReadTransaction, sampleId: string): Promise<readonly string[]> {
  const rows = await rowsOf<{ name: string }>(
    tx,
    sql`select name from platform.saga where state not in ('completed', 'compensated', 'cancelled')
      and position(${sampleId}::text in input::text || outputs::text) > 0`,
  )
  return rows.map(({ name }) => name)
}

/** The tubes that are packed: those that are not gone. They stay the same while the sample is a stub. */
async function travellingContainers(tx: ReadTransaction, sampleId: string): Promise<string[]> {
  const rows = await containersOf(tx, sampleId)
  return rows.filter(({ state }) => state !== 'disposed').map(({ id }) => id)
}

async function leaveStorage(
  scope: WriteScope,
  row: SampleRow,
  occasion: Occasion,
): Promise<Pick<SampleRow, 'state'>> {
  if (row.state !== 'in_storage') return { state: row.state }
  const step = decideTransition(row.state, 'validated', { reason: null })
  if (!step.ok) throw new Error(step.refusal.message)
  await tell(scope, [stateLine(scope, row.id, occasion, step.value)])
  return { state: step.value.to }
}
