import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sync } from '../../platform/sync/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { createSeededRandom } from '../testing/seeded-random.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import { noFaults } from './testing/faulty-proxy.ts'
import { keepReceiving } from './testing/receiving.ts'
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
const killsOfRound = 3
const seed = Number(process.env['TRACSEQ_SEED'] ?? 20261121)
const inWords = `(TRACSEQ_SEED=${seed} repeats the choices)`
/** What the network does depends on what comes by; the kills are the same whatever it does. */
const weather = createSeededRandom(seed)
const chance = createSeededRandom(seed + 1)

let network: SyncNetwork
let benches: readonly Machine[]
/** Every tube that was answered: its name by its id. */
const acknowledged = new Map<string, string>()
let loads = 0

beforeAll(async () => {
  network = await openSyncNetwork(() => weather.next())
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

/** At every bench somebody receives tubes while something happens; each of them has to get something done. */
async function whileReceiving(something: () => Promise<void>): Promise<void> {
  loads += 1
  const working = benches.map((bench, index) => keepReceiving(bench, `Tube-${loads}-${index + 1}`))
  await something()
  await Promise.all(working.map((each) => each.stop()))
  for (const each of working) {
    expect(each.acknowledged.size).toBeGreaterThan(0)
    for (const [id, name] of each.acknowledged) acknowledged.set(id, name)
  }
}

/** All that was answered is everywhere, once, with nothing beside it, and all four copies are the same. */
async function expectConvergence(): Promise<void> {
  network.proxy.behave(noFaults)
  for (const bench of benches) await (await bench.admin()).client(sync).goNow({})
  for (const bench of benches) await untilCaughtUp(bench, 120_000)
  const hub = await contentsOf(network.hub)
  for (const bench of benches) {
    // A bench may have been caught up before the last one pushed.
    await until(
      async () => (JSON.stringify(await contentsOf(bench)) === JSON.stringify(hub) ? true : null),
      30_000,
    ).catch(() => undefined)
    expect(await contentsOf(bench)).toEqual(hub)
  }
  const byName = (left: string, right: string) => left.localeCompare(right)
  expect(hub.samples.map(({ id, name }) => `${name} ${id}`).toSorted(byName)).toEqual(
    [...acknowledged].map(([id, name]) => `${name} ${id}`).toSorted(byName),
  )
}

type Victim = 'a workstation' | 'the Hub' | 'PostgreSQL'
const victims: readonly Victim[] = ['a workstation', 'the Hub', 'PostgreSQL']

/** The kills of a round: each of the victims once in any order before anything comes twice. */
function chooseKills() {
  const left: Victim[] = []
  return Array.from({ length: killsOfRound }, () => {
    if (left.length === 0) left.push(...victims)
    const victim = chance.pick(left)
    left.splice(left.indexOf(victim), 1)
    return { victim, bench: chance.pick(benches), afterMs: chance.between(100, 1_500) }
  })
}

/** Kills it and starts it again; PostgreSQL is started again by its Hub. */
async function kill(victim: Victim, bench: Machine): Promise<void> {
  switch (victim) {
    case 'a workstation':
      await bench.kill()
      return bench.start()
    case 'the Hub':
      await network.hub.kill()
      return network.restartHub()
    case 'PostgreSQL': {
      const lock = join(network.hub.home, 'postgres/data/postmaster.pid')
      const [server] = readFileSync(lock, 'utf8').split('\n')
      process.kill(Number(server), 'SIGKILL')
    }
  }
}

describe.each(Array.from({ length: rounds }, (_, round) => round))(`round %i ${inWords}`, () => {
  it('a network that cuts, delays and corrupts costs time and nothing else', async () => {
    network.proxy.behave({ cut: 0.05, corrupt: 0.02, delayMs: 30 })
    await whileReceiving(() => delay(5_000))
    expect(network.proxy.counts.cut + network.proxy.counts.corrupted).toBeGreaterThan(0)
    await expectConvergence()
  }, 240_000)

  it('kill -9 of workstations, Hub and PostgreSQL at any moment loses nothing that was answered', async () => {
    await whileReceiving(async () => {
      for (const { victim, bench, afterMs } of chooseKills()) {
        await delay(afterMs)
        await kill(victim, bench)
      }
    })
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
    acknowledged.set(sample.id, point?.pushed ?? '')
    await expectConvergence()
  }, 240_000)
})
