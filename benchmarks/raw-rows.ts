import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { openBarePglite } from './bare-pglite.ts'
import { timed } from './benchmark.ts'

/** What a command left in its domain's database and in the journal, as far as writing it again needs it. */
const Payload = z.object({
  entry: z.object({ changeSetId: z.string() }),
  body: z.object({
    command: z.object({ idempotencyKey: z.string().nullable(), answer: z.string().nullable() }),
    changes: z.array(
      z.object({
        table: z.string(),
        operation: z.enum(['insert', 'update']),
        key: z.object({ laboratory_id: z.string(), id: z.string() }),
        values: z.record(z.string(), z.string().nullable()),
      }),
    ),
  }),
})

/** The least that could make the same rows durable: one transaction of a bare PGlite, one append to a bare SQLite. */
export interface RawRows {
  /** Writes what a journal entry's payload holds, and gives how long it took until both disks had it, in milliseconds. */
  write(payload: string): Promise<number>
  close(): Promise<void>
}

/**
 * Opens a bare PGlite with fsync and a bare SQLite with `synchronous=FULL`, side by side in one thread. Tables are made as
 * entries need them, all columns text, with a primary key and neither triggers nor further indexes.
 */
export async function openRawRows(): Promise<RawRows> {
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-raw-rows-'))
  const database = await openBarePglite(join(folder, 'database'))
  await database.exec(`create table captured (change_set text, ordinal int, image text, primary key (change_set, ordinal));
    create table kept_answer (key text primary key, answer text);
    create table outbox (sequence bigint primary key, payload text)`)
  const journal = new Database(join(folder, 'journal.sqlite'))
  journal.pragma('journal_mode = WAL')
  journal.pragma('synchronous = FULL')
  journal.exec('create table entry (sequence integer primary key, payload text not null) strict')
  const append = journal.prepare('insert into entry (payload) values (?)')
  const columns = new Map<string, Set<string>>()
  let sequence = 0

  /** Before the clock runs. */
  async function prepare({ table, values }: { table: string; values: Readonly<Record<string, unknown>> }) {
    const known = columns.get(table) ?? new Set(['laboratory_id', 'id'])
    if (!columns.has(table)) {
      columns.set(table, known)
      await database.exec(
        `create table "${table}" (laboratory_id text, id text, primary key (laboratory_id, id))`,
      )
    }
    for (const name of Object.keys(values)) {
      if (known.has(name)) continue
      known.add(name)
      await database.exec(`alter table "${table}" add column "${name}" text`)
    }
  }

  return {
    async write(payload) {
      const { entry, body } = Payload.parse(JSON.parse(payload))
      const { changes, command } = body
      for (const change of changes) await prepare(change)
      return timed(async () => {
        await database.transaction(async (tx) => {
          for (const { table, operation, key, values } of changes) {
            const names = Object.keys(values)
            await (operation === 'insert'
              ? tx.query(
                  `insert into "${table}" (${names.map(quote).join(', ')}) values (${names.map(placeholder).join(', ')})`,
                  Object.values(values),
                )
              : tx.query(
                  `update "${table}" set ${names.map((name, index) => `${quote(name)} = ${placeholder(name, index)}`).join(', ')}
                    where laboratory_id = $${names.length + 1} and id = $${names.length + 2}`,
                  [...Object.values(values), key.laboratory_id, key.id],
                ))
          }
          if (changes.length > 0)
            await tx.query(
              `insert into captured values ${changes.map((_, index) => `($1, ${index}, $${index + 2})`).join(', ')}`,
              [entry.changeSetId, ...changes.map((change) => JSON.stringify(change))],
            )
          if (command.idempotencyKey !== null)
            await tx.query('insert into kept_answer values ($1, $2)', [
              command.idempotencyKey,
              command.answer,
            ])
          sequence += 1
          await tx.query('insert into outbox values ($1, $2)', [sequence, payload])
        })
        append.run(payload)
      })
    },
    async close() {
      journal.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function quote(name: string): string {
  return `"${name}"`
}

function placeholder(_name: string, index: number): string {
  return `$${index + 1}`
}
