import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, it } from 'vitest'
import { openPglite } from './pglite-engine.ts'
import { emptyDatabase } from './testing/empty-database.ts'
import { ForgetfulDisk, FullDisk, LyingDisk } from './testing/faulty-disks.ts'
import { type NoteHome, openNoteHome } from './testing/note-domain.ts'
import { makeTestFolder } from './testing/test-folder.ts'
import { rowsOf } from './transaction.ts'

let notes: NoteHome | null = null
const folders: string[] = []
afterEach(async () => {
  await notes?.dispose()
  notes = null
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folderOf(name: string): string {
  const folder = makeTestFolder('tracseq-durability-')
  folders.push(folder)
  return join(folder, name)
}

function keep<Disk>(disks: Disk[], disk: Disk): Disk {
  disks.push(disk)
  return disk
}

async function wordsIn(directory: string): Promise<readonly string[]> {
  const engine = await openPglite({ directory, template: null })
  try {
    return await engine.transact(async (tx) => {
      const rows = await rowsOf<{ words: string }>(tx, sql`select words from note order by words`)
      return rows.map(({ words }) => words)
    })
  } finally {
    await engine.close()
  }
}

describe('a commit', () => {
  it('is forced to the disk with exactly one fsync, which PGlite by itself never does', async () => {
    const engine = await openPglite({ directory: folderOf('db'), template: await emptyDatabase() })
    try {
      await engine.execute('create table note (words text)')
      for (let round = 0; round < 5; round += 1) {
        const before = engine.fileSystem.fsyncs
        await engine.transact((tx) => tx.execute(sql`insert into note values ('x')`))
        expect(engine.fileSystem.fsyncs - before).toBe(1)
      }
      const before = engine.fileSystem.fsyncs
      await engine.transact((tx) => tx.execute(sql`select count(*) from note`))
      expect(engine.fileSystem.fsyncs).toBe(before)
    } finally {
      await engine.close()
    }
  })
})

describe('a power cut', () => {
  /** Writes with a checkpoint on the way, and cuts the power right after acknowledged changes. */
  async function writeAndCut(makeDisk: (directory: string) => ForgetfulDisk) {
    const disks: ForgetfulDisk[] = []
    notes = await openNoteHome({
      fileSystem: (directory) => keep(disks, makeDisk(directory)),
      housekeeping: { checkpointBytes: 1 },
    })
    const cuts: { readonly directory: string; readonly acknowledged: readonly string[] }[] = []
    const acknowledged: string[] = []
    for (let index = 0; index < 600; index += 1) {
      const words = `note ${String(index).padStart(4, '0')}`
      await notes.write(words)
      acknowledged.push(words)
      if ([3, 299, 599].includes(index)) {
        const directory = folderOf(`cut-${index}`)
        disks.at(-1)?.losePower(directory)
        cuts.push({ directory, acknowledged: [...acknowledged] })
      }
    }
    return cuts
  }

  it('takes nothing that was acknowledged', async () => {
    for (const { directory, acknowledged } of await writeAndCut((at) => new ForgetfulDisk(at))) {
      expect(await wordsIn(directory)).toEqual(acknowledged)
    }
  }, 120_000)

  it('would take it without our fsync: the disk of these tests really forgets', async () => {
    const [cut] = await writeAndCut((at) => new LyingDisk(at))
    const kept = await wordsIn(cut?.directory ?? '').catch(() => [])
    expect(kept).not.toEqual(cut?.acknowledged)
  }, 120_000)
})

describe('a disk that is full', () => {
  it('during COMMIT leaves the outcome open, stops the database, and everything is there after reopening', async () => {
    const disks: FullDisk[] = []
    notes = await openNoteHome({ fileSystem: (directory) => keep(disks, new FullDisk(directory)) })
    await notes.write('kept')
    for (const disk of disks) disk.full = '/pg_wal/'
    await expect(notes.write('perhaps', {}, 'key')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(notes.database.stopped.aborted).toBe(true)
    await expect(notes.write('not')).rejects.toMatchObject({ code: 'NOT_STARTED' })
    await notes.close()
    await notes.open()
    // The same key learns what became of it, whichever way it went.
    await notes.write('perhaps', {}, 'key')
    const rows = (await notes.rows()) as readonly { words: string }[]
    expect(rows.map(({ words }) => words)).toEqual(['kept', 'perhaps'])
  })

  it('before COMMIT refuses with NOT_STARTED, and the database goes on when there is room again', async () => {
    const disks: FullDisk[] = []
    notes = await openNoteHome({ fileSystem: (directory) => keep(disks, new FullDisk(directory)) })
    for (const disk of disks) disk.full = '/base/'
    const long = 'x'.repeat(200_000)
    await expect(notes.write(long, { facts: { long: [...'abcdefgh'.repeat(9_000)] } })).rejects.toMatchObject(
      {
        code: 'NOT_STARTED',
      },
    )
    for (const disk of disks) disk.full = null
    await notes.write('room again')
    expect(await notes.rows()).toHaveLength(1)
  })

  it('while opening is no damage: the database is not set aside', async () => {
    notes = await openNoteHome()
    await notes.write('kept')
    await notes.close()
    const directory = notes.directory
    await expect(
      openPglite({
        directory,
        template: null,
        fileSystem: (at) => {
          const disk = new FullDisk(at)
          disk.full = inside
          return disk
        },
      }),
    ).rejects.toMatchObject({ name: 'DatabaseStopped' })
    await notes.open()
    expect(await notes.rows()).toHaveLength(1)
    expect(notes.recovery).toEqual([])
  })
})

const inside = '/pglite/data'

describe('files', () => {
  it('that are damaged are set aside, and the database is made anew', async () => {
    notes = await openNoteHome()
    for (const words of ['one', 'two', 'three']) await notes.write(words)
    const before = await notes.rows()
    await notes.close()
    rmSync(join(notes.directory, 'global', 'pg_control'))
    await notes.open()
    expect(await notes.rows()).toEqual(before)
    expect(notes.recovery[0]).toMatch(/set aside and made anew/)
    expect(readdirSync(join(notes.home, 'databases')).some((name) => name.startsWith('notes.damaged-'))).toBe(
      true,
    )
  })

  it('of a prepared database are copied whole or not at all', async () => {
    notes = await openNoteHome()
    await notes.close()
    await notes.loseDatabase()
    writeFileSync(`${notes.directory}.copying`, 'left behind by a crash')
    await notes.open()
    expect(existsSync(`${notes.directory}.copying`)).toBe(false)
  })
})

/** The full length on demand: `TRACSEQ_LONG=1 npx vitest run platform/database/pglite-durability`. */
const isLong = process.env['TRACSEQ_LONG'] !== undefined
const commands = isLong ? 100_000 : 5_000
const checkpointBytes = isLong ? 64 * 1024 * 1024 : 1024 * 1024

describe(`over ${commands} commands`, () => {
  it(
    'the log and the memory stay bounded',
    async () => {
      notes = await openNoteHome({ housekeeping: { checkpointBytes, vacuumEvery: 2_000 } })
      const home = notes
      const { database, directory } = home
      await notes.write('warm')
      const memoryBefore = process.memoryUsage().rss
      let written = 0
      let longest = 0
      while (written < commands) {
        const batch = Math.min(100, commands - written)
        await Promise.all(
          Array.from(
            { length: batch },
            (_, index) => notes?.write(`note ${written + index}`) ?? Promise.resolve(''),
          ),
        )
        written += batch
        longest = Math.max(longest, await logBytes())
      }
      // Between two looks of the housekeeping some hundred change sets may be written.
      expect(longest).toBeLessThan(checkpointBytes + 4 * 1024 * 1024)
      const segments = readdirSync(join(directory, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name))
      const kept = segments.reduce((sum, name) => sum + statSync(join(directory, 'pg_wal', name)).size, 0)
      expect(kept).toBeLessThan(256 * 1024 * 1024)
      expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(256 * 1024 * 1024)

      async function logBytes(): Promise<number> {
        const [row] = await database.asOwner((tx) =>
          rowsOf<{ bytes: string }>(
            tx,
            sql`select (pg_current_wal_lsn() - redo_lsn)::text as bytes from pg_control_checkpoint()`,
          ),
        )
        return Number(row?.bytes)
      }
    },
    isLong ? 1_200_000 : 120_000,
  )
})
