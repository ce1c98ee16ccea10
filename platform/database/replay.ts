import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { JournalEntry } from '../journal/entry.ts'
import type { SyncNote } from '../sync/journaled.ts'
import { Upcast } from '../sync/upcast.ts'
import { beginChangeSet, moveCursor } from './change.ts'
import type { Engine } from './engine.ts'
import { applyMigration } from './migrate.ts'
import type { DomainTables } from './policy.ts'
import { applySyncNote } from './sync-note.ts'
import { rowsOf, type Transaction } from './transaction.ts'

/** Replaying an entry gave other rows than the entry says: the database or the journal is not what it claims to be. */
export class ReplayDiffers extends Error {
  override readonly name = 'ReplayDiffers'
}

/** An entry's content is in no journal any more; only a snapshot taken after it knows what it did. */
export class EntryLost extends Error {
  override readonly name = 'EntryLost'
  readonly domainSequence: number

  constructor(domainSequence: number, message: string) {
    super(message)
    this.domainSequence = domainSequence
  }
}

const Values = z.record(z.string(), z.string().nullable())
const Change = z.object({
  table: z.string(),
  operation: z.enum(['insert', 'update', 'withdraw']),
  key: z.object({ laboratory_id: z.string(), id: z.string() }),
  replaces: z.string().nullable(),
  values: Values,
})
export type WrittenChange = z.infer<typeof Change>

const ChangeBody = z.object({
  laboratoryId: z.string().nullable(),
  sync: z.custom<SyncNote | null>().default(null),
  command: z.object({
    procedure: z.string(),
    idempotencyKey: z.string().nullable(),
    requestHash: z.string(),
    answer: z.string().nullable(),
  }),
  reaction: z
    .object({ subscriber: z.string(), journalSequence: z.number().int(), journalHash: z.string() })
    .nullable(),
  changes: z.array(Change),
})
const MigrationBody = z.object({
  migration: z.object({
    name: z.string(),
    sql: z.string(),
    sha256: z.string(),
    upcast: Upcast.nullable().default(null),
  }),
})

/** How many entries share one transaction while a database is being caught up. */
const entriesPerTransaction = 200

/**
 * Applies journal entries of one domain to its database, in order: rows, repeats and cursors end exactly as they were.
 * Every replayed change is captured again and compared with the entry.
 */
export async function replayEntries(
  engine: Engine,
  tables: DomainTables,
  entries: readonly JournalEntry[],
): Promise<void> {
  for (let from = 0; from < entries.length; from += entriesPerTransaction) {
    await engine.transact(async (tx) => {
      const columns = new Map<string, ReadonlyMap<string, string>>()
      // A change set is judged whole: containers that changed places in one statement come back row by row.
      await tx.execute(sql`set constraints all deferred`)
      for (const entry of entries.slice(from, from + entriesPerTransaction)) {
        await replayEntry(tx, tables, entry, columns)
      }
      await tx.execute(sql`set constraints all immediate`)
    })
  }
}

async function replayEntry(
  tx: Transaction,
  tables: DomainTables,
  entry: JournalEntry,
  columns: Map<string, ReadonlyMap<string, string>>,
): Promise<void> {
  if (entry.payload === null || entry.kind === 'gap') {
    const why = entry.kind === 'gap' ? 'announces entries that were lost' : 'had its content removed'
    throw new EntryLost(
      entry.domainSequence,
      `The ${entry.domain} database cannot be made anew from the journal alone: entry ${entry.sequence} ${why}, ` +
        'and there is no snapshot from after it. Restore a backup.',
    )
  }
  const { body } = z.object({ body: z.unknown() }).parse(JSON.parse(entry.payload))
  if (entry.kind === 'migration') {
    await applyMigration(tx, MigrationBody.parse(body).migration, tables)
    await tx.execute(sql`set constraints all deferred`)
    columns.clear()
  } else if (entry.kind === 'change') {
    await replayChange(tx, entry, ChangeBody.parse(body), columns)
    return
  }
  await tx.execute(sql`insert into platform.outbox ${outboxRow(entry)}`)
}

function outboxRow(entry: JournalEntry): SQL {
  return sql`values (${entry.domainSequence}::bigint, ${entry.kind}::text, ${entry.changeSetId}::uuid, ${entry.payload}::text)`
}

async function replayChange(
  tx: Transaction,
  entry: JournalEntry,
  body: z.infer<typeof ChangeBody>,
  columns: Map<string, ReadonlyMap<string, string>>,
): Promise<void> {
  refuseInstalled(entry, body.sync)
  const laboratoryId = body.laboratoryId ?? ''
  await beginChangeSet(tx, { laboratoryId, origin: entry.origin }, entry.changeSetId)
  for (const change of body.changes) {
    const types = columns.get(change.table) ?? (await columnTypes(tx, change.table))
    columns.set(change.table, types)
    await writeRow(tx, change, types)
  }
  compareCaptured(entry, body.changes, await finishReplay(tx, entry, body))
  if (body.reaction !== null) await moveCursor(tx, body.reaction)
  if (body.sync !== null) await applySyncNote(tx, body.sync, { laboratoryId, ...entry })
}

