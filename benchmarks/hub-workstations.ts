import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { enrolOnWire, type MadeSet, type WireWorkstation } from '../hub/sync/testing/wire-workstation.ts'
import { listenForHead } from '../main/sync/head-events.ts'
import { sync } from '../platform/sync/contract.ts'
import { emptyLog } from '../platform/sync/log.ts'
import { PullAnswer } from '../platform/sync/wire.ts'
import { sampleId } from '../services/samples/testing/many-samples.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { type BenchHub, fillHub, openBenchHub } from './filled-hub.ts'
import { measureMemoryMb } from './process-tree.ts'
import { percentile } from './statistics.ts'

const few = 5
const many = 50
const samplesAtHub = 1_000
const warmUpMs = 5_000
const steadyMs = 20_000
const everyMs = 1_000
const burstSets = 20
const arrivesWithinMs = 120_000
/** What comes at once is exchanged at once, as real workstations do. */
const gatherMs = 25

/**
 * Many workstations at one Hub: each makes a change set a second (a note on a sample), pushes it, hears of the log's head
 * and pulls all that the others made; then each pushes a burst at once. Measured are the time from when a set is made until
 * the next workstation has pulled it, and the memory of the Hub and, apart, of its PostgreSQL: with fifty workstations
 * against five at another new Hub. The workstations speak as real ones do, from this one process, and keep no databases.
 */
