import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { v7 as uuidv7 } from 'uuid'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import {
  installSnapshots,
  listLog,
  nextForDomain,
  readSyncedRows,
  takeSnapshots,
} from '../../platform/service/testing/laboratory-export.ts'
import { openServiceBench } from '../../platform/service/testing/service-bench.ts'
import type { WireEntry } from '../../platform/sync/domain-contract.ts'
import { openSyncedLaboratory, type SyncedLaboratory } from '../sync/testing/synced-laboratory.ts'
import type { LaboratoryClient } from './laboratory-client.ts'
import {
  laboratoryAt,
  openTestHub,
  presenceOf,
  shippedDomains,
  type TestHub,
  type TestLaboratory,
} from './testing/two-laboratories.ts'

// Where other systems that ship samples between their installations are known to fail; each test says that this one
// does not.

let hub: TestHub
let a: TestLaboratory
let b: TestLaboratory

beforeAll(async () => {
  hub = await openTestHub(2)
  a = hub.laboratory(0)
  b = hub.laboratory(1)
}, 120_000)
afterAll(() => hub.close())

const parcel = { carrier: '', reference: '', reason: 'sequencing there' }

async function ship(from: TestLaboratory, to: TestLaboratory, sampleIds: readonly string[]) {
  const order = { ...parcel, sampleIds, toLaboratoryId: to.desk.laboratoryId }
  const { row } = await hub.shipments.send(from.desk, order, uuidv7())
  await hub.bench.settle()
  return row.id
}

it('1: an aliquot that was destroyed where it went is not "shipped" for ever where it came from', async () => {
  const mother = await a.samples.receive({ sample: { name: 'M-1', type: 'DNA', volumeUl: '50' } })
  const [aliquot] = await a.samples.makeAliquots({ id: mother.sample.id, volumesUl: ['10'] })
  const id = aliquot?.id ?? ''
  const tube = await a.storage.createContainer({ label: 'Aliquot 1', sampleId: id, material: 'dna' })
  await a.storage.place({ containerId: tube.id, target: { boxId: a.boxId, position: 'A9' } })
  await hub.bench.settle()
  const shipmentId = await ship(a, b, [id])
  await hub.shipments.receive(b.desk, shipmentId, [])

  await b.samples.recordMovement({ id, kind: 'taken', quantity: '4', reason: 'library' })
  await hub.shipments.tellSenders()
  expect(await a.samples.get({ id })).toMatchObject({ volumeUl: '6', state: 'validated' })
  await b.storage.dispose({ containerId: tube.id, reason: 'used up' })
  await hub.bench.settle()
  await b.samples.recordCustody({ id, kind: 'consumed', holder: 'B', reason: 'used up' }).catch(() => null)
  await hub.shipments.tellSenders()

  expect((await b.samples.get({ id })).state).toBe('discarded')
  const stub = await a.samples.get({ id })
  expect(stub.state).toBe('discarded')
  expect(stub.shippedTo).toContain('Laboratory B')
  const chain = await a.samples.custody({ id })
  expect(chain.events.at(-1)).toMatchObject({ kind: 'disposed' })
  expect(chain.problems).toEqual([])
  // Nothing new: nothing is written.
  const [before] = Object.values(await a.samples.shippingDigests({ ids: [id] }))
  await hub.shipments.tellSenders()
  expect(Object.values(await a.samples.shippingDigests({ ids: [id] }))).toEqual([before])
  // The mother tube stayed.
  expect(await presenceOf(a, mother.sample.id)).toBe('live')
})

it("2: what was shipped is not left in the sender's storage", async () => {
  const placement = { boxId: a.boxId, position: 'B5' }
  const { sample, containerId } = await a.samples.receive({ sample: { name: 'P-1', type: 'DNA' }, placement })
  await hub.bench.settle()
  const shipmentId = await ship(a, b, [sample.id])
  expect((await a.storage.getNode({ id: a.boxId })).capacity.occupied).toBe(0)
  expect((await a.storage.listContainers({ limit: 200 })).items.map(({ id }) => id)).not.toContain(
    containerId,
  )
  expect((await a.storage.capacityCheck({})).differences).toEqual([])
  expect((await a.samples.get({ id: sample.id })).location).toBeNull()
  // The position is free for the next tube.
  const next = await a.samples.receive({ sample: { name: 'P-2', type: 'DNA' }, placement })
  expect(next.sample.id).not.toBe(sample.id)
  const there = await hub.shipments.receive(b.desk, shipmentId, [])
  expect(there.items).toMatchObject([{ state: 'received' }])
  const { items } = await b.storage.listContainers({ limit: 200 })
  expect(items.filter(({ id }) => id === containerId)).toMatchObject([{ state: 'unplaced', place: null }])
})

