import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sync } from '../../platform/sync/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { findContradictions } from '../testing/evidence.ts'
import {
  type Beliefs,
  type Bench,
  benchOf,
  furnish,
  receiveShared,
  Technician,
  type Tube,
} from '../testing/laboratory-load.ts'
import { Ledger } from '../testing/ledger.ts'
import { createSeededRandom } from '../testing/seeded-random.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import { type Faults, type FaultyProxy, noFaults } from './testing/faulty-proxy.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'
import { keepWorking } from './testing/working.ts'

/** More of everything, for longer, by `TRACSEQ_SYNC_ROUNDS=20`. */
const rounds = Number(process.env['TRACSEQ_SYNC_ROUNDS'] ?? 1)
const killsOfRound = 3
const seed = Number(process.env['TRACSEQ_SEED'] ?? 20261121)
const inWords = `(TRACSEQ_SEED=${seed} repeats the choices)`
/** What the network does depends on what comes by; the kills are the same whatever it does. */
const weather = createSeededRandom(seed)
const chance = createSeededRandom(seed + 1)

/** What the network does to the data while it is bad. */
const badWeather: Faults = { cut: 0.05, corrupt: 0.03, delayMs: 30 }
/** Tubes that somebody at every bench works with at once. */
const sharedTubes = 2
/** At the Hub every tube is looked at with its notes and places; in the copies some of them beside all the lists. */
const tubesLookedAtInCopies = 8
const kindsOfWork = [
  ...['samples.receive', 'samples.addNote', 'samples.recordMovement', 'samples.update'],
  ...['storage.place', 'storage.move', 'storage.checkOut', 'storage.returnToPlace'],
  ...['barcodes.allocate', 'barcodes.link'],
]

let network: SyncNetwork
let benches: readonly Machine[]
let technicians: readonly Technician[]
let beliefs: Beliefs
const ledger = new Ledger<Bench>()

beforeAll(async () => {
  network = await openSyncNetwork({ random: () => weather.next() })
  const founder = await network.found()
  const at = benchOf(await founder.admin())
  const boxIds = await furnish(at, 3)
  const shared: Tube[] = []
  for (let number = 1; number <= sharedTubes; number += 1)
    shared.push(await receiveShared(at, `shared-${number}`))
  beliefs = { boxIds, tubes: [...shared], looseCodes: [] }
  benches = [founder, await network.join(), await network.join()]
  for (const bench of benches) await untilCaughtUp(bench)
  // Each has a box of their own: what two people put into one position while apart is about `contested`, not about loss.
  technicians = boxIds.map((boxId, index) => {
    const random = createSeededRandom(seed + 2 + index)
    return new Technician(`bench-${index + 1}`, random, { ...beliefs, boxIds: [boxId] }, shared)
  })
}, 300_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
}, 60_000)

function clientOf(machine: Machine) {
  return machine.admin().then((admin) => admin.client(samples))
}

/** At every bench somebody works while something happens; each of them has to get something done. */
async function whileWorking(something: () => Promise<void>): Promise<void> {
  const before = [...ledger.acknowledged.keys()]
  const working = technicians.map((technician, index) => keepWorking(machineOf(index), technician, ledger))
  await something()
  await Promise.all(working.map((each) => each.stop()))
  const done = [...ledger.acknowledged.keys()].slice(before.length)
  for (const { name } of technicians) expect(done.some((key) => key.startsWith(name))).toBe(true)
}

function machineOf(index: number): Machine {
  const bench = benches[index]
  if (bench === undefined) throw new Error('There is a bench for each of them')
  return bench
}

/** What the network did since then, of each kind. */
async function untilEachFault(since: FaultyProxy['counts']): Promise<void> {
  await until(() => {
    const { cut, delayed, corrupted } = network.proxy.counts
    const each = cut > since.cut && delayed > since.delayed && corrupted > since.corrupted
    return Promise.resolve(each ? true : null)
  })
}

/**
 * All that was answered is at the Hub and in every copy, once, with nothing beside it, and all copies are the same. Of two
 * people's words in one record one may wait for a person to decide; then everybody sees that.
 */
