import { readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ChangeRequest } from '../platform/database/change.ts'
import { type DomainDatabase, openWorkstationDatabase } from '../platform/database/domain-database.ts'
import { type Migration, readMigrations } from '../platform/database/migrate.ts'
import { emptyDatabase } from '../platform/database/testing/empty-database.ts'
import { makeTestFolder } from '../platform/database/testing/test-folder.ts'
import { rowsOf } from '../platform/database/transaction.ts'
import { connectJournal } from '../platform/journal/journal-client.ts'
import { type RunningJournal, startJournal } from '../platform/journal/start-journal.ts'
import { authTables } from './auth/schema.ts'
import { barcodesTables } from './barcodes/schema.ts'
import { samplesTables } from './samples/schema.ts'
import { storageTables } from './storage/schema.ts'
import { templatesTables } from './templates/schema.ts'

const drizzle = resolve(import.meta.dirname, '../drizzle')
const domains = {
  auth: authTables,
  barcodes: barcodesTables,
  samples: samplesTables,
  storage: storageTables,
  templates: templatesTables,
}
type Domain = keyof typeof domains

const laboratoryId = uuidv7()
const known = uuidv7()
const elsewhereId = uuidv7()

/** What a migration is for: rows that are there before it, and what holds after it. Every migration has one of these. */
interface Case {
  readonly before?: SQL
  /** Whose rows they are, when not our own laboratory's. */
  readonly of?: string
  readonly holds: (database: DomainDatabase) => Promise<void>
}

const sampleRow = sql`insert into sample (laboratory_id, id, name, type, state, priority, extra, created_at, created_by, created_by_id, updated_at, written_revision)
  values (${laboratoryId}::uuid, ${known}::uuid, 'PT-00482 plasma', 'Plasma', 'pending', 'normal', '{}', now(), 'RK', 'rk', now(), ${known}::uuid)`

const cases: Readonly<Record<string, Case>> = {
  'auth/20261121113801_people': { holds: (database) => expectTables(database, 'auth') },
  'auth/20261121171832_signing-keys-retire': {
    holds: async (database) => expect(await columnsOf(database, 'signing_key')).toContain('retired_at'),
  },
  'barcodes/20261121111305_codes': { holds: (database) => expectTables(database, 'barcodes') },
  'barcodes/20261121160246_find_by_code': {
    before: sql`insert into code (laboratory_id, id, text, lookup_key, source, state, created_at, created_by)
      values (${laboratoryId}::uuid, ${known}::uuid, 'X-1', 'X-1', 'external', 'allocated', now(), 'RK')`,
    holds: async (database) => {
      expect(await indexesOf(database, 'code')).toContain('code_lookup')
      expect(await idsOf(database, 'code')).toEqual([known])
    },
  },
  'barcodes/20261121185709_counters-of-a-hub': {
    of: elsewhereId,
    before: sql`insert into code (laboratory_id, id, text, lookup_key, source, state, workstation_part, counter, created_at, created_by)
      values (${elsewhereId}::uuid, ${uuidv7()}::uuid, 'TS-7K2M-0004-X', 'TS7K2M0004X', 'own', 'allocated', '7K2M', 4, now(), 'RK')`,
    holds: async (database) => {
      // It was given out in another laboratory than the one that asks.
      const found = await database.read(laboratoryId, (tx) =>
        rowsOf<{ highest: number }>(tx, sql`select highest_counter('7K2M') as highest`),
      )
      expect(found).toEqual([{ highest: 4 }])
    },
  },
  'samples/20261121114511_samples': { holds: (database) => expectTables(database, 'samples') },
  'samples/20261121160256_rarest_word': {
    before: sampleRow,
    holds: async (database) => {
      const found = await database.read(laboratoryId, (tx) =>
        rowsOf<{ id: string }>(tx, sql`select samples_matching('plasma 00482', 10)::text as id`),
      )
      expect(found).toEqual([{ id: known }])
    },
  },
  'samples/20261121182359_shipping': {
    holds: async (database) => {
      expect(await columnsOf(database, 'sample')).toEqual(
        expect.arrayContaining(['shipment_id', 'shipped_to']),
      )
      expect(await columnsOf(database, 'custody_event')).toContain('acted_in_id')
      // A sample from before has not been shipped.
      const shipped = sql`select id::text as name from sample where shipment_id is not null`
      expect(await namesOf(database, shipped)).toEqual([])
      expect(await idsOf(database, 'sample')).toEqual([known])
    },
  },
  'samples/20261122002912_project_by_name': {
    holds: async (database) => {
      const indexes = sql`select indexname as name from pg_indexes where tablename = 'sample'`
      expect(await namesOf(database, indexes)).toContain('sample_project_name')
      expect(await idsOf(database, 'sample')).toEqual([known])
    },
  },
  'storage/20261121121558_places_and_containers': { holds: (database) => expectTables(database, 'storage') },
  'templates/20261121115536_templates_and_imports': {
    holds: (database) => expectTables(database, 'templates'),
  },
}

