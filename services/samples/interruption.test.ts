import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cut, Interruptions } from './testing/interruptions.ts'
import { openSamplesBench, type SamplesBench, tubeOf } from './testing/samples-bench.ts'

const line = new Interruptions()
let on: SamplesBench
beforeAll(async () => {
  on = await openSamplesBench((definition) =>
    definition.name === 'samples' ? definition : line.around(definition),
  )
})
afterAll(() => on.bench.close())

/** Between any two steps there is the end of one and the beginning of the next. */
const waysForward: readonly Cut[] = [
  { procedure: 'barcodes.link', when: 'before' },
  { procedure: 'barcodes.link', when: 'after' },
  { procedure: 'barcodes.allocateFor', when: 'after' },
  { procedure: 'storage.createContainer', when: 'before' },
  { procedure: 'storage.createContainer', when: 'after' },
]
const waysBack: readonly Cut[] = [
  { procedure: 'barcodes.unlink', when: 'before' },
  { procedure: 'barcodes.unlink', when: 'after' },
]
let number = 0

/** Calls with a cut line, then starts everything anew with the line mended. */
async function interrupt(cut: Cut, call: () => Promise<unknown>): Promise<void> {
  line.cut(cut)
  try {
    await expect(call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', status: 504 })
    expect(line.met).toBe(1)
    expect(await on.samples.sagas({ open: true })).toHaveLength(1)
  } finally {
    line.mend()
  }
  await on.bench.restart()
  await on.finishSagas()
}

async function newRequest(name: string, own: boolean) {
  number += 1
  const boxId = await on.addBox(2, 2)
  const code = own ? {} : { code: `INT${String(number).padStart(6, '0')}` }
  return {
    request: tubeOf({ name, volumeUl: '12' }, { ...code, placement: { boxId, position: 'B1' } }),
    boxId,
  }
}

describe('receiving a tube, interrupted', () => {
  it.each(waysForward)('$when $procedure, is whole after a restart', async (cut) => {
    const { procedure, when } = cut
    const name = `Forward ${procedure} ${when}`.replaceAll('.', ' ')
    const { request, boxId } = await newRequest(name, procedure === 'barcodes.allocateFor')
    const call = () => on.samples.receive(request, { context: { key: name } })
    await interrupt(cut, call)

    const answer = await call()
    const { items } = await on.samples.list({ search: name, withDeleted: true })
    expect(items).toEqual([answer.sample])
    expect(answer.sample).toMatchObject({ state: 'in_storage', code: answer.code, volumeUl: '12' })
    expect(await call()).toEqual(answer)
    const containers = await on.storage.containersOfSamples({ sampleIds: [answer.sample.id] })
    expect(containers).toMatchObject([{ id: answer.containerId, place: { boxId, position: 'B1' } }])
    const codes = await on.barcodes.codesOf({ kind: 'container', id: answer.containerId })
    expect(codes.map(({ text }) => text)).toEqual([answer.code])
    const { events, problems } = await on.samples.custody({ id: answer.sample.id })
    expect([events.map(({ kind }) => kind), problems]).toEqual([['received', 'stored'], []])
  })
})

describe('taking a half-received tube back, interrupted', () => {
  it.each(waysBack)('$when $procedure, leaves nothing after a restart', async ({ procedure, when }) => {
    const name = `Back ${procedure} ${when}`.replaceAll('.', ' ')
    const { request, boxId } = await newRequest(name, false)
    await on.samples.receive(tubeOf({}, { placement: { boxId, position: 'B1' } }))
    const call = () => on.samples.receive(request, { context: { key: name } })
    await interrupt({ procedure, when }, async () => call())

    const refusal = { code: 'SAGA_COMPENSATED', data: { step: 'container', code: 'POSITION_TAKEN' } }
    await expect(call()).rejects.toMatchObject(refusal)
    await expect(call()).rejects.toMatchObject(refusal)
    const { items } = await on.samples.list({ search: name, withDeleted: true })
    expect(items).toMatchObject([{ state: 'deleted', code: null, location: null }])
    expect(await on.storage.containersOfSamples({ sampleIds: items.map(({ id }) => id) })).toEqual([])
    expect((await on.barcodes.resolve({ text: request.code ?? '' })).matches).toEqual([])
    expect((await on.storage.getNode({ id: boxId })).capacity).toMatchObject({ occupied: 1 })
  })
})

describe('taking a receipt back, interrupted', () => {
  it.each<Cut>([
    { procedure: 'storage.takeOut', when: 'before' },
    { procedure: 'storage.takeOut', when: 'after' },
    { procedure: 'barcodes.unlink', when: 'after' },
    { procedure: 'storage.removeContainer', when: 'after' },
  ])('$when $procedure, is finished after a restart', async (cut) => {
    const { request, boxId } = await newRequest(`Undo ${cut.procedure}`, false)
    const { sample } = await on.samples.receive(request)
    const call = () =>
      on.samples.undoReceive(
        { sampleIds: [sample.id], reason: 'Wrong box' },
        { context: { key: `undo ${sample.id}` } },
      )
    line.cut(cut)
    expect(await call()).toMatchObject([{ ok: false, error: { code: 'OUTCOME_UNKNOWN' } }])
    line.mend()
    await on.bench.restart()
    await on.finishSagas()
    expect(await call()).toEqual([{ ok: true, row: 0, value: { id: sample.id } }])
    expect(await on.samples.get({ id: sample.id })).toMatchObject({ state: 'deleted', location: null })
    expect((await on.barcodes.resolve({ text: request.code ?? '' })).matches).toEqual([])
    expect((await on.storage.getNode({ id: boxId })).capacity).toMatchObject({ occupied: 0 })
  })

  it('puts everything back when the container may not be removed any more', async () => {
    const { request, boxId } = await newRequest('Undo refused', false)
    const { sample, containerId } = await on.samples.receive(request)
    line.cut({ procedure: 'storage.takeOut', when: 'before' })
    const reason = 'Wrong box'
    const key = 'undo refused'
    const call = () => on.samples.undoReceive({ sampleIds: [sample.id], reason }, { context: { key } })
    expect(await call()).toMatchObject([{ ok: false, error: { code: 'OUTCOME_UNKNOWN' } }])
    line.mend()
    // Somebody takes it in hand before the work is taken up again: a used container is not removed.
    await on.storage.checkOut({ containerId })
    await on.storage.returnToPlace({ containerId })
    expect(await call()).toMatchObject([{ ok: false, error: { code: 'RULE_BROKEN' } }])
    await on.bench.settle()
    expect(await on.samples.get({ id: sample.id })).toMatchObject({
      state: 'in_storage',
      code: request.code,
      location: expect.stringContaining(', B1') as string,
    })
    expect((await on.storage.getNode({ id: boxId })).capacity).toMatchObject({ occupied: 1 })
    expect((await on.samples.custody({ id: sample.id })).problems).toEqual([])
  })
})

it('a repeat and a restart that take up the same saga join', async () => {
  const { request } = await newRequest('Joined', true)
  const call = () => on.samples.receive(request, { context: { key: 'joined' } })
  line.cut({ procedure: 'storage.createContainer', when: 'after' })
  await expect(call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  line.mend()
  await on.bench.restart()
  const answers = await Promise.all([call(), call(), call()])
  expect(new Set(answers.map(({ containerId }) => containerId)).size).toBe(1)
  expect((await on.samples.list({ search: 'Joined' })).items).toHaveLength(1)
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
