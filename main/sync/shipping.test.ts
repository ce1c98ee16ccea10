import { afterAll, beforeAll, expect, it } from 'vitest'
import { hub as hubContract } from '../../hub/contract.ts'
import { openOperatorToken } from '../../hub/operator.ts'
import { sync } from '../../platform/sync/contract.ts'
import { auth } from '../../services/auth/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { shipments } from '../../services/shipments/contract.ts'
import { storage } from '../../services/storage/contract.ts'
import { createHttpClient } from '../testing/http-client.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import {
  type Machine,
  openSyncNetwork,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'

// Two laboratories on one Hub, each with a workstation; everything is done at the workstations.
const grace = { email: 'grace@osprey.example', password: 'twelve grey gulls 7' }
let network: SyncNetwork
let sender: Machine
let receiver: Machine

beforeAll(async () => {
  network = await openSyncNetwork()
  sender = await network.found()
  const operator = createHttpClient(network.hub.url, hubContract, openOperatorToken(network.hub.home))
  const administrator = { name: 'Grace Otieno', ...grace }
  await operator.addLaboratory({ laboratoryName: 'Osprey Labs', administrator })
  await network.hub.signInAs(grace)
  receiver = await network.join()
  await receiver.signInAs(grace)
}, 180_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
}, 60_000)

const at = async (machine: Machine) => (await machine.admin()).client

it('samples leave from one workstation and are taken in at the other, which has them with all that belongs to them', async () => {
  const here = await at(sender)
  const there = await at(receiver)
  const freezer = await here(storage).createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
  const box = { kind: 'box', parentId: freezer.id, name: 'Box 1', rows: 9, columns: 9 } as const
  const { id: boxId } = await here(storage).createNode(box)
  const sample = { name: 'P-01', type: 'DNA', volumeUl: '50.0' }
  const received = await here(samples).receive({ sample, placement: { boxId, position: 'A1' } })
  const { id } = received.sample
  await untilCaughtUp(sender)

  const [osprey] = await here(shipments).laboratories()
  expect(osprey?.name).toBe('Osprey Labs')
  const order = { sampleIds: [id], toLaboratoryId: osprey?.id ?? '', reason: 'sequencing' }
  const sent = await here(shipments).send(order, { context: { key: 'one-click' } })
  expect(sent).toMatchObject({ state: 'travelling', sentBy: (await me(sender)).name })
  expect((await here(shipments).send(order, { context: { key: 'one-click' } })).id).toBe(sent.id)
  await expect(here(shipments).send(order)).rejects.toMatchObject({ code: 'RULE_BROKEN' })
  // The sender's workstation sees it gone, and its place free.
  await until(async () => (await here(samples).get({ id })).shippedTo)
  expect((await here(storage).getNode({ id: boxId })).capacity.occupied).toBe(0)

  const [coming] = (await there(shipments).list({ direction: 'in' })).items
  expect(coming).toMatchObject({ id: sent.id, from: { name: sent.from.name } })
  await there(shipments).receive({ id: sent.id })
  const arrived = await until(async () =>
    there(samples)
      .get({ id })
      .catch(() => null),
  )
  expect(arrived).toMatchObject({ name: 'P-01', code: received.code, volumeUl: '50', shippedTo: null })
  await untilCaughtUp(receiver)
  const [tube] = await there(storage).containersOfSamples({ sampleIds: [id] })
  expect(tube).toMatchObject({ id: received.containerId, state: 'unplaced' })
  const { events, problems } = await there(samples).custody({ id })
  expect(problems).toEqual([])
  expect(events.map(({ kind }) => kind)).toEqual(['received', 'stored', 'shipped', 'received_elsewhere'])
}, 60_000)

it('without the Hub nothing is shipped, and the workstation says so at once; work goes on', async () => {
  network.proxy.leadTo(null)
  const here = await at(sender)
  await expect(here(shipments).list({})).rejects.toMatchObject({ code: 'OFFLINE', status: 503 })
  const { sample } = await here(samples).receive({ sample: { name: 'P-02', type: 'DNA' } })
  const order = { sampleIds: [sample.id], toLaboratoryId: sample.id, reason: 'sequencing' }
  await expect(here(shipments).send(order)).rejects.toMatchObject({ code: 'OFFLINE' })
  network.proxy.leadTo(network.hub.url)
  await here(sync).goNow({})
  await untilCaughtUp(sender)
  const [checked] = await here(shipments).check({ sampleIds: [sample.id] })
  expect(checked).toMatchObject({ name: 'P-02', obstacles: [] })
}, 60_000)

async function me(machine: Machine) {
  const { user } = await (await at(machine))(auth).me()
  return user
}
