import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openForWriting } from './journal-connection.ts'
import { journalPath, openJournal, requestWholeCheck } from './open-journal.ts'
import type { JournalStore } from './journal-store.ts'
import { startJournal } from './start-journal.ts'
import type { RunningJournal } from './start-journal.ts'
import { makeEntries, makeEntry, makeHome, removeHomes, testOptions } from './test-entries.ts'
import { verifyJournal } from './verify-journal.ts'
import { openWorkstationKey } from './workstation-key.ts'

const CHILD = join(import.meta.dirname, 'append-forever.child.ts')

const running: RunningJournal[] = []
const children: ChildProcess[] = []

async function start(home: string, options: { reserveBytes?: number } = {}): Promise<RunningJournal> {
  const journal = await startJournal({ ...testOptions(home), ...options })
  running.push(journal)
  return journal
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map((journal) => journal.close()))
})
afterAll(removeHomes)

const Acknowledged = z.object({
  domain: z.string(),
  domainSequence: z.int(),
  sequence: z.int(),
  hash: z.string(),
})
type Acknowledged = z.infer<typeof Acknowledged>
const StateLine = z.object({ state: z.object({ writable: z.boolean(), why: z.string().nullable() }) })

interface AppendingChild {
  readonly child: ChildProcess
  readonly acknowledged: Acknowledged[]
  readonly states: z.infer<typeof StateLine>['state'][]
  readonly acknowledge: (count: number) => Promise<void>
  readonly ended: Promise<void>
}

function startAppending(home: string): AppendingChild {
  const child = spawn(process.execPath, [CHILD, home], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const acknowledged: Acknowledged[] = []
  const states: AppendingChild['states'] = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    const parsed: unknown = JSON.parse(line)
    const entry = Acknowledged.safeParse(parsed)
    if (entry.success) acknowledged.push(entry.data)
    const state = StateLine.safeParse(parsed)
    if (state.success) states.push(state.data.state)
  })
  return {
    child,
    acknowledged,
    states,
    acknowledge: async (count) => {
      while (acknowledged.length < count) await pause(2)
    },
    ended: new Promise((resolve) => lines.once('close', resolve)),
  }
}

describe('kill -9 while appending', () => {
  it('loses no acknowledged entry and leaves a whole chain, ten times over one journal', async () => {
    const home = makeHome()
    const all: Acknowledged[] = []
    for (let round = 0; round < 10; round += 1) {
      const appending = startAppending(home)
      await appending.acknowledge(20 + round * 15)
      await pause(round * 3)
      appending.child.kill('SIGKILL')
      await appending.ended
      all.push(...appending.acknowledged)

      const result = verifyJournal(journalPath(home), { heads: all })
      expect(result).toMatchObject({ status: 'whole', problems: [] })
      expect(result.entries).toBeGreaterThanOrEqual(all.length)
    }
    expect(new Set(all.map((entry) => entry.sequence)).size).toBe(all.length)
  }, 120_000)
})

describe.runIf(existsSync('/usr/bin/strace'))('the number of fsyncs', () => {
  it('is at least one for every commit: the log is synced before anything is acknowledged', async () => {
    const home = makeHome()
    const trace = join(home, 'trace')
    const child = spawn(
      'strace',
      ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-o', trace, process.execPath, CHILD, home],
      { stdio: ['ignore', 'pipe', 'ignore'], detached: true },
    )
    let printed = ''
    child.stdout.on('data', (text: Buffer) => (printed += text.toString()))
    while (printed.split('\n').length < 200) await pause(5)
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    const syncs = readFileSync(trace, 'utf8').match(/f(data)?sync\(\d+\)\s+= 0/g)?.length ?? 0
    // Three domains send five entries at a time, so one commit holds at most fifteen.
    expect(syncs).toBeGreaterThanOrEqual(200 / 15)
  }, 60_000)
})

/** A store in this thread, for many quick histories of files. */
function openStore(home: string): JournalStore & { result: ReturnType<typeof openJournal>['result'] } {
  const { store, result } = openJournal(journalPath(home), {
    key: openWorkstationKey(home),
    checkpointEvery: 10,
    now: () => '2026-11-21T12:00:00.000Z',
  })
  return Object.assign(store, { result })
}

