import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { Refusal } from '../../platform/contract/refusal.ts'
import {
  makeServerDatabase,
  onServer,
  type ServerDatabase,
} from '../../platform/database/testing/on-server.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import { type HubLog, startHubLog } from './hub-log.ts'
import type { DyingInstance } from './testing/dying-instance.ts'
import { LogFollower, type SeenEntry } from './testing/log-follower.ts'
import { type NoteInstance, type NotePlace, openNoteInstance, pushedNote } from './testing/note-instance.ts'
import { slowPort } from './testing/slow-port.ts'

const keyFolder = makeTestFolder('tracseq-hub-log-')
const domains = ['notes', 'marks', 'lists']
let laboratoryId: string
let logUrl: string
let urls: readonly string[]
let places: readonly NotePlace[]
let follower: LogFollower
const databases: ServerDatabase[] = []
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  for (const _ of ['log', ...domains]) databases.push(await makeServerDatabase(inject('postgresUrl')))
  ;[logUrl = '', ...urls] = databases.map(({ url }) => url)
})
beforeEach(() => {
  laboratoryId = uuidv7()
  places = domains.map((domain, index) => ({ domain, laboratoryId, url: urls[index] ?? '' }))
})
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})
afterAll(async () => {
  for (const database of databases) await database.drop()
})

/** An instance of the Hub; resolves when it is the one that writes the log. */
async function openLog(): Promise<HubLog> {
  const key = openWorkstationKey(keyFolder)
  const log = await startHubLog({ url: logUrl, key, checkpointEvery: 20, log: () => undefined })
  opened.push(log)
  return log
}

/** One worker of each domain. */
async function openWorkers(log: Pick<HubLog, 'createPort'>): Promise<readonly NoteInstance[]> {
  const workers: NoteInstance[] = []
  for (const place of places) {
    const worker = await openNoteInstance(log, place)
    opened.push(worker)
    workers.push(worker)
  }
  return workers
}

function follow(): void {
  follower = new LogFollower(logUrl, laboratoryId)
}

/** Everything the domains ever committed is in the log once, dense, behind all it was made after; the follower had all. */
async function expectWholeLog(log: HubLog, acknowledged: Iterable<string>): Promise<readonly SeenEntry[]> {
  const seen = await follower.stop()
  const positions = new Map(seen.map(({ changeSetId }, index) => [changeSetId, index + 1]))
  expect(positions.size).toBe(seen.length)
  expect([...acknowledged].filter((id) => !positions.has(id))).toEqual([])
  const tooEarly = seen.filter(({ after }, index) =>
    after.some((id) => (positions.get(id) ?? Infinity) >= index + 1),
  )
  expect(tooEarly).toEqual([])
  for (const { domain, url } of places) {
    const own = seen.filter((entry) => entry.domain === domain)
    const { rows } = await onServer(url, (client) =>
      client.query<{ id: string; sequence: number }>(
        `select change_set_id::text as id, sequence::int from platform.outbox
         where kind = 'change' and payload::json -> 'body' ->> 'laboratoryId' = $1 order by sequence`,
        [laboratoryId],
      ),
    )
    expect(own.map(({ changeSetId: id, domainSequence: sequence }) => ({ id, sequence }))).toEqual(rows)
  }
  expect(await log.client.verify()).toMatchObject({ status: 'whole', problems: [] })
  return seen
}

/** Where a transaction stops until it is opened. */
function gate() {
  const [reaching, opening] = [new AbortController(), new AbortController()]
  const reached = once(reaching.signal, 'abort')
  const opened = once(opening.signal, 'abort')
  const stop = () => {
    reaching.abort()
    return opened
  }
  return { stop, reached, open: () => opening.abort() }
}

describe('a transaction that stays open for long', () => {
  it('takes its place when it commits, whether or not it had its number; nobody skips it or waits needlessly', async () => {
    const log = await openLog()
    const [notes, marks, lists] = await openWorkers(log)
    const [notesBeside, marksBeside] = await openWorkers(log)
    if (!notes || !marks || !lists || !notesBeside || !marksBeside) throw new Error('There are three domains')
    follow()
    const [before, after] = [gate(), gate()]
    const withoutNumber = notes.writeSlowly(before.stop)
    const withNumber = marks.commitSlowly(after.stop)
    await Promise.all([before.reached, after.reached])
    const behindIt = [marks, marksBeside, marks].map((worker) => worker.write())
    const others = [notes, notesBeside, lists]
    const done = await Promise.all(
      Array.from({ length: 20 }, () => others.map((worker) => worker.write())).flat(),
    )
    await follower.untilSeen(60)
    expect(new Set(follower.seen.map(({ changeSetId }) => changeSetId))).toEqual(new Set(done))
    before.open()
    after.open()
    const late = await Promise.all([withoutNumber, withNumber, ...behindIt])
    const seen = await expectWholeLog(log, [...done, ...late] as string[])
    expect(new Set(seen.slice(60).map(({ changeSetId }) => changeSetId))).toEqual(new Set(late))
    // Its number was taken first, so whoever waited behind it stands behind it.
    expect(seen.find(({ domain }) => domain === marks.domain)?.changeSetId).toBe(await withNumber)
  })
})

/**
 * Somebody who does not hear in time asks another worker of the domain for the same, while the first one is still on its way
 * to the log; whichever answers is built on at once.
 */
