// The measures that need a window: sets up what is missing, builds what has changed, and runs `benchmarks/run.ts` with a
// display. It is started by `benchmarks/run.ts` itself, which tells it the arguments of `npm run bench`.
import { join } from 'node:path'
import { build } from './build.mjs'
import { runWithDisplay } from './display.mjs'
import { projectEnvironment, projectNode } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'
import { electronEnvironment } from './setup/electron-binary.mjs'

await setUpOrExit('test')
const built = await build({ ifChanged: true })
if (built !== 0) process.exit(built)

const { status } = await runWithDisplay(
  projectNode,
  [join('benchmarks', 'run.ts'), ...process.argv.slice(2)],
  {
    environment: projectEnvironment({ ...electronEnvironment(), TRACSEQ_BENCH_READY: '1' }),
  },
)
process.exitCode = status
