import { administrator } from '../main/testing/workstation-process.ts'
import { goToScreen, openBench, signIn } from '../e2e/bench-app.ts'
import { type BenchmarkOptions, makeRow, type Row } from './benchmark.ts'
import { makeEmptyApplication, startElectron } from './electron-process.ts'
import { prepareHome } from './prepared-home.ts'
import { measureMemoryMb } from './process-tree.ts'

const budgetMb = 800
const settlesWithinMs = 5_000

/**
 * The proportional set size of all processes of TracSeq Bench, all five domains awake and every main screen seen once,
 * against an empty Electron application with one line of text.
 */
export async function measureMemory({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('preparing a laboratory')
  const home = await prepareHome(100)
  const empty = makeEmptyApplication()
  try {
    const emptyMb = await measureEmpty(empty)
    const bench = await openBench({ home: home.path })
    try {
      await signIn(bench.page, administrator)
      for (const name of ['Samples', 'Storage', 'Receive', 'Devices', 'Audit', 'People', 'Bench'])
        await goToScreen(bench.page, name)
      await pause(settlesWithinMs)
      const { pid } = bench.app.process()
      const benchMb = measureMemoryMb(pid ?? Number.NaN)
      return [
        makeRow({
          measure: 'memory of the whole application (PSS), five domains awake',
          unit: 'MB',
          baseline: { what: 'an empty Electron application', value: emptyMb },
          ours: benchMb,
          budget: { words: `≤ ${budgetMb} MB`, held: benchMb <= budgetMb },
        }),
      ]
    } finally {
      await bench.close()
    }
  } finally {
    empty.remove()
    home.remove()
  }
}

async function measureEmpty(empty: ReturnType<typeof makeEmptyApplication>): Promise<number> {
  const running = await startElectron(empty)
  try {
    await pause(settlesWithinMs)
    return measureMemoryMb(running.pid)
  } finally {
    await running.close()
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, milliseconds))
}
