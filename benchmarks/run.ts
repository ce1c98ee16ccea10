import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark, Row } from './benchmark.ts'
import { measureDurableCommand } from './durable-command.ts'
import { measureFinding } from './finding.ts'
import { measureGatewayShare } from './gateway-share.ts'
import { measureHubRequests } from './hub-requests.ts'
import { measureSnapshot } from './hub-snapshot.ts'
import { measureWorkstations } from './hub-workstations.ts'
import { measureMemory } from './memory.ts'
import { measureReceiving } from './receiving.ts'
import { measureScanToScreen } from './scan-to-screen.ts'
import { measureStart } from './start.ts'
import { measureSyncing } from './syncing.ts'

/** `npm run bench [-- --only NAME] [-- --json] [-- --size 1000000]`. */
const benchmarks: readonly Benchmark[] = [
  { name: 'gateway', run: measureGatewayShare },
  { name: 'command', run: measureDurableCommand },
  { name: 'receiving', run: measureReceiving },
  { name: 'finding', run: measureFinding },
  { name: 'hub', run: measureHubRequests },
  { name: 'snapshot', run: measureSnapshot },
  { name: 'sync', run: measureSyncing },
  { name: 'workstations', run: measureWorkstations },
  { name: 'scan', run: measureScanToScreen, needsWindow: true },
  { name: 'start', run: measureStart, needsWindow: true },
  { name: 'memory', run: measureMemory, needsWindow: true },
]
const usage = `usage: npm run bench -- [--only ${benchmarks.map(({ name }) => name).join('|')}]... [--json] [--size SAMPLES]`
const root = resolve(import.meta.dirname, '..')
const defaultSize = '100000'

const { only, json, size } = readArguments()
const chosen = benchmarks.filter(({ name }) => only.length === 0 || only.includes(name))
// A benchmark that could not run may have left a worker behind.
process.exit(await main())

async function main(): Promise<number> {
  const needsWindow = chosen.some((each) => each.needsWindow === true)
  if (needsWindow && process.env['TRACSEQ_BENCH_READY'] === undefined) return repeatWithWindows()
  const results: { readonly name: string; readonly rows: readonly Row[] }[] = []
  let status = 0
  for (const { name, run } of chosen) {
    try {
      const rows = await run({ size, say: (words) => console.error(`${name}: ${words}`) })
      results.push({ name, rows })
      if (!json) printRows(name, rows)
    } catch (error) {
      status = 1
      console.error(
        `${name} could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
    }
  }
  if (json) console.log(JSON.stringify(results, null, 2))
  return status
}

function readArguments(): {
  readonly only: readonly string[]
  readonly json: boolean
  readonly size: number
} {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        size: { type: 'string', default: defaultSize },
      },
    })
    const size = Number(values.size)
    if (!Number.isSafeInteger(size) || size < 1_000)
      throw new Error('--size is a number of samples, 1000 or more')
    const unknown = values.only.find((name) => !benchmarks.some((each) => each.name === name))
    if (unknown !== undefined) throw new Error(`There is no benchmark ${unknown}`)
    return { only: values.only, json: values.json, size }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
    process.exit(2)
  }
}

/** The tools bring in Electron, build what has changed and find a display; then they run this program again. */
function repeatWithWindows(): number {
  const { status } = spawnSync(process.execPath, [join('tools', 'bench.mjs'), ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  })
  return status ?? 1
}

function printRows(name: string, rows: readonly Row[]): void {
  console.log(`\n${name}`)
  for (const { measure, unit, baseline, ours, ratio, budget } of rows) {
    const held = budget === null ? '' : `; ${budget.words}: ${budget.held ? 'held' : 'over budget'}`
    console.log(`  ${measure}`)
    console.log(
      `    ${show(ours)} ${unit}, ${ratio.toFixed(2)} × the baseline of ${show(baseline.value)} ${unit} (${baseline.what})${held}`,
    )
  }
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