function append(store: JournalStore, from: number, to: number): void {
  for (const entry of makeEntries('samples', from, to)) store.transaction(() => store.append(entry))
}

describe('a torn log', () => {
  let home: string
  /** The log's length when the first 30 entries had been acknowledged. */
  let acknowledgedBytes: number
  let logBytes: number

  beforeAll(() => {
    home = makeHome()
    const store = openStore(home)
    append(store, 1, 30)
    acknowledgedBytes = statSync(`${journalPath(home)}-wal`).size
    append(store, 31, 60)
    logBytes = statSync(`${journalPath(home)}-wal`).size
    for (const suffix of ['', '-wal']) copyFileSync(journalPath(home) + suffix, join(home, `torn${suffix}`))
    store.connection.close()
  })

  function openTorn(tear: (log: string) => void): { entries: number; setAside: string | null } {
    const torn = makeHome()
    for (const suffix of ['', '-wal']) copyFileSync(join(home, `torn${suffix}`), journalPath(torn) + suffix)
    tear(`${journalPath(torn)}-wal`)
    const store = openStore(torn)
    const entries = store.head()?.sequence ?? 0
    append(store, entries + 1, entries + 1)
    store.connection.close()
    expect(verifyJournal(journalPath(torn))).toMatchObject({ status: 'whole', entries: entries + 1 })
    rmSync(torn, { recursive: true })
    return { entries, setAside: store.result.setAside }
  }

  it('that is cut opens to the last good transaction: all acknowledged before the cut is there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: logBytes }), (length) => {
        const { entries, setAside } = openTorn((log) => truncateSync(log, length))
        expect(setAside).toBeNull()
        if (length >= acknowledgedBytes) expect(entries).toBeGreaterThanOrEqual(30)
        if (length === logBytes) expect(entries).toBe(60)
      }),
      { numRuns: 15, examples: [[0], [acknowledgedBytes], [logBytes]] },
    )
  })

  it('that is scribbled over after the last acknowledged byte keeps all that was acknowledged', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: acknowledgedBytes, max: logBytes - 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 9000 }),
        (at, scribble) => {
          const { entries, setAside } = openTorn((log) => {
            const file = openSync(log, 'r+')
            writeSync(file, scribble, 0, scribble.length, at)
            closeSync(file)
          })
          expect(setAside).toBeNull()
          expect(entries).toBeGreaterThanOrEqual(30)
        },
      ),
      { numRuns: 15 },
    )
  })
})

