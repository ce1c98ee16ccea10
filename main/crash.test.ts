import { randomInt } from 'node:crypto'
import { spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  cpSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { system } from '../platform/gateway/contract.ts'
import { samples, SampleState } from '../services/samples/contract.ts'
import { nextStates } from '../services/samples/domain/lifecycle.ts'
import { findUnjournaled, readJournal, verifyTwice } from './testing/evidence.ts'
import type { Bench } from './testing/laboratory-load.ts'
import {
  contradictionsOf,
  copyHome,
  type LivedInHome,
  makeLivedInHome,
  type Visit,
  visit,
  work,
  workSome,
} from './testing/lived-in-home.ts'
import { createHttpClient, HttpProblem } from './testing/http-client.ts'
import { insist } from './testing/ledger.ts'
import {
  administrator,
  killLeftOvers,
  makeHome,
  signIn,
  startWorkstationProcess,
} from './testing/workstation-process.ts'

const kills = Number(process.env['TRACSEQ_KILLS'] ?? 10)
const seed = Number(process.env['TRACSEQ_SEED'] ?? randomInt(1_000_000))
/** A machine that has much else to do needs half a minute for one of these tests. */
const hangsAfterMs = 180_000
const domains = ['barcodes', 'samples', 'storage'] as const
/** The way back is the same as from nothing, only shorter: one of them by chance is enough every day. */
const olderCopies = kills > 10 ? domains : [domains[seed % domains.length] ?? 'samples']
const inWords = `(TRACSEQ_SEED=${seed} repeats the choices)`

afterEach(killLeftOvers)

/** The damage tests work on copies of it; the kills wear out the home itself. */
let lived: LivedInHome
/** The same home as it was before half of the work. */
let earlier: string

beforeAll(async () => {
  lived = await makeLivedInHome(seed, { boxes: 3, technicians: 4 })
  await workFor(lived, 60)
  earlier = makeHome()
  copyHome(lived, earlier)
  await workFor(lived, 60)
}, 2 * hangsAfterMs)
afterAll(() => {
  for (const path of [lived.path, earlier]) rmSync(path, { recursive: true, force: true })
})

async function workFor(home: LivedInHome, commands: number): Promise<void> {
  const { workstation, bench } = await visit(home.path)
  await workSome(home, bench, commands)
  expect(await contradictionsOf(home, bench)).toEqual([])
  await workstation.stop()
}

describe('a home that was damaged while nobody looked', () => {
  let scene: LivedInHome
  beforeAll(() => {
    scene = { ...lived, path: makeHome() }
  })
  afterAll(() => rmSync(scene.path, { recursive: true, force: true }))

  function setScene(damage: (path: string) => void): void {
    copyHome(lived, scene.path)
    damage(scene.path)
  }

  /** Work goes on across all three domains. */
  async function receiveOne(bench: Bench): Promise<void> {
    const [boxId = ''] = scene.beliefs.boxIds
    const input = { sample: { name: 'Afterwards', type: 'dna' }, placement: { boxId } }
    const received = await insist(() => bench.samples.receive(input, { context: { key: 'afterwards' } }))
    expect(received.place).toMatchObject({ boxId })
  }

  /** Starts on the damaged home, holds it against everything confirmed, and gives what the journal says of itself. */
  async function findAllThere() {
    const { workstation, admin, bench } = await visit(scene.path)
    expect(await contradictionsOf(scene, bench)).toEqual([])
    const journal = await admin.client(system).journal()
    await receiveOne(bench)
    await workstation.stop()
    expect(findUnjournaled(scene.path, scene.ledger)).toEqual([])
    return journal
  }

  test.each(domains)(
    'the database of %s is gone: it is made anew from the journal',
    async (domain) => {
      setScene((path) => rmSync(join(path, 'databases', domain), { recursive: true }))
      expect((await findAllThere()).epochs).toHaveLength(1)
      expect(verifyTwice(scene.path)).toMatchObject({ status: 0 })
    },
    hangsAfterMs,
  )

  test.each(olderCopies)(
    'an older copy of the database of %s was put back: it catches up',
    async (domain) => {
      setScene((path) => {
        const database = join(path, 'databases', domain)
        rmSync(database, { recursive: true })
        cpSync(join(earlier, 'databases', domain), database, { recursive: true })
      })
      expect((await findAllThere()).epochs).toHaveLength(1)
      expect(verifyTwice(scene.path)).toMatchObject({ status: 0 })
    },
    hangsAfterMs,
  )

  test(
    'the database of people is gone: everybody is known, and nobody gets in without a new password',
    async () => {
      setScene((path) => rmSync(join(path, 'databases', 'auth'), { recursive: true }))
      const workstation = await startWorkstationProcess(scene.path)
      const refusal = await signIn(workstation.url, administrator).catch((error: unknown) => error)
      expect(refusal).toBeInstanceOf(HttpProblem)
      expect(refusal).toMatchObject({ status: 401, code: 'PASSWORD_RESET_REQUIRED' })
      await workstation.stop()
      expect(verifyTwice(scene.path)).toMatchObject({ status: 0 })
    },
    hangsAfterMs,
  )

  test(
    'the journal is gone: a new epoch says so, and the databases give it what they hold',
    async () => {
      const [head] = headsOf(lived.path)
      setScene((path) => {
        for (const file of ['journal.sqlite', 'journal.sqlite-wal', 'journal.sqlite-shm'])
          rmSync(join(path, file), { force: true })
      })
      expect(verifyTwice(scene.path, head)).toMatchObject({ status: 2 })
      const { epochs } = await findAllThere()
      expect(epochs.map(({ reason }) => reason).slice(1)).toEqual([expect.stringMatching(/missing|older/)])
      expect(verifyTwice(scene.path)).toMatchObject({ status: 0 })
    },
    hangsAfterMs,
  )

  test(
    'an older journal was put back: a new epoch says so, and what it lacks is given to it again',
    async () => {
      const [head] = headsOf(lived.path)
      setScene((path) => cpSync(join(earlier, 'journal.sqlite'), join(path, 'journal.sqlite')))
      expect(verifyTwice(scene.path, head)).toMatchObject({ status: 2 })
      const { epochs } = await findAllThere()
      expect(epochs.map(({ reason }) => reason).slice(1)).toEqual([expect.stringMatching(/missing|older/)])
      expect(verifyTwice(scene.path)).toMatchObject({ status: 0 })
    },
    hangsAfterMs,
  )

  test.each([
    { what: 'cut off', damage: cutTail },
    { what: 'scribbled over', damage: scribbleOverTail },
  ])(
    "the journal's tail was $what: the file is set aside, its sound beginning goes on in a new epoch",
    async ({ damage }) => {
      setScene((path) => damage(join(path, 'journal.sqlite')))
      expect(verifyTwice(scene.path)).toMatchObject({ status: 1 })
      const { epochs } = await findAllThere()
      expect(epochs.length).toBeGreaterThan(1)
      expect(epochs.at(-1)?.reason).toMatch(/damaged|missing|older/)
      expect(readdirSync(scene.path)).toContainEqual(expect.stringMatching(/^journal\.damaged-.*\.sqlite$/))
      expect(verifyTwice(scene.path)).toMatchObject({ status: 0 })
    },
    hangsAfterMs,
  )

  test(
    'an entry was rewritten: both verifiers and the application name it',
    async () => {
      const middle = 40
      setScene((path) => rewriteEntry(join(path, 'journal.sqlite'), middle))
      const { status, words } = verifyTwice(scene.path)
      expect(status).toBe(1)
      expect(words.join('\n')).toContain(`first bad sequence ${middle}`)
      const { workstation, admin, bench } = await visit(scene.path)
      expect(await contradictionsOf(scene, bench)).toEqual([])
      expect(await admin.client(system).verifyJournal()).toMatchObject({
        status: 'broken',
        firstBadSequence: middle,
      })
      await workstation.stop()
    },
    hangsAfterMs,
  )
})

describe(`kill -9 under load ${inWords}`, () => {
  test(
    `${kills} kills at random moments lose nothing that was confirmed and do nothing twice`,
    async () => {
      for (let kill = 1; kill <= kills; kill += 1) {
        // Recovery itself is killed every third time.
        if (kill % 3 === 0) await killDuringStart(lived)
        const { workstation, bench } = await visit(lived.path)
        expect(await contradictionsOf(lived, bench), `after kill ${kill - 1}`).toEqual([])
        const working = work(lived, bench, () => true)
        await delay(lived.random.between(100, 2_000))
        await workstation.kill()
        await working
      }
      const { workstation, bench } = await visit(lived.path)
      expect(await contradictionsOf(lived, bench), `after kill ${kills}`).toEqual([])
      expect(lived.ledger.acknowledged.size).toBeGreaterThan(kills)
      await workstation.stop()

      expect(findUnjournaled(lived.path, lived.ledger)).toEqual([])
      expect(findForbiddenTransitions(lived.path)).toEqual([])
      expect(verifyTwice(lived.path)).toMatchObject({ status: 0 })
    },
    60_000 + kills * 60_000,
  )
})

async function killDuringStart(home: LivedInHome): Promise<void> {
  const killAfterMs = home.random.between(200, 2_500)
  const starting = startWorkstationProcess(home.path, {
    onSpawned: (kill) => void delay(killAfterMs).then(kill),
  })
  // Whether it was ready before the kill is a matter of chance.
  await starting.then(
    (workstation) => workstation.kill(),
    () => undefined,
  )
}

const StateChange = z.object({ from: SampleState, to: SampleState })

/** Changes of state in the journal that the lifecycle does not allow. */
function findForbiddenTransitions(path: string): readonly string[] {
  const changes = readJournal(path).flatMap(({ body }) =>
    body.events.flatMap(({ name, data }) => (name === 'SampleStateChanged' ? [StateChange.parse(data)] : [])),
  )
  return changes
    .filter(({ from, to }) => !nextStates(from).includes(to))
    .map(({ from, to }) => `${from} to ${to}`)
}

/** What the databases were told is in the journal, newest first; here it is read from the whole journal itself. */
function headsOf(path: string) {
  const file = new Database(join(path, 'journal.sqlite'), { readonly: true })
  try {
    return file
      .prepare<[], { sequence: number; domain: string; domainSequence: number }>(
        `SELECT sequence, domain, domain_sequence AS domainSequence FROM journal_entry ORDER BY sequence DESC LIMIT 1`,
      )
      .all()
  } finally {
    file.close()
  }
}

const pageBytes = 4_096

function cutTail(file: string): void {
  const descriptor = openSync(file, 'r+')
  ftruncateSync(descriptor, statSync(file).size - 5 * pageBytes - 100)
  closeSync(descriptor)
}

function scribbleOverTail(file: string): void {
  const descriptor = openSync(file, 'r+')
  const noise = Buffer.from(Array.from({ length: 6 * pageBytes }, (_, index) => (index * 131 + 17) % 251))
  writeSync(descriptor, noise, 0, noise.length, statSync(file).size - noise.length)
  closeSync(descriptor)
}

/** As somebody would who knows SQLite and wants it to look as if nothing had happened. */
function rewriteEntry(path: string, sequence: number): void {
  const file = new Database(path)
  const trigger = 'journal_entry_is_never_changed'
  const guard = file
    .prepare<[string], string>('SELECT sql FROM sqlite_schema WHERE name = ?')
    .pluck()
    .get(trigger)
  file.exec(`DROP TRIGGER ${trigger}`)
  const { changes } = file
    .prepare(
      `UPDATE journal_entry SET payload = replace(payload, '"actorId":"', '"actorId":"x') WHERE sequence = ?`,
    )
    .run(sequence)
  file.exec(guard ?? '')
  file.close()
  expect(changes).toBe(1)
}

describe('a full disk', () => {
  let home: LivedInHome
  let disk: SmallDisk

  beforeAll(async () => {
    disk = mountSmallDisk(512)
    home = await makeLivedInHome(seed, { boxes: 2, technicians: 3 }, join(disk.path, 'home'))
  }, hangsAfterMs)
  afterAll(() => disk.remove())

  /** Tries something new; what came of it is in the books, and here in the words that the person read. */
  async function tryOnce({ bench }: Visit): Promise<string> {
    const command = home.technicians[0]?.next()
    if (command === undefined) throw new Error('Nobody works here')
    await home.ledger.run(command, bench)
    return codeOf(command.send(bench))
  }

  test(
    'below the reserve new work is refused before anything is written, in words, and reading goes on',
    async () => {
      const plenty = String(2 ** 50)
      const roomy = await visit(home.path, { TRACSEQ_RESERVE_BYTES: '0' })
      await workSome(home, roomy.bench, 20)
      await roomy.workstation.stop()
      const workstation = await startWorkstationProcess(home.path, {
        environment: { TRACSEQ_RESERVE_BYTES: plenty },
      })
      expect(await signIn(workstation.url).catch((error: unknown) => error)).toMatchObject({
        status: 503,
        code: 'NOT_STARTED',
        message: expect.stringContaining('New work is refused until space is freed'),
      })
      const stillSignedIn = createHttpClient(workstation.url, samples, roomy.admin.token)
      const { items } = await insist(() => stillSignedIn.list({ limit: 1 }))
      const [id = ''] = items.map((sample) => sample.id)
      const note = stillSignedIn.addNote({ id, note: 'one more' }, { context: { key: 'one-more' } })
      expect(await codeOf(note)).toBe('503 NOT_STARTED')
      await workstation.stop()
    },
    hangsAfterMs,
  )

  test(
    'a disk that fills up during work costs nothing that was confirmed',
    async ({ skip }) => {
      skip(!disk.isSmall, 'only root on Linux may mount the small disk that this fills')
      const crowded = await visit(home.path, { TRACSEQ_RESERVE_BYTES: '0' })
      const empty = fill(disk.path, 1_500_000)
      const working = work(home, crowded.bench, () => true)
      await Promise.race([working, delay(8_000)])
      const onFullDisk = await tryOnce(crowded)
      empty()
      await crowded.workstation.kill()
      await working
      expect(onFullDisk).toMatch(/503 NOT_STARTED|504 OUTCOME_UNKNOWN/)

      const { workstation, bench } = await visit(home.path, { TRACSEQ_RESERVE_BYTES: '0' })
      expect(await contradictionsOf(home, bench)).toEqual([])
      await workSome(home, bench, 20)
      expect(await contradictionsOf(home, bench)).toEqual([])
      await workstation.stop()
      expect(verifyTwice(home.path)).toMatchObject({ status: 0 })
    },
    2 * hangsAfterMs,
  )
})

async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return outcome.then(
    () => 'done',
    (error: unknown) => (error instanceof HttpProblem ? `${error.status} ${error.code}` : String(error)),
  )
}

interface SmallDisk {
  readonly path: string
  /** False when this user may not mount a disk: then it is a folder like any other. */
  readonly isSmall: boolean
  readonly remove: () => void
}

/** A disk of its own in memory. It is given back when this process ends in whatever way. */
function mountSmallDisk(megabytes: number): SmallDisk {
  const path = makeHome()
  const mayMount = process.platform === 'linux' && process.getuid?.() === 0
  const isSmall =
    mayMount &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tracseq-test', path]).status === 0
  if (!isSmall) return { path, isSmall, remove: () => rmSync(path, { recursive: true, force: true }) }
  // Its stdin closes with this process; lazily, because workstations on the disk may be a moment behind.
  const watcher = spawn('sh', ['-c', 'read -r _; umount -l "$0"; rmdir "$0"', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  return { path, isSmall, remove: () => watcher.stdin.end() }
}

/** Writes until so many bytes are free; gives what undoes it. */
function fill(disk: string, leaveBytes: number): () => void {
  const ballast = join(disk, 'ballast')
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - leaveBytes))
  return () => rmSync(ballast)
}
