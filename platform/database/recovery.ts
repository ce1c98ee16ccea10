import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { metadataOf, hashPayload, type JournalEntry, type NewJournalEntry } from '../journal/entry.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import type { EntryAuthor } from '../journal/announcement.ts'
import type { Engine } from './engine.ts'
import type { DomainTables } from './policy.ts'
import { replayEntries } from './replay.ts'
import { rowsOf } from './transaction.ts'

/** The same place in the history with two contents. Nobody may go on before a person has decided which is true. */
export class DatabaseFork extends Error {
  override readonly name = 'DatabaseFork'
}

/** Where a database stands. */
export interface DatabasePosition {
  /** The last change set in its outbox; 0 for a new database. */
  readonly last: number
  /** The first one still held with its payload. */
  readonly firstHeld: number
  /** Whether it holds more than migrations. */
  readonly hasChanges: boolean
  /** The last one it knows to be in the journal, and the hash of its payload (empty when not known). */
  readonly acknowledged: number
  readonly acknowledgedHash: string
}

/** Reads how far a database is. */
export async function readPosition(engine: Engine): Promise<DatabasePosition> {
  return engine.transact(async (tx) => {
    const [row] = await rowsOf<{
      last: string
      first: string
      changes: boolean
      acknowledged: string
      hash: string
    }>(
      tx,
      sql`select coalesce(max(sequence), 0)::text as last, coalesce(min(sequence), 0)::text as first,
        coalesce(bool_or(kind = 'change'), false) as changes,
        (select acknowledged_sequence::text from platform.journal_position) as acknowledged,
        (select acknowledged_hash from platform.journal_position) as hash from platform.outbox`,
    )
    return {
      last: Number(row?.last ?? 0),
      firstHeld: Number(row?.first ?? 0),
      hasChanges: row?.changes ?? false,
      acknowledged: Number(row?.acknowledged ?? 0),
      acknowledgedHash: row?.hash ?? '',
    }
  })
}

/** Outbox rows after a sequence, in order, as journal entries. */
export async function readOutbox(
  engine: Engine,
  afterSequence: number,
  limit: number,
): Promise<readonly NewJournalEntry[]> {
  const rows = await engine.transact((tx) =>
    rowsOf<{ payload: string }>(
      tx,
      sql`select payload from platform.outbox where sequence > ${afterSequence} order by sequence limit ${limit}`,
    ),
  )
  return rows.map(({ payload }) => journalEntryOf(payload))
}

/** Reads an entry's metadata back from its payload. */
export function journalEntryOf(payload: string): NewJournalEntry {
  return { ...metadataOf(payload), payload }
}

/**
 * Told what an opening is doing, in words, at least after every part of it. A long part cannot say how far it is:
 * nobody may take its silence for a hang.
 */
export type OnProgress = (words: string, part?: 'long') => void

export interface Recovery {
  /** What was done, in words. */
  readonly words: readonly string[]
  /** The journal had lost entries: from here on only a fresh snapshot can make the database anew. */
  readonly journalLost: boolean
}

/**
 * The open-time rules: a database behind its journal is caught up; a journal behind the database is given what the
 * outbox still holds, and what nobody holds any more is announced as a gap; two contents in one place are a fork.
 */
