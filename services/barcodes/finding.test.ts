import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { rowsOf } from '../../platform/database/transaction.ts'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import { barcodesService } from './service.ts'

// On PGlite only: with one connection the database's own counts of what it read are exact.
const many = 20_000
let bench: ServiceBench
beforeAll(async () => {
  bench = await openServiceBench([barcodesService])
  const database = bench.database('barcodes')
  await database.asOwner((tx) => tx.execute(sql`alter table code disable trigger capture_change`))
  await database.asOwner(async (tx) => {
    await tx.execute(sql`select set_config('tracseq.change_set_id', ${uuidv7()}, true)`)
    await tx.execute(sql`insert into code (laboratory_id, id, text, lookup_key, source, state, created_at, created_by)
      select ${bench.actor.laboratoryId}::uuid, gen_random_uuid(), 'FILL ' || n, 'fill:' || n, 'external', 'allocated', now(), 'test'
      from generate_series(1, ${many}::int) as n`)
  })
  await database.asOwner((tx) => tx.execute(sql`alter table code enable always trigger capture_change`))
}, 120_000)
afterAll(() => bench.close())

/** How many codes were read without an index so far. */
async function codesReadInBulk(): Promise<number> {
  await bench.database('barcodes').asOwner((tx) => tx.execute(sql`select pg_stat_force_next_flush()`))
  const [read] = await bench
    .database('barcodes')
    .asOwner((tx) =>
      rowsOf<{ rows: string }>(
        tx,
        sql`select seq_tup_read::text as rows from pg_stat_user_tables where relname = 'code'`,
      ),
    )
  return Number(read?.rows)
}

it('a scan and a link find their code among many without looking at the others', async () => {
  const codes = bench.client(barcodesService)
  const thing = (number: number) => ({
    kind: 'container' as const,
    id: `00000000-0000-7000-8000-00000000000${number}`,
  })
  const before = await codesReadInBulk()
  // Often enough for the database to make one plan for all values.
  for (let number = 0; number < 9; number += 1) {
    await codes.link({ text: `CLINIC-${number}`, thing: thing(number), confirmed: false })
    const { matches } = await codes.resolve({ text: `CLINIC-${number}` })
    expect(matches.map((match) => match.thing)).toEqual([thing(number)])
  }
  expect((await codesReadInBulk()) - before).toBeLessThan(many / 4)
})
