import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { Refusal } from '../contract/refusal.ts'
import { hashPayload } from '../journal/entry.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import type { Engine } from './engine.ts'
import { applyMigration, type Migration } from './migrate.ts'
import { wordsOf } from './pglite-engine.ts'
import type { DomainTables } from './policy.ts'
import type { OnProgress } from './recovery.ts'
import { columnTypes, quoteName } from './replay.ts'
import {
  dropOldSnapshots,
  listSnapshots,
  readSnapshotHeader,
  readSnapshotRows,
  SnapshotDamaged,
  type SnapshotFile,
  type SnapshotHeader,
  writeSnapshotFile,
} from './snapshot-file.ts'
import { rowsOf, type Transaction } from './transaction.ts'

/** How many snapshots of a domain are kept: one may be damaged, and one may be from before an erasure. */
const snapshotsKept = 3
const rowsPerPage = 1_000
/** A change set may hold 1,000 rows and 4 MB. */
const rowsPerChangeSet = 200

/** The platform's own tables that belong to a domain's state. Of the outbox, its last row is enough to go on from. */
const platformTables = [
  'platform.idempotency',
  'platform.subscriber_cursor',
  'platform.sync_state',
  'platform.pending_change',
  'platform.hub_image',
  'platform.work_item',
  'platform.change_set_fate',
  'platform.outbox',
] as const

/**
 * What a workstation cannot learn from the log behind a snapshot: the work items that are open in it, and what became of
 * work that was pushed before it.
 */
const decisionTables = ['platform.work_item', 'platform.change_set_fate'] as const

class GivenUp extends Error {
  override readonly name = 'GivenUp'
}

/**
 * Writes a database's content at one change set: every captured and derived table, sagas, answers for repeats and
 * cursors; secrets and other local tables are left out. `giveUp` is asked between pages, so that nobody waits for it.
 * Null when there is nothing to keep, when that snapshot exists, or when it was given up.
 */
export async function takeSnapshot(
  engine: Engine,
  domain: string,
  folder: string,
  giveUp: () => boolean = () => false,
): Promise<SnapshotFile | null> {
  try {
    const taken = await engine.transact(async (tx) => {
      await tx.execute(sql`set transaction isolation level repeatable read, read only`)
      await setTextForms(tx)
      const header = await readHeader(tx, domain, platformTables)
      if (header === null || listSnapshots(folder).some((each) => each.sequence === header.sequence))
        return null
      return writeSnapshotFile(folder, header, readTables(tx, header, giveUp))
    })
    if (taken !== null) dropOldSnapshots(folder, snapshotsKept)
    return taken
  } catch (error) {
    if (error instanceof GivenUp) return null
    throw error
  }
}

/** A laboratory's rows of one domain, as they travel between a workstation and the Hub. */
export interface LaboratorySnapshot extends SnapshotFile {
  readonly rows: number
}

/**
 * Writes the rows of one laboratory into a file, in the caller's transaction; what the Hub gives to a workstation has what
 * was decided beside them. Everything else of the platform's own, secrets and other local tables stay; null when the
 * domain has not even been set up.
 */
export async function writeLaboratorySnapshot(
  tx: Transaction,
  domain: string,
  laboratoryId: string,
  folder: string,
  { withDecisions }: { readonly withDecisions: boolean },
): Promise<LaboratorySnapshot | null> {
  await setTextForms(tx)
  const header = await readHeader(tx, domain, withDecisions ? decisionTables : [], laboratoryId)
  if (header === null) return null
  const file = await writeSnapshotFile(
    folder,
    header,
    readTables(tx, header, () => false, laboratoryId),
  )
  dropOldSnapshots(folder, 1)
  return { ...file, rows: header.tables.reduce((sum, { rows }) => sum + rows, 0) }
}

/**
 * Puts a laboratory's rows from a file in the place of those that are here, in the caller's transaction. Triggers rest:
 * the caller says in the journal where the rows came from. Of what was decided, that about work which is pending here is
 * left in `platform.change_set_fate`, for the caller to take.
 */
export async function replaceLaboratoryRows(
  tx: Transaction,
  path: string,
  laboratoryId: string,
): Promise<number> {
  const header = await readSnapshotHeader(path)
  await tx.execute(sql`select set_config('transaction_timeout', '0', true),
    set_config('session_replication_role', 'replica', true)`)
  const triggers = []
  for (const { name } of header.tables) {
    triggers.push(...(await restTriggers(tx, name)))
    await tx.execute(sql`delete from ${sql.raw(name)} where laboratory_id = ${laboratoryId}::uuid`)
  }
  let restored = 0
  for await (const { table, lines } of readSnapshotRows(path, header, rowsPerPage)) {
    const kept = table.name === 'platform.change_set_fate' ? ofPending(table) : sql``
    await insertRows(tx, table, await columnTypes(tx, table.name), lines, kept)
    restored += lines.length
  }
  for (const statement of triggers) await tx.execute(sql.raw(statement))
  await tx.execute(sql`select set_config('session_replication_role', 'origin', true)`)
  return restored
}

