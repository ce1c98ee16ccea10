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
 * an empty Electron application from its start until its one line of text is there. They take turns. The sign-in is
 * there before databases and journal are; the second row says when somebody who typed at once would be let in.
 */
export async function measureStart({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('preparing a laboratory')
  const home = await prepareHome(10)
  const empty = makeEmptyApplication()
  try {
    const bench = benchApplication(home.path)
    const [signIn, open, baseline]: [number[], number[], number[]] = [[], [], []]
    for (let turn = 0; turn <= starts; turn += 1) {
      const emptyMs = await startOnce(empty)
      const running = await startElectron(bench)
      const openMs = await running.showsAfterMs('form[aria-busy=false] input[type=password]')
      await running.close()
      // The first start fills the operating system's cache, and the window learns which laboratory it belongs to.
      if (turn === 0) continue
      say(
        `${Math.round(running.shownAfterMs)} ms, open after ${Math.round(openMs)} ms, an empty application ${Math.round(emptyMs)} ms`,
      )
      signIn.push(running.shownAfterMs)
      open.push(openMs)
      baseline.push(emptyMs)
    }
    const p50 = median(signIn)
    const row = {
      unit: 'ms',
      baseline: { what: 'an empty Electron application to its first text', value: median(baseline) },
    } as const
    return [
      makeRow({
        ...row,
        measure: 'start to sign-in, databases present, p50',
        ours: p50,
        budget: { words: `≤ ${budgetMs} ms`, held: p50 <= budgetMs },
      }),
      makeRow({
        ...row,
        measure: 'start until the workstation is open behind it, p50',
        ours: median(open),
        budget: null,
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
