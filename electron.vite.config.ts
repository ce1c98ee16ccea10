import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * Everything that starts as a thread or process of its own is an entry with a fixed name, so that its parent can
 * find it beside itself: `out/main/samples.worker.js`, `out/main/device-process.js`. A new domain needs no edit here.
 */
function findMainEntries(): Record<string, string> {
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

// `rolldownOptions`, never `rollupOptions`: Vite 8 can ignore the latter without a word, and then native modules
// are bundled into a build that looks fine and does not start.
export default defineConfig({
  main: {
    build: {
      // Everything in `dependencies` stays outside the bundle: PGlite finds its WebAssembly, and native modules
      // their binaries, beside their own files.
      externalizeDeps: true,
      rolldownOptions: {
        input: findMainEntries(),
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
      rolldownOptions: { input: join(import.meta.dirname, 'renderer/index.html') },
    },
  },
})
