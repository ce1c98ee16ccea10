import { join } from 'node:path'
import { type Machine, openSyncNetwork, untilCaughtUp } from '../main/sync/testing/sync-network.ts'
import { openForReading } from '../platform/journal/journal-connection.ts'
import { sync } from '../platform/sync/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { installPouchDb, replicateWithPouchDb } from './pouchdb.ts'

const sizes = [1_000, 10_000]
const rowsAtOnce = 500
const budget = 2
const caughtUpWithinMs = 60 * 60_000

/**
 * A workstation that was without its Hub sends what was done meanwhile: from the moment it may until the Hub has decided
 * every change set (permissions, rules, rows, log) and the workstation knows it, both sides durable, against PouchDB
 * replicating as many documents of the same text. Both go from one process to another over HTTP on one machine.
 */
export async function measureSyncing({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('installing PouchDB')
  await installPouchDb()
  const network = await openSyncNetwork()
  try {
    const workstation = await network.found()
    await untilCaughtUp(workstation)
    const rows: Row[] = []
    for (const size of sizes) rows.push(await measureSize(workstation, size, say))
    return rows
  } finally {
    await network.close()
  }
}

async function measureSize(workstation: Machine, size: number, say: BenchmarkOptions['say']): Promise<Row> {
  const client = (await workstation.admin()).client(sync)
  await client.pause({})
  say(`${size} samples are recorded without the Hub`)
  const before = newestEntry(workstation)
  await recordSamples(workstation, size)
  const texts = readPayloads(workstation, before)
  if (texts.length !== size) throw new Error(`${texts.length} change sets were made, not ${size}`)
  say(`${size} change sets are sent and decided`)
  const oursMs = await timed(async () => {
    await client.resume({})
    await untilCaughtUp(workstation, caughtUpWithinMs)
  })
  say(`${size} documents are replicated by PouchDB`)
  const pouchMs = await replicateWithPouchDb(texts)
  const row = makeRow({
    measure: `sync ${size} change sets, each`,
    unit: 'ms',
    baseline: { what: 'PouchDB, as many documents of the same text', value: pouchMs / size },
    ours: oursMs / size,
    budget: null,
  })
  return { ...row, budget: { words: `${budget} × as fast`, held: row.ratio * budget <= 1 } }
}

async function recordSamples(workstation: Machine, count: number): Promise<void> {
  const client = (await workstation.admin()).client(samples)
  for (let from = 0; from < count; from += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, count - from) }, (_, index) => ({
      name: `Sample ${from + index}`,
      type: 'DNA',
      donor: `D-${index % 7}`,
      volumeUl: '50',
    }))
    const results = await client.accessionBatch({ rows })
    if (results.some(({ ok }) => !ok)) throw new Error('A sample was not recorded')
  }
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
        `select payload from journal_entry where sequence > ? and domain = 'samples' and origin = 'local' order by sequence`,
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
