import { join } from 'node:path'
import { openForReading } from '../platform/journal/journal-connection.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { addBox, openLaboratory } from './laboratory.ts'
import { openRawRows } from './raw-rows.ts'

const tubes = 100
const warmUps = 20

/**
 * Receiving a list of tubes into a box (sample, code, container, place and their events), in rows a second, against the
 * very rows this left in the journal, written one change set after the other into a bare PGlite and a bare SQLite.
 */
export async function measureReceiving({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  const laboratory = await openLaboratory()
  const raw = await openRawRows()
  const journal = openForReading(join(laboratory.here.workstation.home, 'journal.sqlite'))
  try {
    const boxId = await addBox(laboratory, 'Received')
    const receive = async (count: number) => {
      const rows = Array.from({ length: count }, (_, index) => ({
        sample: { name: `Tube ${index}`, type: 'dna', donor: `D-${index % 7}`, volumeUl: '120' },
        placement: { boxId },
      }))
      const results = await laboratory.samples.receiveBatch({ rows })
      if (results.some(({ ok }) => !ok)) throw new Error('A tube was not received')
    }
    await receive(warmUps)
    const newest = journal.prepare<[], number>('select max(sequence) from journal_entry').pluck().get() ?? 0
    say(`${tubes} tubes`)
    const oursMs = await timed(() => receive(tubes))
    const payloads = journal
      .prepare<[number], string>('select payload from journal_entry where sequence > ? order by sequence')
      .pluck()
      .all(newest)
    let rawMs = 0
    for (const payload of payloads) rawMs += await raw.write(payload)
    const perSecond = (tookMs: number) => (tubes / tookMs) * 1_000
    return [
      makeRow({
        measure: `receive ${tubes} tubes as a list (${payloads.length} change sets)`,
        unit: 'rows/s',
        baseline: {
          what: 'the same change sets, raw and fsynced, one after the other',
          value: perSecond(rawMs),
        },
        ours: perSecond(oursMs),
        budget: null,
      }),
    ]
  } finally {
    journal.close()
    await raw.close()
    await laboratory.close()
  }
}
