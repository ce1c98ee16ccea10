import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import fc from 'fast-check'
import { PGlite } from '@electric-sql/pglite'
import { ORPCError } from '@orpc/client'
import { v7 as uuidv7 } from 'uuid'
import type { ChangeSet } from '../../platform/sync/change-set.ts'
import { pushedSetOf } from '../../platform/sync/journaled.ts'
import { stateOf } from './journey.ts'
import { ShipmentStore } from './shipment-store.ts'
import { openTestHub, presenceOf, type TestHub, type TestLaboratory } from './testing/two-laboratories.ts'

const everything = { direction: 'both', before: 2_000_000_000, limit: 1_000 } as const
const parcel = { carrier: 'DHL', reference: '0047', reason: 'sequencing there' }

const laboratoryOf = ({ desk }: TestLaboratory) => ({ laboratoryId: desk.laboratoryId })

describe('shipping between two laboratories', () => {
  let hub: TestHub
  let a: TestLaboratory
  let b: TestLaboratory

  beforeAll(async () => {
    hub = await openTestHub(2)
    a = hub.laboratory(0)
    b = hub.laboratory(1)
  }, 120_000)
  afterEach(() => vi.restoreAllMocks())
  afterAll(() => hub.close())

  async function receive(at: TestLaboratory, name: string, position?: string) {
    const place = position === undefined ? {} : { placement: { boxId: at.boxId, position } }
    const sample = { name, type: 'Blood', volumeUl: '20', concentrationNgPerUl: '4.50' }
    const received = await at.samples.receive({ sample, ...place })
    await hub.bench.settle()
    return received
  }
  const send = (from: TestLaboratory, to: TestLaboratory, ...sampleIds: string[]) =>
    hub.shipments.send(from.desk, { ...parcel, sampleIds, toLaboratoryId: to.desk.laboratoryId }, uuidv7())

  it('takes a sample there with records, history and custody, leaves a stub, and brings it back', async () => {
    const { sample, code } = await receive(a, 'S-1', 'A1')
    await a.samples.addNote({ id: sample.id, note: 'thawed once' })
    const shipment = await send(a, b, sample.id)
    expect(stateOf(shipment)).toBe('travelling')
    expect(await presenceOf(a, sample.id)).toBe('stub')
    expect(await presenceOf(b, sample.id)).toBe('unknown')
    expect(await a.samples.get({ id: sample.id })).toMatchObject({
      location: null,
      shippedTo: `Laboratory B, shipment ${shipment.row.number}, DHL 0047`,
    })

    const received = await hub.shipments.receive(b.desk, shipment.row.id, [])
    expect(stateOf(received)).toBe('received')
    expect(received.items.map(({ words }) => words)).toEqual([null])
    const there = await b.samples.get({ id: sample.id })
    expect(there).toMatchObject({ name: 'S-1', code, volumeUl: '20', state: 'validated', shippedTo: null })
    const chain = await b.samples.custody({ id: sample.id })
    expect(chain.problems).toEqual([])
    expect(chain.events.map(({ kind }) => kind)).toEqual([
      ...['received', 'stored', 'shipped', 'received_elsewhere'],
    ])
    const life = await b.samples.timeline({ id: sample.id })
    expect(life.items.map(({ what }) => what)).toContain('noted')
    expect((await b.barcodes.resolve({ text: code })).matches).toMatchObject([{ text: code }])

    const [tube] = (await b.storage.containersOfSamples({ sampleIds: [sample.id] })) as { id: string }[]
    await b.storage.place({ containerId: tube?.id ?? '', target: { boxId: b.boxId, position: 'C3' } })
    await b.samples.recordMovement({ id: sample.id, kind: 'taken', quantity: '5', reason: 'library' })
    await hub.bench.settle()
    const back = await hub.shipments.sendBack(b.desk, shipment.row.id, parcel, uuidv7())
    expect(back.row.return_of).toBe(shipment.row.id)
    await hub.shipments.receive(a.desk, back.row.id, [])
    expect([await presenceOf(a, sample.id), await presenceOf(b, sample.id)]).toEqual(['live', 'stub'])
    expect(await a.samples.get({ id: sample.id })).toMatchObject({ volumeUl: '15', code, shippedTo: null })
    const home = await a.samples.custody({ id: sample.id })
    expect(home.problems).toEqual([])
    expect(home.events.map(({ kind }) => kind)).toEqual([
      ...['received', 'stored', 'shipped', 'received_elsewhere', 'stored', 'shipped', 'received_elsewhere'],
    ])
    await a.storage.place({ containerId: tube?.id ?? '', target: { boxId: a.boxId, position: 'A1' } })
    await hub.bench.settle()
    expect((await a.samples.get({ id: sample.id })).location).toContain('A1')
    expect((await a.samples.custody({ id: sample.id })).problems).toEqual([])
  })

  it('a stub refuses every command and names the shipment', async () => {
    const { sample } = await receive(a, 'S-2')
    const { row } = await send(a, b, sample.id)
    const { id, revision } = sample
    const acts = [
      () => a.samples.update({ id, revision, fields: { donor: 'D-1' }, reason: 'form' }),
      () => a.samples.addNote({ id, note: 'late' }),
      () => a.samples.changeState({ id, to: 'rejected', reason: 'why not' }),
      () => a.samples.recordMovement({ id, kind: 'taken', quantity: '1', reason: 'used' }),
      () => a.samples.recordCustody({ id, kind: 'moved', holder: 'me', reason: 'moved' }),
      () => a.samples.makeAliquots({ id, volumesUl: ['1'] }),
      () => a.samples.remove({ id, reason: 'gone' }),
    ]
    for (const act of acts)
      await expect(act()).rejects.toMatchObject({
        code: 'RULE_BROKEN',
        message: expect.stringContaining(`shipment ${row.number}`) as string,
      })
    await expect(send(a, b, id)).rejects.toThrow(/was shipped to Laboratory B/)
    await expect(hub.shipments.receive(a.desk, row.id, [])).rejects.toThrow(/goes to Laboratory B/)
  })

  it('refuses by name and reason what may not leave, and then ships nothing', async () => {
    const held = await receive(a, 'S-3 held', 'B1')
    const free = await receive(a, 'S-3 free')
    await a.storage.checkOut({ containerId: held.containerId })
    await hub.bench.settle()
    await expect(send(a, b, held.sample.id, free.sample.id)).rejects.toThrow(
      /S-3 held is checked out: bring it back/,
    )
    expect(await presenceOf(a, free.sample.id)).toBe('live')
    hub.work.push({ words: 'Both sides changed it.', isAbout: (id) => id === free.sample.id })
    await expect(send(a, b, free.sample.id)).rejects.toThrow(
      /Something about S-3 free waits for a decision: Both/,
    )
    hub.work.length = 0
    await expect(send(a, a, free.sample.id)).rejects.toThrow(/another laboratory/)
    await expect(send(a, b, uuidv7())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('does not ship a sample whose tube is still on its way from a workstation', async () => {
    const after = (await hub.bench.journal.domainHead('samples'))?.domainSequence ?? 0
    await receive(b, 'S-3 half')
    await hub.bench.settle()
    const entries = await hub.bench.journal.readDomain({
      ...{ domain: 'samples', afterDomainSequence: after, limit: 100 },
    })
    // The same receipt at a workstation of the other laboratory: of what it pushed, the samples have been decided.
    const ids = new Map([[b.desk.laboratoryId, a.desk.laboratoryId]])
    const elsewhere = (text: string) =>
      text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        if (!ids.has(id)) ids.set(id, uuidv7())
        return ids.get(id) ?? ''
      })
    const sets = entries.flatMap((entry) => {
      const set = pushedSetOf(entry, JSON.parse(entry.payload ?? '{}'))
      return set === null ? [] : [JSON.parse(elsewhere(JSON.stringify(set))) as ChangeSet]
    })
    const { decided } = await hub.bench.syncOf('samples').syncDecide({
      ...{ sets, again: false },
      known: { fates: {}, permitted: sets.map(({ id }) => id) },
    })
    expect(decided.map(({ outcome }) => outcome)).toEqual(sets.map(() => 'applied'))
    const { items } = await a.samples.list({ search: 'S-3 half' })
    expect(items).toMatchObject([{ state: 'validated' }])
    await expect(send(a, b, items[0]?.id ?? '')).rejects.toThrow(
      /tube of S-3 half is not in this storage yet/,
    )
    expect(await presenceOf(a, items[0]?.id ?? '')).toBe('live')
  })

  it('what is missing stays with the shipment, and its sender may take it back', async () => {
    const [one, two] = [await receive(a, 'S-4'), await receive(a, 'S-5', 'B2')]
    const { row } = await send(a, b, one.sample.id, two.sample.id)
    const partly = await hub.shipments.receive(b.desk, row.id, [two.sample.id])
    expect(stateOf(partly)).toBe('partly_received')
    expect(partly.items.map(({ name, state, missing }) => [name, state, missing])).toEqual([
      ['S-4', 'received', false],
      ['S-5', 'travelling', true],
    ])
    const found = await hub.shipments.cancel(a.desk, row.id, 'it was in the fridge')
    expect(found.items.map(({ state }) => state)).toEqual(['received', 'cancelled'])
    expect(await presenceOf(a, two.sample.id)).toBe('live')
    expect(await presenceOf(b, two.sample.id)).toBe('unknown')
    expect((await a.samples.custody({ id: two.sample.id })).problems).toEqual([])
    const [tube] = await a.storage.containersOfSamples({ sampleIds: [two.sample.id] })
    expect(tube).toMatchObject({ state: 'unplaced' })
    await expect(hub.shipments.cancel(a.desk, row.id, 'all of it')).rejects.toThrow(/has received it/)
  })

  it('a parcel is checked off by scanning, also by codes that the receiver does not know, and tells what happened', async () => {
    const [one, two] = [await receive(a, 'S-9', 'B3'), await receive(a, 'S-10')]
    await a.barcodes.link({ text: 'CLIENT-77', thing: { kind: 'sample', id: two.sample.id } })
    const { row } = await send(a, b, one.sample.id, two.sample.id)
    const keysOf = async (text: string) => (await b.barcodes.resolve({ text })).meaning.lookupKeys
    const scan = async (at: TestLaboratory, text: string) =>
      (await hub.shipments.recognise(at.desk.laboratoryId, await keysOf(text))).map(({ item }) => item.name)
    expect(await scan(b, one.code)).toEqual(['S-9'])
    expect(await scan(b, 'CLIENT-77')).toEqual(await scan(b, two.code))
    expect(await scan(b, 'NEVER-SEEN')).toEqual([])
    expect(await scan(a, one.code)).toEqual([])

    const { items } = await hub.shipments.checkOff(b.desk, row.id, [one.sample.id], true)
    expect(items.map(({ name, checked_off: found }) => [name, found])).toEqual([
      ['S-10', false],
      ['S-9', true],
    ])
    await hub.shipments.checkOff(b.desk, row.id, [one.sample.id], false)
    await expect(hub.shipments.checkOff(a.desk, row.id, [one.sample.id], true)).rejects.toThrow(/goes to/)
    await expect(hub.shipments.checkOff(b.desk, row.id, [uuidv7()], true)).rejects.toThrow(/not in this/)
    const { events } = await hub.shipments.receive(b.desk, row.id, [two.sample.id])
    expect(events.map(({ what, by_name: by, samples, words }) => [what, by, samples, words])).toEqual([
      ['received', 'Person of Laboratory B', 1, 'S-9'],
      ['missing', 'Person of Laboratory B', 1, 'S-10'],
      ['sent', 'Person of Laboratory A', 2, 'sequencing there'],
    ])
  })

  it('what the receiver turns back is with the shipment until its sender has it, or it is found good after all', async () => {
    const [one, two] = [await receive(a, 'S-11'), await receive(a, 'S-12')]
    const { row } = await send(a, b, one.sample.id, two.sample.id)
    const asked = { sampleIds: undefined, reason: 'arrived thawed' }
    await expect(hub.shipments.turnBack(a.desk, row.id, asked)).rejects.toThrow(/goes to Laboratory B/)
    const turned = await hub.shipments.turnBack(b.desk, row.id, asked)
    expect(stateOf(turned)).toBe('turned_back')
    expect(turned.items.map(({ turned_back: why }) => why)).toEqual(['arrived thawed', 'arrived thawed'])
    expect(await presenceOf(a, one.sample.id)).toBe('stub')
    await hub.shipments.checkOff(b.desk, row.id, [two.sample.id], true)
    const partly = await hub.shipments.receive(b.desk, row.id, [])
    expect(partly.items.map(({ state }) => state)).toEqual(['travelling', 'received'])
    const back = await hub.shipments.cancel(a.desk, row.id, 'it is here again')
    expect(stateOf(back)).toBe('received')
    expect(await presenceOf(a, one.sample.id)).toBe('live')
    expect(await presenceOf(b, one.sample.id)).toBe('unknown')
    expect(back.events.map(({ what }) => what)).toEqual(['taken_back', 'received', 'turned_back', 'sent'])
    await expect(hub.shipments.turnBack(b.desk, row.id, asked)).rejects.toThrow(/taken in already/)
  })

  it('what is turned back while somebody else receives is not taken in, and then nobody has received it', async () => {
    const { sample } = await receive(a, 'S-14')
    const { row } = await send(a, b, sample.id)
    const asked = { sampleIds: [sample.id], reason: 'arrived thawed' }
    const get = hub.store.get.bind(hub.store)
    vi.spyOn(hub.store, 'get').mockImplementationOnce(async (id) => {
      const seen = await get(id)
      await hub.shipments.turnBack({ ...b.desk, name: 'Somebody else' }, row.id, asked)
      return seen
    })
    const received = await hub.shipments.receive(b.desk, row.id, [])
    expect(received.items).toMatchObject([{ state: 'travelling', turned_back: 'arrived thawed' }])
    expect(stateOf(received)).toBe('turned_back')
    expect(received.row).toMatchObject({ received_at: null, received_by: null })
    expect(await presenceOf(b, sample.id)).toBe('unknown')
  })

  it('checking off what was turned back can be undone, with the reason; what stays checked off arrives', async () => {
    const { sample } = await receive(a, 'S-15')
    const { row } = await send(a, b, sample.id)
    const asked = { sampleIds: undefined, reason: 'arrived thawed' }
    await hub.shipments.turnBack(b.desk, row.id, asked)
    const found = await hub.shipments.checkOff(b.desk, row.id, [sample.id], true)
    expect(stateOf(found)).toBe('travelling')
    const undone = await hub.shipments.checkOff(b.desk, row.id, [sample.id], false)
    expect(stateOf(undone)).toBe('turned_back')
    expect(undone.items).toMatchObject([{ checked_off: false, turned_back: 'arrived thawed' }])
    expect((await hub.shipments.receive(b.desk, row.id, [])).items).toMatchObject([{ state: 'travelling' }])
    await hub.shipments.checkOff(b.desk, row.id, [sample.id], true)
    const received = await hub.shipments.receive(b.desk, row.id, [])
    expect(received.items).toMatchObject([{ state: 'received', checked_off: false, turned_back: null }])
  })

  it('a receipt that is cut off in the middle loses neither what is missing nor who received', async () => {
    const [one, two] = [await receive(a, 'S-16'), await receive(a, 'S-17')]
    const { row } = await send(a, b, one.sample.id, two.sample.id)
    const by = b.desk.name
    const stand = async () => {
      const { items, row: now } = await hub.shipments.get(b.desk, row.id)
      return [now.received_by, ...items.map(({ state, missing }) => [state, missing])]
    }
    const turn = hub.store.turn.bind(hub.store)
    vi.spyOn(hub.store, 'turn')
      .mockRejectedValueOnce(new Error('cut off before'))
      .mockImplementationOnce(async (...given) => {
        await turn(...given)
        throw new Error('cut off after')
      })
    const take = () => hub.shipments.receive(b.desk, row.id, [two.sample.id])
    await expect(take()).rejects.toThrow('cut off before')
    expect(await stand()).toEqual([by, ['travelling', false], ['travelling', true]])
    await expect(take()).rejects.toThrow('cut off after')
    expect(await stand()).toEqual([by, ['arriving', false], ['travelling', true]])
    await hub.shipments.goOn()
    expect(await stand()).toEqual([by, ['received', false], ['travelling', true]])
    const { events } = await take()
    expect(events.map(({ what }) => what)).toEqual(['received', 'missing', 'sent'])
  })

  it('turning back again for the same reason tells nothing new, and is not taken for a sample that was taken in', async () => {
    const { sample } = await receive(a, 'S-18')
    const { row } = await send(a, b, sample.id)
    const turnBack = (reason: string) =>
      hub.shipments.turnBack(b.desk, row.id, { sampleIds: [sample.id], reason })
    const first = await turnBack('arrived thawed')
    expect(await turnBack('arrived thawed')).toEqual(first)
    await hub.shipments.checkOff(b.desk, row.id, [sample.id], true)
    expect(stateOf(await turnBack('arrived thawed'))).toBe('turned_back')
    const { events } = await turnBack('leaking')
    expect(events.map(({ what, words }) => [what, words])).toEqual([
      ['turned_back', 'leaking'],
      ['turned_back', 'arrived thawed'],
      ['turned_back', 'arrived thawed'],
      ['sent', 'sequencing there'],
    ])
  })

  it('a record that is too long to travel is refused before anything leaves, by the name of its sample', async () => {
    const { sample } = await receive(a, 'S-13 long')
    const volumesUl = Array.from({ length: 90 }, () => '0.001')
    for (let round = 0; round < 10; round += 1) await a.samples.makeAliquots({ id: sample.id, volumesUl })
    await expect(send(a, b, sample.id)).rejects.toThrow(
      /The record of S-13 long is too long to travel: it has \d+ entries/,
    )
    expect(await presenceOf(a, sample.id)).toBe('live')
  }, 60_000)

  it('a type whose letter is taken where it arrives waits for a person there', async () => {
    await a.samples.addType({ name: 'Keratin', letter: 'K' })
    await b.samples.addType({ name: 'Kelp', letter: 'K' })
    const { id } = await a.samples.accession({ sample: { name: 'K-1', type: 'Keratin' } })
    const { row } = await send(a, b, id)
    await hub.shipments.receive(b.desk, row.id, [])
    expect(await presenceOf(b, id)).toBe('live')
    const { items } = await hub.bench.syncOf('samples').syncWorkItems(laboratoryOf(b))
    expect(items.map(({ item }) => item)).toMatchObject([
      { kind: 'contested', subject: expect.stringContaining('sample_type') as string },
    ])
    const elsewhere = await hub.bench.syncOf('samples').syncWorkItems(laboratoryOf(a))
    expect(elsewhere.items).toEqual([])
    // Whoever does not keep the letter gets one that nobody has.
    const { done } = await hub.bench.syncOf('samples').syncResolve({
      ...{
        ...laboratoryOf(b),
        itemId: items[0]?.id ?? '',
        choice: { take: 'hub' },
        reason: 'ours was first',
      },
      ...{ actorId: b.desk.userId, known: { fates: {}, permitted: [] } },
    })
    expect(done).toBe(true)
    const types = await b.samples.types()
    const letterOf = (name: string) => types.find((type) => type.name === name)?.letter
    expect([letterOf('Kelp'), letterOf('Keratin')]).toEqual(['K', 'F'])
    expect(new Set(types.map(({ letter }) => letter)).size).toBe(types.length)
    expect((await hub.bench.syncOf('samples').syncWorkItems(laboratoryOf(b))).items).toEqual([])
    expect((await b.samples.get({ id })).type).toBe('keratin')
  })

  it('types and relations arrive; of relations those with both ends', async () => {
    await a.samples.addType({ name: 'Nail clipping', letter: 'N' })
    const mother = await a.samples.accession({ sample: { name: 'M', type: 'Nail clipping', volumeUl: '9' } })
    const [child] = await a.samples.makeAliquots({ id: mother.id, volumesUl: ['2'] })
    const [other] = await a.samples.makeAliquots({ id: mother.id, volumesUl: ['3'] })
    const { row } = await send(a, b, mother.id, child?.id ?? '')
    await hub.shipments.receive(b.desk, row.id, [])
    const { edges } = await b.samples.lineage({ id: mother.id })
    expect(edges).toEqual([{ childId: child?.id, parentId: mother.id, relationship: 'aliquot_of' }])
    expect((await b.samples.types({})).map(({ name }) => name)).toContain('Nail clipping')
    expect(await presenceOf(b, other?.id ?? '')).toBe('unknown')
  })

  it('two laboratories never get the same code from their Hub, and a third one knows nothing of their shipments', async () => {
    const [one, other] = [await receive(a, 'S-7'), await receive(b, 'S-8')]
    expect(one.code).not.toBe(other.code)
    const { row } = await send(a, b, one.sample.id)
    const stranger = { ...a.desk, laboratoryId: uuidv7() }
    const asked = [
      () => hub.shipments.get(stranger, row.id),
      () => hub.shipments.receive(stranger, row.id, []),
      () => hub.shipments.cancel(stranger, row.id, 'mine'),
      () => hub.shipments.sendBack(stranger, row.id, parcel, uuidv7()),
    ]
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await hub.shipments.list(stranger, everything)).toEqual([])
  })

  it('a repeated command answers with the same shipment, and its key stands for nothing else', async () => {
    const [one, other] = [await receive(a, 'S-6'), await receive(a, 'S-19')]
    const order = { ...parcel, sampleIds: [one.sample.id], toLaboratoryId: b.desk.laboratoryId }
    const first = await hub.shipments.send(a.desk, order, 'click-1')
    expect((await hub.shipments.send(a.desk, { ...order }, 'click-1')).row.id).toBe(first.row.id)
    const another = [
      () => hub.shipments.send(a.desk, { ...order, sampleIds: [other.sample.id] }, 'click-1'),
      () => hub.shipments.send(a.desk, { ...order, reason: 'another one' }, 'click-1'),
      () => hub.shipments.send({ ...a.desk, userId: uuidv7() }, order, 'click-1'),
    ]
    for (const ask of another) await expect(ask()).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    expect(await presenceOf(a, other.sample.id)).toBe('live')

    await hub.shipments.receive(b.desk, first.row.id, [])
    const sendBack = (reason: string) =>
      hub.shipments.sendBack(b.desk, first.row.id, { ...parcel, reason }, 'click-1')
    const back = await sendBack('done')
    expect(back.row.return_of).toBe(first.row.id)
    // Nothing of it is there any more, and yet the answer is the same.
    expect((await sendBack('done')).row.id).toBe(back.row.id)
    await expect(sendBack('not done')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })
})

it('a shipment from before requests were kept answers whoever repeats its key', async () => {
  const database = await PGlite.create()
  const store = await ShipmentStore.open(database)
  const [from, to] = [1, 2].map((index) => ({ id: uuidv7(), name: `Laboratory ${index}` }))
  if (from === undefined || to === undefined) throw new Error('There are two')
  const request = { key: 'click-1', hash: 'one' }
  const by = { userId: uuidv7(), name: 'Ada' }
  const items = [{ sampleId: uuidv7(), name: 'S-1', code: null }]
  await store.add({ id: from.id, request, from, to, ...parcel, returnOf: null, by, items })
  expect(await store.madeBy({ ...request, hash: 'another' })).toEqual({ id: from.id, isSame: false })
  await database.query('alter table shipment drop column request_hash')
  const opened = await ShipmentStore.open(database)
  expect(await opened.madeBy({ ...request, hash: 'another' })).toEqual({ id: from.id, isSame: true })
  expect(await opened.madeBy({ ...request, key: 'click-2' })).toBeNull()
  await database.close()
})

describe('random journeys', () => {
  let hub: TestHub
  const sampleIds: string[] = []

  beforeAll(async () => {
    hub = await openTestHub(2)
    for (const at of hub.laboratories) {
      for (const name of ['one', 'two']) {
        const placement = { boxId: at.boxId }
        const { sample } = await at.samples.receive({ sample: { name, type: 'DNA' }, placement })
        sampleIds.push(sample.id)
      }
    }
    await hub.bench.settle()
  }, 120_000)
  afterAll(() => hub.close())

  const step = fc.record({
    at: fc.nat(1),
    whole: fc.boolean(),
    does: fc.constantFrom('send', 'send', 'receive', 'receive', 'cancel', 'sendBack', 'place', 'tell'),
    some: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
    cut: fc.option(
      fc.record({ call: fc.integer({ min: 1, max: 14 }), when: fc.constantFrom('before', 'after') }),
    ),
  })
  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

  /** A sample is in one laboratory or with one shipment, in this very moment. */
  async function recount(settled: boolean) {
    for (const id of sampleIds) {
      const present = await Promise.all(hub.laboratories.map((at) => presenceOf(at, id)))
      const live = present.filter((each) => each === 'live').length
      const shipments = await hub.store.list(hub.laboratory(0).desk.laboratoryId, {
        ...everything,
      })
      const open = shipments
        .flatMap(({ items }) => items)
        .filter((item) => item.sample_id === id && !['received', 'refused', 'cancelled'].includes(item.state))
      expect(live).toBeLessThanOrEqual(1)
      expect(open.length).toBeLessThanOrEqual(1)
      expect(live + open.length).toBeGreaterThanOrEqual(1)
      if (settled) expect(live + open.length).toBe(1)
      const tubes = await Promise.all(
        hub.laboratories.map((at) => at.storage.containersOfSamples({ sampleIds: [id] })),
      )
      expect(tubes.flat().length).toBeLessThanOrEqual(1)
    }
  }

  async function play(each: Step) {
    const { at, does, some } = each
    const here = hub.laboratory(at)
    const there = hub.laboratory(1 - at)
    const chosen = some.flatMap((index) => sampleIds[index] ?? [])
    const { laboratoryId } = here.desk
    const shipments = await hub.store.list(laboratoryId, everything)
    const open = shipments.filter(({ items }) => items.some(({ state }) => state === 'travelling'))
    const coming = open.find(({ row }) => row.to_laboratory === laboratoryId)
    const going = open.find(({ row }) => row.from_laboratory === laboratoryId)
    const came = shipments.find(({ row }) => row.to_laboratory === laboratoryId && row.received_at !== null)
    const idOf = (shipment: typeof coming) => shipment?.row.id ?? uuidv7()
    switch (does) {
      case 'send': {
        const present = await Promise.all(chosen.map((id) => presenceOf(here, id)))
        const live = chosen.filter((_id, index) => present[index] === 'live')
        const sampleIds = live.length === 0 ? chosen : live
        const order = { ...parcel, sampleIds, toLaboratoryId: there.desk.laboratoryId }
        return hub.shipments.send(here.desk, order, uuidv7())
      }
      case 'receive': {
        const inside = (coming?.items ?? []).map((item) => item.sample_id)
        const missing = inside.filter((id) => !chosen.includes(id))
        return hub.shipments.receive(here.desk, idOf(coming), each.whole ? [] : missing)
      }
      case 'cancel':
        return hub.shipments.cancel(here.desk, idOf(going), 'changed my mind')
      case 'sendBack':
        return hub.shipments.sendBack(here.desk, idOf(came), parcel, uuidv7())
      case 'place': {
        const [tube] = await here.storage.containersOfSamples({ sampleIds: chosen })
        return here.storage.place({ containerId: tube?.id ?? uuidv7(), target: { boxId: here.boxId } })
      }
      case 'tell':
        return hub.shipments.tellSenders()
    }
  }

  it('never have a sample in both laboratories, wherever the Hub is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 24 }), async (steps) => {
        for (const each of steps) {
          if (each.cut !== null) hub.cutAt(each.cut.call, each.cut.when)
          // Telling has a turn of its own: it goes on beside whatever people do.
          const telling = hub.shipments.tellSenders().catch(() => undefined)
          try {
            await play(each)
          } catch (error) {
            const isExpected =
              (error instanceof ORPCError && error.code !== 'INTERNAL_SERVER_ERROR') ||
              (error instanceof Error && error.name === 'CutOff')
            if (!isExpected) throw error
          }
          await telling
          await recount(false)
          hub.mend()
          await hub.shipments.goOn()
          await hub.bench.settle()
          await recount(true)
        }
        await hub.shipments.tellSenders()
        for (const id of sampleIds) {
          for (const at of hub.laboratories) {
            if ((await presenceOf(at, id)) !== 'live') continue
            expect((await at.samples.custody({ id })).problems).toEqual([])
          }
        }
        for (const at of hub.laboratories)
          expect((await at.storage.capacityCheck({})).differences).toEqual([])
      }),
      { seed: 20_261_121, numRuns: Number(process.env['TRACSEQ_SHIPMENT_RUNS'] ?? 8), endOnFailure: true },
    )
    expect(hub.bench.logs).toEqual([])
    const all = await hub.store.list(hub.laboratory(0).desk.laboratoryId, everything)
    const ends = new Set(all.flatMap(({ items }) => items.map(({ state }) => state)))
    expect(ends).toContain('received')
    expect(ends).toContain('cancelled')
    expect(all.length).toBeGreaterThan(10)
    expect(hub.said.length).toBeGreaterThan(5)
  }, 600_000)
})