describe('3: databases that shipped and received are made anew from what was exported alone', () => {
  const domains = shippedDomains.map(({ name }) => name)

  it('from journal and snapshots where they were', async () => {
    await hub.bench.settle()
    const read = () => Promise.all(hub.laboratories.map(readAsPeople))
    const before = await read()
    await hub.bench.restart({ losing: domains })
    expect(await read()).toEqual(before)
  }, 120_000)

  it('from files at machines that never saw them: every row of every table', async () => {
    const exported = await Promise.all(
      hub.laboratories.map(async ({ desk: { laboratoryId } }) => {
        const folder = makeTestFolder('tracseq-export-')
        return { laboratoryId, folder, files: await takeSnapshots(hub.bench, domains, laboratoryId, folder) }
      }),
    )
    // What happens from here on is in the log alone.
    const { sample } = await a.samples.receive({ sample: { name: 'E-1', type: 'DNA', volumeUl: '9' } })
    await hub.bench.settle()
    const there = await ship(a, b, [sample.id])
    await hub.shipments.receive(b.desk, there, [])
    await b.samples.recordMovement({ id: sample.id, kind: 'taken', quantity: '4', reason: 'library' })
    await hub.bench.settle()
    const back = await hub.shipments.sendBack(b.desk, there, parcel, uuidv7())
    await hub.shipments.receive(a.desk, back.row.id, [])
    await hub.bench.settle()
    for (const { laboratoryId, folder } of exported)
      writeFileSync(join(folder, 'log.json'), JSON.stringify(await listLog(hub.bench, laboratoryId)))

    for (const [index, { laboratoryId, folder, files }] of exported.entries()) {
      const rows = await readSyncedRows(hub.bench, shippedDomains, laboratoryId)
      const said = await readAsPeople(hub.laboratory(index))
      expect(rows['samples/sample']?.length).toBeGreaterThan(2)
      const machine = await openServiceBench(shippedDomains, { laboratoryId, engine: 'pglite' })
      try {
        await installSnapshots(machine, laboratoryId, files)
        const log = JSON.parse(readFileSync(join(folder, 'log.json'), 'utf8')) as WireEntry[]
        for (const domain of domains) {
          const rest = await nextForDomain(machine, domain, log, log.length)
          expect(rest?.entries.length).toBeGreaterThan(0)
          if (rest !== null) await machine.syncOf(domain).syncFollow(rest)
        }
        expect(await readSyncedRows(machine, shippedDomains, laboratoryId)).toEqual(rows)
        expect(await readAsPeople(laboratoryAt(machine))).toEqual(said)
      } finally {
        await machine.close()
      }
    }
  }, 120_000)

  /** What people see of a laboratory. */
  async function readAsPeople({ samples, storage, barcodes }: LaboratoryClient) {
    const { items } = await samples.list({ limit: 200 })
    return {
      samples: await samples.list({ limit: 200, withDeleted: true }),
      timelines: await Promise.all(items.map(({ id }) => samples.timeline({ id, limit: 200 }))),
      containers: await storage.listContainers({ limit: 200 }),
      codes: await barcodes.list({ limit: 200 }),
    }
  }
})

it('5: names, codes and amounts keep every character on the way there and back', async () => {
  const odd = [
    { name: '00071', clientId: '007-β/Ω', donor: 'Ñandú "x" \\ \t|', volumeUl: '10.500', code: '0001234500' },
    { name: 'İstanbul ﬁ é', clientId: ' 12e5', donor: '=1+1', volumeUl: '0.0000000001', code: 'ABC-00.10' },
    {
      name: '1E10',
      clientId: '2026-03-04',
      donor: '😀 שלום',
      volumeUl: '99999999999999999999.9999999999',
      code: 'x/Y_0o0',
    },
  ]
  const sent: { readonly id: string; readonly code: string }[] = []
  for (const { code, ...fields } of odd) {
    const sample = { type: 'DNA', concentrationNgPerUl: '0.10', extra: { 'Col 1': ' 01.0 ' }, ...fields }
    const { sample: made } = await a.samples.receive({ sample, code })
    sent.push({ id: made.id, code })
  }
  await hub.bench.settle()
  const ids = sent.map(({ id }) => id)
  const record = async (at: TestLaboratory) =>
    (await at.samples.getMany({ ids })).map(({ updatedAt, revision, shippedTo, ...said }) => said)
  const before = await record(a)
  const there = await ship(a, b, ids)
  await hub.shipments.receive(b.desk, there, [])
  expect(await record(b)).toEqual(before)
  for (const { id, code } of sent) {
    const { matches } = await b.barcodes.resolve({ text: code })
    expect(matches).toMatchObject([{ text: code }])
    expect((await b.samples.get({ id })).code).toBe(code)
  }
  const back = await hub.shipments.sendBack(b.desk, there, parcel, uuidv7())
  await hub.shipments.receive(a.desk, back.row.id, [])
  expect(await record(a)).toEqual(before)
})

