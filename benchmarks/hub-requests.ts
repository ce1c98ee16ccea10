import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AnyContractProcedure } from '@orpc/contract'
import { z } from 'zod'
import { type HttpRequest, requestOf, send } from '../main/testing/http-client.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { sampleId } from '../services/samples/testing/many-samples.ts'
import { type BenchmarkOptions, makeRow, type Row } from './benchmark.ts'
import { type BenchHub, fillHub, openBenchHub } from './filled-hub.ts'
import { codeOfSample } from './filled-laboratory.ts'
import { Load } from './load.ts'
import { measureProcessorMs } from './process-tree.ts'
import { readTransactions, type RecordedCalls } from './recorded-calls.ts'
import { median } from './statistics.ts'

const clients = 16
/** Two workers of a service with four connections each. */
const connections = 8
const differentCalls = 200
const requestsATurn = 1_000
const turns = 7
const warmUpTurns = 2
const budget = 0.4
const fewSamples = 1_000
const startsWithinMs = 60_000

/** A person may make 500 calls a second. */
const pacedMs = 1_000 * (requestsATurn / 450)

/** A request of the Hub that is measured, for a sample by its number. */
interface Measured {
  readonly words: string
  readonly domain: string
  readonly procedure: AnyContractProcedure
  readonly inputOf: (number: number) => object
}

const measuredRequests: readonly Measured[] = [
  {
    words: 'find a sample by a printed code',
    domain: 'barcodes',
    procedure: barcodes.resolve,
    inputOf: (number) => ({ text: codeOfSample(number) }),
  },
  {
    words: 'open a sample',
    domain: 'samples',
    procedure: samples.get,
    inputOf: (number) => ({ id: sampleId(number) }),
  },
  {
    words: 'a page of 25 of a project’s samples',
    domain: 'samples',
    procedure: samples.list,
    inputOf: (number) => ({ project: `Project ${number % 20}`, limit: 25 }),
  },
]

/**
 * Requests per second of the whole Hub (HTTP, session, permission, limits, worker, tenant transaction under row-level
 * security) against a bare Fastify route in a process of its own. The route repeats, word for word and as the same role,
 * the transactions with which the Hub answered the same requests, over as many connections to the same server. Both get
 * the same clients, in turns; further rows say what a request costs in processor time, servers and database together, and
 * what became of the Hub's speed since it had few samples.
 */
export async function measureHubRequests({ size, say }: BenchmarkOptions): Promise<readonly Row[]> {
  const few = size > fewSamples ? await measureWith(fewSamples, say) : []
  const many = await measureWith(size, say)
  const grown = many.flatMap((row, index) => {
    const before = few[index]
    if (before === undefined || row.budget === null) return []
    const what = `the Hub with ${fewSamples.toLocaleString('en')} samples`
    const { measure, unit, ours } = row
    return [makeRow({ measure, unit, ours, baseline: { what, value: before.ours }, budget: null })]
  })
  return [...many, ...grown]
}