async function expectConvergence(): Promise<void> {
  network.proxy.behave(noFaults)
  for (const bench of benches) await (await bench.admin()).client(sync).goNow({})
  for (const bench of benches) await untilCaughtUp(bench, 120_000)
  const hub = await contentsOf(network.hub)
  for (const bench of benches) {
    // A bench may have been caught up before the last one pushed.
    await until(async () => (isDeepStrictEqual(await contentsOf(bench), hub) ? true : null), 30_000).catch(
      () => undefined,
    )
    expect(await contentsOf(bench)).toEqual(hub)
  }
  for (const machine of [network.hub, ...benches]) {
    const at = benchOf(await machine.admin())
    const tubes = machine === network.hub ? beliefs.tubes.length : tubesLookedAtInCopies
    expect(await findContradictions(at, beliefs, ledger, chance, { tubes, repeats: 0 })).toEqual([])
  }
  const donors = beliefs.tubes.flatMap((tube) => (tube.isShared ? tube.donors : []))
  const { items } = await (await network.hub.admin()).client(sync).workItems({})
  const isOfThem = (donor: string | null | undefined) => donor != null && donors.includes(donor)
  const others = items.filter(
    ({ pushed }) => !pushed?.changes.some(({ values }) => isOfThem(values['donor'])),
  )
  expect(others).toEqual([])
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

/** Kills it and starts it again; PostgreSQL is started again by its Hub. Gives the processes before and after. */
async function kill(victim: Victim, bench: Machine): Promise<readonly number[]> {
  switch (victim) {
    case 'a workstation': {
      const { pid } = bench.running
      await bench.kill()
      await bench.start()
      return [pid, bench.running.pid]
    }
    case 'the Hub': {
      const { pid } = network.hub.running
      await network.hub.kill()
      await network.restartHub()
      return [pid, network.hub.running.pid]
    }
    case 'PostgreSQL': {
      const pid = postgresOfHub()
      if (pid === null) throw new Error('PostgreSQL does not run')
      process.kill(pid, 'SIGKILL')
      const next = () => Promise.resolve(postgresOfHub() === pid ? null : postgresOfHub())
      return [pid, await until(next)]
    }
  }
}

/** The process of the Hub's database server; null while there is none. */
function postgresOfHub(): number | null {
  const lock = join(network.hub.home, 'postgres/data/postmaster.pid')
  return existsSync(lock) ? Number(readFileSync(lock, 'utf8').split('\n')[0]) : null
}

describe.each(Array.from({ length: rounds }, (_, round) => round))(`round %i ${inWords}`, () => {
  it('a network that cuts, delays and corrupts costs time and nothing else', async () => {
    const before = { ...network.proxy.counts }
    network.proxy.behave(badWeather)
    await whileWorking(async () => {
      await delay(5_000)
      await untilEachFault(before)
    })
    await expectConvergence()
  }, 240_000)

  it('kill -9 of workstations, Hub and PostgreSQL in such a network loses nothing that was answered', async () => {
    const killed = new Map<Victim, readonly number[]>()
    await whileWorking(async () => {
      for (const { victim, bench, afterMs } of chooseKills()) {
        const before = { ...network.proxy.counts }
        network.proxy.behave(badWeather)
        await delay(afterMs)
        killed.set(victim, await kill(victim, bench))
        await untilEachFault(before)
      }
    })
    expect([...killed.keys()].toSorted()).toEqual(victims.toSorted())
    for (const [before, after] of killed.values()) expect(after).not.toBe(before)
    await expectConvergence()
    const done = new Set([...ledger.acknowledged.values()].map(({ command }) => command.label))
    expect([...done].toSorted()).toEqual(kindsOfWork.toSorted())
  }, 240_000)
})

describe('two people who change the same of one sample while apart', () => {
  it('meet in a work item, and what one of them decides holds everywhere', async () => {
    const [one, two] = benches
    if (one === undefined || two === undefined) throw new Error('There are three')
    const tube = await receiveShared(benchOf(await one.admin()), 'disputed')
    beliefs.tubes.push(tube)
    const sample = { id: tube.sampleId }
    const itemsAt = async (machine: Machine) => {
      const { items } = await (await machine.admin()).client(sync).workItems({ domain: 'samples' })
      return items.filter(({ rows }) => rows.includes(`samples/sample/${sample.id}`))
    }
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
      const items = await itemsAt(two)
      return items.find(({ kind }) => kind === 'conflict') ?? null
    })
    const [point] = item.conflicts
    expect(point).toMatchObject({ table: 'sample', column: 'name', base: 'Tube disputed' })
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
        const items = await itemsAt(machine)
        return name === point?.pushed && items.length === 0 ? true : null
      })
    }
    await expectConvergence()
  }, 240_000)
})
