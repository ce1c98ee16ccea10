import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  type SyncNetwork,
  untilCaughtUp,
} from '../main/sync/testing/sync-network.ts'
import { killLeftOvers } from '../main/testing/workstation-process.ts'
import { onServer } from '../platform/database/testing/on-server.ts'
import {
  type OwnPostgresServer,
  startOwnPostgresServer,
} from '../platform/database/testing/own-postgres-server.ts'
import { samples } from '../services/samples/contract.ts'
import { services } from '../services/registry.ts'

// A laboratory with a PostgreSQL server of its own gives the Hub the address and the administrator's account.

let server: OwnPostgresServer
let network: SyncNetwork
let bench: Machine

beforeAll(async () => {
  server = await startOwnPostgresServer()
  network = await openSyncNetwork({ ofHub: { DATABASE_URL: server.url } })
  bench = await network.found()
}, 180_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
  await server.stop()
}, 60_000)

async function receive(machine: Machine, name: string): Promise<void> {
  const client = (await machine.admin()).client(samples)
  await client.receive({ sample: { name, type: 'DNA' }, containerKind: 'tube' })
}

async function namesAt(machine: Machine): Promise<readonly string[]> {
  const { items } = await (await machine.admin()).client(samples).list({ limit: 200 })
  return items.map(({ name }) => name).toSorted()
}

function ask<Row extends object>(query: string): Promise<readonly Row[]> {
  return onServer(server.url, async (client) => (await client.query<Row>(query)).rows)
}

it('makes its databases there, takes a laboratory and what is pushed, and runs no server of its own', async () => {
  await receive(bench, 'Pushed')
  await untilCaughtUp(bench)
  await receive(network.hub, 'At the Hub')
  expect(await namesAt(network.hub)).toEqual(['At the Hub', 'Pushed'])
  const found = await ask<{ name: string; owner: string }>(
    `select datname as name, pg_get_userbyid(datdba) as owner from pg_database where datname like 'tracseq%' order by 1`,
  )
  const names = ['events', 'sync', ...services.map(({ name }) => name)].map((name) => `tracseq_${name}`)
  expect(found).toEqual(names.toSorted().map((name) => ({ name, owner: 'tracseq_hub' })))
  expect(existsSync(join(network.hub.home, 'postgres'))).toBe(false)
}, 120_000)

it('works there as roles that are no superusers and that row-level security binds', async () => {
  expect(
    await ask(
      `select rolname as name, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as mighty,
         rolcanlogin as enters from pg_roles where rolname like 'tracseq%' order by 1`,
    ),
  ).toEqual([
    { name: 'tracseq_hub', mighty: false, enters: true },
    { name: 'tracseq_service', mighty: false, enters: false },
  ])
  // The administrator's account made them, and holds no connection afterwards.
  expect(
    await ask(
      `select distinct usename as name from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    ),
  ).toEqual([{ name: 'tracseq_hub' }])
})

it('finds everything there again after a stop and after a kill', async () => {
  const before = await contentsOf(network.hub)
  await network.hub.stop()
  await network.restartHub()
  expect(await contentsOf(network.hub)).toEqual(before)
  await receive(bench, 'After the stop')
  await untilCaughtUp(bench)
  await network.hub.kill()
  await network.restartHub()
  await receive(network.hub, 'After the kill')
  await untilCaughtUp(bench)
  expect(await namesAt(network.hub)).toEqual(['After the kill', 'After the stop', 'At the Hub', 'Pushed'])
  expect(await contentsOf(bench)).toEqual(await contentsOf(network.hub))
}, 180_000)
