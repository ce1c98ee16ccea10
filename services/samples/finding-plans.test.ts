import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rowsOf } from '../../platform/database/transaction.ts'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import { samplesService } from './service.ts'
import { fillWithSamples, sampleId } from './testing/many-samples.ts'

// On PGlite only: with one connection the database's own counts of what it read are exact.
const many = 20_000
let bench: ServiceBench
beforeAll(async () => {
  bench = await openServiceBench([samplesService])
  await fillWithSamples(bench.database('samples'), bench.actor.laboratoryId, many)
}, 120_000)
afterAll(() => bench.close())

const samples = () => bench.client(samplesService)

/** How many rows were read without an index so far. */
async function rowsReadInBulk(): Promise<number> {
  // Counts become visible when the transaction that asks for it has ended.
  await bench.database('samples').asOwner((tx) => tx.execute(sql`select pg_stat_force_next_flush()`))
  const [read] = await bench.database('samples').asOwner((tx) =>
    rowsOf<{ rows: string }>(
      tx,
      sql`select sum(seq_tup_read)::text as rows from pg_stat_user_tables where schemaname = 'public'
        and relname in ('sample', 'amount_movement', 'sample_history', 'sample_container', 'sample_code')`,
    ),
  )
  return Number(read?.rows)
}

describe('finding reads no table from end to end', () => {
  const code = 'TS-TEST-0001234-X'
  it.each<[string, () => Promise<unknown>]>([
    ['by id', () => samples().get({ id: sampleId(1_234) })],
    ['several by id', () => samples().getMany({ ids: [sampleId(1), sampleId(19_999)] })],
    ['the facts of a box', () => samples().facts({ ids: [sampleId(1), sampleId(19_999)] })],
    ['by code', () => samples().list({ search: code })],
    ['by the beginning of a word', () => samples().list({ search: 'draw 1999' })],
    ['by a common word', () => samples().list({ search: 'patient' })],
    ['the newest', () => samples().list({})],
    ['by name', () => samples().list({ sort: 'name' })],
    ['by day of collection', () => samples().list({ sort: '-collectedOn' })],
    ['by state', () => samples().list({ state: 'validated', sort: 'state' })],
    ['by project', () => samples().list({ project: 'Project 4' })],
    ['by project and name', () => samples().list({ project: 'Project 4', sort: 'name' })],
    ['by donor', () => samples().list({ donor: 'D-12' })],
    ['by import', () => samples().list({ importId: sampleId(3) })],
    ['a life', () => samples().timeline({ id: sampleId(1_234) })],
    ['custody', () => samples().custody({ id: sampleId(1_234) })],
    ['likely duplicates', () => samples().duplicates({ id: sampleId(1_236) })],
  ])('%s', async (_what, find) => {
    const before = await rowsReadInBulk()
    await find()
    // A word that most samples have is met soon enough in any order: stopping early is no reading from end to end.
    expect((await rowsReadInBulk()) - before).toBeLessThan(many / 4)
  })

  it('which would be noticed', async () => {
    const before = await rowsReadInBulk()
    await bench
      .database('samples')
      .asOwner((tx) => tx.execute(sql`select count(*) from sample where taxon_id = 'nothing'`))
    expect((await rowsReadInBulk()) - before).toBeGreaterThanOrEqual(many)
  })

  it('and finds what it looks for', async () => {
    const { items } = await samples().list({ search: code })
    expect(items.map(({ id }) => id)).toEqual([sampleId(1_234)])
    expect(items[0]).toMatchObject({ volumeUl: '34', code })
  })
})
