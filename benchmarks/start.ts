import { type BenchmarkOptions, makeRow, type Row } from './benchmark.ts'
import {
  type ApplicationToStart,
  benchApplication,
  makeEmptyApplication,
  startElectron,
} from './electron-process.ts'
import { prepareHome } from './prepared-home.ts'
import { median } from './statistics.ts'

const starts = 5
const budgetMs = 2_000

/**
 * From the start of the process until the sign-in can be typed into, with the databases of a laboratory present, against
 * an empty Electron application from its start until its one line of text is there. They take turns.
 */
export async function measureStart({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('preparing a laboratory')
  const home = await prepareHome(10)
  const empty = makeEmptyApplication()
  try {
    const bench = benchApplication(home.path)
    const [ours, baseline]: [number[], number[]] = [[], []]
    for (let turn = 0; turn <= starts; turn += 1) {
      const emptyMs = await startOnce(empty)
      const benchMs = await startOnce(bench)
      // The first start fills the operating system's cache.
      if (turn === 0) continue
      say(`${Math.round(benchMs)} ms, an empty application ${Math.round(emptyMs)} ms`)
      ours.push(benchMs)
      baseline.push(emptyMs)
    }
    const p50 = median(ours)
    return [
      makeRow({
        measure: 'start to sign-in, databases present, p50',
        unit: 'ms',
        baseline: { what: 'an empty Electron application to its first text', value: median(baseline) },
        ours: p50,
        budget: { words: `≤ ${budgetMs} ms`, held: p50 <= budgetMs },
      }),
    ]
  } finally {
    empty.remove()
    home.remove()
  }
}

async function startOnce(application: ApplicationToStart): Promise<number> {
  const running = await startElectron(application)
  await running.close()
  return running.shownAfterMs
}
