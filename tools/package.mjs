// `npm run package [-- --dir]`: builds the app and packs it with electron-builder. Further arguments go there too.
// With `--dir` the result is a folder to try out, packed with the Electron that setup found; without it, installers
// for this platform with an Electron that electron-builder downloads and checks itself.
import { getCurrentFuseWire, FuseState, FuseV1Options } from '@electron/fuses'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { projectEnvironment, projectNode, root, run } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'
import { findElectron } from './setup/electron-binary.mjs'

const args = process.argv.slice(2)
const isFolderOnly = args.includes('--dir')

await setUpOrExit(isFolderOnly ? 'package' : 'install')
const built = await build()
if (built !== 0) process.exit(built)

const electron = isFolderOnly ? findElectron() : undefined
const builder = join('node_modules', 'electron-builder', 'cli.js')
const { status } = await run(
  projectNode,
  [builder, '--config', 'electron-builder.config.ts', '--publish', 'never', ...args],
  { environment: projectEnvironment(electron ? { TRACSEQ_ELECTRON_DIST: electron.folder } : {}) },
)
if (status !== 0) process.exit(status)
await checkFuses()
if (electron && electron.origin !== 'official') {
  console.log(
    "package: this folder holds a copy of Electron that is not Electron's own: try it, do not pass it on",
  )
}

/** Reads the fuses back from the packed executables: a fuse that was not set looks like nothing at all. */
async function checkFuses() {
  const expected = {
    RunAsNode: FuseState.DISABLE,
    EnableNodeOptionsEnvironmentVariable: FuseState.DISABLE,
    EnableNodeCliInspectArguments:
      process.env.TRACSEQ_PACKAGE_FOR_E2E === '1' ? FuseState.ENABLE : FuseState.DISABLE,
    EnableCookieEncryption: FuseState.ENABLE,
    EnableEmbeddedAsarIntegrityValidation: FuseState.ENABLE,
    OnlyLoadAppFromAsar: FuseState.ENABLE,
  }
  const executables = globSync(
    [
      'dist/linux*-unpacked/tracseq-bench',
      'dist/win*-unpacked/TracSeq Bench.exe',
      'dist/mac*/TracSeq Bench.app',
    ],
    { cwd: root },
  )
  if (executables.length === 0) throw new Error('package: there is no packed app under dist/')
  for (const executable of executables) {
    const wire = await getCurrentFuseWire(join(root, executable))
    const wrong = Object.entries(expected).filter(([name, state]) => wire[FuseV1Options[name]] !== state)
    if (wrong.length > 0) {
      throw new Error(`package: wrong fuses in ${executable}: ${wrong.map(([name]) => name).join(', ')}`)
    }
    console.log(`package: ${executable}, fuses as configured`)
  }
}
