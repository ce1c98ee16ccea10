import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SignedIn } from '../../main/testing/workstation-process.ts'
import { sync } from '../../platform/sync/contract.ts'
import { auth } from '../../services/auth/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { shipments } from '../../services/shipments/contract.ts'
import { storage } from '../../services/storage/contract.ts'
import { enrolOnWire } from '../sync/testing/wire-workstation.ts'
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

it('a sample about which somebody must decide something stays here, and others go', async () => {
  const [osprey] = await a.client(shipments).laboratories()
  const tubes = a.client(samples)
  const [disputed, free] = [
    await tubes.receive({ sample: { name: 'Disputed', type: 'DNA' }, containerKind: 'tube' }),
    await tubes.receive({ sample: { name: 'Free', type: 'DNA' }, containerKind: 'tube' }),
  ]
  const { code } = await a.client(sync).createEnrolmentCode({})
  const bench = await enrolOnWire(laboratories.hub.url, code)
  const { user, laboratory } = await a.client(auth).me()
  const { id, revision } = disputed.sample
  const key = { laboratory_id: laboratory.id, id }
  // In a column that this version does not have.
  const change = { table: 'sample', operation: 'update', key, replaces: revision }
  const changes = [{ ...change, values: { colour: 'green' }, before: { colour: null } }]
  const of = { laboratoryId: laboratory.id, actorId: user.id, domain: 'samples', procedure: 'samples.update' }
  const { decided } = await bench.push(bench.runOf([{ ...of, changes }]))
  expect(decided).toMatchObject([{ status: 'waiting' }])

  const order = { toLaboratoryId: osprey?.id ?? '', reason: 'sequencing' }
  await expect(a.client(shipments).send({ ...order, sampleIds: [id] })).rejects.toThrow(
    /Something about Disputed waits for a decision: .*no column colour/,
  )
  const sent = await a.client(shipments).send({ ...order, sampleIds: [free.sample.id] })
  expect(sent.state).toBe('travelling')
}, 60_000)
