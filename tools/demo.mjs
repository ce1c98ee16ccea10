// `npm run demo`: sets up what is missing, builds what has changed, and does the main job with the real app.
import { join } from 'node:path'
import { build } from './build.mjs'
import { runWithDisplay } from './display.mjs'
import { projectEnvironment, projectNode } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'
import { electronEnvironment } from './setup/electron-binary.mjs'
import { hasDisplay } from './setup/system-packages.mjs'

await setUpOrExit('start')
const built = await build({ ifChanged: true })
if (built !== 0) process.exit(built)

if (!hasDisplay()) console.log('demo: there is no display, so the app runs under xvfb-run')
const { status } = await runWithDisplay(projectNode, [join('tools', 'demo.ts'), ...process.argv.slice(2)], {
  environment: projectEnvironment(electronEnvironment()),
})
process.exitCode = status
