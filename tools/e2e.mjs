// `npm run e2e [-- playwright arguments]`: builds what has changed and drives the real app with Playwright.
import { join } from 'node:path'
import { build } from './build.mjs'
import { runWithDisplay } from './display.mjs'
import { projectEnvironment, projectNode } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'
import { electronEnvironment } from './setup/electron-binary.mjs'

await setUpOrExit('test')
const built = await build({ ifChanged: true })
if (built !== 0) process.exit(built)

const playwright = join('node_modules', '@playwright', 'test', 'cli.js')
const { status } = await runWithDisplay(projectNode, [playwright, 'test', ...process.argv.slice(2)], {
  environment: projectEnvironment(electronEnvironment()),
})
process.exitCode = status
