import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Engine } from './engine.ts'
import { isDuplicate } from './errors.ts'
import { openPglite } from './pglite-engine.ts'
import { emptyDatabase } from './testing/empty-database.ts'
import { makeTestFolder } from './testing/test-folder.ts'
import { rowsOf } from './transaction.ts'

const folder = makeTestFolder('tracseq-prepared-')
let engine: Engine
beforeAll(async () => {
  engine = await openPglite({ directory: join(folder, 'database'), template: await emptyDatabase() })
  await engine.transact((tx) =>
    tx.execute(
      sql`create table thing (id int primary key, said text, at timestamptz, facts jsonb, ids int[])`,
    ),
  )
}, 60_000)
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

function countKept(): Promise<number> {
  return engine.transact(async (tx) => {
    const [row] = await rowsOf<{ n: number }>(tx, sql`select count(*)::int as n from pg_prepared_statements`)
    return row?.n ?? 0
  })
}

it('a statement answers the same at its first use, its second and when its plan is made anew', async () => {
  const add = (id: number, facts: unknown) =>
    engine.transact((tx) =>
      rowsOf(
        tx,
        sql`insert into thing values (${id}, ${`it's ${id}`}, ${'2026-01-01T00:00:00Z'}::timestamptz,
          ${JSON.stringify(facts)}::jsonb, array[${id}::int, null]) returning id, said, at, facts, ids, null as nothing`,
      ),
    )
  for (let id = 1; id <= 600; id += 1) {
    expect(await add(id, { n: id })).toEqual([
      {
        id,
        said: `it's ${id}`,
        at: '2026-01-01 00:00:00+00',
        facts: { n: id },
        ids: [id, null],
        nothing: null,
      },
    ])
  }
})

it('a statement that fails rolls its transaction back, says why, and serves the next one', async () => {
  const add = (id: number) => engine.transact((tx) => tx.execute(sql`insert into thing (id) values (${id})`))
  for (const id of [1_001, 1_002, 1_003]) await add(id)
  const failed = await add(1_002).catch((error: unknown) => error)
  expect(isDuplicate(failed, 'thing_pkey')).toBe(true)
  await expect(engine.transact((tx) => tx.execute(sql`select * from nowhere`))).rejects.toThrow()
  await expect(
    engine.transact((tx) => tx.execute(sql`insert into thing (id) values (${'no number'}::int)`)),
  ).rejects.toThrow()
  await add(1_004)
  const kept = engine.transact((tx) => rowsOf(tx, sql`select id from thing where id > 1000 order by id`))
  expect(await kept).toEqual([1_001, 1_002, 1_003, 1_004].map((id) => ({ id })))
})

it('a savepoint takes back what failed inside of it and nothing else', async () => {
  await engine.transact(async (tx) => {
    await tx.execute(sql`insert into thing (id) values (2001)`)
    await tx
      .transaction(async (inner) => {
        await inner.execute(sql`insert into thing (id) values (2002)`)
        await inner.execute(sql`insert into thing (id) values (2001)`)
      })
      .catch(() => undefined)
  })
  const left = await engine.transact((tx) => rowsOf(tx, sql`select id from thing where id > 2000`))
  expect(left).toEqual([{ id: 2_001 }])
})

it('a statement fits the table also after the table has changed', async () => {
  const read = () => engine.transact((tx) => rowsOf(tx, sql`select * from thing where id = ${7}`))
  for (let turn = 0; turn < 3; turn += 1) await read()
  await engine.transact((tx) => tx.execute(sql`alter table thing add column more text default 'new'`))
  for (let turn = 0; turn < 3; turn += 1) expect(await read()).toMatchObject([{ id: 7, more: 'new' }])
})

it('only statements that come again are kept, and a bounded number of them', async () => {
  const before = await countKept()
  const ask = (n: number) =>
    engine.transact((tx) => tx.execute(sql.raw(`select ${n} as n from thing limit 1`)))
  for (let n = 0; n < 300; n += 1) await ask(n)
  expect(await countKept()).toBeLessThanOrEqual(before + 1)
  for (let n = 0; n < 300; n += 1) for (let turn = 0; turn < 2; turn += 1) await ask(n)
  expect(await countKept()).toBeLessThanOrEqual(150)
})
