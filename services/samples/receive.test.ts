import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blood, openSamplesBench, type SamplesBench, tubeOf } from './testing/samples-bench.ts'

let on: SamplesBench
beforeAll(async () => {
  on = await openSamplesBench()
})
afterAll(() => on.bench.close())

describe('receiving a tube', () => {
  it('makes sample, code, container and place, and shows them at once and for good', async () => {
    const boxId = await on.addBox(9, 9)
    const received = await on.samples.receive(
      tubeOf(
        { name: 'S-001', type: 'rna', volumeUl: '20.5', concentrationNgPerUl: '10' },
        { code: 'FX000001', placement: { boxId, position: 'c04' } },
      ),
    )
    expect(received).toMatchObject({ code: 'FX000001', place: { boxId, position: 'C4' } })
    expect(received.sample).toMatchObject({
      name: 'S-001',
      type: 'rna',
      state: 'in_storage',
      code: 'FX000001',
      volumeUl: '20.5',
      amountNg: '205',
      createdBy: 'Test technician',
    })
    expect(received.sample.location).toMatch(/^F1 › Box .*, C4$/)
    await on.bench.settle()
    expect(await on.samples.get({ id: received.sample.id })).toEqual(received.sample)
    expect(await on.storage.getContainer({ id: received.containerId })).toMatchObject({
      sampleId: received.sample.id,
      material: 'rna',
      label: 'FX000001',
      state: 'placed',
    })
    const { matches } = await on.barcodes.resolve({ text: 'FX000001' })
    expect(matches.map(({ thing }) => thing)).toEqual([{ kind: 'container', id: received.containerId }])
    const { events, problems } = await on.samples.custody({ id: received.sample.id })
    expect(events.map(({ kind }) => kind)).toEqual(['received', 'stored'])
    expect(events.map(({ by }) => by)).toEqual(['Test technician', 'Test technician'])
    expect(problems).toEqual([])
  })

  it('allocates a code of ours when the tube has none, and needs no place', async () => {
    const { sample, code, place } = await on.samples.receive(tubeOf({}))
    expect(code).toMatch(/^TS-/)
    expect(sample).toMatchObject({ state: 'validated', code, location: null })
    expect(place).toBeNull()
  })

  it('answers the same again for the same key, also when the sample has gone on since', async () => {
    const boxId = await on.addBox(2, 2)
    const request = tubeOf({ name: 'Again' }, { placement: { boxId } })
    const first = await on.samples.receive(request, { context: { key: 'receive-again' } })
    await on.storage.checkOut({ containerId: first.containerId })
    await on.samples.addNote({ id: first.sample.id, note: 'thawed' })
    expect(await on.samples.receive(request, { context: { key: 'receive-again' } })).toEqual(first)
    await expect(
      on.samples.receive(tubeOf({ name: 'Other' }), { context: { key: 'receive-again' } }),
    ).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    expect((await on.samples.list({ search: 'Again' })).items).toHaveLength(1)
  })

  it('names the sample that has the code already, and keeps nothing', async () => {
    const first = await on.samples.receive(tubeOf({ name: 'Holder' }, { code: 'FX000002' }))
    const second = tubeOf({ name: 'Latecomer' }, { code: 'FX000002' })
    for (const key of ['late', 'late', 'later']) {
      await expect(on.samples.receive(second, { context: { key } })).rejects.toMatchObject({
        code: 'DUPLICATE_CODE',
        status: 409,
        message: expect.stringContaining('Holder') as string,
        data: { code: 'FX000002', existing: first.sample.id },
      })
    }
    expect((await on.samples.list({ search: 'Latecomer' })).items).toEqual([])
    const { items } = await on.samples.list({ search: 'Latecomer', withDeleted: true })
    expect(items.map(({ state }) => state)).toEqual(['deleted', 'deleted'])
    expect(await on.storage.containersOfSamples({ sampleIds: items.map(({ id }) => id) })).toEqual([])
  })

  it('asks before an index sequence is taken for a tube', async () => {
    await expect(on.samples.receive(tubeOf({}, { code: 'ACGTACGT' }))).rejects.toMatchObject({
      code: 'INDEX_SEQUENCE',
      data: { code: 'ACGTACGT' },
    })
    const confirmed = await on.samples.receive(tubeOf({}, { code: 'ACGTACGT', codeConfirmed: true }))
    expect(confirmed.code).toBe('ACGTACGT')
  })

  it('takes everything back when the place is refused, and refuses the same way again', async () => {
    const boxId = await on.addBox(1, 1)
    const occupant = await on.samples.receive(tubeOf({}, { placement: { boxId, position: 'A1' } }))
    const request = tubeOf({ name: 'No room' }, { code: 'FX000003', placement: { boxId, position: 'A1' } })
    const refusal = {
      code: 'SAGA_COMPENSATED',
      status: 409,
      data: { step: 'container', code: 'POSITION_TAKEN' },
    }
    await expect(on.samples.receive(request, { context: { key: 'no-room' } })).rejects.toMatchObject(refusal)
    await on.storage.takeOut({ containerId: occupant.containerId, reason: 'make room' })
    // The position is free now, but this attempt is over; a new one may succeed.
    await expect(on.samples.receive(request, { context: { key: 'no-room' } })).rejects.toMatchObject(refusal)
    expect((await on.barcodes.resolve({ text: 'FX000003' })).matches).toEqual([])
    expect(await on.samples.receive(request)).toMatchObject({ code: 'FX000003', place: { position: 'A1' } })
  })

  it.each([
    [{ type: 'Moon dust' }, 'type'],
    [{ concentrationNgPerUl: '-3' }, 'concentrationNgPerUl'],
    [{ volumeUl: '-1' }, 'volumeUl'],
  ])('refuses %j before anything is begun', async (fields, field) => {
    await expect(on.samples.receive(tubeOf(fields))).rejects.toMatchObject({
      code: 'RULE_BROKEN',
      data: { field },
    })
  })
})