export async function measureWorkstations({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  const five = await measureWith(few, say)
  const fifty = await measureWith(many, say)
  const row = (measure: string, unit: Row['unit'], of: (figures: Figures) => number) =>
    makeRow({
      measure: `${many} workstations: ${measure}`,
      unit,
      baseline: { what: `${few} workstations`, value: of(five) },
      ours: of(fifty),
      budget: null,
    })
  return [
    row('from a change set to the next workstation, p50', 'ms', ({ lagsMs }) => percentile(lagsMs, 0.5)),
    row('from a change set to the next workstation, p95', 'ms', ({ lagsMs }) => percentile(lagsMs, 0.95)),
    row(
      `each pushes ${burstSets} sets at once, and all have all`,
      'sets/s',
      ({ burstPerSecond }) => burstPerSecond,
    ),
    row('memory of the Hub (PSS)', 'MB', ({ hubMb }) => hubMb),
    row('memory of its PostgreSQL (PSS)', 'MB', ({ databaseMb }) => databaseMb),
  ]
}

interface Figures {
  readonly lagsMs: readonly number[]
  readonly burstPerSecond: number
  readonly hubMb: number
  readonly databaseMb: number
}

async function measureWith(workstations: number, say: BenchmarkOptions['say']): Promise<Figures> {
  const hub = await openBenchHub()
  const benches: Bench[] = []
  try {
    await fillHub(hub, samplesAtHub)
    say(`${workstations} workstations`)
    for (let index = 0; index < workstations; index += 1) benches.push(await Bench.enrol(hub, index))
    for (const [index, bench] of benches.entries())
      bench.watch(benches[(index + 1) % benches.length] ?? bench)
    await workSteadily(benches, warmUpMs)
    const lagsMs = await workSteadily(benches, steadyMs)
    const steady = readMemory(hub)
    const burstMs = await timed(() => burst(benches))
    const after = readMemory(hub)
    return {
      lagsMs,
      burstPerSecond: (1_000 * workstations * burstSets) / burstMs,
      hubMb: Math.max(steady.hubMb, after.hubMb),
      databaseMb: Math.max(steady.databaseMb, after.databaseMb),
    }
  } finally {
    for (const bench of benches) bench.close()
    await hub.close()
  }
}

/** A set a second of each, all of them spread over the second; how long each took to the next workstation. */
async function workSteadily(benches: readonly Bench[], forMs: number): Promise<readonly number[]> {
  const made = await Promise.all(
    benches.map(async (bench, index) => {
      await delay((index * everyMs) / benches.length)
      const lags: Promise<number>[] = []
      for (const end = performance.now() + forMs; performance.now() < end;) {
        const next = delay(everyMs)
        lags.push(bench.make(1))
        await next
      }
      return lags
    }),
  )
  return Promise.all(made.flat())
}

async function burst(benches: readonly Bench[]): Promise<void> {
  await Promise.all(benches.map((bench) => bench.make(burstSets)))
  const heads = await Promise.all(benches.map((bench) => bench.catchUp()))
  if (new Set(heads).size !== 1) throw new Error('Not all workstations have all')
}

function readMemory({ machine }: BenchHub): Pick<Figures, 'hubMb' | 'databaseMb'> {
  const { pid } = machine.running
  return {
    hubMb: measureMemoryMb(pid, (program) => program !== 'postgres'),
    databaseMb: measureMemoryMb(pid, (program) => program === 'postgres'),
  }
}

/** A workstation on the wire that pushes what it makes and follows what others made. */
class Bench {
  readonly #hub: BenchHub
  readonly #wire: WireWorkstation
  readonly #index: number
  readonly #ending = new AbortController()
  /** Notes that the next workstation will bring, by their text. */
  readonly #awaited = new Map<string, (arrivedAt: number) => void>()
  #before: Bench | null = null
  readonly #waiting: MadeSet[] = []
  #made = 0
  #place = { position: 0, hash: emptyLog.hash }
  #pushing: Promise<void> = Promise.resolve()
  #pulling: Promise<void> = Promise.resolve()
  #isHinted = false
  readonly #failed: (error: unknown) => void
  /** Rejects when the Hub refuses anything. */
  readonly #failure: Promise<never>

  private constructor(hub: BenchHub, wire: WireWorkstation, index: number) {
    this.#hub = hub
    this.#wire = wire
    this.#index = index
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    this.#failure = promise
    this.#failed = reject
  }

  /** Enrols one and lets it listen. */
  static async enrol(hub: BenchHub, index: number): Promise<Bench> {
    const { code } = await (await hub.machine.admin()).client(sync).createEnrolmentCode({})
    const bench = new Bench(hub, await enrolOnWire(hub.machine.url, code), index)
    await bench.catchUp()
    listenForHead(bench.#wire.connection, () => bench.#pullSoon(), bench.#ending.signal).catch(
      (error: unknown) => {
        if (!bench.#ending.signal.aborted) bench.#failed(error)
      },
    )
    return bench
  }

  /** From now on this one says when it has what the other made. */
  watch(next: Bench): void {
    next.#before = this
  }

  /** Makes sets and pushes them with whatever waits; how long it took until the next workstation had the last one. */
  async make(sets: number): Promise<number> {
    const madeAt = performance.now()
    const texts = Array.from({ length: sets }, () => `Note ${this.#index}/${(this.#made += 1)}.`)
    const arrived = texts.map((text) => new Promise<number>((arrive) => this.#awaited.set(text, arrive)))
    this.#waiting.push(...texts.map((text) => this.#describe(text)))
    this.#pushing = this.#pushing.then(() => this.#push()).catch((error: unknown) => this.#failed(error))
    const late = delay(arrivesWithinMs, null, { ref: false }).then(() => {
      throw new Error(`A set of workstation ${this.#index} did not arrive within ${arrivesWithinMs} ms`)
    })
    return Math.max(...(await Promise.race([Promise.all(arrived), this.#failure, late]))) - madeAt
  }

  /** Pulls until nothing is left; how far the log has come. */
  catchUp(): Promise<number> {
    const done = this.#pulling.then(() => this.#pull())
    this.#pulling = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  close(): void {
    this.#ending.abort()
  }

  /** The next workstation has an entry; perhaps one that was made here. */
  note(payload: string, arrivedAt: number): void {
    const [text = ''] = /Note \d+\/\d+\./.exec(payload) ?? []
    this.#awaited.get(text)?.(arrivedAt)
    this.#awaited.delete(text)
  }

  async #push(): Promise<void> {
    const sets = this.#waiting.splice(0)
    if (sets.length === 0) return
    const { decided } = await this.#wire.push(this.#wire.runOf(sets))
    const bad = decided.find(({ outcome }) => outcome !== 'applied')
    if (bad !== undefined) throw new Error(`A change set was not applied: ${bad.outcome}`)
  }

  async #pull(): Promise<number> {
    for (;;) {
      const { position, hash } = this.#place
      const pulled = await this.#wire.connection.ask(`/pull?after=${position}&hash=${hash}`, PullAnswer)
      const arrivedAt = performance.now()
      for (const { payload } of pulled.entries) this.#before?.note(payload, arrivedAt)
      const last = pulled.entries.at(-1)
      if (last === undefined) return pulled.head.position
      this.#place = { position: last.position, hash: last.hash }
    }
  }

  #pullSoon(): void {
    if (this.#isHinted) return
    this.#isHinted = true
    delay(gatherMs)
      .then(() => {
        // What comes from now on is another hint's.
        this.#isHinted = false
        return this.catchUp()
      })
      .catch((error: unknown) => this.#failed(error))
  }

  #describe(note: string): MadeSet {
    const { laboratoryId, administratorId } = this.#hub
    const id = uuidv7()
    return {
      domain: 'samples',
      procedure: 'samples.addNote',
      actorId: administratorId,
      laboratoryId,
      changes: [
        {
          table: 'sample_note',
          operation: 'insert',
          key: { laboratory_id: laboratoryId, id },
          replaces: null,
          values: {
            id,
            laboratory_id: laboratoryId,
            sample_id: sampleId(1 + 4 * ((this.#index * 20 + this.#made) % (samplesAtHub / 4))),
            note,
            at: new Date().toISOString(),
            by: 'Ada',
            by_id: administratorId,
          },
          before: {},
        },
      ],
    }
  }
}
