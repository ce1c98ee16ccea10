import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyJournal } from '../journal/verify-journal.ts'
import { rowsOf } from './transaction.ts'
import { migration, type NoteHome, noteMigration, openNoteHome } from './testing/note-domain.ts'

let notes: NoteHome
beforeEach(async () => {
  notes = await openNoteHome()
})
afterEach(() => notes.dispose())

const everyKind = {
  amount: '0.12345678901234567890',
  big: '9007199254740993',
  facts: { nested: { list: [1, 'two', null], text: 'µ "quoted"' } },
  bytes: '00ff10',
}
const journalFile = () => join(notes.home, 'journal.sqlite')

function removeJournal(): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${journalFile()}${end}`, { force: true })
}

async function writeMany(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await notes.write(`note ${index}`, everyKind)
}

describe('a change', () => {
  it('is in the journal when it is answered, with every digit', async () => {
    const id = await notes.write('first', everyKind)
    const head = await notes.journal.domainHead('notes')
    const entry = await notes.journal.entryAt('notes', head?.domainSequence ?? 0)
    const { body } = JSON.parse(entry?.payload ?? '') as {
      body: { changes: { values: Record<string, string> }[] }
    }
    expect(body.changes[0]?.values).toMatchObject({
      id,
      amount: everyKind.amount,
      big: everyKind.big,
      bytes: '\\x00ff10',
      words: 'first',
    })
    expect(body.changes[0]?.values).not.toHaveProperty('length')
    expect(JSON.parse(body.changes[0]?.values['facts'] ?? '')).toEqual(everyKind.facts)
  })

  it('holds only what an update really changed, and the revision it replaced', async () => {
    const id = await notes.write('first', everyKind)
    const [before] = (await notes.rows()) as readonly { revision: string }[]
    await notes.change(({ tx }) =>
      tx.execute(sql`update note set words = 'second', amount = amount where id = ${id}::uuid`),
    )
    const head = await notes.journal.domainHead('notes')
    const entry = await notes.journal.entryAt('notes', head?.domainSequence ?? 0)
    expect(JSON.parse(entry?.payload ?? '')).toMatchObject({
      body: { changes: [{ operation: 'update', replaces: before?.revision, values: { words: 'second' } }] },
    })
    expect(entry?.payload).not.toContain(everyKind.amount)
  })

  it('answers a repeat as the first time, and refuses its key for something else', async () => {
    const first = await notes.write('once', {}, 'key-1')
    expect(await notes.write('once', {}, 'key-1')).toBe(first)
    expect(await notes.rows()).toHaveLength(1)
    await expect(notes.write('other', {}, 'key-1')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  it('leaves nothing when it fails, or when its deadline has passed', async () => {
    const insert = sql`insert into note (laboratory_id, id, words) values (${notes.laboratoryId}::uuid, ${uuidv7()}::uuid, 'x')`
    await expect(
      notes.change(async ({ tx }) => {
        await tx.execute(insert)
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    await expect(
      notes.change(
        async ({ tx }) => {
          await tx.execute(insert)
          await new Promise((resolve) => setTimeout(resolve, 60))
        },
        { deadlineAt: Date.now() + 30 },
      ),
    ).rejects.toMatchObject({ code: 'NOT_STARTED' })
    expect(await notes.rows()).toEqual([])
  })
})

describe('what a trigger refuses', () => {
  it.each([
    ['deletion', sql`delete from note`, /deletion is soft/],
    ['clearing', sql`truncate note`, /permission denied|nothing is ever cleared/],
    ['a change of the key', sql`update note set id = gen_random_uuid()`, /key of a row/],
    ['changing what is written once', sql`update reading set value = 2`, /written once/],
  ])('%s', async (_what, statement, words) => {
    await notes.write('here')
    await notes.change(({ tx }) =>
      tx.execute(
        sql`insert into reading (laboratory_id, id, value) values (${notes.laboratoryId}::uuid, ${uuidv7()}::uuid, 1)`,
      ),
    )
    await expect(notes.change(({ tx }) => tx.execute(statement))).rejects.toMatchObject({
      cause: { message: expect.stringMatching(words) as string },
    })
    expect(await notes.rows()).toHaveLength(1)
  })

  it('a write without a change set, even as the owner', async () => {
    const write = sql`insert into note (laboratory_id, id, words) values (${uuidv7()}::uuid, ${uuidv7()}::uuid, 'x')`
    await expect(notes.database.asOwner((tx) => tx.execute(write))).rejects.toMatchObject({
      cause: { message: expect.stringContaining('without a change set') as string },
    })
  })

  it('a change set of more than a thousand rows', async () => {
    await expect(
      notes.change(({ tx }) =>
        tx.execute(sql`insert into reading (laboratory_id, id, value)
          select ${notes.laboratoryId}::uuid, gen_random_uuid(), n from generate_series(1, 1001) as n`),
      ),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('1000 row changes') as string } })
  })
})

describe('a query', () => {
  it('cannot write, whatever it tries', async () => {
    await expect(
      notes.database.read(notes.laboratoryId, (tx) => tx.execute(sql`update note set words = 'x'`)),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('read-only') as string } })
  })

  it('sees its own laboratory only', async () => {
    await notes.write('ours')
    const seen = await notes.database.read(uuidv7(), (tx) => tx.execute(sql`select * from note`))
    expect((seen as { rows: unknown[] }).rows).toEqual([])
  })
})

describe('opening', () => {
  it('makes a deleted database anew from the journal, row for row, repeats included', async () => {
    await writeMany(30)
    const kept = await notes.write('once', {}, 'key-1')
    const before = await notes.rows()
    await notes.close()
    await notes.loseDatabase()
    await notes.open()
    expect(await notes.rows()).toEqual(before)
    expect(await notes.write('once', {}, 'key-1')).toBe(kept)
    expect(notes.recovery.join()).toMatch(/replayed from the journal/)
  })

  it('catches up an older copy of the database', async () => {
    await writeMany(5)
    await notes.close()
    await notes.keepDatabase('older')
    await notes.open()
    await writeMany(20)
    const before = await notes.rows()
    await notes.close()
    await notes.bringBackDatabase('older')
    await notes.open()
    expect(await notes.rows()).toEqual(before)
    await notes.write('and on')
    expect(await notes.rows()).toHaveLength(26)
  })

  it('gives a deleted journal everything the outbox holds, and writes down that it is a new one', async () => {
    await writeMany(10)
    const before = await notes.rows()
    await notes.close()
    removeJournal()
    await notes.open()
    expect(await notes.rows()).toEqual(before)
    expect((await notes.journal.epochs()).length).toBeGreaterThan(1)
    expect(verifyJournal(journalFile()).status).toBe('whole')
    // The journal is whole again: it can make the database anew.
    await notes.close()
    await notes.loseDatabase()
    await notes.open()
    expect(await notes.rows()).toEqual(before)
  })

  it('gives an older journal what it lacks', async () => {
    await writeMany(4)
    await notes.close()
    notes.copy(journalFile(), `${journalFile()}.older`)
    await notes.open()
    await writeMany(4)
    await notes.close()
    removeJournal()
    notes.copy(`${journalFile()}.older`, journalFile())
    await notes.open()
    expect(notes.recovery.join()).toMatch(/given to it again/)
    expect((await notes.journal.domainHead('notes'))?.domainSequence).toBe(9)
  })

  it('announces a gap when nobody has the entries any more', async () => {
    await writeMany(6)
    await notes.database.asOwner((tx) => tx.execute(sql`delete from platform.outbox where sequence <= 4`))
    await notes.close()
    removeJournal()
    await notes.open()
    expect(notes.recovery.join()).toMatch(/Entries 1 to 4 are no longer in any journal/)
    expect(await notes.rows()).toHaveLength(6)
    const [gap] = await notes.journal.readDomain({ domain: 'notes', afterDomainSequence: 0, limit: 1 })
    expect(gap).toMatchObject({ kind: 'gap', domainSequence: 4 })
    expect(verifyJournal(journalFile()).status).toBe('whole')
  })

  it('stops at a fork and changes nothing', async () => {
    await writeMany(2)
    await notes.close()
    await notes.keepDatabase('a')
    notes.copy(journalFile(), `${journalFile()}.a`)
    await notes.open()
    await notes.write('one history')
    await notes.close()
    await notes.keepDatabase('b')
    removeJournal()
    notes.copy(`${journalFile()}.a`, journalFile())
    await notes.bringBackDatabase('a')
    await notes.open()
    await notes.write('another history')
    await notes.close()
    await notes.bringBackDatabase('b')
    await expect(notes.open()).rejects.toMatchObject({ name: 'DatabaseFork' })
  })

  it('runs a new migration as a journal entry, and replays it in its place', async () => {
    await notes.write('before')
    await notes.close()
    const added = migration(
      '20260201000000_colour',
      `ALTER TABLE "note" ADD COLUMN "colour" text NOT NULL DEFAULT 'grey'`,
    )
    const first = noteMigration
    await notes.open([first, added])
    await notes.change(({ tx }) => tx.execute(sql`update note set colour = 'blue'`))
    await notes.close()
    await notes.loseDatabase()
    await notes.open([first, added])
    const colours = await notes.database.read(notes.laboratoryId, (tx) =>
      tx.execute(sql`select colour from note`),
    )
    expect((colours as { rows: unknown[] }).rows).toEqual([{ colour: 'blue' }])
    await notes.close()
    await expect(notes.open([first])).rejects.toThrow(/newer TracSeq/)
  })

  it('runs a migration that gives rows other values: they keep their revision, here and when it is replayed', async () => {
    for (const words of ['urgent', 'low']) await notes.write(words)
    await notes.change(({ tx }) =>
      tx.execute(
        sql`insert into reading (laboratory_id, id, value) values (${notes.laboratoryId}::uuid, ${uuidv7()}::uuid, 2)`,
      ),
    )
    const read = () =>
      notes.database.read(notes.laboratoryId, (tx) =>
        rowsOf<{ words: string; revision: string }>(
          tx,
          sql`select words, revision::text from note union all select value::text, revision::text from reading order by 2`,
        ),
      )
    const before = await read()
    await notes.close()
    const renaming = migration(
      '20260201000000_rush',
      `UPDATE note SET words = 'rush' WHERE words = 'urgent'; UPDATE reading SET value = value * 10;
       ALTER TABLE note DROP COLUMN at`,
    )
    const both = [noteMigration, renaming]
    await notes.open(both)
    const called: Readonly<Record<string, string>> = { urgent: 'rush', '2': '20' }
    const after = before.map(({ words, revision }) => ({ words: called[words] ?? words, revision }))
    expect(await read()).toEqual(after)
    await notes.write('afterwards')
    const pretending = notes.change(async ({ tx }) => {
      await tx.execute(sql`select set_config('tracseq.origin', 'migration', true)`)
      await tx.execute(sql`update reading set value = 1`)
    })
    await expect(pretending).rejects.toMatchObject({ cause: { code: 'TS003' } })
    const all = await notes.everything()
    await notes.close()
    await notes.loseDatabase()
    await notes.open(both)
    expect(await notes.everything()).toEqual(all)
  })

  it.each([
    [
      'makes rows',
      `INSERT INTO reading (laboratory_id, id, value) VALUES (gen_random_uuid(), gen_random_uuid(), 1)`,
      'TS001',
    ],
    ['takes rows away', 'DELETE FROM note', 'TS003'],
    ['gives rows another key', 'UPDATE note SET id = gen_random_uuid()', 'TS002'],
  ])('runs no migration that %s', async (_, text, code) => {
    await notes.write('kept')
    await notes.close()
    const bad = notes.open([noteMigration, migration('20260201000000_bad', text)])
    await expect(bad).rejects.toMatchObject({ cause: { code } })
    await notes.open()
    expect(await notes.rows()).toHaveLength(1)
  })
})
