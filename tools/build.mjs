// Builds the desktop app into out/: `node tools/build.mjs [--if-changed]`.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectNode, root, run } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'

const entry = 'main/electron/index.ts'
const inputs = [
  'main',
  'platform',
  'services',
  'renderer',
  'resources',
  'electron.vite.config.ts',
  'package-lock.json',
  'tsconfig.json',
]
const templateScript = 'tools/make-database-template.ts'
const templateInputs = ['drizzle', 'services', 'platform', templateScript, 'package-lock.json']

/** Builds what is out of date, or everything when told so. Returns the exit status. */
export async function build({ ifChanged = false } = {}) {
  if (!existsSync(join(root, entry))) {
    console.error(`build: ${entry} is missing, so there is no app to build`)
    return 1
  }
  if (existsSync(join(root, templateScript))) {
    const status = await step('database template', templateInputs, 'build/database-template', ifChanged, [
      templateScript,
    ])
    if (status !== 0) return status
  }
  const electronVite = join('node_modules', 'electron-vite', 'bin', 'electron-vite.js')
  return step('app', inputs, 'out', ifChanged, [electronVite, 'build', '--logLevel', 'warn'])
}

async function step(name, sources, output, ifChanged, args) {
  const stampFile = join(root, '.cache', `built-${name.replace(' ', '-')}`)
  const stamp = fingerprint(sources)
  const isCurrent =
    existsSync(join(root, output)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp
  if (ifChanged && isCurrent) return 0

  console.log(`build: ${name}`)
  const { status } = await run(projectNode, args)
  if (status !== 0) return status
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(stampFile, stamp)
  return 0
}

/** Names, sizes and times of all source files: reading them whole would take longer than it is worth. */
function fingerprint(sources) {
  const hash = createHash('sha256')
  for (const source of sources) {
    const path = join(root, source)
    if (!existsSync(path)) continue
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true })
          .map((name) => join(path, name))
          .sort()
      : [path]
    for (const file of files) {
      const { mtimeMs, size } = statSync(file)
      hash.update(`${file}\0${mtimeMs}\0${size}\n`)
    }
  }
  return hash.digest('hex')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setUpOrExit('install')
  process.exitCode = await build({ ifChanged: process.argv.includes('--if-changed') })
}
