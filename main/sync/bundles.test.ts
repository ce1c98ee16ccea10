import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { system } from '../../platform/gateway/contract.ts'
import { sync, type BroughtBundle, type MadeBundle } from '../../platform/sync/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { findContradictions } from '../testing/evidence.ts'
import { send } from '../testing/http-client.ts'
import {
  type Beliefs,
  type Bench,
  benchOf,
  furnish,
  receiveShared,
  Technician,
} from '../testing/laboratory-load.ts'
import { Ledger } from '../testing/ledger.ts'
import { createSeededRandom } from '../testing/seeded-random.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  type SyncNetwork,
  until,
  untilCaughtUp,
  waitingAt,
} from './testing/sync-network.ts'

const thingsInADay = 40
let network: SyncNetwork
let one: Machine
let two: Machine

beforeAll(async () => {
  network = await openSyncNetwork()
  one = await network.found()
  two = await network.join()
  await Promise.all([untilCaughtUp(one), untilCaughtUp(two)])
}, 180_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
}, 60_000)

interface Stick {
  readonly made: MadeBundle
  readonly file: File
}

/** Makes a bundle and saves it as a person would. */
async function take(machine: Machine, workstationId: string | null = null): Promise<Stick> {
  const { client, token, url } = await machine.admin()
  const made = await client(sync).makeBundle({ workstationId })
  const answer = await fetch(`${url}/v1/sync/bundles/${made.id}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(answer.status).toBe(200)
  const bytes = await answer.arrayBuffer()
  expect(bytes.byteLength).toBe(made.sizeBytes)
  return { made, file: new File([bytes], made.name) }
}

async function bring(machine: Machine, file: File): Promise<BroughtBundle> {
  const { token, url } = await machine.admin()
  const form = new FormData()
  form.append('file', file)
  const answer = await send({
    url: `${url}/v1/sync/bundles/brought`,
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  })
  if (answer.status === 200) return answer.body as BroughtBundle
  const { code, data } = z.object({ code: z.string(), data: z.unknown() }).parse(answer.body)
  throw new Error(`${code} ${JSON.stringify(data)}`)
}

async function receive(machine: Machine, name: string): Promise<void> {
  const client = (await machine.admin()).client(samples)
  await client.receive({ sample: { name, type: 'DNA' }, containerKind: 'tube' })
}

async function idOf(machine: Machine): Promise<string> {
  const { items } = await (await network.hub.admin()).client(sync).workstations()
  // In the order in which they were enrolled.
  return items[machine === one ? 0 : 1]?.id ?? ''
}

async function countersignedAt(machine: Machine): Promise<number> {
  const proof = await (await machine.admin()).client(system).verifyJournal()
  expect(proof).toMatchObject({ status: 'whole', problems: [] })
  return proof.countersigned?.upTo ?? 0
}

describe('without any network', () => {
  it('a day of work at two benches reaches the Hub and each other by hand', async () => {
    const at = benchOf(await one.admin())
    const shared = await receiveShared(at, 'shared')
    const boxIds = await furnish(at, 2)
    for (const machine of [one, two]) await untilCaughtUp(machine)
    const beliefs: Beliefs = { boxIds, tubes: [shared], looseCodes: [] }
    const ledger = new Ledger<Bench>()
    network.proxy.leadTo(null)
    for (const [index, machine] of [one, two].entries()) {
      const own = { ...beliefs, boxIds: boxIds.slice(index, index + 1) }
      const technician = new Technician(`bench-${index}`, createSeededRandom(index + 1), own, [shared])
      let left = thingsInADay
      await technician.work(benchOf(await machine.admin()), ledger, () => (left -= 1) >= 0)
    }
    expect(
      new Set([...ledger.acknowledged.values()].map(({ command }) => command.label)).size,
    ).toBeGreaterThan(7)
    const here = await contentsOf(one)
    const fromOne = await take(one)
    expect(fromOne.made).toMatchObject({ direction: 'to-hub', isWhole: true })
    expect(fromOne.made.changes).toBe(await waitingAt(one))
    expect(fromOne.made.firstAt).not.toBeNull()
    expect(await bring(network.hub, fromOne.file)).toMatchObject({
      taken: fromOne.made.changes,
      known: 0,
      toDecide: 0,
    })
    expect(await contentsOf(network.hub)).toEqual(here)

    const fromTwo = await take(two)
    const { taken, toDecide } = await bring(network.hub, fromTwo.file)
    expect(taken).toBe(fromTwo.made.changes)
    // Both benches wrote another donor into the shared tube's record.
    const { items } = await (await network.hub.admin()).client(sync).workItems({})
    expect(items.length).toBe(toDecide)
    expect(items.length).toBeGreaterThan(0)
    await benchOf(await network.hub.admin()).samples.addNote({ id: shared.sampleId, note: 'Said at the Hub' })
    shared.notes.push('Said at the Hub')
    for (const machine of [one, two]) {
      const answer = await take(network.hub, await idOf(machine))
      const waited = await waitingAt(machine)
      const signedBefore = await countersignedAt(machine)
      expect(waited).toBeGreaterThan(0)
      const brought = await bring(machine, answer.file)
      expect(brought).toMatchObject({
        direction: 'to-workstation',
        taken: answer.made.changes,
        confirmed: waited,
      })
      expect(await waitingAt(machine)).toBe(0)
      // The Hub's signature under the journal comes along.
      expect(await countersignedAt(machine)).toBeGreaterThan(signedBefore)
    }
    expect(await contentsOf(two)).toEqual(await contentsOf(one))
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(one))
    for (const machine of [network.hub, one, two]) {
      const all = { tubes: beliefs.tubes.length, repeats: 0 }
      const bench = benchOf(await machine.admin())
      expect(await findContradictions(bench, beliefs, ledger, createSeededRandom(3), all)).toEqual([])
    }
  }, 180_000)

  it('a bundle that comes twice, late or out of turn changes nothing', async () => {
    await receive(one, 'Earlier')
    const earlier = await take(one)
    await receive(one, 'Later')
    const later = await take(one)
    expect(await bring(network.hub, later.file)).toMatchObject({ taken: later.made.changes, known: 0 })
    const after = await contentsOf(network.hub)
    expect(await bring(network.hub, later.file)).toMatchObject({ taken: 0, known: later.made.changes })
    expect(await bring(network.hub, earlier.file)).toMatchObject({ taken: 0, known: earlier.made.changes })
    expect(await contentsOf(network.hub)).toEqual(after)

    const answer = await take(network.hub, await idOf(one))
    await bring(one, answer.file)
    await receive(one, 'After the answer')
    expect(await bring(one, answer.file)).toMatchObject({ taken: 0 })
    const next = await take(one)
    expect(next.made.changes).toBeLessThan(later.made.changes)
    expect(await bring(network.hub, next.file)).toMatchObject({ taken: next.made.changes, known: 0 })
  }, 120_000)

  it('goes on so after a start that never saw the Hub', async () => {
    await two.stop()
    await two.start()
    await receive(two, 'After a start without a network')
    const stick = await take(two)
    expect(await bring(network.hub, stick.file)).toMatchObject({ taken: stick.made.changes, known: 0 })
    const answer = await take(network.hub, await idOf(two))
    await bring(two, answer.file)
    expect(await contentsOf(two)).toEqual(await contentsOf(network.hub))
  }, 120_000)

  it('refuses what is for somebody else, was changed, or is no bundle, and notes it at the Hub', async () => {
    const forTwo = await take(network.hub, await idOf(two))
    const fromOne = await take(one)
    await expect(bring(one, forTwo.file)).rejects.toThrow('BUNDLE_REFUSED {"why":"WRONG_RECIPIENT"}')
    await expect(bring(network.hub, forTwo.file)).rejects.toThrow('BUNDLE_REFUSED {"why":"WRONG_DIRECTION"}')
    await expect(bring(two, fromOne.file)).rejects.toThrow('BUNDLE_REFUSED {"why":"WRONG_DIRECTION"}')
    const bytes = new Uint8Array(await fromOne.file.arrayBuffer())
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
    await expect(bring(network.hub, new File([bytes], 'a'))).rejects.toThrow(
      'BUNDLE_REFUSED {"why":"ALTERED"}',
    )
    const cut = fromOne.file.slice(0, fromOne.file.size - 50)
    await expect(bring(network.hub, new File([cut], 'a'))).rejects.toThrow('BUNDLE_REFUSED {"why":"CUT"}')
    await expect(bring(network.hub, new File(['sample,type\n'], 'a.csv'))).rejects.toThrow('NOT_A_BUNDLE')
    const client = (await network.hub.admin()).client(sync)
    const { items } = await client.refusals()
    const codes = items.map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['BUNDLE_WRONG_DIRECTION', 'BUNDLE_ALTERED', 'BUNDLE_CUT']))
    await expect(client.makeBundle({ workstationId: null })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(client.makeBundle({ workstationId: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }, 60_000)
})

describe('when the network is back', () => {
  it('goes on from what was carried, as if nothing had been', async () => {
    await receive(one, 'Carried and sent')
    const carried = await take(one)
    await bring(network.hub, carried.file)
    await receive(two, 'Sent only')
    network.proxy.leadTo(network.hub.url)
    for (const machine of [one, two]) await (await machine.admin()).client(sync).goNow({})
    await until(async () => ((await waitingAt(two)) === 0 ? true : null))
    await Promise.all([untilCaughtUp(one), untilCaughtUp(two)])
    await until(async () =>
      (await contentsOf(one)).samples.some(({ name }) => name === 'Sent only') ? true : null,
    )
    expect(await contentsOf(two)).toEqual(await contentsOf(one))
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(one))
    expect(await bring(network.hub, carried.file)).toMatchObject({ taken: 0, known: carried.made.changes })
  }, 120_000)

  it('takes nothing by hand from a workstation that was revoked, and gives it nothing', async () => {
    await receive(two, 'Too late')
    const stick = await take(two)
    const client = (await network.hub.admin()).client(sync)
    const id = await idOf(two)
    await client.revokeWorkstation({ id, reason: 'Left the house' })
    await expect(bring(network.hub, stick.file)).rejects.toThrow('BUNDLE_REFUSED {"why":"REVOKED"}')
    await expect(client.makeBundle({ workstationId: id })).rejects.toMatchObject({ code: 'BUNDLE_REFUSED' })
    // Meanwhile it may have knocked itself and been refused for that too.
    expect((await client.refusals()).items).toContainEqual(
      expect.objectContaining({ workstationId: id, code: 'BUNDLE_REVOKED' }),
    )
  }, 60_000)
})
