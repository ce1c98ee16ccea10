import { join, resolve } from 'node:path'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { type ChangeRequest, type ChangeScope, makeChange } from '../../../platform/database/change.ts'
import { readMigrations } from '../../../platform/database/migrate.ts'
import { openServerDatabase } from '../../../platform/database/server-database.ts'
import { noteMigration, noteTables } from '../../../platform/database/testing/note-domain.ts'
import { connectJournal } from '../../../platform/journal/journal-client.ts'
import { rowsOf } from '../../../platform/database/transaction.ts'
import type { HubLog } from '../hub-log.ts'

const repository = resolve(import.meta.dirname, '../../..')

/** One worker of a domain of notes, as an instance of the Hub runs several: its database, and its way into the log. */
export type NoteInstance = Awaited<ReturnType<typeof openNoteInstance>>

export interface NotePlace {
  readonly domain: string
  /** The domain's database. */
  readonly url: string
  readonly laboratoryId: string
}

export async function openNoteInstance(log: Pick<HubLog, 'createPort'>, place: NotePlace) {
  const { domain, url, laboratoryId } = place
  const journal = await connectJournal(log.createPort())
  const { database } = await openServerDatabase({
    ...{ domain, url, journal, tables: noteTables, workstationId: 'hub', snapshots: null },
    platformMigrations: readMigrations(join(repository, 'drizzle/platform')),
    migrations: [noteMigration],
  })

  function requestFor(causedBy: string | null): ChangeRequest {
    return {
      ...{ laboratoryId, causedBy, actorId: 'somebody', origin: 'local', workstationId: 'hub' },
      ...{ hybridLogicalTime: '', reason: null, correlationId: uuidv7(), procedure: `${domain}.write` },
      ...{ idempotencyKey: null, requestHash: '', secretAnswer: false, deadlineAt: Date.now() + 30_000 },
      reaction: null,
    }
  }

  return {
    domain,
    journal,
    /** Writes a note and answers with its change set. */
    write: (causedBy: string | null = null) => database.change(requestFor(causedBy), writeNote),
    /** Changes whichever note it finds, whether or not the log has it by now. */
    rewrite: (causedBy: string | null = null) => database.change(requestFor(causedBy), rewriteNote),
    /** Keeps its transaction open before the change set has its number. */
    writeSlowly: (reached: () => Promise<unknown>) =>
      database.change(requestFor(null), async (scope) => {
        const id = await writeNote(scope)
        await reached()
        return id
      }),
    /** Keeps its transaction open when the change set has its number and is not committed. */
    commitSlowly: (reached: () => Promise<unknown>) =>
      database.changeAsPlatform(async (tx) => {
        const { answer, entry } = await makeChange(tx, requestFor(null), writeNote)
        await reached()
        return { answer, entries: entry === null ? [] : [entry] }
      }),
    async close() {
      await database.close()
      journal.close()
    },
  }

  async function writeNote({ tx, changeSetId }: ChangeScope): Promise<string> {
    await tx.execute(sql`insert into note (laboratory_id, id, words)
      values (${laboratoryId}::uuid, ${uuidv7()}::uuid, 'written')`)
    return changeSetId
  }

  async function rewriteNote(scope: ChangeScope): Promise<string> {
    const { tx, changeSetId } = scope
    const found = await rowsOf(
      tx,
      sql`update note set words = ${changeSetId}
        where id = (select id from note order by random() limit 1) returning id`,
    )
    return found.length === 0 ? writeNote(scope) : changeSetId
  }
}