describe('writers of many domains build on each other as soon as they are answered', () => {
  let slow: readonly NoteInstance[]
  let quick: readonly NoteInstance[]
  const answered: { readonly domain: string; readonly id: string }[] = []
  const late: Promise<unknown>[] = []

  beforeEach(async () => {
    const log = await openLog()
    slow = await openWorkers({ createPort: () => slowPort(log.createPort(), 40) })
    quick = await openWorkers(log)
    follow()
    answered.length = 0
    late.length = 0
  })

  async function askTwice(number: number, act: (worker: NoteInstance) => Promise<string>): Promise<void> {
    const both = [slow, quick].map((workers) => workers[number % domains.length])
    const [one, other] = number % 2 === 0 ? both : both.toReversed()
    if (one === undefined || other === undefined) throw new Error('There are two workers of each domain')
    const asked = [act(one), delay(15).then(() => act(other))]
    late.push(...asked)
    answered.push({ domain: one.domain, id: await Promise.any(asked) })
  }

  /** What was answered last by another domain than this one. */
  function causeFor(number: number): string | null {
    return answered.findLast(({ domain }) => domain !== domains[number % domains.length])?.id ?? null
  }

  const acts: Record<
    string,
    (number: number, causedBy: string | null) => (worker: NoteInstance) => Promise<string>
  > = {
    commands(number, causedBy) {
      const key = uuidv7()
      return (worker) => (number % 4 === 0 ? worker.write(causedBy, key) : worker.rewrite(causedBy, key))
    },
    'pushed sets'(number, causedBy) {
      const place = places[number % domains.length]
      if (place === undefined) throw new Error('There is a place for each domain')
      const set = pushedNote(place, causedBy)
      return (worker) => worker.decide(set)
    },
  }

  it.each(Object.keys(acts))('%s: nothing stands before what it was made after', async (kind) => {
    await Promise.all(
      Array.from({ length: 6 }, async (_, writer) => {
        for (let turn = 0; turn < 20; turn += 1) {
          const number = writer + turn
          const act = acts[kind]?.(number, turn % 3 === 0 ? null : causeFor(number))
          if (act !== undefined) await askTwice(number, act)
        }
      }),
    )
    await Promise.all(late)
    const log = opened.find((each): each is HubLog => 'reader' in each)
    if (log === undefined) throw new Error('The log is open')
    const seen = await expectWholeLog(
      log,
      answered.map(({ id }) => id),
    )
    expect(seen.length).toBe(6 * 20)
    const domainOf = new Map(seen.map(({ changeSetId, domain }) => [changeSetId, domain]))
    const across = seen.filter(({ domain, after }) => after.some((id) => domainOf.get(id) !== domain))
    expect(across.length).toBeGreaterThan(60)
  })
})

describe('the death of the instance that writes the log', () => {
  it('its connection ended in the middle of a commit: the log goes from one instance to the other and back', async () => {
    const first = await openLog()
    const one = await openWorkers(first)
    const waiting = openLog()
    follow()
    const acknowledged: string[] = []
    const stopping = new AbortController()
    const writeFor = async (worker: NoteInstance) => {
      while (!stopping.signal.aborted) {
        try {
          acknowledged.push(await (acknowledged.length % 3 === 0 ? worker.write() : worker.rewrite()))
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          expect(['NOT_STARTED', 'OUTCOME_UNKNOWN']).toContain(error.code)
          await delay(5)
        }
      }
    }
    const writing = one.flatMap((worker) => [writeFor(worker), writeFor(worker)])
    await follower.untilSeen(50)
    await endSequencing()
    const second = await waiting
    const other = await openWorkers(second)
    writing.push(...other.flatMap((worker) => [writeFor(worker), writeFor(worker)]))
    const leaders: string[] = []
    for (let death = 0; death < 3; death += 1) {
      await follower.untilSeen(follower.seen.length + 50)
      leaders.push(first.client.state.writable ? 'first' : 'second')
      await endSequencing()
    }
    await follower.untilSeen(follower.seen.length + 50)
    stopping.abort()
    await Promise.all(writing)
    const leading = first.client.state.writable ? one : other
    for (const worker of leading) acknowledged.push(await worker.write())
    await expectWholeLog(second, acknowledged)
    expect(new Set(leaders)).toEqual(new Set(['first', 'second']))
  })

  it('kill -9 in the middle: the next one finds what was committed and goes on; what was confirmed is there', async () => {
    const told: DyingInstance = { logUrl, keyFolder, places }
    const program = join(import.meta.dirname, 'testing/dying-instance.ts')
    const child = spawn(process.execPath, [program, JSON.stringify(told)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const confirmed: string[] = []
    const lines = createInterface({ input: child.stdout }).on('line', (line) => confirmed.push(line))
    const heard = once(lines, 'close')
    await once(lines, 'line')
    follow()
    await follower.untilSeen(150)
    const next = openLog()
    expect(await Promise.race([next.then(() => 'leads'), delay(100).then(() => 'waits')])).toBe('waits')
    child.kill('SIGKILL')
    await heard
    const log = await next
    const workers = await openWorkers(log)
    const own = await Promise.all(workers.map((worker) => worker.rewrite()))
    expect(confirmed.length).toBeGreaterThan(100)
    await expectWholeLog(log, [...confirmed, ...own])
  })

  /** Ends the connection that holds the sequencer's lock while it has a transaction open. */
  async function endSequencing(): Promise<void> {
    await onServer(logUrl, async (client) => {
      for (let ended = 0; ended === 0;) {
        const { rowCount } = await client.query(
          `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
           where locktype = 'advisory' and objid = 7021120 and granted and xact_start is not null
             and pg_locks.database = (select oid from pg_database where datname = current_database())`,
        )
        ended = rowCount ?? 0
      }
    })
  }
})