let home: string
let journal: RunningJournal
beforeEach(async () => {
  home = makeTestFolder('tracseq-migrations-')
  journal = await startJournal({
    home,
    author: { actorId: 'test', workstationId: 'test', hybridLogicalTime: () => '' },
  })
})
afterEach(async () => {
  await journal.close()
  rmSync(home, { recursive: true, force: true })
})

describe.each(Object.keys(domains) as Domain[])('the migrations of %s', (domain) => {
  const migrations = readMigrations(join(drizzle, domain))

  it('each do what they are for, keep the rows that are there, and end where a new database begins', async () => {
    for (const [index, migration] of migrations.entries()) {
      const { before, of, holds } = caseOf(domain, migration)
      if (before !== undefined) {
        await withDatabase(domain, migrations.slice(0, index), (database) =>
          database.change(request(domain, of), async ({ tx }) => {
            await tx.execute(before)
          }),
        )
      }
      await withDatabase(domain, migrations.slice(0, index + 1), holds)
    }
    const grown = await withDatabase(domain, migrations, describeSchema)
    // The same from the journal alone: migrations are entries of it.
    rmSync(join(home, 'databases', domain), { recursive: true })
    expect(await withDatabase(domain, migrations, describeSchema)).toEqual(grown)
    const last = migrations.at(-1)
    if (last !== undefined) await withDatabase(domain, migrations, caseOf(domain, last).holds)
  })
})

