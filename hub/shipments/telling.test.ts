import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { v7 as uuidv7 } from 'uuid'
import { travellingRowsAtMost } from '../../platform/contract/travelling-rows.ts'
import type { Surroundings } from './laboratory-client.ts'
import { Shipments } from './shipments.ts'
import { openTestHub, type TestHub, type TestLaboratory } from './testing/two-laboratories.ts'

let hub: TestHub
let a: TestLaboratory
let b: TestLaboratory
/** Received at b, three to a shipment. */
const received: { readonly id: string; readonly containerId: string }[] = []

const parcel = { carrier: '', reference: '', reason: 'sequencing there' }

beforeAll(async () => {
  hub = await openTestHub(2)
  a = hub.laboratory(0)
  b = hub.laboratory(1)
  for (let shipment = 0; shipment < 4; shipment += 1) {
    const sampleIds = [await make(), await make(), await make()]
    const { row } = await hub.shipments.send(a.desk, orderOf(sampleIds), uuidv7())
    await hub.shipments.receive(b.desk, row.id, [])
  }
  await untilQuiet()
}, 180_000)
beforeEach(() => {
  hub.calls.length = 0
})
afterAll(() => hub.close())

async function make(): Promise<string> {
  const { sample, containerId } = await a.samples.receive({
    sample: { name: `S-${received.length}`, type: 'DNA', volumeUl: '50' },
  })
  await hub.bench.settle()
  received.push({ id: sample.id, containerId })
  return sample.id
}

function orderOf(sampleIds: readonly string[]) {
  return { ...parcel, sampleIds, toLaboratoryId: b.desk.laboratoryId }
}

/** Tells until telling itself is no news any more. */
async function untilQuiet(shipments = hub.shipments): Promise<void> {
  for (;;) {
    hub.calls.length = 0
    await hub.bench.settle()
    await shipments.tellSenders()
    if (hub.calls.length === 0) return
  }
}

function nth(index: number) {
  const found = received[index]
  if (found === undefined) throw new Error(`There is no sample ${index}`)
  return found
}

const take = (id: string) => b.samples.recordMovement({ id, kind: 'taken', quantity: '1', reason: 'library' })
const volumeAtSender = async (id: string) => (await a.samples.get({ id })).volumeUl

it('one change tells of one sample, and asks about no other', async () => {
  const { id } = nth(5)
  await take(id)
  await hub.shipments.tellSenders()
  expect(await volumeAtSender(id)).toBe('49')
  const asked = hub.calls.filter(({ name }) => name === 'shippingDigests').map(({ input }) => input)
  expect(new Set(asked.map((input) => JSON.stringify(input)))).toEqual(
    new Set([JSON.stringify({ ids: [id] })]),
  )
  const said = JSON.stringify(hub.calls)
  for (const other of received) if (other.id !== id) expect(said).not.toContain(other.id)
  // What was told stands in the log too: it is looked at once more, and then nothing is asked.
  await untilQuiet()
  expect(hub.calls).toEqual([])
})

it('hears of a tube by itself, whose changes do not name the sample', async () => {
  const { id, containerId } = nth(7)
  await b.storage.dispose({ containerId, reason: 'used up' })
  await hub.bench.settle()
  await hub.shipments.tellSenders()
  expect((await a.samples.get({ id })).state).toBe('discarded')
  expect(hub.calls.find(({ name }) => name === 'shippingOwners')?.input).toEqual({
    rowIds: [containerId],
  })
  await untilQuiet()
})

it('hears of a further code, of which neither the sample nor its tube says anything', async () => {
  const { id, containerId } = nth(6)
  const codesAtSender = async () => {
    const { rows } = await a.samples.shippingRecord({ id })
    return rows.flatMap(({ table, row }) => (table === 'sample_code' ? [row['code']] : []))
  }
  const [printed] = await codesAtSender()
  await b.barcodes.link({ text: 'SECOND-1', thing: { kind: 'container', id: containerId } })
  await hub.bench.settle()
  await hub.shipments.tellSenders()
  expect(new Set(await codesAtSender())).toEqual(new Set([printed, 'SECOND-1']))
  await untilQuiet()
})

