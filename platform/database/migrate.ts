import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { splitPayloadBeginning } from './change.ts'
import type { Engine } from './engine.ts'
import { rowsOf, type Transaction } from './transaction.ts'
import type { DomainTables } from './policy.ts'
import type { OnProgress } from './recovery.ts'
import { upcastWaiting } from './upcast-waiting.ts'
import { Upcast } from '../sync/upcast.ts'

/** One migration: a folder `<timestamp>_<sentence>` with a `migration.sql` in it. */
export interface Migration {
  readonly name: string
  readonly sql: string
  readonly sha256: string
  /** How rows from before it are read; null where nothing is called otherwise. */
  readonly upcast: Upcast | null
}

/** A database knows a migration that this program does not, or one with another text. */
export class MigrationMismatch extends Error {
  override readonly name = 'MigrationMismatch'
}

/** Reads the migrations in a folder, oldest first; drizzle-kit writes them. */
export function readMigrations(folder: string): readonly Migration[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      const beside = join(folder, name, 'upcast.json')
      const upcast = existsSync(beside) ? readFileSync(beside, 'utf8') : ''
      return {
        name,
        sql: text,
        sha256: createHash('sha256').update(text).update(upcast).digest('hex'),
        upcast: upcast === '' ? null : Upcast.parse(JSON.parse(upcast)),
      }
    })
}

/**
 * Brings a database to this program's schema. The shared tables come first and are not journaled (they are the
 * journal's own footing); each of the domain's migrations is a journal entry, committed together with its effect.
 */
export async function migrate(
  engine: Engine,
  request: {
    readonly domain: string
    readonly workstationId: string
    readonly platform: readonly Migration[]
    readonly own: readonly Migration[]
    readonly tables: DomainTables
    readonly onProgress?: OnProgress
    /** The domain's own migrations are left for later: those already applied are not held against it. */
    readonly mayBeAhead?: boolean
  },
): Promise<{ readonly applied: readonly string[] }> {
  const applied: string[] = []
  const known = await appliedMigrations(engine)
  for (const migration of request.platform) {
    if (isApplied(known, `platform/${migration.name}`, migration)) continue
    request.onProgress?.(`${request.domain}: the migration ${migration.name} runs`, 'long')
    await engine.transact(async (tx) => {
      await runStatements(tx, migration.sql)
      await recordMigration(tx, `platform/${migration.name}`, migration)
    })
  }
  for (const migration of request.own) {
    if (isApplied(known, migration.name, migration)) continue
    request.onProgress?.(`${request.domain}: the migration ${migration.name} runs`, 'long')
    await engine.transact(async (tx) => {
      await applyMigration(tx, migration, request.tables)
      await journalMigration(tx, request, migration)
    })
    applied.push(migration.name)
  }
  if (request.mayBeAhead !== true) refuseUnknown(known, request)
  return { applied }
}

/**
 * A migration's effect, also when it is replayed from the journal: its statements, the tables' policies, and what waits for
 * the Hub in the columns of before.
 */
export async function applyMigration(
  tx: Transaction,
  migration: Migration,
  tables: DomainTables,
): Promise<void> {
  // No table is altered while the judgement of its rows is open.
  await tx.execute(
    sql`select set_config('tracseq.change_set_id', '', true), set_config('tracseq.origin', 'migration', true)`,
  )
  await tx.execute(sql`set constraints all immediate`)
  await runStatements(tx, migration.sql)
  await tx.execute(sql`select set_config('tracseq.origin', '', true)`)
  for (const { name, policy } of tables.tables) {
    await tx.execute(sql`select platform.protect_table(t::regclass, ${policy})
      from (select to_regclass(${`public.${name}`}) as t) as found where t is not null`)
  }
  await recordMigration(tx, migration.name, migration)
  if (migration.upcast === null) return
  await tx.execute(sql`update platform.migration set upcast = ${JSON.stringify(migration.upcast)}::jsonb
    where name = ${migration.name}`)
  await upcastWaiting(tx, migration.upcast)
}

async function journalMigration(
  tx: Transaction,
  request: { readonly domain: string; readonly workstationId: string },
  migration: Migration,
): Promise<void> {
  const recordedAt = new Date().toISOString()
  const changeSetId = uuidv7()
  const { head, tail } = splitPayloadBeginning({
    kind: 'migration',
    domain: request.domain,
    changeSetId,
    origin: 'migration',
    actorId: 'tracseq',
    workstationId: request.workstationId,
    hybridLogicalTime: '',
    reason: migration.name,
    correlationId: changeSetId,
    recordedAt,
    eventNames: [],
  })
  const body = JSON.stringify({ migration })
  await tx.execute(sql`insert into platform.outbox
    select next, 'migration', ${changeSetId}::uuid, ${head} || next || ${tail} || ${body} || '}'
    from (select coalesce(max(sequence), 0) + 1 as next from platform.outbox) as dense`)
}

/** Statements one by one: the extended protocol takes one at a time. drizzle-kit separates them by a marker. */
async function runStatements(tx: Transaction, text: string): Promise<void> {
  for (const statement of text.split('--> statement-breakpoint').flatMap(splitStatements)) {
    await tx.execute(sql.raw(statement))
  }
}

/** Splits at semicolons outside of quotes, dollar quotes and comments. */
export function splitStatements(text: string): readonly string[] {
  const statements: string[] = []
  let from = 0
  let at = 0
  while (at < text.length) {
    const rest = text.slice(at)
    const quoted =
      /^(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|(\$[a-z_]*\$)[\s\S]*?\1)/i.exec(rest)
    if (quoted !== null) {
      at += quoted[0].length
      continue
    }
    if (text[at] === ';') {
      statements.push(text.slice(from, at))
      from = at + 1
    }
    at += 1
  }
  statements.push(text.slice(from))
  return statements.filter((statement) => statement.replace(/--[^\n]*/g, '').trim() !== '')
}

async function recordMigration(tx: Transaction, name: string, migration: Migration): Promise<void> {
  await tx.execute(
    sql`insert into platform.migration (name, sha256, applied_at) values (${name}, ${migration.sha256}, now())`,
  )
}

async function appliedMigrations(engine: Engine): Promise<ReadonlyMap<string, string>> {
  return engine.transact(async (tx) => {
    const [exists] = await rowsOf<{ there: boolean }>(
      tx,
      sql`select to_regclass('platform.migration') is not null as there`,
    )
    if (exists?.there !== true) return new Map<string, string>()
    const rows = await rowsOf<{ name: string; sha256: string }>(
      tx,
      sql`select name, sha256 from platform.migration`,
    )
    return new Map(rows.map((row) => [row.name, row.sha256]))
  })
}

function isApplied(known: ReadonlyMap<string, string>, name: string, migration: Migration): boolean {
  const sha256 = known.get(name)
  if (sha256 === undefined) return false
  if (sha256 !== migration.sha256) {
    throw new MigrationMismatch(
      `The migration ${name} was applied here with another text: it may not be edited`,
    )
  }
  return true
}

function refuseUnknown(
  known: ReadonlyMap<string, string>,
  request: { readonly platform: readonly Migration[]; readonly own: readonly Migration[] },
): void {
  const names = new Set([
    ...request.platform.map((each) => `platform/${each.name}`),
    ...request.own.map((each) => each.name),
  ])
  const unknown = [...known.keys()].filter((name) => !names.has(name))
  if (unknown.length > 0) {
    throw new MigrationMismatch(
      `This database was written by a newer TracSeq (it has ${unknown.join(', ')}): update this program first`,
    )
  }
}