export async function recover(
  engine: Engine,
  options: {
    readonly journal: JournalClient
    readonly domain: string
    readonly tables: DomainTables
    readonly workstationId: string
    /** Called after each part of a replay, with the last sequence that is done. */
    readonly onReplayed: (sequence: number) => Promise<void>
    readonly onProgress: OnProgress
  },
): Promise<Recovery> {
  const { journal, domain } = options
  const done: string[] = []
  const head = (await journal.domainHead(domain))?.domainSequence ?? 0
  const position = await readPosition(engine)

  await refuseFork(engine, journal, domain, head, position)

  if (head > position.last) {
    let after = position.last
    for (;;) {
      const entries: readonly JournalEntry[] = await journal.readDomain({
        domain,
        afterDomainSequence: after,
        limit: 500,
      })
      const last = entries.at(-1)
      if (last === undefined) break
      if (entries.some(({ kind }) => kind === 'migration'))
        options.onProgress(`${domain}: a migration is replayed from the journal`, 'long')
      await replayEntries(engine, options.tables, entries)
      after = last.domainSequence
      await options.onReplayed(after)
      options.onProgress(`${domain}: ${after} of ${head} entries are replayed from the journal`)
    }
    done.push(`${domain}: ${head - position.last} entries were replayed from the journal`)
  }

  // A change is made only after the migrations before it are in the journal, so an empty journal was not always empty.
  const journalLost =
    head < position.last && (position.acknowledged > head || (head === 0 && position.hasChanges))
  if (head < position.last) {
    const author = recoveryAuthor(options.workstationId)
    if (journalLost) await announceEpoch(journal, author)
    if (position.firstHeld > head + 1) {
      const lostTo = position.firstHeld - 1
      const words =
        `The journal ends at entry ${head} of ${domain}, but the database knows ${position.last}. ` +
        `Entries ${head + 1} to ${lostTo} are no longer in any journal; the database still has their effect.`
      await journal.markGap({ ...author, domain, lostFrom: head + 1, lostTo, reason: words })
      done.push(words)
    }
    const drained = await drainOutbox(engine, journal, Math.max(head, position.firstHeld - 1), (count) =>
      options.onProgress(`${domain}: ${count} entries are given to the journal`),
    )
    if (journalLost) done.push(`${domain}: the journal was behind; ${drained} entries were given to it again`)
  }
  return { words: done, journalLost }
}

function recoveryAuthor(workstationId: string): EntryAuthor {
  const id = uuidv7()
  const recordedAt = new Date().toISOString()
  return {
    changeSetId: id,
    correlationId: id,
    actorId: 'tracseq',
    workstationId,
    hybridLogicalTime: '',
    recordedAt,
  }
}

/** A journal that is behind what it once confirmed is not the journal it was: once per start, that is written into it. */
async function announceEpoch(journal: JournalClient, author: EntryAuthor): Promise<void> {
  await journal.startEpoch({
    ...author,
    unlessSince: new Date(performance.timeOrigin).toISOString(),
    reason: 'The journal was missing, or older than the databases, when it was opened',
  })
}

/** Gives the journal everything the outbox holds after a sequence. */
export async function drainOutbox(
  engine: Engine,
  journal: JournalClient,
  afterSequence: number,
  onPart: (count: number) => void = () => undefined,
): Promise<number> {
  let after = afterSequence
  let count = 0
  for (;;) {
    const entries = await readOutbox(engine, after, 500)
    const last = entries.at(-1)
    if (last === undefined) return count
    // Appends are answered in order; all are sent at once so that they share a commit.
    await Promise.all(entries.map((entry) => journal.append(entry)))
    after = last.domainSequence
    count += entries.length
    onPart(count)
  }
}

async function refuseFork(
  engine: Engine,
  journal: JournalClient,
  domain: string,
  head: number,
  position: DatabasePosition,
): Promise<void> {
  const common = Math.min(head, position.last)
  if (common === 0) return
  const held = await engine.transact((tx) =>
    rowsOf<{ payload: string }>(tx, sql`select payload from platform.outbox where sequence = ${common}`),
  )
  const payload = held[0]?.payload
  if (payload !== undefined) await compare(common, hashPayload(payload).toString('hex'))
  // The note outlives the outbox row, so that an old journal of another history is noticed too.
  const { acknowledged, acknowledgedHash } = position
  if (acknowledgedHash !== '' && acknowledged <= head) await compare(acknowledged, acknowledgedHash)

  async function compare(sequence: number, ours: string): Promise<void> {
    const entry = await journal.entryAt(domain, sequence)
    // A gap stands where the entry was.
    if (entry === null || entry.kind === 'gap' || entry.payloadHash === ours) return
    throw new DatabaseFork(
      `The ${domain} database and the journal disagree about entry ${sequence}: they come from different histories. ` +
        `Nothing was changed. Restore one of them from a backup.`,
    )
  }
}