it('loses nothing by a restart, nor by being cut off anywhere', async () => {
  const restarted = () => new Shipments(hub.store, hub.around)
  await take(nth(0).id)
  await hub.bench.restart()
  await restarted().tellSenders()
  expect(await volumeAtSender(nth(0).id)).toBe('49')
  await untilQuiet()
  for (const [index, when] of (['before', 'after', 'before', 'after'] as const).entries()) {
    const { id } = nth(index + 1)
    await take(id)
    hub.cutAt(index + 1, when)
    await hub.shipments.tellSenders().catch(() => undefined)
    hub.mend()
    await restarted().tellSenders()
    expect(await volumeAtSender(id)).toBe('49')
  }
  expect(hub.said.length).toBeGreaterThan(0)
  await untilQuiet()
})

it('what arrived while nobody looked, or from before it was looked for, is told', async () => {
  const { id } = nth(8)
  await take(id)
  // The log is looked through up to here without telling: what was noted is all that is left.
  await hub.store.noteNews('all', (await hub.bench.journal.domainHead('samples'))?.domainSequence ?? 0)
  await hub.shipments.tellSenders()
  expect(await volumeAtSender(id)).toBe('49')
  await untilQuiet()
  // A log that ends before the last look is one that was restored: everything is compared once.
  await take(nth(9).id)
  await hub.store.noteNews([], 1_000_000)
  await hub.shipments.tellSenders()
  expect(await volumeAtSender(nth(9).id)).toBe('49')
})

it('nobody who sends or receives waits behind it', async () => {
  await untilQuiet()
  const { id } = nth(10)
  await take(id)
  const gate = Promise.withResolvers<undefined>()
  const begun = Promise.withResolvers<undefined>()
  const slow: Surroundings = {
    ...hub.around,
    at: (laboratoryId, by) => {
      const client = hub.around.at(laboratoryId, by)
      if (by !== null) return client
      const samples = new Proxy(client.samples, {
        get: (target, name) => async (input: never) => {
          begun.resolve(undefined)
          await gate.promise
          return (target[name as keyof typeof target] as (given: never) => unknown)(input)
        },
      })
      return { ...client, samples }
    },
  }
  const shipments = new Shipments(hub.store, slow)
  const told = shipments.tellSenders()
  await begun.promise
  const sampleId = await make()
  const { row } = await shipments.send(a.desk, orderOf([sampleId]), uuidv7())
  const there = await shipments.receive(b.desk, row.id, [])
  expect(there.items).toMatchObject([{ state: 'received' }])
  expect(await volumeAtSender(id)).toBe('50')
  gate.resolve(undefined)
  await told
  expect(await volumeAtSender(id)).toBe('49')
})

it('a record that grew too long to travel is told all the same, and is not sent back but an aliquot of it', async () => {
  await untilQuiet()
  const { id } = nth(11)
  const volumesUl = Array.from({ length: 90 }, () => '0.001')
  const aliquots = []
  for (let round = 0; round < 10; round += 1)
    aliquots.push(...(await b.samples.makeAliquots({ id, volumesUl })))
  await take(nth(10).id)
  const { rows } = await b.samples.shippingRecord({ id })
  expect(rows.length).toBeGreaterThan(2 * travellingRowsAtMost)
  const [said, volume] = [hub.said.length, await volumeAtSender(nth(10).id)]
  await hub.shipments.tellSenders()
  expect(hub.said.slice(said)).toEqual([])
  expect(await volumeAtSender(id)).toBe((await b.samples.get({ id })).volumeUl)
  expect(await volumeAtSender(nth(10).id)).not.toBe(volume)
  const movements = async (at: TestLaboratory) => {
    const record = await at.samples.shippingRecord({ id })
    const of = record.rows.filter(({ table }) => table === 'amount_movement' || table === 'sample_history')
    return new Set(of.map(({ row }) => row['id']))
  }
  expect(await movements(a)).toEqual(await movements(b))
  await untilQuiet()

  const list = { direction: 'in', before: 1_000_000, limit: 100 } as const
  const came = (await hub.shipments.list(b.desk, list)).find(({ items }) =>
    items.some((item) => item.sample_id === id),
  )
  const back = { ...parcel, sampleIds: [id] }
  await expect(hub.shipments.sendBack(b.desk, came?.row.id ?? '', back, uuidv7())).rejects.toThrow(
    /too long to travel: it has \d+ entries, at most 850 can go along. Ship an aliquot of it instead/,
  )
  const order = { ...parcel, sampleIds: [aliquots[0]?.id ?? ''], toLaboratoryId: a.desk.laboratoryId }
  const { items } = await hub.shipments.send(b.desk, order, uuidv7())
  expect(items).toMatchObject([{ state: 'travelling' }])
}, 180_000)
