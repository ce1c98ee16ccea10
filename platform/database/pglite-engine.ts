import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { DurableNodeFs, fsyncDirectory } from './durable-node-fs.ts'
import { DatabaseDamaged, DatabaseStopped, type Engine } from './engine.ts'
import { PreparedStatements } from './prepared-statements.ts'
import type { Transaction } from './transaction.ts'

export interface PgliteOptions {
  readonly directory: string
  /** A prepared database to copy when there is none yet; without it initdb runs (about three seconds). */
  readonly template: string | null
  /** PGlite's compiled module, shared by all workers of a process. */
  readonly wasmModule?: WebAssembly.Module
  /** Tests put a disk with faults in its place. */
  readonly fileSystem?: (directory: string) => DurableNodeFs
}

/** PGlite asks for 128 MB by default and takes it; a domain's working set is far smaller. */
const sharedBuffers = '12MB'

/**
 * Opens a domain's PGlite with fsync on every commit. The caller holds the home's lock: PGlite has none, and a second
 * open of the same directory would silently diverge. Throws {@link DatabaseDamaged} when the files are beyond use, and
 * {@link DatabaseStopped} when the disk does not let them be opened.
 */
export async function openPglite(
  options: PgliteOptions,
): Promise<Engine & { readonly fileSystem: DurableNodeFs }> {
  await prepareDirectory(options.directory, options.template)
  const fileSystem = options.fileSystem?.(options.directory) ?? new DurableNodeFs(options.directory)
  const client = await start(fileSystem, options)
  guard(client, fileSystem)
  const statements = new PreparedStatements(client)
  const transactions = {
    transaction: <T>(work: (tx: Pick<PreparedStatements, 'query'>) => Promise<T>) =>
      client.transaction(() => work(statements)),
  }
  // Drizzle asks no more of its client than this, as long as everything happens inside of transactions.
  const database = drizzle({ client: transactions as unknown as PGlite })
  return {
    kind: 'pglite',
    fileSystem,
    stopped: fileSystem.stopped,
    transact: (work) => database.transaction((tx) => work(tx as unknown as Transaction)),
    async execute(statement) {
      await client.exec(statement)
    },
    async sizeInBytes() {
      const { rows } = await client.query<{ bytes: string }>(
        'select pg_database_size(current_database())::text as bytes',
      )
      return Number(rows[0]?.bytes ?? 0)
    },
    close: () => client.close(),
  }
}

async function start(fileSystem: DurableNodeFs, { directory, wasmModule }: PgliteOptions): Promise<PGlite> {
  const options: PGliteOptions = {
    fs: fileSystem,
    // Without -F, which would turn fsync off.
    startParams: [
      ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
      ...['shared_buffers=' + sharedBuffers, 'wal_sync_method=fsync', 'max_wal_size=1GB'].flatMap(
        (setting) => ['-c', setting],
      ),
    ],
    ...(wasmModule === undefined ? {} : { pgliteWasmModule: wasmModule }),
  }
  try {
    return await PGlite.create(options)
  } catch (error) {
    // A full or locked disk must not be taken for damage: setting a sound database aside would lose its secrets.
    if (fileSystem.stopped.aborted || fileSystem.refusal !== null) {
      throw new DatabaseStopped(
        `The database in ${directory} cannot be opened: ${fileSystem.refusal ?? wordsOf(error)}`,
        { cause: error },
      )
    }
    // A missing control file or a torn system page aborts the WebAssembly program itself, with no SQL error to read.
    throw new DatabaseDamaged(`The database in ${directory} does not open: ${wordsOf(error)}`, {
      cause: error,
    })
  }
}

/** Every statement enters the WebAssembly through one method; after a failure there none may enter again. */
function guard(client: PGlite, fileSystem: DurableNodeFs): void {
  const enter = client.execProtocolRawSync.bind(client)
  client.execProtocolRawSync = (...parameters: Parameters<PGlite['execProtocolRawSync']>) => {
    fileSystem.stopped.throwIfAborted()
    try {
      return enter(...parameters)
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw fileSystem.stop('The database broke down', error)
      throw error
    }
  }
}

async function prepareDirectory(directory: string, template: string | null): Promise<void> {
  if (
    existsSync(join(directory, 'PG_VERSION')) ||
    (existsSync(directory) && readdirSync(directory).length > 0)
  )
    return
  mkdirSync(dirname(directory), { recursive: true })
  if (template === null) return
  // A half-copied database must not be taken for a whole one: copy beside, then rename.
  const unfinished = `${directory}.copying`
  rmSync(unfinished, { recursive: true, force: true })
  await copyDurably(template, unfinished)
  rmSync(directory, { recursive: true, force: true })
  renameSync(unfinished, directory)
  fsyncDirectory(dirname(directory))
}

/** Several at once, because a thousand small files fsynced one after the other take seconds. */
const filesAtOnce = 8

async function copyDurably(from: string, to: string): Promise<void> {
  const entries = readdirSync(from, { recursive: true, withFileTypes: true })
  const pathOf = (entry: (typeof entries)[number]) => join(to, relative(from, entry.parentPath), entry.name)
  mkdirSync(to, { recursive: true })
  for (const entry of entries) if (entry.isDirectory()) mkdirSync(pathOf(entry), { recursive: true })
  const files = entries.filter((entry) => entry.isFile()).values()
  const copyOn = async () => {
    for (const entry of files) {
      await copyFile(join(entry.parentPath, entry.name), pathOf(entry))
      const file = await open(pathOf(entry), 'r+')
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    }
  }
  await Promise.all(Array.from({ length: filesAtOnce }, copyOn))
}

/** An error's own words, whatever was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