describe('the migrations of the platform', () => {
  it('are these, each with its own test below', () => {
    expect(readdirSync(join(drizzle, 'platform'))).toEqual([
      '20261121000000_platform',
      '20261121171500_sync',
      '20261122040500_upcasts',
      '20261122081000_migrated-rows',
    ])
  })

  it('sync: a home from before it keeps its rows, and from then on changes say what was there before', async () => {
    const migrations = readMigrations(join(drizzle, 'samples'))
    const [first, ...later] = readMigrations(join(drizzle, 'platform'))
    if (first === undefined) throw new Error('There is a first one')
    await withDatabase('samples', migrations, writeAsBeforeSync, [first])
    await withDatabase(
      'samples',
      migrations,
      async (database) => {
        expect(await idsOf(database, 'sample')).toEqual([known])
        await database.change(request('samples'), async ({ tx }) => {
          await tx.execute(sql`update sample set donor = 'D-1' where id = ${known}::uuid`)
        })
        const head = await journal.client.domainHead('samples')
        const entry = await journal.client.entryAt('samples', head?.domainSequence ?? 0)
        expect(JSON.parse(entry?.payload ?? '')).toMatchObject({
          body: { changes: [{ table: 'sample', values: { donor: 'D-1' }, before: { donor: null } }] },
        })
        const removal = database.change(request('samples'), async ({ tx }) => {
          await tx.execute(sql`delete from sample where id = ${known}::uuid`)
        })
        await expect(removal).rejects.toMatchObject({
          cause: { message: expect.stringMatching(/deletion is soft/) as string },
        })
      },
      [first, ...later],
    )
  })

  it('upcasts: what waits for the Hub is in the columns of now, and entries say under which migrations they were made', async () => {
    const migrations = readMigrations(join(drizzle, 'samples'))
    const renaming: Migration = {
      ...{
        name: '20990101000000_urgency',
        sql: 'ALTER TABLE sample RENAME COLUMN priority TO urgency;',
        sha256: '',
      },
      upcast: { sample: { renamed: { priority: 'urgency' }, values: {}, dropped: [] } },
    }
    const write = (database: DomainDatabase, row: SQL) =>
      database.change(request('samples'), async ({ tx }) => {
        await tx.execute(row)
      })
    const shapesOfLast = async () => {
      const head = (await journal.client.domainHead('samples'))?.domainSequence ?? 0
      const { payload } = (await journal.client.entryAt('samples', head)) ?? {}
      return z.object({ body: z.object({ shapedBy: z.array(z.string()) }) }).parse(JSON.parse(payload ?? ''))
        .body.shapedBy
    }
    await withDatabase('samples', migrations, async (database) => {
      await write(database, sampleRow)
      await database.asOwner(async (tx) => {
        await tx.execute(sql`update platform.sync_state set laboratory_id = ${laboratoryId}::uuid`)
      })
      await write(database, sql`update sample set priority = 'high' where id = ${known}::uuid`)
      expect(await shapesOfLast()).toEqual([])
    })
    await withDatabase('samples', [...migrations, renaming], async (database) => {
      const [waiting] = await database.readAsOwner((tx) =>
        rowsOf<{ change: unknown; image: unknown }>(
          tx,
          sql`select p.change, h.image from platform.pending_change p join platform.hub_image h using (row_id)`,
        ),
      )
      expect(waiting).toMatchObject({
        change: { values: { urgency: 'high' }, before: { urgency: 'normal' } },
        image: { urgency: 'normal' },
      })
      expect(JSON.stringify(waiting)).not.toContain('priority')
      await write(database, sql`update sample set urgency = 'stat' where id = ${known}::uuid`)
      expect(await shapesOfLast()).toEqual([renaming.name])
    })
  })

  it('migrated-rows: a home from before it keeps its rows, and from then on a migration may give them other values', async () => {
    const migrations = readMigrations(join(drizzle, 'samples'))
    const before = readMigrations(join(drizzle, 'platform')).filter(
      ({ name }) => !name.endsWith('_migrated-rows'),
    )
    const renaming: Migration = {
      ...{ name: '20990101000000_rush', sha256: '' },
      sql: `UPDATE sample SET priority = 'rush' WHERE priority = 'normal';`,
      upcast: { sample: { renamed: {}, values: { priority: { normal: 'rush' } }, dropped: [] } },
    }
    const read = (database: DomainDatabase) =>
      database.read(laboratoryId, (tx) =>
        rowsOf<{ priority: string; revision: string }>(tx, sql`select priority, revision::text from sample`),
      )
    const written = await withDatabase(
      'samples',
      migrations,
      async (database) => {
        await database.change(request('samples'), async ({ tx }) => {
          await tx.execute(sampleRow)
        })
        return read(database)
      },
      before,
    )
    const refused = withDatabase('samples', [...migrations, renaming], () => Promise.resolve(), before)
    await expect(refused).rejects.toMatchObject({ cause: { code: 'TS001' } })
    await withDatabase('samples', [...migrations, renaming], async (database) => {
      expect(await read(database)).toEqual(written.map(({ revision }) => ({ priority: 'rush', revision })))
    })
  })

  /** What the program of that time did in one transaction. */
  async function writeAsBeforeSync(database: DomainDatabase): Promise<void> {
    await database.asOwner(async (tx) => {
      const id = uuidv7()
      await tx.execute(sql`select set_config('tracseq.laboratory_id', ${laboratoryId}, true),
        set_config('tracseq.change_set_id', ${id}, true)`)
      await tx.execute(sampleRow)
      const head = `{"entry":{"kind":"change","domain":"samples","domainSequence":`
      const recordedAt = new Date().toISOString()
      const tail = `,"changeSetId":"${id}","origin":"local","actorId":"test","workstationId":"test","hybridLogicalTime":"","reason":null,"correlationId":"${id}","recordedAt":"${recordedAt}","eventNames":[]},"body":`
      await tx.execute(sql`select platform.finish_change_set(${id}::uuid, 'change', ${head}, ${tail}, null, 'samples.test',
        '', null, ${recordedAt}::timestamptz, null::json, '[]'::json)`)
    })
  }
})