/** The others were decided long ago, or are not of this workstation. */
function ofPending({ columns }: SnapshotHeader['tables'][number]): SQL {
  return sql.raw(`where (row ->> ${String(columns.indexOf('change_set_id'))})::uuid
    in (select change_set_id from platform.pending_change)`)
}

/**
 * Adds the rows of a laboratory that is not here yet, part by part, in the caller's transaction; `beforePart` and `afterPart`
 * begin and end what the triggers capture of each. It is written as the owner, whom no row-level security holds back, and
 * the file is a founder's own: what is not of this laboratory, or of a table that does not travel, is refused here.
 */
export async function addLaboratoryRows(
  tx: Transaction,
  path: string,
  laboratoryId: string,
  beforePart: () => Promise<void>,
  afterPart: () => Promise<void>,
): Promise<number> {
  const header = await readSnapshotHeader(path).catch(refuseBadFile)
  await tx.execute(sql`select set_config('transaction_timeout', '0', true)`)
  if (!(await isOfThisVersion(tx, header)))
    throw new Refusal('CONFLICT', `The rows of ${header.domain} were written by another version of TracSeq`)
  const travelling = await listTravelling(tx)
  let added = 0
  for await (const { table, lines } of readSnapshotRows(path, header, rowsPerChangeSet)) {
    if (!travelling.includes(table.name))
      throw new Refusal('BAD_REQUEST', `The rows of ${table.name} do not travel to a Hub`)
    if (!lines.every((line) => isOfLaboratory(line, table.columns, laboratoryId)))
      throw new Refusal('BAD_REQUEST', `A row of ${table.name} is not of the laboratory that is founded`)
    await beforePart()
    await insertRows(tx, table, await columnTypes(tx, table.name), lines).catch(refuseBadFile)
    await afterPart()
    added += lines.length
  }
  return added
}

/** What a file from elsewhere holds may be damaged, or no rows at all: a fault of who sent it, said without our own paths. */
function refuseBadFile(error: unknown): never {
  const state = z
    .object({ code: z.string() })
    .safeParse(error instanceof Error ? (error.cause ?? error) : error)
  const isOfContent = /^2[23]/.test(state.data?.code ?? '')
  if (!isOfContent && !(error instanceof SnapshotDamaged) && !(error instanceof SyntaxError)) throw error
  throw new Refusal('BAD_REQUEST', 'The file does not hold rows that TracSeq wrote: it is damaged')
}

/** The tables whose rows go to other copies. */
async function listTravelling(tx: Transaction): Promise<readonly string[]> {
  const rows = await rowsOf<{ name: string }>(
    tx,
    sql`select table_name as name from platform.synced_table
      where policy <> 'local' and to_regclass(table_name) is not null order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Whether a file has the columns of now: those of another version would be left out without a word. */
async function isOfThisVersion(tx: Transaction, header: SnapshotHeader): Promise<boolean> {
  const applied = await rowsOf<{ name: string }>(tx, sql`select name from platform.migration order by name`)
  const written = header.migrations.map(({ name }) => name).toSorted()
  return applied.length === written.length && applied.every(({ name }) => written.includes(name))
}

/** Whether a line of a snapshot is one row, and names the laboratory. */
function isOfLaboratory(line: string, columns: readonly string[], laboratoryId: string): boolean {
  try {
    return Cells.parse(JSON.parse(line))[columns.indexOf('laboratory_id')] === laboratoryId
  } catch {
    return false
  }
}

const Cells = z.array(z.string().nullable())

async function setTextForms(tx: Transaction): Promise<void> {
  await tx.execute(sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true),
    set_config('bytea_output', 'hex', true), set_config('transaction_timeout', '0', true)`)
}

