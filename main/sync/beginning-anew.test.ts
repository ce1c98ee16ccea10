import { afterAll, beforeAll, expect, it } from 'vitest'
import { onServer } from '../../platform/database/testing/on-server.ts'
import {
  type OwnPostgresServer,
  startOwnPostgresServer,
} from '../../platform/database/testing/own-postgres-server.ts'
import { sync } from '../../platform/sync/contract.ts'
import { barcodes } from '../../services/barcodes/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  statusOf,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'

// While a workstation was away the contents of the log were removed, as an erasure does: it has to begin anew with
// snapshots, and what was made at it meanwhile is partly at the Hub, and partly not.

/** More than goes into one run: the first is decided, and the log is asked for, while the second is on its way. */
const codesAllocated = 450

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

async function receive(machine: Machine, name: string): Promise<string> {
  const client = (await machine.admin()).client(samples)
  const { sample } = await client.receive({ sample: { name, type: 'DNA' }, containerKind: 'tube' })
  return sample.id
}

async function update(
  machine: Machine,
  id: string,
  fields: { readonly donor?: string; readonly project?: string },
): Promise<void> {
  const client = (await machine.admin()).client(samples)
  const { revision } = await client.get({ id })
  await client.update({ id, revision, fields })
}

/** What waits for a person at a machine, and since when. */
async function openAt(machine: Machine) {
  const { items } = await (await machine.admin()).client(sync).workItems({})
  return items.map(({ id, kind, openedAt, conflicts }) => ({ id, kind, openedAt, conflicts }))
}

/** Removes the contents of all that the log has by now. Tells up to where. */
async function removeContents(): Promise<number> {
  const url = new URL(server.url)
  url.pathname = '/tracseq_events'
  const { laboratoryId } = await statusOf(bench)
  const removed = await onServer(url.href, async (client) => {
    const text = 'update entry set payload = null where laboratory_id = $1 returning position'
    return (await client.query<{ position: string }>(text, [laboratoryId])).rows
  })
  return Math.max(...removed.map(({ position }) => Number(position)))
}

it('a workstation for which the log is served no longer begins anew, with all that was made at it', async () => {
  const decided = await receive(bench, 'Decided')
  const disputed = await receive(bench, 'Disputed')
  const late = await receive(bench, 'Late')
  const { position } = await untilCaughtUp(bench)
  network.proxy.leadTo(null)
  await update(network.hub, disputed, { donor: 'D-1' })
  await receive(network.hub, 'At the Hub')
  expect(await removeContents()).toBeGreaterThan(position)

  await update(bench, decided, { project: 'P-1' })
  await update(bench, disputed, { donor: 'D-2' })
  const { allocate } = (await bench.admin()).client(barcodes)
  const allocated: string[] = []
  for (let count = 0; count < codesAllocated; count += 1)
    allocated.push(...(await allocate({ kind: 'box' })).codes)
  await update(bench, late, { donor: 'D-3' })
  const received = await receive(bench, 'Received apart')

  network.proxy.leadTo(network.hub.url)
  await (await bench.admin()).client(sync).goNow({})
  await untilCaughtUp(bench, 120_000)
  const atHub = await contentsOf(network.hub)
  expect(await contentsOf(bench)).toEqual(atHub)
  const tubes = new Map<string, (typeof atHub.samples)[number]>(
    atHub.samples.map((sample) => [sample.id, sample]),
  )
  expect(tubes.get(decided)).toMatchObject({ project: 'P-1' })
  expect(tubes.get(disputed)).toMatchObject({ donor: 'D-1' })
  expect(tubes.get(late)).toMatchObject({ donor: 'D-3' })
  expect(tubes.get(received)).toMatchObject({ name: 'Received apart' })
  const codes = new Set(atHub.codes.map(({ text }) => text))
  expect(allocated.filter((text) => !codes.has(text))).toEqual([])
}, 240_000)

it('what waits for a person is seen there and at one that joins, until it is decided', async () => {
  const open = await openAt(network.hub)
  expect(open).toMatchObject([{ kind: 'conflict', conflicts: [{ hub: 'D-1', pushed: 'D-2' }] }])
  const joined = await network.join()
  await untilCaughtUp(joined)
  expect(await contentsOf(joined)).toEqual(await contentsOf(network.hub))
  for (const machine of [bench, joined]) expect(await openAt(machine)).toEqual(open)
  const resolution = {
    ...{ domain: 'samples', itemId: open[0]?.id ?? '', choice: { take: 'pushed' } as const },
    reason: 'As labelled',
  }
  await (await network.hub.admin()).client(sync).resolve(resolution)
  for (const machine of [bench, joined]) {
    await until(async () => ((await openAt(machine)).length === 0 ? true : null))
    await untilCaughtUp(machine)
    expect(await contentsOf(machine)).toEqual(await contentsOf(network.hub))
  }
}, 240_000)
