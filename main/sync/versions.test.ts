import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { system } from '../../platform/gateway/contract.ts'
import { sync } from '../../platform/sync/contract.ts'
import type { Sample } from '../../services/samples/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { makeNextVersion } from '../testing/next-version.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  statusOf,
  type SyncNetwork,
  until,
  untilCaughtUp,
  waitingAt,
} from './testing/sync-network.ts'

// One workstation is updated before the Hub, the other one after it. What each of them has made until then is in the words
// of its version: the next one calls a column of samples otherwise and one of its values too, and drops another column.
// Two people's words about one sample wait for a decision all the while.

const next = makeNextVersion()
let network: SyncNetwork
let early: Machine
let late: Machine

beforeAll(async () => {
  network = await openSyncNetwork()
  early = await network.found()
  late = await network.join()
  for (const name of ['Shared', 'Disputed']) await receive(early, name, 'high')
  await untilCaughtUp(early)
  for (const name of ['Shared', 'Disputed'])
    await until(async () => ((await findAt(late, name)) === undefined ? null : true))
  network.proxy.leadTo(null)
  await change(early, 'Disputed', { priority: 'stat', taxonId: '9606' })
  await change(late, 'Disputed', { priority: 'urgent', taxonId: '10090', donor: 'D-1' })
  network.proxy.leadTo(network.hub.url)
  for (const machine of [early, late]) {
    await (await machine.admin()).client(sync).goNow({})
    await untilCaughtUp(machine)
  }
  await until(async () => ((await disputeAt(early)) === undefined ? null : true))
}, 240_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
  next.remove()
}, 60_000)

async function receive(machine: Machine, name: string, priority: Sample['priority']): Promise<void> {
  const client = (await machine.admin()).client(samples)
  await client.receive({ sample: { name, type: 'DNA', priority }, containerKind: 'tube' })
}

async function findAt(machine: Machine, name: string): Promise<Sample | undefined> {
  const { items } = await (await machine.admin()).client(samples).list({ limit: 500 })
  return items.find((each) => each.name === name)
}

/** The work item that is open at a machine. */
async function disputeAt(machine: Machine) {
  const { items } = await (await machine.admin()).client(sync).workItems({})
  return items.find(({ kind }) => kind === 'conflict')
}

/** The columns of samples in which the two do not go together, and what each of the pushed ones is. */
async function disputedAt(machine: Machine) {
  const item = await disputeAt(machine)
  const pushed = item?.pushed?.changes.find(({ table }) => table === 'sample')?.values ?? {}
  const { updated_at, written_revision, revision, ...values } = pushed
  const points = item?.conflicts.map(({ column, base, hub, pushed }) => ({ column, base, hub, pushed }))
  return {
    values,
    points: points?.toSorted((one, other) => ((one.column ?? '') < (other.column ?? '') ? -1 : 1)),
  }
}

const inOldWords = {
  values: { priority: 'urgent', taxon_id: '10090', donor: 'D-1' },
  points: [
    { column: 'priority', base: 'high', hub: 'stat', pushed: 'urgent' },
    { column: 'taxon_id', base: null, hub: '9606', pushed: '10090' },
  ],
}
const inNewWords = {
  values: { urgency: 'rush', donor: 'D-1' },
  points: [{ column: 'urgency', base: 'high', hub: 'stat', pushed: 'rush' }],
}

async function change(
  machine: Machine,
  name: string,
  fields: Partial<Pick<Sample, 'priority' | 'donor' | 'taxonId'>>,
) {
  const sample = await findAt(machine, name)
  if (sample === undefined) throw new Error(`${name} is not there`)
  await (await machine.admin()).client(samples).update({ id: sample.id, revision: sample.revision, fields })
}

async function untilToldBy(machine: Machine, words: string): Promise<void> {
  await (await machine.admin()).client(sync).goNow({})
  await until(async () => {
    const status = await statusOf(machine)
    return status.state === 'stopped' && status.words.includes(words) ? true : null
  })
}

async function updateTo(machine: Machine, program: string): Promise<void> {
  await machine.stop()
  machine.replaceProgram(program)
  await machine.start()
}