/** What was taken from the Hub in one piece is in no entry: the snapshot that was made right after it has it. */
function refuseInstalled(entry: JournalEntry, note: SyncNote | null): void {
  if (note?.kind !== 'installed') return
  throw new EntryLost(
    entry.domainSequence,
    `The ${entry.domain} database cannot be made anew from the journal alone: with entry ${entry.sequence} it took the ` +
      "Hub's rows in one piece, and there is no snapshot from after it. Restore a backup, or enrol the workstation anew.",
  )
}

/** What a replayed change wrote, as the triggers saw it. */
interface CapturedRow {
  readonly table_name: string
  readonly operation: string
  readonly image: Readonly<Record<string, string | null>>
}

/** The outbox row, the answer for repeats and a look at what was captured, in one statement: there are many entries. */
async function finishReplay(
  tx: Transaction,
  entry: JournalEntry,
  { command, changes }: z.infer<typeof ChangeBody>,
): Promise<readonly CapturedRow[]> {
  return rowsOf<CapturedRow>(
    tx,
    sql`with taken as (delete from platform.capture where change_set_id = ${entry.changeSetId}::uuid
          returning ordinal, table_name, operation, key, replaces, image, before),
        sent as (insert into platform.outbox ${outboxRow(entry)}),
        waiting as (insert into platform.pending_change
          select ${entry.domainSequence}::bigint, row_number() over (order by ordinal), ${entry.changeSetId}::uuid, table_name,
            (key ->> 'id')::uuid, jsonb_build_object('table', table_name, 'operation', operation, 'key', key,
              'replaces', replaces, 'values', image, 'before', before)
          from taken where current_setting('tracseq.is_pending', true) = 'yes'),
        answered as (insert into platform.idempotency
          select ${command.idempotencyKey}::text, ${command.requestHash}::text, ${command.procedure}::text,
            ${command.answer}::text, ${changes.length === 0 ? null : entry.changeSetId}::uuid, ${entry.recordedAt}::timestamptz
          where ${command.idempotencyKey}::text is not null
          on conflict (key) do nothing)
        select table_name, operation, image from taken order by ordinal`,
  )
}

/** A table's stored columns in order, each with its SQL type. */
export async function columnTypes(
  tx: Pick<Transaction, 'execute'>,
  table: string,
): Promise<ReadonlyMap<string, string>> {
  const rows = await rowsOf<{ name: string; type: string }>(
    tx,
    sql`select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
      where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = ''
      order by attnum`,
  )
  return new Map(rows.map((row) => [row.name, row.type]))
}

/** Writes one row from its text image, or takes it away. Columns that are gone are ignored, missing ones take their default. */
export async function writeRow(
  tx: Transaction,
  change: WrittenChange,
  types: ReadonlyMap<string, string>,
): Promise<void> {
  const cells = Object.entries(change.values).filter(([name]) => types.has(name))
  const table = sql.raw(change.table.split('.').map(quoteName).join('.'))
  const valueOf = (name: string, value: string | null) =>
    sql`${value}::text::${sql.raw(types.get(name) ?? 'text')}`
  if (change.operation === 'withdraw') {
    await tx.execute(sql`delete from ${table}
      where laboratory_id = ${change.key.laboratory_id}::uuid and id = ${change.key.id}::uuid`)
    return
  }
  if (change.operation === 'insert') {
    const names = sql.raw(cells.map(([name]) => quoteName(name)).join(', '))
    const values = sql.join(
      cells.map(([name, value]) => valueOf(name, value)),
      sql`, `,
    )
    await tx.execute(sql`insert into ${table} (${names}) values (${values})`)
    return
  }
  const assignments = sql.join(
    // An update that changed nothing but the revision still has to touch the row.
    cells.length === 0
      ? [sql`revision = revision`]
      : cells.map(([name, value]) => sql`${sql.raw(quoteName(name))} = ${valueOf(name, value)}`),
    sql`, `,
  )
  const touched = await rowsOf(
    tx,
    sql`update ${table} set ${assignments}
      where laboratory_id = ${change.key.laboratory_id}::uuid and id = ${change.key.id}::uuid returning 1`,
  )
  if (touched.length !== 1) {
    throw new ReplayDiffers(
      `The row ${change.key.id} of ${change.table} is missing, though the journal changes it`,
    )
  }
}

function compareCaptured(
  entry: JournalEntry,
  expected: readonly WrittenChange[],
  captured: readonly CapturedRow[],
): void {
  const same =
    captured.length === expected.length &&
    captured.every((row, index) => {
      const other = expected[index]
      return (
        other !== undefined &&
        row.table_name === other.table &&
        row.operation === other.operation &&
        equalValues(row.image, other.values)
      )
    })
  if (!same) {
    throw new ReplayDiffers(`Replaying entry ${entry.sequence} of the journal gives other rows than it says`)
  }
}

function equalValues(
  a: Readonly<Record<string, string | null>>,
  b: Readonly<Record<string, string | null>>,
): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** A name as SQL wants it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