it('a code that means something else where it arrives is contested, and neither tube loses it', async () => {
  const sample = { name: 'Twin', type: 'DNA' }
  const one = await a.samples.receive({ sample, code: 'TWIN-1' })
  const other = await b.samples.receive({ sample, code: 'TWIN-1' })
  await hub.bench.settle()
  await hub.shipments.receive(b.desk, await ship(a, b, [one.sample.id]), [])
  const { matches } = await b.barcodes.resolve({ text: 'TWIN-1' })
  expect(matches.map(({ thing }) => thing?.id).toSorted()).toEqual(
    [one.containerId, other.containerId].toSorted(),
  )
  // It waits for a person, once, until one of the two has it.
  const { laboratoryId } = b.desk
  const barcodes = hub.bench.syncOf('barcodes')
  const { items } = await barcodes.syncWorkItems({ laboratoryId })
  expect(items.map(({ item }) => item)).toMatchObject([{ kind: 'contested', rows: { length: 2 } }])
  expect(await barcodes.syncOpenContested({ laboratoryId })).toEqual({ opened: 0 })
  const known = { fates: {}, permitted: [] }
  const choice = { take: 'hub' } as const
  const decided = await barcodes.syncResolve({
    ...{ laboratoryId, itemId: items[0]?.id ?? '', choice, reason: 'ours was first' },
    ...{ actorId: b.desk.userId, known },
  })
  expect(decided.done).toBe(true)
  await hub.bench.settle()
  expect((await b.barcodes.resolve({ text: 'TWIN-1' })).matches).toMatchObject([
    { thing: { id: other.containerId } },
  ])
  expect((await barcodes.syncWorkItems({ laboratoryId })).items).toEqual([])
})

// How a day's work goes to the Hub and the answer comes back on a stick: main/sync/bundles.test.ts.
it('4: without a network a workstation works on, and what it did while a sample was shipped is not lost', async () => {
  const laboratory: SyncedLaboratory = await openSyncedLaboratory(1)
  try {
    const at = laboratory.workstation(0)
    const freezer = await at.storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const box = { kind: 'box', parentId: freezer.id, name: 'Box 1', rows: 2, columns: 2 } as const
    const placement = { boxId: (await at.storage.createNode(box)).id, position: 'A1' }
    const { sample, containerId } = await at.samples.receive({
      ...{ sample: { name: 'Away', type: 'DNA', volumeUl: '20' }, placement },
    })
    await laboratory.syncAll()
    const { hub: above } = laboratory
    const { id } = sample
    const shipmentId = uuidv7()
    await above.samples.shipOut({
      ...{ id, shipmentId, to: 'Laboratory B', toLaboratoryId: uuidv7() },
      ...{ reference: 'shipment 1', reason: 'sequencing' },
    })
    await above.storage.leave({ containerIds: [containerId], reason: 'shipment 1' })
    // It has not heard of that yet, and its person goes on working.
    await at.samples.recordMovement({ id, kind: 'taken', quantity: '5', reason: 'just before it left' })
    await at.samples.update({
      ...{ id, revision: (await at.samples.get({ id })).revision },
      ...{ fields: { donor: 'D-9' }, reason: 'form' },
    })
    const other = await at.samples.receive({ sample: { name: 'Stays', type: 'DNA' } })
    await laboratory.syncAll()
    expect((await at.samples.get({ id })).shippedTo).toContain('Laboratory B')
    expect((await at.storage.getNode({ id: placement.boxId })).capacity.occupied).toBe(0)
    expect((await above.samples.get({ id: other.sample.id })).name).toBe('Stays')
    // What was taken before it left is a fact; what was written on the record waits for a person.
    expect((await above.samples.get({ id })).volumeUl).toBe('15')
    expect((await above.samples.get({ id })).donor).toBeNull()
    const items = await laboratory.openItems()
    const words = expect.stringContaining('was shipped to Laboratory B') as string
    expect(items).toMatchObject([{ kind: 'conflict', conflicts: [{ words }] }])
    expect(await laboratory.listUndecided(at)).toEqual([])
    const rows = await laboratory.readRows(above)
    expect(await laboratory.readRows(at)).toEqual(rows)
    await expect(at.samples.addNote({ id, note: 'late' })).rejects.toThrow(/was shipped to Laboratory B/)
  } finally {
    await laboratory.close()
  }
}, 120_000)