async function readHeader(
  tx: Transaction,
  domain: string,
  ofPlatform: readonly string[],
  laboratoryId: string | null = null,
): Promise<SnapshotHeader | null> {
  const [last] = await rowsOf<{ sequence: string; payload: string; acknowledged: string }>(
    tx,
    sql`select sequence::text, payload, (select acknowledged_sequence::text from platform.journal_position) as acknowledged
      from platform.outbox order by platform.outbox.sequence desc limit 1`,
  )
  if (last === undefined) return null
  const tables: SnapshotHeader['tables'] = []
  for (const name of [...(await listTravelling(tx)), ...ofPlatform]) {
    const [count] = await rowsOf<{ rows: string }>(
      tx,
      sql`select count(*)::text as rows from ${sql.raw(sourceOf(name, laboratoryId))}`,
    )
    tables.push({ name, columns: [...(await columnTypes(tx, name)).keys()], rows: Number(count?.rows ?? 0) })
  }
  return {
    format: 1,
    domain,
    sequence: Number(last.sequence),
    payloadHash: hashPayload(last.payload).toString('hex'),
    acknowledged: Number(last.acknowledged),
    takenAt: new Date().toISOString(),
    migrations: [
      ...(await rowsOf<{ name: string; sha256: string }>(
        tx,
        sql`select name, sha256 from platform.migration order by applied_at, name`,
      )),
    ],
    tables,
  }
}

/** What of a table is kept: written out, because a cursor takes no parameters. */
function sourceOf(table: string, laboratoryId: string | null): string {
  if (table === 'platform.outbox')
    return '(select * from platform.outbox order by sequence desc limit 1) as last'
  if (laboratoryId === null) return table
  if (!/^[0-9a-f-]{36}$/.test(laboratoryId)) throw new Error(`${laboratoryId} is no laboratory`)
  const own = `${table} where laboratory_id = '${laboratoryId}'`
  return table === 'platform.work_item' ? `${own} and state = 'open'` : own
}

async function* readTables(
  tx: Transaction,
  header: SnapshotHeader,
  giveUp: () => boolean,
  laboratoryId: string | null = null,
): AsyncGenerator<readonly string[]> {
  for (const { name, columns } of header.tables) {
    const cells = columns.map((column) => `${quoteName(column)}::text`).join(', ')
    // A cursor holds the place; rows leave in the order of the primary key, so that equal content gives equal text.
    await tx.execute(sql`declare snapshot_rows no scroll cursor for
      select json_build_array(${sql.raw(cells)})::text as line from ${sql.raw(sourceOf(name, laboratoryId))}
      order by ${sql.raw(await keyOf(tx, name))}`)
    for (;;) {
      if (giveUp()) throw new GivenUp()
      const rows = await rowsOf<{ line: string }>(
        tx,
        sql.raw(`fetch ${String(rowsPerPage)} from snapshot_rows`),
      )
      if (rows.length === 0) break
      // PostgreSQL breaks no lines inside of JSON arrays of texts: line breaks in them are escaped.
      yield rows.map((row) => row.line)
    }
    await tx.execute(sql`close snapshot_rows`)
  }
}

async function keyOf(tx: Transaction, table: string): Promise<string> {
  const rows = await rowsOf<{ name: string }>(
    tx,
    sql`select attname as name from pg_index join pg_attribute a on a.attrelid = indrelid and attnum = any(indkey)
      where indrelid = ${table}::regclass and indisprimary order by array_position(indkey::int2[], attnum)`,
  )
  return rows.length === 0 ? '1' : rows.map((row) => quoteName(row.name)).join(', ')
}

/**
 * Makes an empty database what a snapshot says, all in one transaction. Triggers rest meanwhile: the rows were captured
 * and judged when they were first written, and are none of anybody's doing now.
 */
export async function restoreSnapshot(
  engine: Engine,
  snapshot: { readonly path: string; readonly header: SnapshotHeader },
  schema: {
    readonly migrations: readonly Migration[]
    readonly tables: DomainTables
    readonly onProgress: OnProgress
  },
): Promise<void> {
  const { header, path } = snapshot
  await engine.transact(async (tx) => {
    await tx.execute(sql`select set_config('transaction_timeout', '0', true)`)
    const applied = new Map(header.migrations.map((each) => [each.name, each.sha256]))
    for (const migration of schema.migrations) {
      if (applied.has(migration.name)) await applyMigration(tx, migration, schema.tables)
    }
    // Foreign keys and the like; our own triggers are ENABLE ALWAYS and rest table by table.
    await tx.execute(sql`select set_config('session_replication_role', 'replica', true)`)
    const triggers = []
    for (const { name } of header.tables) {
      triggers.push(...(await restTriggers(tx, name)))
      await tx.execute(sql`delete from ${sql.raw(name)}`)
    }
    const types = new Map<string, ReadonlyMap<string, string>>()
    const total = header.tables.reduce((sum, { rows }) => sum + rows, 0)
    let restored = 0
    for await (const { table, lines } of readSnapshotRows(path, header, rowsPerPage)) {
      const known = types.get(table.name) ?? (await columnTypes(tx, table.name))
      types.set(table.name, known)
      await insertRows(tx, table, known, lines)
      restored += lines.length
      schema.onProgress(`${header.domain}: ${restored} of ${total} rows of a snapshot are restored`)
    }
    for (const statement of triggers) await tx.execute(sql.raw(statement))
    await tx.execute(sql`update platform.journal_position
      set acknowledged_sequence = ${Math.min(header.acknowledged, header.sequence)},
        acknowledged_hash = ${header.acknowledged >= header.sequence ? header.payloadHash : ''}`)
  })
}

