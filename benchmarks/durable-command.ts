import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { openForReading } from '../platform/journal/journal-connection.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { addBox, type Laboratory, openLaboratory } from './laboratory.ts'
import { openRawRows, type RawRows } from './raw-rows.ts'
import { median } from './statistics.ts'

const timesEach = 100
const warmUps = 15
const budget = 3

/**
 * A command from the call at the gateway to its answer, which comes when domain database and journal have it on disk,
 * against the same rows (the domain's, their images, the answer for repeats and the outbox row) in one transaction of a
 * bare PGlite with fsync and one fsynced append to a bare SQLite. The two take turns, so a busy machine slows both.
 */
export async function measureDurableCommand({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  const laboratory = await openLaboratory()
  const raw = await openRawRows()
  const journal = openForReading(join(laboratory.here.workstation.home, 'journal.sqlite'))
  const newest = journal.prepare<[], number>('select coalesce(max(sequence), 0) from journal_entry').pluck()
  const since = journal
    .prepare<[number], string>('select payload from journal_entry where sequence > ? order by sequence')
    .pluck()
  const rows: Row[] = []
  try {
    for (const { measure, prepare } of await chooseCommands(laboratory)) {
      say(measure)
      const [ours, bare]: [number[], number[]] = [[], []]
      for (let turn = 0; turn < warmUps + timesEach; turn += 1) {
        const command = await prepare(turn)
        const before = newest.get() ?? 0
        const tookMs = await timed(command)
        const rawMs = await writeAgain(raw, since.all(before))
        if (turn < warmUps) continue
        ours.push(tookMs)
        bare.push(rawMs)
      }
      const row = makeRow({
        measure,
        unit: 'ms',
        baseline: { what: 'the same rows, raw and fsynced', value: median(bare) },
        ours: median(ours),
        budget: null,
      })
      rows.push({ ...row, budget: { words: `p50 ≤ ${budget} ×`, held: row.ratio <= budget } })
    }
    return rows
  } finally {
    journal.close()
    await raw.close()
    await laboratory.close()
  }
}

interface MeasuredCommand {
  readonly measure: string
  /** Makes ready what the command needs, and gives the command. */
  readonly prepare: (turn: number) => Promise<() => Promise<unknown>>
}

async function chooseCommands(laboratory: Laboratory): Promise<readonly MeasuredCommand[]> {
  const { barcodes, samples, storage } = laboratory
  const boxId = await addBox(laboratory, 'Commands')
  const other = await addBox(laboratory, 'Received')
  return [
    {
      measure: 'give out one code, p50',
      prepare: async () => () => barcodes.allocate({ kind: 'sample', count: 1 }),
    },
    {
      measure: 'change the state of a sample, p50',
      async prepare(turn) {
        const { id } = await samples.accession({ sample: { name: `State ${turn}`, type: 'dna' } })
        return () => samples.changeState({ id, to: 'validated' })
      },
    },
    {
      measure: 'put a tube into a box, p50',
      async prepare(turn) {
        const { id } = await storage.createContainer({
          id: uuidv7(),
          kind: 'tube',
          material: 'dna',
          label: `Tube ${turn}`,
        })
        return () => storage.place({ containerId: id, target: { boxId } })
      },
    },
    {
      measure: 'receive a tube (4 change sets, 3 domains), p50',
      prepare: async (turn) => () =>
        samples.receive({
          sample: { name: `Received ${turn}`, type: 'dna', volumeUl: '50' },
          placement: { boxId: other },
        }),
    },
  ]
}

/** The change sets of one command, written again one after the other; reactions to it are left out on both sides. */
async function writeAgain(raw: RawRows, payloads: readonly string[]): Promise<number> {
  let tookMs = 0
  for (const payload of payloads) {
    if (!payload.includes('.internal"')) tookMs += await raw.write(payload)
  }
  return tookMs
}