describe('receiving many tubes', () => {
  it('gives each row its own result, in order, with codes and positions in the order of the rows', async () => {
    const boxId = await on.addBox(4, 5)
    await on.samples.receive(tubeOf({}, { code: 'FX100003' }))
    const rows = Array.from({ length: 20 }, (_, index) =>
      tubeOf(
        { name: `Row ${index}`, ...(index === 7 ? { type: 'Moon dust' } : {}) },
        { placement: { boxId }, ...(index === 3 ? { code: 'FX100003' } : {}) },
      ),
    )
    const results = await on.samples.receiveBatch({ rows }, { context: { key: 'batch' } })
    expect(results.map(({ row }) => row)).toEqual(rows.map((_, index) => index))
    const good = results.flatMap((result) => (result.ok ? [result.value] : []))
    const bad = results.flatMap((result) => (result.ok ? [] : [result]))
    expect(bad).toMatchObject([
      { row: 3, error: { code: 'DUPLICATE_CODE' } },
      { row: 7, error: { code: 'RULE_BROKEN', field: 'type' } },
    ])
    const positions = good.map(({ place }) => place?.position)
    expect(positions.slice(0, 6)).toEqual(['A1', 'A2', 'A3', 'A4', 'A5', 'B1'])
    expect(new Set(positions).size).toBe(18)
    expect(good.map(({ code }) => code)).toEqual(good.map(({ code }) => code).toSorted())
    expect(await on.samples.receiveBatch({ rows }, { context: { key: 'batch' } })).toEqual(results)
    await on.bench.settle()
    const shown = await on.samples.getMany({ ids: good.map(({ sample }) => sample.id) })
    expect(shown).toEqual(good.map(({ sample }) => sample))
  })
})

