import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import { EnrolmentFile } from '../main/sync/enrolment-file.ts'
import { Machine, until } from '../main/sync/testing/sync-network.ts'
import { createHttpClient } from '../main/testing/http-client.ts'
import { rowsOf } from '../platform/database/transaction.ts'
import { sync } from '../platform/sync/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { services } from '../services/registry.ts'
import { sampleId } from '../services/samples/testing/many-samples.ts'
import { openBarePglite } from './bare-pglite.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { codeOfSample } from './filled-laboratory.ts'
import { type BenchHub, fillHub, listTravellingTables, openBenchHub } from './filled-hub.ts'
import { median, ratio } from './statistics.ts'

const smallest = 1_000
const turns = 3
const joinsWithinMs = 20 * 60_000
const pollMs = 5

/**
 * An empty workstation joins a Hub whose laboratory has many samples: from asking for the first snapshot until all its
 * databases and its journal have everything on disk, against the very same rows copied by `COPY` into files and by `COPY`
 * from them into a bare PGlite with fsync. That is the workstation's own engine, so the ratio says what snapshots cost
 * (the wire, hashes, indexes, the way back) and not what WebAssembly does. Laboratories of a thousand samples up to the
 * size asked for say how it grows.
 */
export async function measureSnapshot({ size, say }: BenchmarkOptions): Promise<readonly Row[]> {
  const sizes: number[] = []
  for (let next = smallest; next < size; next *= 10) sizes.push(next)
  sizes.push(size)
  const measured: { readonly size: number; readonly row: Row }[] = []
  for (const each of sizes) {
    const hub = await openBenchHub()
    try {
      say(`filling the Hub with ${each.toLocaleString('en')} samples`)
      await fillHub(hub, each)
      measured.push({ size: each, row: await measureAt(hub, each, say) })
    } finally {
      await hub.close()
    }
  }
  return [...measured.map(({ row }) => row), ...describeGrowth(measured)]
}

async function measureAt(hub: BenchHub, size: number, say: BenchmarkOptions['say']): Promise<Row> {
  const tables = await listTables(hub)
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const [ours, bare]: [number[], number[]] = [[], []]
  for (let turn = 1; turn <= turns; turn += 1) {
    say(`turn ${turn} of ${turns}: ${rows.toLocaleString('en')} rows`)
    bare.push(await copyRows(hub, tables))
    ours.push(await joinWorkstation(hub, size))
  }
  return makeRow({
    measure: `a workstation joins: ${size.toLocaleString('en')} samples, ${rows.toLocaleString('en')} rows`,
    unit: 'ms',
    baseline: { what: 'the same rows by COPY into a bare PGlite, fsynced', value: median(bare) },
    ours: median(ours),
    budget: null,
  })
}

/** A new workstation, up to where it has everything; how long that took, in milliseconds. */
async function joinWorkstation(hub: BenchHub, size: number): Promise<number> {
  const machine = new Machine({ isEmpty: true })
  try {
    await machine.start()
    const administrator = (await hub.machine.admin()).client(sync)
    const { code } = await administrator.createEnrolmentCode({ administratorsOffline: true })
    const joined = createHttpClient(machine.url, sync, null).join({ hubUrl: hub.machine.url, code })
    // A call that takes longer than its client waits goes on without it; the file says how far it came.
    joined.catch(() => undefined)
    await untilEnrolment(machine, ({ domains }) => Object.keys(domains).length === services.length)
    const tookMs = await timed(() => untilEnrolment(machine, ({ isComplete }) => isComplete))
    // Who may sign in there comes after the rows.
    const person = await until(() => machine.admin().catch(() => null))
    const { matches } = await person.client(barcodes).resolve({ text: codeOfSample(size) })
    if (matches[0]?.thing?.id !== sampleId(size)) throw new Error(`Sample ${size} did not arrive`)
    return tookMs
  } finally {
    await machine.remove()
  }
}

