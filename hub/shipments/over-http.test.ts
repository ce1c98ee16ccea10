import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SignedIn } from '../../main/testing/workstation-process.ts'
import { samples } from '../../services/samples/contract.ts'
import { shipments } from '../../services/shipments/contract.ts'
import { storage } from '../../services/storage/contract.ts'
import { openTwoLaboratories, type TwoLaboratories } from '../testing/two-laboratories-on-a-hub.ts'

let laboratories: TwoLaboratories
let a: SignedIn
let b: SignedIn

beforeAll(async () => {
  laboratories = await openTwoLaboratories({
    email: 'grace@osprey.example',
    password: 'twelve grey gulls 7',
  })
  ;({ first: a, second: b } = laboratories)
}, 120_000)
afterAll(() => laboratories.close(), 60_000)

it('a real Hub ships a sample, and tells its sender what became of it', async () => {
  const [osprey] = await a.client(shipments).laboratories()
  expect(osprey?.name).toBe('Osprey Labs')
  const sample = { name: '007', type: 'DNA', volumeUl: '50.0' }
  const { sample: made } = await a.client(samples).receive({ sample, containerKind: 'tube' })
  const order = { sampleIds: [made.id], toLaboratoryId: osprey?.id ?? '', reason: 'sequencing' }
  const key = { context: { key: 'one-click' } }
  const sent = await a.client(shipments).send(order, key)
  expect(sent).toMatchObject({ state: 'travelling', items: [{ name: '007', state: 'travelling' }] })
  expect((await a.client(shipments).send(order, key)).id).toBe(sent.id)

  const [coming] = (await b.client(shipments).list({ direction: 'in' })).items
  expect(coming?.id).toBe(sent.id)
  const received = await b.client(shipments).receive({ id: sent.id })
  expect(received.state).toBe('received')
  expect(await b.client(samples).get({ id: made.id })).toMatchObject({ name: '007', code: made.code })

  const { items } = await b.client(storage).listContainers({})
  await b.client(storage).dispose({ containerId: items[0]?.id ?? made.id, reason: 'used up' })
  await expect
    .poll(async () => (await a.client(samples).get({ id: made.id })).state, { timeout: 30_000 })
    .toBe('discarded')
}, 60_000)