describe('taking a receipt back', () => {
  it('undoes sample, container, code and place of what nothing has happened to', async () => {
    const boxId = await on.addBox(3, 3)
    const { sample, containerId } = await on.samples.receive(
      tubeOf({ volumeUl: '5' }, { code: 'FX000010', placement: { boxId } }),
    )
    const reason = 'Wrong delivery'
    const call = () =>
      on.samples.undoReceive({ sampleIds: [sample.id], reason }, { context: { key: 'undo-1' } })
    expect(await call()).toEqual([{ ok: true, row: 0, value: { id: sample.id } }])
    expect(await call()).toEqual([{ ok: true, row: 0, value: { id: sample.id } }])
    await on.bench.settle()
    expect(await on.samples.get({ id: sample.id })).toMatchObject({
      state: 'deleted',
      code: null,
      location: null,
    })
    await expect(on.storage.getContainer({ id: containerId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await on.barcodes.resolve({ text: 'FX000010' })).matches).toEqual([])
    expect((await on.storage.getNode({ id: boxId })).capacity.occupied).toBe(0)
    expect(await on.samples.receive(tubeOf({}, { code: 'FX000010' }))).toMatchObject({ code: 'FX000010' })
  })

  it('is refused once something happened, in words, and for samples that were never a tube', async () => {
    const boxId = await on.addBox(3, 3)
    const [noted, taken, moved, edited, recoded] = await Promise.all(
      Array.from({ length: 5 }, () =>
        on.samples.receive(tubeOf({ volumeUl: '5' }, { placement: { boxId } })),
      ),
    )
    if (!noted || !taken || !moved || !edited || !recoded) throw new Error('Five were received')
    await on.samples.addNote({ id: noted.sample.id, note: 'haemolytic' })
    await on.samples.recordMovement({ id: taken.sample.id, kind: 'taken', quantity: '1', reason: 'QC' })
    await on.storage.checkOut({ containerId: moved.containerId })
    const { id, revision } = edited.sample
    await on.samples.update({ id, revision, fields: { donor: 'P-1' } })
    await on.barcodes.link({ text: 'FX000011', thing: { kind: 'container', id: recoded.containerId } })
    const recorded = await on.samples.accession({ sample: blood() })
    await on.bench.settle()
    const results = await on.samples.undoReceive({
      sampleIds: [...[noted, taken, moved, edited, recoded].map(({ sample }) => sample.id), recorded.id],
      reason: 'Wrong delivery',
    })
    expect(results.map((result) => (result.ok ? 'done' : result.error.message))).toEqual([
      expect.stringContaining('a note was written'),
      expect.stringContaining('its amount changed'),
      expect.stringContaining('its tube was handled'),
      expect.stringContaining('its record was changed'),
      expect.stringContaining('another code'),
      expect.stringContaining('was not received here'),
    ])
    expect((await on.storage.getNode({ id: boxId })).capacity).toMatchObject({ occupied: 4, reserved: 1 })
  })
})

describe('a sample follows its tube', () => {
  it('through storage and back, each step in custody and on the timeline', async () => {
    const boxId = await on.addBox(3, 3)
    const { sample, containerId } = await on.samples.receive(tubeOf({}, { placement: { boxId } }))
    const state = async () => {
      await on.bench.settle()
      const { state: now, location } = await on.samples.get({ id: sample.id })
      return `${now} ${location?.split(', ')[1] ?? '-'}`
    }
    await on.storage.move({ containerId, target: { boxId, position: 'B2' } })
    expect(await state()).toBe('in_storage B2')
    await on.storage.checkOut({ containerId })
    expect(await state()).toBe('in_storage B2')
    await on.storage.returnToPlace({ containerId, target: { boxId, position: 'C3' } })
    expect(await state()).toBe('in_storage C3')
    await on.storage.takeOut({ containerId, reason: 'put in by mistake' })
    expect(await state()).toBe('validated -')
    await on.storage.place({ containerId, target: { boxId, position: 'A1' } })
    expect(await state()).toBe('in_storage A1')
    await on.storage.dispose({ containerId, reason: 'used up' })
    expect(await state()).toBe('discarded -')
    const { events, problems } = await on.samples.custody({ id: sample.id })
    expect(problems).toEqual([])
    expect(events.map(({ kind }) => kind)).toEqual([
      'received',
      'stored',
      'moved',
      'checked_out',
      'returned',
      'moved',
      'moved',
      'disposed',
    ])
    expect(events.slice(1).map(({ predecessorId }) => predecessorId)).toEqual(
      events.slice(0, -1).map(({ id }) => id),
    )
    const { items } = await on.samples.timeline({ id: sample.id, limit: 100 })
    expect(items.filter(({ lane }) => lane === 'storage').map(({ what }) => what)).toEqual([
      'disposed',
      'placed',
      'taken_out',
      'returned',
      'checked_out',
      'moved',
      'placed',
    ])
    expect(items.filter(({ what }) => what === 'state_changed')).toHaveLength(5)
  })

  it('only recorded: is received when its tube is placed, stays pending, and goes on when it is validated', async () => {
    const boxId = await on.addBox(3, 3)
    const sample = await on.samples.accession({ sample: blood() })
    const tube = await on.storage.createContainer({ sampleId: sample.id, material: 'blood', label: 'T1' })
    await on.barcodes.link({ text: 'FX000020', thing: { kind: 'container', id: tube.id } })
    await on.storage.place({ containerId: tube.id, target: { boxId } })
    await on.bench.settle()
    expect(await on.samples.get({ id: sample.id })).toMatchObject({
      state: 'pending',
      code: 'FX000020',
      location: expect.stringContaining(', A1') as string,
    })
    expect((await on.samples.custody({ id: sample.id })).events.map(({ kind }) => kind)).toEqual([
      'received',
      'stored',
    ])
    expect(await on.samples.changeState({ id: sample.id, to: 'validated' })).toMatchObject({
      state: 'in_storage',
    })
  })

  it('shows the first linked code, and the next one when that is taken off', async () => {
    const { sample, containerId } = await on.samples.receive(tubeOf({}, { code: 'FX000030' }))
    const code = async () => {
      await on.bench.settle()
      return (await on.samples.get({ id: sample.id })).code
    }
    await on.barcodes.link({ text: 'FX000031', thing: { kind: 'container', id: containerId } })
    await on.barcodes.link({ text: 'FX000032', thing: { kind: 'sample', id: sample.id } })
    expect(await code()).toBe('FX000030')
    for (const [text, next] of [
      ['FX000030', 'FX000031'],
      ['FX000031', 'FX000032'],
      ['FX000032', null],
    ] as const) {
      const [match] = (await on.barcodes.resolve({ text })).matches
      await on.barcodes.unlink({ codeId: match?.id ?? '', reason: 'came off' })
      expect(await code()).toBe(next)
    }
  })
})

it('a lost database comes back from the journal, with codes, places, custody and answers', async () => {
  const boxId = await on.addBox(2, 2)
  const request = tubeOf({ name: 'Survivor', volumeUl: '8' }, { code: 'FX000040', placement: { boxId } })
  const call = () => on.samples.receive(request, { context: { key: 'survivor' } })
  const first = await call()
  const { id } = first.sample
  await on.storage.move({ containerId: first.containerId, target: { boxId, position: 'B2' } })
  await on.samples.recordMovement({ id, kind: 'taken', quantity: '3', reason: 'QC' })
  await on.bench.settle()
  const look = async () => [
    await on.samples.get({ id }),
    await on.samples.timeline({ id }),
    await on.samples.custody({ id }),
    await on.samples.list({ search: 'surviv fx000040' }),
    await on.samples.counts(),
    await on.samples.sagas({ open: false }),
  ]
  const before = await look()
  await on.bench.restart({ losing: ['samples'] })
  await on.finishSagas()
  expect(await look()).toEqual(before)
  expect(await call()).toEqual(first)
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