describe('damage at open', () => {
  async function makeJournal(entries: number): Promise<string> {
    const home = makeHome()
    const { client, close } = await startJournal({ ...testOptions(home), checkpointEvery: 50 })
    await Promise.all(makeEntries('samples', 1, entries).map((entry) => client.append(entry)))
    await client.recordScan({
      scanId: 'scan-1',
      text: 'TS-7K2M-0004-X',
      source: 'serial',
      deviceId: null,
      receivedAt: '2026-11-21T09:00:00.000Z',
      screen: { route: '/storage' },
    })
    await close()
    return home
  }

  function overwrite(path: string, at: number, length: number): void {
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(length, 0xa5), 0, length, at)
    closeSync(file)
  }

  it('sets a journal with bad pages aside, carries its valid beginning and announces the new epoch', async () => {
    const home = await makeJournal(400)
    const bytes = readFileSync(journalPath(home))
    // The page that holds a late entry of the table, not of an index.
    const at = bytes.indexOf('"key":"samples-350"')
    overwrite(journalPath(home), at - (at % 4096), 4096)
    const damaged = readFileSync(journalPath(home))

    const { opened, client } = await start(home)
    expect(opened.fresh).toBe(false)
    expect(opened.carriedEntries).toBeGreaterThan(300)
    expect(opened.carriedEntries).toBeLessThan(350)
    expect(opened.problems.join('\n')).toMatch(/The journal is malformed: .* It was set aside as/)
    expect(readFileSync(opened.setAside ?? '')).toEqual(damaged)

    expect(await client.epochs()).toMatchObject([
      { number: 1, startedAtSequence: 1 },
      {
        number: 2,
        startedAtSequence: opened.carriedEntries + 1,
        reason: `The journal was damaged and set aside as ${opened.setAside ?? ''}; ${opened.carriedEntries} entries were carried over.`,
      },
    ])
    expect((await client.domainHead('samples'))?.domainSequence).toBe(opened.carriedEntries)
    expect((await client.waitingScans()).map((scan) => scan.text)).toEqual(['TS-7K2M-0004-X'])
    await client.append(makeEntry('samples', opened.carriedEntries + 1))
    const trustedKeys = [openWorkstationKey(home).fingerprint]
    expect(await client.verify({ trustedKeys })).toMatchObject({ status: 'whole', problems: [] })
  })

  it.each([
    ['is no database', (path: string) => writeFileSync(path, 'garbage'.repeat(3000))],
    ['has lost its header', (path: string) => overwrite(path, 0, 100)],
    ['was cut to a few pages', (path: string) => truncateSync(path, 3 * 4096 + 17)],
  ])('starts anew when the file %s, and never deletes it', async (_, ruin) => {
    const home = await makeJournal(100)
    ruin(journalPath(home))
    const ruined = readFileSync(journalPath(home))
    const { opened, client } = await start(home)
    expect(opened).toMatchObject({ fresh: false, carriedEntries: 0 })
    expect(readFileSync(opened.setAside ?? '')).toEqual(ruined)
    expect((await client.epochs()).map((epoch) => epoch.number)).toEqual([1, 2])
    expect((await client.verify()).status).toBe('whole')
  })

  it('finishes a rebuild that was interrupted, and keeps a stray log out of the new file', async () => {
    const home = await makeJournal(20)
    renameSync(journalPath(home), `${journalPath(home)}.rebuilt`)
    writeFileSync(`${journalPath(home)}-wal`, 'log of the damaged one')
    writeFileSync(`${journalPath(home)}.rebuilding`, 'half a file')
    const { opened, client } = await start(home)
    expect(opened.fresh).toBe(false)
    expect((await client.head())?.sequence).toBe(20)
    expect(readFileSync(opened.setAside ?? '', 'utf8')).toBe('log of the damaged one')
    expect(readdirSync(home).filter((name) => name.includes('rebui'))).toEqual([])
  })

  it('met while running stops writing in words until the next start, which recovers', async () => {
    const home = await makeJournal(400)
    const at = readFileSync(journalPath(home)).indexOf('"key":"samples-200"')
    const first = await start(home)
    overwrite(journalPath(home), at - (at % 4096), 4096)
    await expect(first.client.entryAt('samples', 200)).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' })
    expect(first.client.state).toMatchObject({
      writable: false,
      why: expect.stringContaining('Start TracSeq again') as string,
    })
    await expect(first.client.append(makeEntry('samples', 401))).rejects.toMatchObject({
      code: 'JOURNAL_NOT_WRITABLE',
    })
    await first.close()

    const again = await start(home)
    expect(again.opened.setAside).not.toBeNull()
    expect(again.client.state.writable).toBe(true)
    expect((await again.client.verify()).status).toBe('whole')
  })

  it('checks everything when damage was seen while running, and goes on when nothing is found', async () => {
    const home = await makeJournal(20)
    requestWholeCheck(journalPath(home))
    const { opened } = await start(home)
    expect(opened).toMatchObject({ fresh: false, setAside: null })
    expect(readdirSync(home).filter((name) => name.includes('check'))).toEqual([])
  })

  it('leaves the journal of a newer TracSeq untouched and says what to do', async () => {
    const home = await makeJournal(5)
    const connection = openForWriting(journalPath(home))
    connection.pragma('user_version = 99')
    connection.close()
    await expect(start(home)).rejects.toMatchObject({ code: 'JOURNAL_TOO_NEW' })
    expect(readdirSync(home).filter((name) => name.includes('damaged'))).toEqual([])
  })
})

