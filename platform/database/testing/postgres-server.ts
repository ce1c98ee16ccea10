import type { TestProject } from 'vitest/node'
import { onServer } from './on-server.ts'
import { startOwnPostgresServer } from './own-postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the project `postgres` has its server; the other projects run on PGlite. */
    readonly postgresUrl: string
  }
}

/** One PostgreSQL server for a whole run of the vitest project `postgres`; each test makes databases of its own on it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startOwnPostgresServer()
  // Roles belong to the server: made once here, so that databases made at the same moment do not race for it.
  await onServer(server.url, (client) => client.query('create role tracseq_service nologin nobypassrls'))
  // Given to this project alone: an environment variable would reach the tests of the other projects as well.
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}
