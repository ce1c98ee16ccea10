import { execFile, type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const folder = resolve(import.meta.dirname, 'pouchdb')
const run = promisify(execFile)
const startsWithinMs = 60_000
const replicatesWithinMs = 30 * 60_000
const installsWithinMs = 10 * 60_000

const Replicated = z.object({ written: z.int(), tookMs: z.number() })

/** Brings in PouchDB, which nothing but this benchmark needs. */
export async function installPouchDb(): Promise<void> {
  if (existsSync(join(folder, 'node_modules', 'pouchdb'))) return
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  await run(npm, ['ci', '--no-audit', '--no-fund'], { cwd: folder, timeout: installsWithinMs })
}

/**
 * How long PouchDB takes to replicate as many documents as there are texts, in milliseconds: from one process to an
 * express-pouchdb in another, both on LevelDB, which does not wait for the disk.
 */
export async function replicateWithPouchDb(texts: readonly string[]): Promise<number> {
  const here = mkdtempSync(join(tmpdir(), 'tracseq-pouchdb-'))
  const list = join(here, 'texts.json')
  const atPeer = join(here, 'peer')
  mkdirSync(atPeer)
  writeFileSync(list, JSON.stringify(texts))
  const peer = spawn(process.execPath, [join(folder, 'peer.mjs'), atPeer], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = `http://127.0.0.1:${await readPort(peer)}/sets`
    const { stdout } = await run(process.execPath, [join(folder, 'replicate.mjs'), here, list, url], {
      timeout: replicatesWithinMs,
    })
    const { written, tookMs } = Replicated.parse(JSON.parse(stdout))
    if (written !== texts.length)
      throw new Error(`PouchDB replicated ${written} of ${texts.length} documents`)
    return tookMs
  } finally {
    peer.kill('SIGKILL')
    rmSync(here, { recursive: true, force: true })
  }
}

async function readPort(peer: ChildProcess): Promise<number> {
  const ended = once(peer, 'exit').then(() => Promise.reject(new Error('The PouchDB peer ended')))
  const said = once(peer.stdout ?? peer, 'data', { signal: AbortSignal.timeout(startsWithinMs) })
  const [line] = (await Promise.race([said, ended])) as [unknown]
  return z.coerce.number().int().parse(String(line).trim())
}
