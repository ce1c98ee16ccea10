import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { globSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { relative as relativeUrl } from 'node:path/posix'
import type { Plugin } from 'vite'

const mainEntries = findMainEntries()

/**
 * Everything that starts as a thread or process of its own is an entry with a fixed name, so that its parent can
 * find it: `out/main/samples.worker.js`, `out/main/device-process.js`. A new domain needs no edit here.
 */
function findMainEntries(): Readonly<Record<string, string>> {
  const entries: Record<string, string> = { index: 'main/electron/index.ts' }
  const patterns = ['services/*/*.worker.ts', 'platform/*/*.worker.ts', 'main/devices/device-process.ts']
  for (const file of globSync(patterns, { cwd: import.meta.dirname }).sort()) {
    const name = basename(file, '.ts')
    if (entries[name] !== undefined)
      throw new Error(`${file} and ${entries[name]} would both become ${name}.js`)
    entries[name] = file
  }
  return entries
}

/**
 * Makes `new URL('./samples.worker.ts', import.meta.url)`, which is right when Node runs the sources, lead to the
 * built entry from whichever chunk the line ends up in.
 */
function pointUrlsAtEntries(): Plugin {
  const names = new Map(
    Object.entries(mainEntries).map(([name, file]) => [resolve(import.meta.dirname, file), name]),
  )
  return {
    name: 'tracseq:point-urls-at-entries',
    enforce: 'pre',
    transform(code, id) {
      if (id.includes('node_modules')) return null
      return code.replace(/new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g, (_, file: string) => {
        const name = names.get(resolve(dirname(id), file))
        if (name === undefined) this.error(`${id} starts ${file}, which is no entry of the build`)
        return `new URL('tracseq-entry:${name}', import.meta.url)`
      })
    },
    renderChunk(code, chunk) {
      return code.replace(/tracseq-entry:([\w.-]+)/g, (_, name: string) => {
        return `./${relativeUrl(dirname(chunk.fileName), `${name}.js`)}`
      })
    },
  }
}

const bundledPackages = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace-base',
  '@orpc/client',
  '@orpc/contract',
  '@orpc/server',
  '@orpc/zod',
  'cockatiel',
  'decimal.js',
  'drizzle-orm',
  'rate-limiter-flexible',
  'uuid',
  'zod',
]

// `rolldownOptions`, never `rollupOptions`: Vite 8 can ignore the latter without a word, and then native modules
// are bundled into a build that looks fine and does not start.
export default defineConfig({
  main: {
    plugins: [pointUrlsAtEntries()],
    build: {
      // A service would load hundreds of small files at its start. Outside the bundle stays what needs files beside its
      // own: PGlite its WebAssembly, native modules their binaries.
      externalizeDeps: { exclude: [...bundledPackages] },
      rolldownOptions: {
        input: { ...mainEntries },
        output: { chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      // A sandboxed preload script is CommonJS in one file and can require nothing but electron.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: 'main/electron/preload.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'renderer',
    plugins: [react()],
    build: {
      minify: true,
      // The page's policy takes fonts from files, not from data: URLs.
      assetsInlineLimit: 0,
      rolldownOptions: { input: join(import.meta.dirname, 'renderer/index.html') },
    },
  },
})