async function measureWith(size: number, say: BenchmarkOptions['say']): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-hub-requests-'))
  const record = join(folder, 'statements')
  const preload = new URL('./record-statements.ts', import.meta.url).href
  const hub = await openBenchHub({ NODE_OPTIONS: `--import ${preload}`, TRACSEQ_RECORD_STATEMENTS: record })
  try {
    say(`filling the Hub with ${size.toLocaleString('en')} samples`)
    await fillHub(hub, size)
    say('recording the statements')
    // Far from each other, so that one page of the database does not serve them all. Every fourth sample is deleted.
    const numbers = Array.from(
      { length: differentCalls },
      (_, index) => 1 + 4 * ((index * 7_919) % Math.floor(size / 4)),
    )
    const recorded: RecordedCalls['calls'][] = []
    for (const each of measuredRequests) recorded.push(await recordCalls(hub, each, numbers, record))
    await hub.restart()
    const rows: Row[] = []
    for (const [index, each] of measuredRequests.entries()) {
      say(each.words)
      rows.push(...(await measureRequest(hub, each, { numbers, calls: recorded[index] ?? [], folder })))
    }
    return rows
  } finally {
    await hub.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Asks for each of some samples, and gives the transactions by which the Hub answered, in their order. */
async function recordCalls(
  hub: BenchHub,
  { words, domain, procedure, inputOf }: Measured,
  numbers: readonly number[],
  record: string,
): Promise<RecordedCalls['calls']> {
  const { url, token } = await hub.machine.admin()
  const readLines = () => (existsSync(record) ? readFileSync(record, 'utf8').split('\n').slice(0, -1) : [])
  const calls: RecordedCalls['calls'] = []
  for (const number of numbers) {
    const before = readLines().length
    const { status, body } = await send(requestOf(url, procedure, inputOf(number), { token }))
    if (status !== 200) throw new Error(`“${words}” was answered ${status}: ${JSON.stringify(body)}`)
    const about = { database: `tracseq_${domain}`, laboratoryId: hub.laboratoryId }
    const transactions = readTransactions(readLines().slice(before), about)
    if (transactions.length === 0) throw new Error(`“${words}” asked ${domain} for nothing`)
    calls.push(transactions.map((transaction) => [...transaction]))
  }
  return calls
}

/** What one side needed for a turn: time by the clock, and of processors. */
interface Turn {
  readonly tookMs: number
  readonly processorMs: number
}

async function measureRequest(
  hub: BenchHub,
  { words, domain, procedure, inputOf }: Measured,
  {
    numbers,
    calls,
    folder,
  }: { readonly numbers: readonly number[]; readonly calls: RecordedCalls['calls']; readonly folder: string },
): Promise<readonly Row[]> {
  const { url, token } = await hub.machine.admin()
  const { pid } = hub.machine.running
  const bare = await startBareRoute({ url: hub.urlOf(domain), connections, calls }, folder)
  const load = new Load(clients)
  const [ours, theirs]: [Turn[], Turn[]] = [[], []]
  const isDatabase = (program: string) => program === 'postgres'
  const takeTurn = async (
    requests: (number: number) => HttpRequest,
    processorMs: () => number,
  ): Promise<Turn> => {
    const before = processorMs()
    const tookMs = await load.send(requestsATurn, requests)
    return { tookMs, processorMs: processorMs() - before }
  }
  const ourRequest = (number: number) =>
    requestOf(url, procedure, inputOf(numbers[number % numbers.length] ?? 1), { token })
  const theirRequest = (number: number): HttpRequest => {
    return { url: `${bare.url}/calls/${number % calls.length}`, method: 'GET', headers: {} }
  }
  try {
    await requireSameAnswer(ourRequest(0), theirRequest(0))
    for (let turn = 0; turn < warmUpTurns + turns; turn += 1) {
      const paced = delay(pacedMs)
      const our = await takeTurn(ourRequest, () => measureProcessorMs(pid))
      const their = await takeTurn(
        theirRequest,
        () => measureProcessorMs(bare.pid) + measureProcessorMs(pid, isDatabase),
      )
      await paced
      if (turn < warmUpTurns) continue
      ours.push(our)
      theirs.push(their)
    }
  } finally {
    load.close()
    await bare.close()
  }
  return describeTurns(words, ours, theirs)
}

/** A route that reads nothing would be fast. */
async function requireSameAnswer(our: HttpRequest, their: HttpRequest): Promise<void> {
  const [ourText, theirText] = (await Promise.all([send(our), send(their)])).map(({ body }) =>
    JSON.stringify(body),
  )
  const [found] = /00000000-0000-7000-8000-[0-9a-f]{12}/.exec(ourText ?? '') ?? []
  if (found === undefined || theirText?.includes(found) !== true)
    throw new Error(
      `The bare route does not answer as the Hub does: ${String(theirText)} for ${String(ourText)}`,
    )
}

function describeTurns(words: string, ours: readonly Turn[], theirs: readonly Turn[]): readonly Row[] {
  const perSecond = (some: readonly Turn[]) =>
    median(some.map(({ tookMs }) => (1_000 * requestsATurn) / tookMs))
  const processorMs = (some: readonly Turn[]) => median(some.map((each) => each.processorMs / requestsATurn))
  const what = 'a bare Fastify route with the same transactions'
  const row = makeRow({
    measure: `the Hub, ${clients} clients: ${words}`,
    unit: 'requests/s',
    baseline: { what, value: perSecond(theirs) },
    ours: perSecond(ours),
    budget: null,
  })
  return [
    { ...row, budget: { words: `≥ ${budget} ×`, held: row.ratio >= budget } },
    makeRow({
      measure: `processor time of that, database included`,
      unit: 'ms',
      baseline: { what, value: processorMs(theirs) },
      ours: processorMs(ours),
      budget: null,
    }),
  ]
}

async function startBareRoute(calls: RecordedCalls, folder: string) {
  const file = join(folder, 'calls.json')
  writeFileSync(file, JSON.stringify(calls))
  const program = new URL('./bare-route.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { pid } = child
  if (pid === undefined) throw new Error('The bare route could not be started')
  return { pid, url: await readUrl(child), close: () => end(child) }
}

async function readUrl(child: ChildProcess): Promise<string> {
  const { stdout } = child
  if (stdout === null) throw new Error('The bare route says nothing')
  const [line] = (await once(stdout.setEncoding('utf8'), 'data', {
    signal: AbortSignal.timeout(startsWithinMs),
  })) as [string]
  return z.object({ url: z.string() }).parse(JSON.parse(line)).url
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
