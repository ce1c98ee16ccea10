import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sync } from '../../platform/sync/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { createSeededRandom } from '../testing/seeded-random.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import { noFaults } from './testing/faulty-proxy.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'

/** More of everything, for longer, by `TRACSEQ_SYNC_ROUNDS=20`. */
const rounds = Number(process.env['TRACSEQ_SYNC_ROUNDS'] ?? 1)
const chance = createSeededRandom(Number(process.env['TRACSEQ_SEED'] ?? 7))

let network: SyncNetwork
let benches: readonly Machine[]
const acknowledged = new Set<string>()
let tubes = 0

beforeAll(async () => {
  network = await openSyncNetwork(() => chance.next())
  const founder = await network.found()
  benches = [founder, await network.join(), await network.join()]
}, 300_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
}, 60_000)

function clientOf(machine: Machine) {
  return machine.admin().then((admin) => admin.client(samples))
}

/** Receives tubes until told to stop; a name that was answered is never lost. */
function keepReceiving(machine: Machine): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const working = (async () => {
    while (!stopping.signal.aborted) {
      const name = `Tube ${(tubes += 1)}`
      try {
        const client = await clientOf(machine)
        await client.receive(
          { sample: { name, type: 'DNA' }, containerKind: 'tube' },
          { context: { key: name } },
        )
        acknowledged.add(name)
      } catch {
        // The machine was killed under it: whether it was received shows when it is back.
        await pause(200)
      }
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await working
    },
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** All that was answered is everywhere, and all four copies are the same. */
async function expectConvergence(): Promise<void> {
  network.proxy.behave(noFaults)
  for (const bench of benches) await (await bench.admin()).client(sync).goNow({})
  for (const bench of benches) await untilCaughtUp(bench, 90_000)
  const hub = await contentsOf(network.hub)
  for (const bench of benches) {
    // A bench may have been caught up before the last one pushed.
    await until(
      async () => (JSON.stringify(await contentsOf(bench)) === JSON.stringify(hub) ? true : null),
      30_000,
    ).catch(() => undefined)
    expect(await contentsOf(bench)).toEqual(hub)
  }
  const names = new Set(hub.samples.map(({ name }) => name))
  expect([...acknowledged].filter((name) => !names.has(name))).toEqual([])
  expect(names.size).toBe(hub.samples.length)
}

describe.each(Array.from({ length: rounds }, (_, round) => round))('round %i', () => {
  it('a network that cuts, delays and corrupts costs time and nothing else', async () => {
    network.proxy.behave({ cut: 0.05, corrupt: 0.02, delayMs: 30 })
    const working = benches.map(keepReceiving)
    await pause(6_000)
    await Promise.all(working.map((each) => each.stop()))
    expect(network.proxy.counts.cut + network.proxy.counts.corrupted).toBeGreaterThan(0)
    await expectConvergence()
  }, 240_000)

  it('kill -9 of a workstation and of the Hub in the middle loses nothing that was answered', async () => {
    const working = benches.map(keepReceiving)
    await pause(1_500)
    const victim = chance.pick(benches)
    await victim.kill()
    await pause(500)
    await network.hub.kill()
    await victim.start()
    await network.restartHub()
    await pause(1_500)
    await Promise.all(working.map((each) => each.stop()))
    await expectConvergence()
  }, 240_000)
})

describe('two people who change the same of one sample while apart', () => {
  it('meet in a work item, and what one of them decides holds everywhere', async () => {
    const [one, two] = benches
    if (one === undefined || two === undefined) throw new Error('There are three')
    const { sample } = await (
      await clientOf(one)
    ).receive({ sample: { name: 'Disputed', type: 'DNA' }, containerKind: 'tube' })
    await until(async () => {
      const known = await (await clientOf(two)).get({ id: sample.id }).catch(() => null)
      return known
    })
    await untilCaughtUp(one)
    network.proxy.leadTo(null)
    for (const [bench, name] of [
      [one, 'Heron'],
      [two, 'Kingfisher'],
    ] as const) {
      const client = await clientOf(bench)
      const { revision } = await client.get({ id: sample.id })
      await client.update({ id: sample.id, revision, fields: { name } })
    }
    network.proxy.leadTo(network.hub.url)
    for (const bench of benches) await (await bench.admin()).client(sync).goNow({})
    const item = await until(async () => {
      const { items } = await (await two.admin()).client(sync).workItems({ domain: 'samples' })
      return items.find(({ kind }) => kind === 'conflict') ?? null
    })
    const [point] = item.conflicts
    expect(point).toMatchObject({ table: 'sample', column: 'name', base: 'Disputed' })
    expect([point?.hub, point?.pushed].sort()).toEqual(['Heron', 'Kingfisher'])
    const resolution = {
      domain: 'samples',
      itemId: item.id,
      choice: { take: 'pushed' },
      reason: 'As labelled',
    } as const
    await (await two.admin()).client(sync).resolve(resolution)
    for (const machine of [...benches, network.hub]) {
      await until(async () => {
        const { name } = await (await clientOf(machine)).get({ id: sample.id })
        const { items } = await (await machine.admin()).client(sync).workItems({ domain: 'samples' })
        return name === point?.pushed && items.length === 0 ? true : null
      })
    }
    await expectConvergence()
  }, 240_000)
})
