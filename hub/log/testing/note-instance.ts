import { join, resolve } from 'node:path'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { type ChangeRequest, type ChangeScope, makeChange } from '../../../platform/database/change.ts'
import { readMigrations } from '../../../platform/database/migrate.ts'
import { openServerDatabase } from '../../../platform/database/server-database.ts'
import { noteMigration, noteTables } from '../../../platform/database/testing/note-domain.ts'
import { connectJournal } from '../../../platform/journal/journal-client.ts'
import { rowsOf } from '../../../platform/database/transaction.ts'
import type { ChangeSet } from '../../../platform/sync/change-set.ts'
import { decideSets } from '../../../platform/sync/database/decide-in-database.ts'
import { RowImages } from '../../../platform/sync/database/row-images.ts'
import type { HubLog } from '../hub-log.ts'

const images = new RowImages()
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

  function requestFor(causedBy: string | null, key: string | null = null): ChangeRequest {
    return {
      ...{ laboratoryId, causedBy, actorId: 'somebody', origin: 'local', workstationId: 'hub' },
      ...{ hybridLogicalTime: '', reason: null, correlationId: uuidv7(), procedure: `${domain}.write` },
      ...{ idempotencyKey: key, requestHash: '', secretAnswer: false, deadlineAt: Date.now() + 30_000 },
      reaction: null,
    }
  }

  return {
    domain,
    journal,
    /** Writes a note and answers with its change set. */
    write: (causedBy: string | null = null, key: string | null = null) =>
      database.change(requestFor(causedBy, key), writeNote),
    /** Changes whichever note it finds, whether or not the log has it by now. */
    rewrite: (causedBy: string | null = null, key: string | null = null) =>
      database.change(requestFor(causedBy, key), rewriteNote),
    /** Decides what a workstation pushed, and answers with the change set that it became. */
    async decide(set: ChangeSet): Promise<string> {
      const deciding = { database, images, rules: { [domain]: { note: { policy: 'field-merge' as const } } } }
      const known = { fates: new Map(), permitted: new Set([set.id]) }
      const [decided] = await decideSets(deciding, [set], known, { from: 'workstation' })
      if (decided?.status !== 'taken')
        throw new Error(`A pushed note was not taken: ${JSON.stringify(decided)}`)
      return decided.resultId
    },
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

/** A note that a workstation wrote. */
export function pushedNote({ domain, laboratoryId }: NotePlace, causedBy: string | null): ChangeSet {
  const id = uuidv7()
  const key = { laboratory_id: laboratoryId, id: uuidv7() }
  const values = { ...key, revision: id, words: 'pushed', amount: null, big: null, facts: null, bytes: null }
  return {
    ...{ id, domain, laboratoryId, causedBy, workstationId: 'bench', actorId: 'somebody', events: [] },
    ...{ hybridLogicalTime: '', recordedAt: new Date().toISOString(), reason: null, correlationId: uuidv7() },
    procedure: `${domain}.write`,
    changes: [
      {
        ...{ table: 'note', operation: 'insert', key, replaces: null, before: {} },
        values: { ...values, at: '2026-01-01 00:00:00+00' },
      },
    ],
  }
}
