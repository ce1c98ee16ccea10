import { createHash } from 'node:crypto'
import { cpSync, rmSync } from 'node:fs'
import {
  DomainDatabase,
  type DomainDatabaseOptions,
  openWorkstationDatabase,
  type WorkstationDatabaseOptions,
} from '../domain-database.ts'
import type { Engine } from '../engine.ts'
import { openPglite } from '../pglite-engine.ts'
import { openPostgres } from '../postgres-engine.ts'
import { emptyDatabase } from './empty-database.ts'
import { onServer } from './on-server.ts'

/** Set by the vitest project `postgres` to its server; without it tests run on PGlite. */
const serverUrl = process.env['TRACSEQ_TEST_POSTGRES'] ?? null

/** What a test's database is on: the engine this run is about, or PGlite in any case, as at every workstation. */
export type TestEngine = 'of-run' | 'pglite'

/** Opens a test's database. The directory names it on a server, too. */
export async function openTestDatabase(
  options: Omit<WorkstationDatabaseOptions, 'template'>,
  engine: TestEngine = 'of-run',
  /** Puts something between the database and its engine. */
  around?: (engine: Engine) => Engine,
): ReturnType<typeof openWorkstationDatabase> {
  if (serverUrl === null || engine === 'pglite') {
    const onDisk = { ...options, template: await emptyDatabase() }
    return around === undefined
      ? openWorkstationDatabase(onDisk)
      : openOn(around(await openPglite(onDisk)), options)
  }
  const onServers = openPostgres(await addTestDatabase(options.directory), () => undefined)
  return openOn(around === undefined ? onServers : around(onServers), options)
}

/** The address of a database on the run's server, made when it is missing. The directory names it. */
export async function addTestDatabase(directory: string): Promise<string> {
  if (serverUrl === null) throw new Error('Only the project postgres has a server')
  const name = databaseNameOf(directory)
  await onServer(serverUrl, async (client) => {
    const found = await client.query('select from pg_database where datname = $1', [name])
    if (found.rowCount === 0) await client.query(`create database ${name}`)
  })
  return new URL(name, serverUrl).href
}

async function openOn(engine: Engine, options: DomainDatabaseOptions) {
  try {
    return await DomainDatabase.open(engine, options)
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** Loses a closed database, as a broken disk does. */
export async function loseTestDatabase(directory: string, engine: TestEngine = 'of-run'): Promise<void> {
  if (serverUrl === null || engine === 'pglite') {
    rmSync(directory, { recursive: true, force: true })
    return
  }
  await onServer(serverUrl, (client) => client.query(`drop database if exists ${databaseNameOf(directory)}`))
}

/** Copies a closed database to another place, as a backup program does. */
export async function copyTestDatabase(from: string, to: string): Promise<void> {
  await loseTestDatabase(to)
  if (serverUrl === null) {
    cpSync(from, to, { recursive: true })
    return
  }
  await onServer(serverUrl, (client) =>
    client.query(`create database ${databaseNameOf(to)} template ${databaseNameOf(from)}`),
  )
}

function databaseNameOf(directory: string): string {
  return `test_${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`
}
