import { join } from 'node:path'
import type { ContractRouterClient } from '@orpc/contract'
import { z } from 'zod'
import { type Machine, openSyncNetwork, untilCaughtUp } from '../main/sync/testing/sync-network.ts'
import { openForReading } from '../platform/journal/journal-connection.ts'
import { sync } from '../platform/sync/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { installPouchDb, replicateWithPouchDb } from './pouchdb.ts'

const sizes = [1_000, 10_000]
const tubes = 500
const rowsAtOnce = 500
const budget = 2
const caughtUpWithinMs = 60 * 60_000

/** What was done at a workstation while it was without its Hub. */
interface Work {
  /** In words, without the number. */
  readonly what: string
  readonly count: number
  readonly change: (client: SamplesClient, from: number, count: number) => Promise<readonly { ok: boolean }[]>
  /** How many change sets one of them is, at least. */
  readonly sets: number
}

type SamplesClient = ContractRouterClient<typeof samples>

/**
 * A workstation that was without its Hub sends what was done meanwhile: from the moment it may until the Hub has decided
 * every change set (permissions, rules, rows, log) and the workstation knows it, both sides durable, against PouchDB
 * replicating as many documents of the same text. Both go from one process to another over HTTP on one machine. Since a set
 * is several rows, PouchDB also replicates a document for each of them.
 */
export async function measureSyncing({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('installing PouchDB')
  await installPouchDb()
  const network = await openSyncNetwork()
  try {
    const workstation = await network.found()
    await untilCaughtUp(workstation)
    const rows: Row[] = []
    for (const count of sizes)
      rows.push(
        ...(await measureWork(workstation, { what: 'change sets', count, change: record, sets: 1 }, say)),
      )
    const received = { what: 'received tubes', count: tubes, change: receive, sets: 3 }
    rows.push(...(await measureWork(workstation, received, say)))
    return rows
  } finally {
    await network.close()
  }
}

async function measureWork(
  workstation: Machine,
  { what, count, change, sets }: Work,
  say: BenchmarkOptions['say'],
): Promise<readonly Row[]> {
  const client = (await workstation.admin()).client(sync)
  await client.pause({})
  say(`${count} ${what} are made without the Hub`)
  const before = newestEntry(workstation)
  const bench = (await workstation.admin()).client(samples)
  for (let from = 0; from < count; from += rowsAtOnce) {
    const results = await change(bench, from, Math.min(rowsAtOnce, count - from))
    if (results.some(({ ok }) => !ok)) throw new Error(`One of the ${what} was refused`)
  }
  const texts = readPayloads(workstation, before)
  if (texts.length < count * sets) throw new Error(`Only ${texts.length} change sets were made`)
  say(`${count} ${what} are sent and decided`)
  const oursMs = await timed(async () => {
    await client.resume({})
    await untilCaughtUp(workstation, caughtUpWithinMs)
  })
  const documents = texts.flatMap(rowsOf)
  say(`${texts.length} documents are replicated by PouchDB, then ${documents.length}`)
  const ofSets = await replicateWithPouchDb(texts)
  const ofRows = await replicateWithPouchDb(documents)
  const row = makeRow({
    measure: `sync ${count} ${what}, each`,
    unit: 'ms',
    baseline: { what: 'PouchDB, a document of the same text for each change set', value: ofSets / count },
    ours: oursMs / count,
    budget: null,
  })
  const held = row.ratio * budget <= 1
  const ofEachRow = makeRow({
    measure: `the same, ${(documents.length / count).toFixed(1)} rows each`,
    unit: 'ms',
    baseline: { what: 'PouchDB, a document for each row', value: ofRows / count },
    ours: oursMs / count,
    budget: null,
  })
  // The budget is one of change sets, of whatever domain.
  return [sets === 1 ? { ...row, budget: { words: `${budget} × as fast`, held } } : row, ofEachRow]
}

function record(client: SamplesClient, from: number, count: number) {
  return client.accessionBatch({ rows: Array.from({ length: count }, (_, index) => sampleOf(from + index)) })
}

function receive(client: SamplesClient, from: number, count: number) {
  return client.receiveBatch({
    rows: Array.from({ length: count }, (_, index) => ({ sample: sampleOf(from + index) })),
  })
}

function sampleOf(number: number) {
  return { name: `Sample ${number}`, type: 'DNA', donor: `D-${number % 7}`, volumeUl: '50' }
}

const Changes = z.object({ body: z.object({ changes: z.array(z.unknown()) }) })

/** What each row of a change set was written as. */
function rowsOf(payload: string): readonly string[] {
  return Changes.parse(JSON.parse(payload)).body.changes.map((change) => JSON.stringify(change))
}

function newestEntry(workstation: Machine): number {
  return withJournal(workstation, (journal) =>
    Number(journal.prepare('select coalesce(max(sequence), 0) from journal_entry').pluck().get()),
  )
}

function readPayloads(workstation: Machine, after: number): readonly string[] {
  return withJournal(workstation, (journal) =>
    journal
      .prepare<[number], string>(
        `select payload from journal_entry
          where sequence > ? and kind = 'change' and origin = 'local' and payload ->> '$.body.changes' <> '[]' order by sequence`,
      )
      .pluck()
      .all(after),
  )
}

function withJournal<T>(workstation: Machine, work: (journal: ReturnType<typeof openForReading>) => T): T {
  const journal = openForReading(join(workstation.home, 'journal.sqlite'))
  try {
    return work(journal)
  } finally {
    journal.close()
  }
}
