// `npm start`: sets up what is missing, builds what has changed, opens TracSeq Bench.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { runWithDisplay } from './display.mjs'
import { projectEnvironment, projectNode, root } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'
import { electronEnvironment } from './setup/electron-binary.mjs'
import { hasDisplay } from './setup/system-packages.mjs'

await setUpOrExit('start')
const built = await build({ ifChanged: true })
if (built !== 0) process.exit(built)
if (!existsSync(join(root, 'out/main/index.js'))) {
  console.error('start: the build left no out/main/index.js')
  process.exit(1)
}

if (!hasDisplay()) {
  console.log(
    'start: there is no display, so TracSeq Bench runs under xvfb-run and its window cannot be seen',
  )
}
const args = [join('node_modules', 'electron', 'cli.js'), '.', ...process.argv.slice(2)]
if (process.platform === 'linux' && process.getuid() === 0) {
  console.log("start: you are root, where Electron's sandbox does not work, so it is off (--no-sandbox).")
  console.log('start: use an ordinary account for real work.')
  args.push('--no-sandbox')
}
const { status } = await runWithDisplay(projectNode, args, {
  environment: projectEnvironment(electronEnvironment()),
})
process.exitCode = status
