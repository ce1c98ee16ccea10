import { cpSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { event } from '../../contract/event.ts'
import { type JournalClient, connectJournal } from '../../journal/journal-client.ts'
import { type RunningJournal, startJournal } from '../../journal/start-journal.ts'
import type { ChangeRequest, ChangeScope } from '../change.ts'
import type { DomainDatabase, WorkstationDatabaseOptions } from '../domain-database.ts'
import { type Migration, readMigrations } from '../migrate.ts'
import { rowsOf, type Transaction } from '../transaction.ts'
import { copyTestDatabase, loseTestDatabase, openTestDatabase } from './test-database.ts'
import { makeTestFolder } from './test-folder.ts'

const repository = resolve(import.meta.dirname, '../../..')

/** A domain of one table, small enough to read, with every kind of column that has ever lost something. */
export const noteMigration = migration(
  '20260101000000_notes',
  `CREATE TABLE "note" (
     laboratory_id uuid NOT NULL, id uuid NOT NULL,
     revision uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
     words text NOT NULL, amount numeric, big bigint, facts jsonb, bytes bytea,
     at timestamptz(3) NOT NULL DEFAULT '2026-01-01T00:00:00Z',
     length integer GENERATED ALWAYS AS (char_length(words)) STORED,
     PRIMARY KEY (laboratory_id, id)
   );
   CREATE TABLE "reading" (
     laboratory_id uuid NOT NULL, id uuid NOT NULL,
     revision uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
     value numeric NOT NULL, PRIMARY KEY (laboratory_id, id)
   )`,
)

export const noteTables = {
  tables: [
    { name: 'note', policy: 'field-merge' },
    { name: 'reading', policy: 'append-only' },
  ],
} as const

export const NoteWritten = event('NoteWritten', z.object({ id: z.string() }))

export function migration(name: string, text: string): Migration {
  return { name, sql: text, sha256: createHash('sha256').update(text).digest('hex'), upcast: null }
}

/** A home with a journal and the note domain, opened and closed as often as a test wants. */
export interface NoteHome {
  readonly home: string
  readonly directory: string
  readonly laboratoryId: string
  readonly journal: JournalClient
  readonly database: DomainDatabase
  readonly recovery: readonly string[]
  open(migrations?: readonly Migration[]): Promise<void>
  /** Loses the closed database. */
  loseDatabase(): Promise<void>
  /** Keeps a copy of the closed database under a name. */
  keepDatabase(name: string): Promise<void>
  /** Puts a kept copy in the database's place. */
  bringBackDatabase(name: string): Promise<void>
  close(): Promise<void>
  dispose(): Promise<void>
  write(words: string, more?: Partial<NoteValues>, key?: string): Promise<string>
  change<T>(work: (scope: ChangeScope) => Promise<T>, request?: Partial<ChangeRequest>): Promise<T>
  rows(): Promise<readonly unknown[]>
  /** Every table that snapshots and replays promise to keep, as text. */
  everything(): Promise<Readonly<Record<string, readonly string[]>>>
  /** Copies a file or folder while TracSeq is closed. */
  copy(from: string, to: string): void
}

export interface NoteValues {
  readonly amount: string
  readonly big: string
  readonly facts: object
  readonly bytes: string
}

export async function openNoteHome(
  settings: Pick<WorkstationDatabaseOptions, 'snapshotEvery' | 'housekeeping' | 'fileSystem'> = {},
): Promise<NoteHome> {
  const home = makeTestFolder('tracseq-notes-')
  const directory = join(home, 'databases', 'notes')
  const laboratoryId = uuidv7()
  let running: {
    journal: RunningJournal
    client: JournalClient
    database: DomainDatabase
    recovery: readonly string[]
  } | null = null

  function current() {
    if (running === null) throw new Error('The note domain is closed')
    return running
  }

  async function open(migrations: readonly Migration[] = [noteMigration]): Promise<void> {
    const journal = await startJournal({
      home,
      author: { actorId: 'test', workstationId: 'bench', hybridLogicalTime: () => '' },
    })
    try {
      const client = await connectJournal(journal.createPort())
      const opened = await openTestDatabase({
        domain: 'notes',
        tables: noteTables,
        journal: client,
        workstationId: 'bench',
        platformMigrations: readMigrations(join(repository, 'drizzle', 'platform')),
        migrations,
        directory,
        snapshots: join(home, 'snapshots', 'notes'),
        ...settings,
      })
      running = { journal, client, ...opened }
    } catch (error) {
      await journal.close()
      throw error
    }
  }

  async function close(): Promise<void> {
    if (running === null) return
    const { database, client, journal } = running
    running = null
    await database.close()
    client.close()
    await journal.close()
  }

  async function change<T>(
    work: (scope: ChangeScope) => Promise<T>,
    request: Partial<ChangeRequest> = {},
  ): Promise<T> {
    return current().database.change(
      {
        laboratoryId,
        actorId: 'technician',
        origin: 'local',
        workstationId: 'bench',
        hybridLogicalTime: '',
        reason: null,
        correlationId: uuidv7(),
        procedure: 'notes.write',
        idempotencyKey: null,
        requestHash: '',
        secretAnswer: false,
        deadlineAt: Date.now() + 30_000,
        reaction: null,
        causedBy: null,
        ...request,
      },
      work,
    )
  }

  await open()
  return {
    home,
    directory,
    laboratoryId,
    get journal() {
      return current().client
    },
    get database() {
      return current().database
    },
    get recovery() {
      return current().recovery
    },
    open,
    close,
    loseDatabase: () => loseTestDatabase(directory),
    keepDatabase: (name) => copyTestDatabase(directory, `${directory}.${name}`),
    bringBackDatabase: (name) => copyTestDatabase(`${directory}.${name}`, directory),
    everything: () => current().database.asOwner((tx) => readEverything(tx)),
    async dispose() {
      await close()
      rmSync(home, { recursive: true, force: true })
    },
    write(words, more = {}, key) {
      const id = uuidv7()
      return change(
        async ({ tx, ...scope }) => {
          await tx.execute(sql`insert into note (laboratory_id, id, words, amount, big, facts, bytes) values (
            ${laboratoryId}::uuid, ${id}::uuid, ${words}, ${more.amount ?? null}::numeric, ${more.big ?? null}::bigint,
            ${more.facts === undefined ? null : JSON.stringify(more.facts)}::jsonb, decode(${more.bytes ?? null}::text, 'hex'))`)
          scope.announce(NoteWritten, { id })
          return id
        },
        key === undefined ? {} : { idempotencyKey: key, requestHash: words },
      )
    },
    change,
    rows: () =>
      current().database.read(laboratoryId, (tx) =>
        rowsOf(
          tx,
          sql`select id::text, revision::text, words, amount::text, big::text, facts, encode(bytes, 'hex') as bytes, at::text, length
            from note order by id`,
        ),
      ),
    copy(from, to) {
      rmSync(to, { recursive: true, force: true })
      cpSync(from, to, { recursive: true })
    },
  }
}

const keptTables = [
  'note',
  'reading',
  'platform.saga',
  'platform.idempotency',
  'platform.subscriber_cursor',
  'platform.synced_table',
]

async function readEverything(tx: Transaction): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, readonly string[]> = {}
  for (const table of keptTables) {
    const rows = await rowsOf<{ line: string }>(
      tx,
      sql`select each::text as line from ${sql.raw(table)} as each order by 1`,
    )
    found[table] = rows.map(({ line }) => line)
  }
  const triggers = await rowsOf<{ line: string }>(
    tx,
    sql`select tgrelid::regclass::text || ' ' || tgname || ' ' || tgenabled::text as line
      from pg_trigger where not tgisinternal order by 1`,
  )
  return { ...found, triggers: triggers.map(({ line }) => line) }
}