describe('a disk that does not take writes', () => {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : undefined

  it('below the reserve new work is refused in words, what is committed still arrives, and it recovers by itself', async () => {
    const home = makeHome(parent)
    const filler = join(home, 'filler')
    writeFileSync(filler, Buffer.alloc(96 * 1024 * 1024))
    const { bavail, bsize } = statfsSync(home)
    const { client } = await start(home, { reserveBytes: bavail * bsize + 48 * 1024 * 1024 })
    expect(client.state).toMatchObject({
      writable: false,
      why: expect.stringMatching(/has \d+ MB free and TracSeq keeps \d+ MB in reserve/) as string,
    })
    await expect(
      client.recordScan({
        scanId: 'scan-1',
        text: 'x',
        source: 'serial',
        deviceId: null,
        receivedAt: '2026-11-21T09:00:00.000Z',
        screen: {},
      }),
    ).rejects.toMatchObject({ code: 'JOURNAL_NOT_WRITABLE' })
    expect(await client.append(makeEntry('samples', 1))).toMatchObject({ sequence: 1 })
    expect(await client.head()).toMatchObject({ sequence: 1 })

    const recovered = new Promise((resolve) => client.onState(resolve))
    rmSync(filler)
    expect(await recovered).toEqual({ writable: true, why: null })
  })

  it.runIf(existsSync('/usr/bin/prlimit'))(
    'refuses while writes really fail, goes on by itself afterwards, and has lost nothing it acknowledged',
    async () => {
      const home = makeHome()
      const appending = startAppending(home)
      const limit = (bytes: string) =>
        execFileSync('prlimit', ['--pid', String(appending.child.pid), `--fsize=${bytes}:`])
      await appending.acknowledge(50)
      limit(String(statSync(`${journalPath(home)}-wal`).size))
      while (appending.states.at(-1)?.writable !== false) await pause(5)
      expect(appending.states.at(-1)?.why).toMatch(/New work is refused until it can be written/)
      expect(verifyJournal(journalPath(home), { heads: appending.acknowledged }).status).toBe('whole')

      const before = appending.acknowledged.length
      limit('unlimited')
      while (appending.states.at(-1)?.writable !== true) await pause(5)
      await appending.acknowledge(before + 50)
      appending.child.kill('SIGKILL')
      await appending.ended
      expect(verifyJournal(journalPath(home), { heads: appending.acknowledged })).toMatchObject({
        status: 'whole',
        problems: [],
      })
    },
    60_000,
  )

  it('notices that its file was deleted or replaced while running', async () => {
    const home = makeHome()
    const { client } = await start(home)
    await client.append(makeEntry('samples', 1))
    rmSync(journalPath(home))
    await expect(client.append(makeEntry('samples', 2))).rejects.toMatchObject({
      code: 'JOURNAL_NOT_WRITABLE',
      message: expect.stringContaining('was removed or replaced') as string,
    })
    expect(client.state.writable).toBe(false)
    expect(await client.head()).toMatchObject({ sequence: 1 })
  })

  it('opens a journal it may not write for reading, and does not take it for damaged', async () => {
    const home = makeHome()
    const first = await start(home)
    await first.client.append(makeEntry('samples', 1))
    await first.close()
    execFileSync('chmod', ['444', journalPath(home)])
    const script = `
      import { startJournal } from ${JSON.stringify(join(import.meta.dirname, 'start-journal.ts'))}
      import { makeEntry, testOptions } from ${JSON.stringify(join(import.meta.dirname, 'test-entries.ts'))}
      const { client, opened, close } = await startJournal(testOptions(${JSON.stringify(home)}))
      const refused = await client.append(makeEntry('samples', 2)).catch((error) => error.code)
      console.log(JSON.stringify({ refused, head: (await client.head()).sequence, state: client.state.writable,
        setAside: opened.setAside, why: client.state.why.includes('is read-only') }))
      await close()`
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    if (process.getuid?.() === 0) {
      execFileSync('chmod', ['777', home])
      execFileSync('chown', ['-R', '65534:65534', join(home, 'keys')])
    }
    const program = join(home, 'read-only.mjs')
    writeFileSync(program, script)
    const { stdout, stderr } = spawnSync(process.execPath, [program], { ...user, encoding: 'utf8' })
    expect({ stderr, answer: stdout.trim() }).toEqual({
      stderr: '',
      answer: '{"refused":"JOURNAL_NOT_WRITABLE","head":1,"state":false,"setAside":null,"why":true}',
    })
  })
})

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