function caseOf(domain: Domain, { name }: Migration): Case {
  const found = cases[`${domain}/${name}`]
  if (found === undefined)
    throw new Error(`The migration ${domain}/${name} has no test: say above what it is for`)
  return found
}

function request(domain: Domain, of = laboratoryId): ChangeRequest {
  return {
    ...{ laboratoryId: of, actorId: 'test', origin: 'local', workstationId: 'test', hybridLogicalTime: '' },
    ...{ reason: null, correlationId: uuidv7(), procedure: `${domain}.test`, idempotencyKey: null },
    ...{
      requestHash: '',
      secretAnswer: false,
      deadlineAt: Date.now() + 30_000,
      reaction: null,
      causedBy: null,
    },
  }
}

async function withDatabase<T>(
  domain: Domain,
  migrations: readonly Migration[],
  work: (database: DomainDatabase) => Promise<T>,
  platformMigrations = readMigrations(join(drizzle, 'platform')),
): Promise<T> {
  const client = await connectJournal(journal.createPort())
  const { database } = await openWorkstationDatabase({
    ...{
      domain,
      tables: domains[domain],
      journal: client,
      workstationId: 'test',
      platformMigrations,
      migrations,
    },
    ...{ directory: join(home, 'databases', domain), snapshots: null, template: await emptyDatabase() },
  })
  try {
    return await work(database)
  } finally {
    await database.close()
    client.close()
  }
}

/** Every declared table is there, and those that travel are captured and fenced. */
async function expectTables(database: DomainDatabase, domain: Domain): Promise<void> {
  for (const { name, policy, files } of domains[domain].tables) {
    const triggers = await database.readAsOwner((tx) =>
      rowsOf<{ name: string }>(
        tx,
        sql`select tgname as name from pg_trigger where tgrelid = ${name}::regclass and not tgisinternal`,
      ),
    )
    const isCaptured = triggers.some((each) => each.name === 'capture_change')
    expect(isCaptured, name).toBe(policy !== 'local' && policy !== 'derived')
    // A file that is not declared stays where it was stored.
    const hashes = (await columnsOf(database, name)).filter((column) => column.endsWith('sha256'))
    expect(files, name).toEqual(isCaptured ? hashes : [])
  }
}

function columnsOf(database: DomainDatabase, table: string): Promise<readonly string[]> {
  return namesOf(
    database,
    sql`select column_name as name from information_schema.columns where table_name = ${table}`,
  )
}

function indexesOf(database: DomainDatabase, table: string): Promise<readonly string[]> {
  return namesOf(database, sql`select indexname as name from pg_indexes where tablename = ${table}`)
}

function idsOf(database: DomainDatabase, table: string): Promise<readonly string[]> {
  return namesOf(database, sql`select id::text as name from ${sql.identifier(table)} order by id`)
}

async function namesOf(database: DomainDatabase, statement: SQL): Promise<readonly string[]> {
  const rows = await database.readAsOwner((tx) => rowsOf<{ name: string }>(tx, statement))
  return rows.map(({ name }) => name)
}

/** Columns, indexes, constraints, triggers and functions, as text. */
function describeSchema(database: DomainDatabase): Promise<readonly string[]> {
  return namesOf(
    database,
    sql`select table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable as name
        from information_schema.columns where table_schema in ('public', 'platform')
      union all select indexdef from pg_indexes where schemaname in ('public', 'platform')
      union all select conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where connamespace in ('public'::regnamespace, 'platform'::regnamespace)
      union all select pg_get_triggerdef(oid) || ' ' || tgenabled::text from pg_trigger where not tgisinternal
      order by 1`,
  )
}