/** Lets a table's triggers rest; returns the statements that bring each back as it was. */
async function restTriggers(tx: Transaction, table: string): Promise<readonly string[]> {
  const rows = await rowsOf<{ name: string; state: string }>(
    tx,
    sql`select tgname as name, tgenabled::text as state from pg_trigger
      where tgrelid = ${table}::regclass and not tgisinternal and tgenabled <> 'D' order by 1`,
  )
  if (rows.length > 0) await tx.execute(sql`alter table ${sql.raw(table)} disable trigger user`)
  return rows.map(({ name, state }) => {
    const how = state === 'A' ? 'enable always' : state === 'R' ? 'enable replica' : 'enable'
    return `alter table ${table} ${how} trigger ${quoteName(name)}`
  })
}

/** Columns that are gone are ignored, missing ones take their default. `kept` says which rows are meant; all, where it is empty. */
async function insertRows(
  tx: Transaction,
  table: SnapshotHeader['tables'][number],
  types: ReadonlyMap<string, string>,
  lines: readonly string[],
  kept: SQL = sql``,
): Promise<void> {
  const columns = table.columns.flatMap((name, index) => {
    const type = types.get(name)
    return type === undefined ? [] : [{ name: quoteName(name), value: `(row ->> ${String(index)})::${type}` }]
  })
  await tx.execute(sql`insert into ${sql.raw(table.name)} (${sql.raw(columns.map((each) => each.name).join(', '))})
    select ${sql.raw(columns.map((each) => each.value).join(', '))}
    from json_array_elements(${`[${lines.join(',')}]`}::json) as each (row) ${kept}`)
}

/** Against what a domain's snapshots are held before one is believed. */
interface SnapshotJudges {
  readonly domain: string
  readonly folder: string
  readonly journal: JournalClient
  readonly migrations: readonly Migration[]
  readonly platformMigrations: readonly Migration[]
}

/**
 * Makes an empty database from the newest snapshot that can be read and that the journal confirms. A journal that ends
 * before the snapshot cannot contradict it: then the snapshot is all there is. Says in words what it found.
 */
export async function restoreNewest(
  engine: Engine,
  options: SnapshotJudges & { readonly tables: DomainTables; readonly onProgress: OnProgress },
): Promise<readonly string[]> {
  const { domain } = options
  const said: string[] = []
  for (const { path } of listSnapshots(options.folder)) {
    try {
      const header = await readSnapshotHeader(path)
      const doubt = await doubtOf(header, options)
      if (doubt === null) {
        await restoreSnapshot(engine, { path, header }, options)
        return [...said, `${domain}: the snapshot at entry ${header.sequence} was restored`]
      }
      said.push(`${domain}: the snapshot ${path} was passed over: ${doubt}`)
    } catch (error) {
      if (!(error instanceof SnapshotDamaged) && !(error instanceof SyntaxError)) throw error
      said.push(`${domain}: the snapshot ${path} was passed over: ${wordsOf(error)}`)
    }
  }
  return said
}

/** Whether the journal confirms a snapshot of ours taken after a sequence: then a lost entry can be passed over. */
export async function hasSnapshotAfter(sequence: number, options: SnapshotJudges): Promise<boolean> {
  for (const each of listSnapshots(options.folder)) {
    if (each.sequence < sequence) return false
    try {
      if ((await doubtOf(await readSnapshotHeader(each.path), options)) === null) return true
    } catch (error) {
      if (!(error instanceof SnapshotDamaged) && !(error instanceof SyntaxError)) throw error
    }
  }
  return false
}

async function doubtOf(header: SnapshotHeader, options: SnapshotJudges): Promise<string | null> {
  const { domain, journal } = options
  if (header.domain !== domain) return `it is one of ${header.domain}`
  const known = new Map<string, string>([
    ...options.platformMigrations.map((each) => [`platform/${each.name}`, each.sha256] as const),
    ...options.migrations.map((each) => [each.name, each.sha256] as const),
  ])
  const foreign = header.migrations.find((each) => known.get(each.name) !== each.sha256)
  if (foreign !== undefined) return `this program does not have its migration ${foreign.name}`
  const head = (await journal.domainHead(domain))?.domainSequence ?? 0
  if (header.sequence > head) return null
  const entry = await journal.entryAt(domain, header.sequence)
  return entry?.payloadHash === header.payloadHash ? null : 'the journal has another history'
}
