// Makes a bare machine ready: `node tools/setup.mjs --for install|start|test|package`. Does nothing when nothing
// is missing, so that every command may call it. Runs on Node 20, which is what some machines bring.
import { pathToFileURL } from 'node:url'
import { ensureElectron } from './setup/electron-binary.mjs'
import { ensureNode, ensurePostgresLinks } from './setup/installed-parts.mjs'
import { ensureSystemPackages } from './setup/system-packages.mjs'

const purposes = ['install', 'start', 'test', 'package']

/** Sets up what a purpose needs; throws an Error whose message a person can act on. */
export async function setUp(purpose) {
  ensureNode()
  ensurePostgresLinks()
  if (purpose === 'install') return
  ensureSystemPackages(purpose)
  await ensureElectron()
}

/** `setUp` for a command line: prints the message and ends with status 1 when something is missing. */
export async function setUpOrExit(purpose) {
  try {
    await setUp(purpose)
  } catch (error) {
    console.error(`setup: ${error.message}`)
    process.exit(1)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [option, purpose] = process.argv.slice(2)
  if (option !== '--for' || !purposes.includes(purpose)) {
    console.error(`usage: node tools/setup.mjs --for ${purposes.join('|')}`)
    process.exit(1)
  }
  await setUpOrExit(purpose)
}
