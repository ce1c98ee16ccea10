import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { fsyncDirectory } from './durable-node-fs.ts'

/** A snapshot that cannot be believed: cut short, altered or of a format this program does not know. */
export class SnapshotDamaged extends Error {
  override readonly name = 'SnapshotDamaged'
}

/** The first line inside of a snapshot. */
export const SnapshotHeader = z.object({
  format: z.literal(1),
  domain: z.string(),
  /** The domain's last change set that is in it, and the hash of that entry's payload in the journal. */
  sequence: z.number().int().positive(),
  payloadHash: z.string(),
  /** What the database knew to be in the journal. */
  acknowledged: z.number().int(),
  takenAt: z.string(),
  /** The schema: every migration that was applied. */
  migrations: z.array(z.object({ name: z.string(), sha256: z.string() })),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()), rows: z.number().int() })),
})
export type SnapshotHeader = z.infer<typeof SnapshotHeader>

export interface SnapshotFile {
  readonly sequence: number
  readonly path: string
}

const extension = '.snapshot'
/** In front of the compressed part, so that a file can be checked as it lies. Its length never changes. */
const preamble = (sha256: string) => `TracSeq snapshot 1 sha256=${sha256}\n`
const preambleBytes = preamble('0'.repeat(64)).length

/** A domain's snapshots, newest first. */
export function listSnapshots(folder: string): readonly SnapshotFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^\d+\.snapshot$/.test(name))
    .map((name) => ({ sequence: Number(name.slice(0, -extension.length)), path: join(folder, name) }))
    .sort((a, b) => b.sequence - a.sequence)
}

/** Removes all but the newest ones, and what a crash left unfinished. */
export function dropOldSnapshots(folder: string, kept: number): void {
  for (const { path } of listSnapshots(folder).slice(kept)) rmSync(path, { force: true })
}

/**
 * Writes a snapshot: a plain line with the SHA-256 of all that follows, then gzip of the header and of one JSON array
 * of texts per row, table by table. Either the whole file is durably there in the end or none.
 */
export async function writeSnapshotFile(
  folder: string,
  header: SnapshotHeader,
  rows: AsyncIterable<readonly string[]>,
): Promise<SnapshotFile> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${header.sequence}${extension}`)
  const unfinished = `${path}.unfinished`
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.write(preamble('0'.repeat(64)))
    const sha256 = createHash('sha256')
    const gzip = createGzip({ level: 3 })
    const written = pipeline(gzip, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        sha256.update(chunk)
        await file.appendFile(chunk)
      }
    })
    // A failure is met where it is awaited, below; until then it must not count as unhandled.
    written.catch(() => undefined)
    try {
      gzip.write(`${JSON.stringify(header)}\n`)
      for await (const page of rows) {
        if (page.length > 0 && !gzip.write(`${page.join('\n')}\n`))
          await Promise.race([once(gzip, 'drain'), written])
      }
      gzip.end()
    } catch (error) {
      gzip.destroy()
      throw error
    }
    await written
    await file.write(preamble(sha256.digest('hex')), 0)
    await file.sync()
  } catch (error) {
    await file.close()
    rmSync(unfinished, { force: true })
    throw error
  }
  await file.close()
  await rename(unfinished, path)
  fsyncDirectory(dirname(path))
  return { sequence: header.sequence, path }
}

/** Checks a snapshot's hash over every byte and reads its header. Throws {@link SnapshotDamaged}. */
export async function readSnapshotHeader(path: string): Promise<SnapshotHeader> {
  const sha256 = createHash('sha256')
  const beginning: Buffer[] = []
  let seen = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    if (seen < preambleBytes) beginning.push(chunk)
    sha256.update(chunk.subarray(Math.max(0, preambleBytes - seen)))
    seen += chunk.length
  }
  const stated = Buffer.concat(beginning).subarray(0, preambleBytes).toString('latin1')
  if (stated !== preamble(sha256.digest('hex'))) {
    throw new SnapshotDamaged(`The snapshot ${path} is damaged: its content is not the one that was written`)
  }
  const lines = readLines(path)
  const first = await lines.next()
  await lines.return(undefined)
  const header = SnapshotHeader.safeParse(JSON.parse(first.value ?? 'null'))
  if (header.success) return header.data
  throw new SnapshotDamaged(`The snapshot ${path} has no header this program understands`)
}

/** A snapshot's rows in pages, each with the table it belongs to. */
export async function* readSnapshotRows(
  path: string,
  header: SnapshotHeader,
  pageRows: number,
): AsyncGenerator<{ readonly table: SnapshotHeader['tables'][number]; readonly lines: readonly string[] }> {
  const lines = readLines(path)
  await lines.next()
  for (const table of header.tables) {
    let page: string[] = []
    for (let row = 0; row < table.rows; row += 1) {
      const next = await lines.next()
      if (next.done === true) throw new SnapshotDamaged(`The snapshot ${path} ends within ${table.name}`)
      page.push(next.value)
      if (page.length === pageRows) {
        yield { table, lines: page }
        page = []
      }
    }
    if (page.length > 0) yield { table, lines: page }
  }
}

async function* readLines(path: string): AsyncGenerator<string, undefined> {
  const file = createReadStream(path, { start: preambleBytes })
  const text = createGunzip()
  const ended = pipeline(file, text)
  ended.catch(() => undefined)
  try {
    // Not node:readline, which also breaks lines at U+2028, and people do paste that into notes.
    let rest = ''
    text.setEncoding('utf8')
    for await (const chunk of text as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    await ended
  } finally {
    file.destroy()
    text.destroy()
  }
  return undefined
}