async function untilEnrolment(
  { home }: Machine,
  isSo: (enrolment: NonNullable<EnrolmentFile['current']>) => boolean,
): Promise<void> {
  const end = performance.now() + joinsWithinMs
  for (;;) {
    const { current } = new EnrolmentFile(home)
    if (current !== null && isSo(current)) return
    if (performance.now() > end) throw new Error('The workstation did not get everything in time')
    await delay(pollMs)
  }
}

/** A table with rows of the laboratory, as it is at the Hub. */
interface CopiedTable {
  readonly domain: string
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly key: readonly string[]
  readonly rows: number
}

async function listTables(hub: BenchHub): Promise<readonly CopiedTable[]> {
  const found = await Promise.all(
    services.map(({ name: domain }) =>
      hub.asAdministrator(domain, async (tx) => {
        const tables: CopiedTable[] = []
        for (const name of await listTravellingTables(tx)) {
          const [count] = await rowsOf<{ rows: number }>(
            tx,
            sql`select count(*)::int as rows from ${sql.raw(name)} where laboratory_id = ${hub.laboratoryId}::uuid`,
          )
          const columns = await rowsOf<{ name: string; type: string; inKey: boolean }>(
            tx,
            sql`select attname as name, format_type(atttypid, atttypmod) as type,
                exists (select from pg_index where indrelid = attrelid and indisprimary and attnum = any(indkey)) as "inKey"
              from pg_attribute where attrelid = ${name}::regclass and attnum > 0 and not attisdropped order by attnum`,
          )
          const key = columns.filter(({ inKey }) => inKey).map((column) => column.name)
          if (count !== undefined && count.rows > 0)
            tables.push({ domain, name, columns, key, rows: count.rows })
        }
        return tables
      }),
    ),
  )
  return found.flat()
}

/**
 * The bare way: each table into a file, the files into tables of the same columns with their primary keys and no further
 * indexes. How long that took until the disk had it, in milliseconds.
 */
async function copyRows(hub: BenchHub, tables: readonly CopiedTable[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-copied-rows-'))
  // The server may run as a user of its own.
  chmodSync(folder, 0o777)
  const database = await openBarePglite(join(folder, 'database'))
  try {
    for (const table of tables) await database.exec(describeTable(table))
    const tookMs = await timed(async () => {
      for (const [domain, some] of Map.groupBy(tables, (table) => table.domain))
        await hub.asAdministrator(domain, async (tx) => {
          for (const { name } of some)
            await tx.execute(
              sql.raw(
                `copy (select * from ${name} where laboratory_id = '${hub.laboratoryId}') to '${join(folder, `${domain}.${name}`)}'`,
              ),
            )
        })
      await database.transaction(async (tx) => {
        for (const table of tables) {
          const blob = new Blob([readFileSync(join(folder, nameOf(table)))])
          await tx.query(`copy "${nameOf(table)}" from '/dev/blob'`, [], { blob })
        }
      })
    })
    await requireAll(database, tables)
    return tookMs
  } finally {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function describeTable(table: CopiedTable): string {
  const columns = table.columns.map(({ name, type }) => `"${name}" ${type}`)
  return `create table "${nameOf(table)}" (${columns.join(', ')}, primary key (${table.key.join(', ')}))`
}

function nameOf({ domain, name }: CopiedTable): string {
  return `${domain}.${name}`
}

async function requireAll(database: PGlite, tables: readonly CopiedTable[]): Promise<void> {
  for (const table of tables) {
    const { rows } = await database.query<{ rows: number }>(
      `select count(*)::int as rows from "${nameOf(table)}"`,
    )
    if ((rows[0]?.rows ?? 0) < table.rows) throw new Error(`${nameOf(table)} was not copied`)
  }
}

function describeGrowth(measured: readonly { readonly size: number; readonly row: Row }[]): readonly Row[] {
  const [first, last] = [measured[0], measured.at(-1)]
  if (first === undefined || last === undefined || first === last) return []
  const perSample = ({ size, row }: typeof first) => ratio(row.ours, size)
  return [
    makeRow({
      measure: 'growth of “a workstation joins”, for each sample',
      unit: 'ms',
      baseline: { what: `the same of ${first.size.toLocaleString('en')}`, value: perSample(first) },
      ours: perSample(last),
      budget: null,
    }),
  ]
}
