import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyJournal } from '../journal/verify-journal.ts'
import { listSnapshots } from './snapshot-file.ts'
import { migration, type NoteHome, noteMigration, openNoteHome } from './testing/note-domain.ts'

let notes: NoteHome
beforeEach(async () => {
  notes = await openNoteHome()
})
afterEach(() => notes.dispose())

const folder = () => join(notes.home, 'snapshots', 'notes')
const journalFile = () => join(notes.home, 'journal.sqlite')

/** Text that has broken formats before: quotes, line ends of every kind, a backslash, an emoji. */
const awkward = 'µ "quoted" \\N \r\n\u2028\u2029\t🧬 \u0001'
const everyKind = {
  amount: '-0.12345678901234567890',
  big: '9007199254740993',
  facts: { nested: [1, null, awkward] },
  bytes: '00ff10',
}

async function writeSome(from: number, count: number): Promise<void> {
  for (let index = from; index < from + count; index += 1) {
    const id = await notes.write(`${awkward} ${index}`, everyKind, `key-${index}`)
    if (index % 3 === 0) {
      await notes.change(({ tx }) =>
        tx.execute(sql`update note set words = words || '!', amount = null where id = ${id}::uuid`),
      )
    }
  }
}

async function reopenWithoutDatabase(): Promise<void> {
  await notes.close()
  await notes.loseDatabase()
  await notes.open()
}

describe('a snapshot', () => {
  it('with the log after it gives table by table what replaying everything gives', async () => {
    await writeSome(0, 20)
    await notes.database.asOwner((tx) =>
      tx.execute(sql`insert into platform.subscriber_cursor values ('notes', 7, 'abc')`),
    )
    const taken = await notes.database.snapshot()
    expect(taken?.sequence).toBe((await notes.journal.domainHead('notes'))?.domainSequence)
    await writeSome(20, 20)
    const before = await notes.everything()

    await reopenWithoutDatabase()
    expect(notes.recovery.join()).toMatch(/the snapshot at entry 28 was restored.*27 entries were replayed/)
    expect(await notes.everything()).toEqual(before)

    rmSync(folder(), { recursive: true })
    await reopenWithoutDatabase()
    expect(notes.recovery.join()).toMatch(/55 entries were replayed/)
    const replayed = await notes.everything()
    // A cursor moved by hand is in no journal entry; everything else is.
    expect({ ...replayed, 'platform.subscriber_cursor': [] }).toEqual({
      ...before,
      'platform.subscriber_cursor': [],
    })
  })

  it('lets the restored database go on: repeats, captures, refusals and new change sets', async () => {
    await writeSome(0, 3)
    const kept = await notes.write('once', {}, 'once')
    await notes.database.snapshot()
    await reopenWithoutDatabase()
    expect(notes.recovery).toEqual([expect.stringMatching(/snapshot at entry \d+ was restored/) as string])
    expect(await notes.write('once', {}, 'once')).toBe(kept)
    await writeSome(10, 3)
    await expect(notes.change(({ tx }) => tx.execute(sql`delete from note`))).rejects.toMatchObject({
      cause: { message: expect.stringContaining('deletion is soft') as string },
    })
    const before = await notes.everything()
    rmSync(folder(), { recursive: true })
    await reopenWithoutDatabase()
    expect(await notes.everything()).toEqual(before)
    expect(verifyJournal(journalFile()).status).toBe('whole')
  })

  it('is passed over when it is damaged, and the one before it is used', async () => {
    await writeSome(0, 2)
    await notes.database.snapshot()
    await writeSome(2, 2)
    const newest = await notes.database.snapshot()
    const before = await notes.everything()
    const bytes = readFileSync(newest?.path ?? '')
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1
    writeFileSync(newest?.path ?? '', bytes)
    await reopenWithoutDatabase()
    expect(notes.recovery.join('\n')).toMatch(
      /passed over: The snapshot .* is damaged[\s\S]*snapshot at entry 4 was restored/,
    )
    expect(await notes.everything()).toEqual(before)

    for (const { path } of listSnapshots(folder())) writeFileSync(path, 'cut')
    await reopenWithoutDatabase()
    expect(await notes.everything()).toEqual(before)
  })

  it('of another history is passed over', async () => {
    await writeSome(0, 2)
    const taken = await notes.database.snapshot()
    const foreign = readFileSync(taken?.path ?? '')
    const stranger = await openNoteHome()
    try {
      for (let index = 0; index < 5; index += 1) await stranger.write(`other ${index}`)
      const before = await stranger.everything()
      await stranger.close()
      await stranger.loseDatabase()
      const theirs = join(stranger.home, 'snapshots', 'notes')
      rmSync(theirs, { recursive: true, force: true })
      await stranger.open()
      await stranger.database.snapshot()
      const [own] = listSnapshots(theirs)
      writeFileSync(join(theirs, '4.snapshot'), foreign)
      rmSync(own?.path ?? '')
      await stranger.close()
      await stranger.loseDatabase()
      await stranger.open()
      expect(stranger.recovery.join()).toMatch(/the journal has another history/)
      expect(await stranger.everything()).toEqual(before)
    } finally {
      await stranger.dispose()
    }
  })

  it('is kept three times, and not taken twice of the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      await writeSome(round * 10, 1)
      await notes.database.snapshot()
    }
    expect(await notes.database.snapshot()).toBeNull()
    expect(readdirSync(folder()).length).toBe(3)
  })

  it('holds no secret: local tables stay out', async () => {
    await notes.write('kept')
    await notes.database.asOwner(async (tx) => {
      await tx.execute(sql`create table secret (laboratory_id uuid, word text)`)
      await tx.execute(sql`insert into secret values (null, 'hunter2')`)
      await tx.execute(sql`select platform.protect_table('secret', 'local')`)
    })
    const taken = await notes.database.snapshot()
    const { readSnapshotHeader } = await import('./snapshot-file.ts')
    const { tables } = await readSnapshotHeader(taken?.path ?? '')
    expect(tables.map(({ name }) => name)).toEqual([
      'note',
      'platform.saga',
      'reading',
      'platform.idempotency',
      'platform.subscriber_cursor',
      'platform.sync_state',
      'platform.pending_change',
      'platform.hub_image',
      'platform.work_item',
      'platform.change_set_fate',
      'platform.outbox',
    ])
  })
})