describe('a workstation that is updated before its Hub', () => {
  it('is told so, works on, and keeps what it made before and after', async () => {
    expect(await disputedAt(early)).toEqual(inOldWords)
    network.proxy.leadTo(null)
    await receive(early, 'In old words', 'urgent')
    await change(early, 'Shared', { priority: 'urgent' })
    await updateTo(early, next.workstation)
    expect(await findAt(early, 'In old words')).toMatchObject({ priority: 'rush' })
    expect(await findAt(early, 'Shared')).toMatchObject({ priority: 'rush' })
    expect(await disputedAt(early)).toEqual(inNewWords)
    await receive(early, 'In new words', 'low')
    const waiting = await waitingAt(early)
    expect(waiting).toBeGreaterThan(2)
    network.proxy.leadTo(network.hub.url)
    await untilToldBy(early, 'the Hub must be updated first')
    expect(await waitingAt(early)).toBe(waiting)
    expect(await findAt(network.hub, 'In old words')).toBeUndefined()
  }, 180_000)

  it('goes on when the Hub is updated, and the Hub reads both', async () => {
    await network.hub.stop()
    network.hub.replaceProgram(next.hub)
    await network.restartHub()
    await (await early.admin()).client(sync).goNow({})
    await untilCaughtUp(early)
    expect(await findAt(network.hub, 'In old words')).toMatchObject({ priority: 'rush' })
    expect(await findAt(network.hub, 'Shared')).toMatchObject({ priority: 'rush' })
    expect(await findAt(network.hub, 'In new words')).toMatchObject({ priority: 'low' })
    expect(await disputedAt(network.hub)).toEqual(inNewWords)
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(early))
  }, 180_000)
})

describe('a workstation that is updated after its Hub', () => {
  it('is told so and gets nothing, and what it makes is taken', async () => {
    await receive(late, 'Late', 'urgent')
    await change(late, 'Shared', { donor: 'D-7' })
    await untilToldBy(late, 'update this workstation')
    await until(async () => ((await findAt(network.hub, 'Late')) === undefined ? null : true))
    expect(await findAt(network.hub, 'Late')).toMatchObject({ priority: 'rush' })
    // Both of them changed it, the one in new words and the other in old ones.
    await until(async () => ((await findAt(network.hub, 'Shared'))?.donor === 'D-7' ? true : null))
    expect(await findAt(network.hub, 'Shared')).toMatchObject({ priority: 'rush', donor: 'D-7' })
    expect(await disputedAt(late)).toEqual(inOldWords)
    expect(await findAt(late, 'In new words')).toBeUndefined()
    expect(await waitingAt(late)).toBeGreaterThan(0)
  }, 180_000)

  it('has everything when it is updated', async () => {
    await receive(late, 'Last words of old', 'stat')
    await updateTo(late, next.workstation)
    await (await late.admin()).client(sync).goNow({})
    await untilCaughtUp(late)
    await until(async () => ((await findAt(early, 'Last words of old')) === undefined ? null : true))
    await untilCaughtUp(early)
    expect(await findAt(late, 'Shared')).toMatchObject({ priority: 'rush', donor: 'D-7' })
    expect(await contentsOf(late)).toEqual(await contentsOf(early))
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(early))
    for (const machine of [early, late]) {
      const proof = await (await machine.admin()).client(system).verifyJournal()
      expect(proof).toMatchObject({ status: 'whole', problems: [] })
    }
  }, 180_000)

  it('lets a person decide what both wrote in words of before', async () => {
    expect(await disputedAt(late)).toEqual(inNewWords)
    const { id: itemId = '', domain = '' } = (await disputeAt(late)) ?? {}
    const choice = { take: 'pushed' } as const
    await (await late.admin()).client(sync).resolve({ domain, itemId, choice, reason: 'As ordered' })
    for (const machine of [network.hub, early, late]) {
      await until(async () => ((await disputeAt(machine)) === undefined ? true : null))
      expect(await findAt(machine, 'Disputed')).toMatchObject({
        priority: 'rush',
        donor: 'D-1',
        taxonId: null,
      })
    }
    expect(await contentsOf(late)).toEqual(await contentsOf(early))
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(early))
  }, 120_000)

  it('makes its database anew from a journal in the words of both', async () => {
    const before = await contentsOf(early)
    await early.stop()
    for (const folder of ['databases', 'snapshots'])
      rmSync(join(early.home, folder, 'samples'), { recursive: true })
    await early.start()
    // Making it anew takes as long as there are entries.
    expect(await until(() => contentsOf(early).catch(() => null))).toEqual(before)
    await untilCaughtUp(early)
  }, 180_000)
})