describe('a snapshot is taken', () => {
  it('in a quiet moment after many change sets', async () => {
    await notes.dispose()
    notes = await openNoteHome({ snapshotEvery: 10 })
    await writeSome(0, 10)
    await expect.poll(() => listSnapshots(folder()).length, { timeout: 10_000 }).toBe(1)
  })

  it('after a migration, before commands go on', async () => {
    await notes.write('before')
    await notes.close()
    const added = migration(
      '20260201000000_colour',
      `ALTER TABLE "note" ADD COLUMN "colour" text NOT NULL DEFAULT 'grey'`,
    )
    await notes.open([noteMigration, added])
    expect(listSnapshots(folder()).map(({ sequence }) => sequence)).toEqual([3])
    await notes.close()
    await notes.loseDatabase()
    await notes.open([noteMigration, added])
    expect(notes.recovery.join()).toMatch(/snapshot at entry 3 was restored/)
    // The program before this one cannot read it, and says so instead of guessing.
    await notes.close()
    await expect(notes.open([noteMigration])).rejects.toThrow(/newer TracSeq/)
  })

  it('after a gap, which nothing else can bridge', async () => {
    await writeSome(0, 6)
    await notes.database.asOwner((tx) => tx.execute(sql`delete from platform.outbox where sequence <= 4`))
    await notes.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${journalFile()}${end}`, { force: true })
    await notes.open()
    expect(notes.recovery.join()).toMatch(/Entries 1 to 4 are no longer in any journal.*a snapshot at entry/)
    await notes.write('after')
    const before = await notes.everything()
    await reopenWithoutDatabase()
    expect(await notes.everything()).toEqual(before)

    await notes.close()
    await notes.loseDatabase()
    rmSync(folder(), { recursive: true })
    await expect(notes.open()).rejects.toMatchObject({ name: 'EntryLost' })
  })

  it('and bridges an entry whose content was removed by law', async () => {
    await writeSome(0, 4)
    await notes.close()
    await notes.keepDatabase('older')
    await notes.open()
    await writeSome(4, 4)
    const head = await notes.journal.domainHead('notes')
    await notes.journal.removePayload((head?.sequence ?? 1) - 1)
    await notes.database.snapshot()
    await notes.write('after')
    const before = await notes.everything()
    await reopenWithoutDatabase()
    expect(await notes.everything()).toEqual(before)
    // An older copy of the database cannot be brought over the removed entry; it is made anew from the snapshot.
    await notes.close()
    await notes.bringBackDatabase('older')
    if (process.env['TRACSEQ_TEST_POSTGRES'] === undefined) {
      await notes.open()
      expect(notes.recovery[0]).toMatch(/had its content removed.*set aside/)
      expect(await notes.everything()).toEqual(before)
    } else {
      await expect(notes.open()).rejects.toMatchObject({ name: 'EntryLost' })
    }
  })
})

describe('when journal and database are both lost', () => {
  it('the snapshot is used, and the loss is written down', async () => {
    await writeSome(0, 4)
    await notes.database.snapshot()
    const before = await notes.everything()
    await notes.close()
    await notes.loseDatabase()
    for (const end of ['', '-wal', '-shm']) rmSync(`${journalFile()}${end}`, { force: true })
    await notes.open()
    expect(await notes.everything()).toEqual(before)
    expect(notes.recovery.join()).toMatch(/snapshot at entry \d+ was restored.*are no longer in any journal/)
    expect((await notes.journal.epochs()).length).toBeGreaterThan(1)
    await notes.write('and on')
    expect(verifyJournal(journalFile()).status).toBe('whole')
  })
})
