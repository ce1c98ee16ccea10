import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import { samplesEvents } from './contract.ts'
import { samplesService } from './service.ts'
import { blood } from './testing/samples-bench.ts'

let bench: ServiceBench
beforeAll(async () => {
  bench = await openServiceBench([samplesService])
})
afterAll(() => bench.close())

const samples = () => bench.client(samplesService)
const record = (fields: Parameters<typeof blood>[0] = {}) => samples().accession({ sample: blood(fields) })
const someoneElse = () => ({ ...bench.actor, laboratoryId: uuidv7() })

describe('a recorded sample', () => {
  it('keeps what was said, exactly', async () => {
    const said = {
      name: ' 007 – Ærø ',
      type: 'cell culture',
      clientId: '00123',
      donor: 'P-0198',
      project: 'ONC-14',
      collectedOn: '2026-11-03',
      volumeUl: '60.0500',
      concentrationNgPerUl: '38.6',
      taxonId: '9606',
      priority: 'stat' as const,
      extra: { 'Box (old)': '0007', Bemerkung: 'hämolytisch' },
    }
    const id = uuidv7()
    const importId = uuidv7()
    const recorded = await samples().accession({ id, sample: said, importId })
    expect(recorded).toMatchObject({
      ...said,
      id,
      importId,
      type: 'cell_culture',
      volumeUl: '60.05',
      amountNg: '2317.93',
      state: 'pending',
      code: null,
      thawCycles: 0,
      amountRemark: null,
    })
    expect(await samples().get({ id })).toEqual(recorded)
    expect(await samples().getMany({ ids: [uuidv7(), id] })).toEqual([recorded])
    const { state, type, project } = recorded
    expect(await samples().facts({ ids: [uuidv7(), id] })).toEqual([{ id, state, type, project }])
    expect(await samples().facts({ ids: [] })).toEqual([])
    await expect(samples().accession({ id, sample: said })).rejects.toMatchObject({
      code: 'CONFLICT',
      data: { field: 'id', existing: id },
    })
    expect((await samples().custody({ id })).events).toEqual([])
  })

  it('is announced', async () => {
    const { id, name } = await record()
    const entries = await bench.journal.read({
      afterSequence: 0,
      eventNames: [samplesEvents.SampleAccessioned.name],
      limit: 1_000,
    })
    expect(entries.some(({ payload }) => payload?.includes(id) && payload.includes(name))).toBe(true)
  })

  it('gets a result for each row of a batch', async () => {
    const rows = [
      blood({ name: 'good' }),
      blood({ type: 'moon dust' }),
      blood({ concentrationNgPerUl: '-1' }),
    ]
    const results = await samples().accessionBatch({ rows }, { context: { key: 'rows' } })
    expect(results).toMatchObject([
      { ok: true, row: 0, value: { name: 'good' } },
      { ok: false, row: 1, error: { code: 'RULE_BROKEN', field: 'type' } },
      { ok: false, row: 2, error: { code: 'RULE_BROKEN', field: 'concentrationNgPerUl' } },
    ])
    expect(await samples().accessionBatch({ rows }, { context: { key: 'rows' } })).toEqual(results)
  })

  it.each([[{ name: '  ' }], [{ volumeUl: '1,5' }], [{ collectedOn: '3.11.2026' }], [{ taxonId: 'human' }]])(
    'is refused at the edge with %j',
    async (fields) => {
      await expect(record(fields)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    },
  )
})

describe('types', () => {
  it('are the built-in ones and those of the laboratory', async () => {
    expect((await samples().types())[1]).toEqual({ key: 'rna', name: 'RNA', letter: 'R', builtIn: true })
    const own = await samples().addType({ name: 'Bone marrow', letter: 'M' })
    expect(own).toEqual({ key: 'bone_marrow', name: 'Bone marrow', letter: 'M', builtIn: false })
    expect(await record({ type: 'bone marrow' })).toMatchObject({ type: 'bone_marrow' })
    await expect(samples().addType({ name: 'bone-marrow', letter: 'N' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    await expect(samples().addType({ name: 'Nail', letter: 'M' })).rejects.toMatchObject({
      code: 'RULE_BROKEN',
      data: { rule: 'sample_type_letter_taken', field: 'letter' },
    })
    const theirs = await samples().types(undefined, { context: { actor: someoneElse() } })
    expect(theirs.some(({ key }) => key === own.key)).toBe(false)
  })
})

describe('editing', () => {
  it('changes only what is named, and says so in the history', async () => {
    const before = await record({ donor: 'P-1', priority: 'urgent', volumeUl: '3' })
    const fields = { name: 'Renamed', concentrationNgPerUl: '2' }
    const after = await samples().update({
      id: before.id,
      revision: before.revision,
      fields,
      reason: 'label was wrong',
    })
    const { revision, updatedAt } = after
    expect(after).toEqual({ ...before, ...fields, amountNg: '6', revision, updatedAt })
    expect(revision).not.toBe(before.revision)
    const [latest] = (await samples().timeline({ id: before.id })).items
    expect(latest).toMatchObject({
      lane: 'record',
      what: 'updated',
      reason: 'label was wrong',
      by: 'Test technician',
      detail: {
        name: 'Renamed',
        'name.before': before.name,
        concentrationNgPerUl: '2',
        'concentrationNgPerUl.before': null,
      },
    })
  })

  it('refuses what somebody else changed meanwhile, but not for a change of state or amount', async () => {
    const { id, revision } = await record({ volumeUl: '5' })
    await samples().changeState({ id, to: 'validated' })
    await samples().recordMovement({ id, kind: 'taken', quantity: '1', reason: 'QC' })
    await samples().update({ id, revision, fields: { donor: 'P-2' } })
    await expect(samples().update({ id, revision, fields: { donor: 'P-3' } })).rejects.toMatchObject({
      code: 'CONFLICT',
      data: { field: 'revision' },
    })
    expect(await samples().get({ id })).toMatchObject({ donor: 'P-2', state: 'validated' })
  })

  it('gives each row of a batch its own result', async () => {
    const [one, two] = [await record(), await record()]
    const rows = [
      { id: one.id, revision: one.revision, fields: { project: 'ONC-15' } },
      { id: two.id, revision: one.revision, fields: { project: 'ONC-15' } },
      { id: uuidv7(), revision: one.revision, fields: { project: 'ONC-15' } },
    ]
    expect(await samples().updateBatch({ rows, reason: 'moved' })).toMatchObject([
      { ok: true, value: { project: 'ONC-15' } },
      { ok: false, error: { code: 'CONFLICT', field: 'revision' } },
      { ok: false, error: { code: 'NOT_FOUND' } },
    ])
  })
})

describe('the life of a sample', () => {
  it('goes along the table, and no other way', async () => {
    const { id } = await record()
    await expect(samples().changeState({ id, to: 'completed' })).rejects.toMatchObject({
      code: 'TRANSITION_NOT_ALLOWED',
      status: 422,
      data: {
        from: 'pending',
        to: 'completed',
        allowed: ['validated', 'rejected', 'discarded', 'deleted'],
      },
    })
    for (const to of ['validated', 'in_sequencing', 'failed', 'pending'] as const) {
      expect(await samples().changeState({ id, to })).toMatchObject({ state: to })
    }
    const results = await samples().changeStateBatch({
      ids: [id, uuidv7()],
      to: 'rejected',
      reason: 'clotted',
    })
    expect(results).toMatchObject([
      { ok: true, value: { state: 'rejected' } },
      { ok: false, error: { code: 'NOT_FOUND' } },
    ])
  })

  it('ends with a record that stays when it is deleted', async () => {
    const { id, revision } = await record({ name: 'Twice entered' })
    expect(await samples().remove({ id, reason: 'entered twice' })).toMatchObject({ state: 'deleted' })
    expect(await samples().get({ id })).toMatchObject({ name: 'Twice entered', state: 'deleted' })
    const later = [
      () => samples().remove({ id, reason: 'again' }),
      () => samples().changeState({ id, to: 'pending' }),
    ]
    for (const call of later) await expect(call()).rejects.toMatchObject({ code: 'TRANSITION_NOT_ALLOWED' })
    const edits = [
      () => samples().update({ id, revision, fields: { name: 'Other' } }),
      () => samples().addNote({ id, note: 'late' }),
      () => samples().recordMovement({ id, kind: 'added', quantity: '1', reason: 'late' }),
      () => samples().recordCustody({ id, kind: 'received', holder: 'RK', reason: 'late' }),
    ]
    for (const call of edits) {
      await expect(call()).rejects.toMatchObject({ code: 'RULE_BROKEN', data: { rule: 'sample_is_deleted' } })
    }
  })
})

describe('amounts', () => {
  it('are taken, added and corrected, and never more is taken than there is', async () => {
    const { id } = await record({ volumeUl: '0.3', concentrationNgPerUl: '0.1' })
    const move = (kind: 'taken' | 'added' | 'corrected', quantity: string) =>
      samples().recordMovement({ id, kind, quantity, reason: 'bench' })
    expect(await move('taken', '0.1')).toMatchObject({ volumeUl: '0.2', amountNg: '0.02' })
    await expect(move('taken', '0.20001')).rejects.toMatchObject({
      code: 'NOT_ENOUGH',
      data: { available: '0.2', asked: '0.20001' },
    })
    expect(await move('added', '0.1')).toMatchObject({ volumeUl: '0.3' })
    expect(await move('corrected', '12')).toMatchObject({ volumeUl: '12' })
    expect(await move('taken', '12')).toMatchObject({ volumeUl: '0', amountNg: '0' })
    await expect(move('added', '0')).rejects.toMatchObject({ data: { rule: 'amount_zero' } })
  })

  it('count thaws as whole numbers that are not taken back', async () => {
    const { id } = await record()
    const thaw = { id, amount: 'thaw_cycles' as const, reason: 'for QC' }
    await samples().recordMovement({ ...thaw, kind: 'added', quantity: '1' })
    expect(await samples().recordMovement({ ...thaw, kind: 'added', quantity: '1' })).toMatchObject({
      thawCycles: 2,
    })
    for (const [kind, quantity] of [
      ['taken', '1'],
      ['added', '0.5'],
    ] as const) {
      await expect(samples().recordMovement({ ...thaw, kind, quantity })).rejects.toMatchObject({
        code: 'RULE_BROKEN',
      })
    }
  })

  it('of an unknown volume cannot be taken', async () => {
    const { id } = await record()
    await expect(
      samples().recordMovement({ id, kind: 'taken', quantity: '1', reason: 'bench' }),
    ).rejects.toMatchObject({ code: 'RULE_BROKEN', data: { rule: 'amount_unknown' } })
  })

  it('come out exact after any row of movements', async () => {
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom('taken' as const, 'added' as const, 'corrected' as const),
        hundredths: fc.integer({ min: 1, max: 100_000 }),
      }),
      { minLength: 1, maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (moves) => {
        const { id } = await record({ volumeUl: '100' })
        let hundredths = 10_000
        for (const { kind, hundredths: asked } of moves) {
          const quantity = (asked / 100).toFixed(2)
          const call = samples().recordMovement({ id, kind, quantity, reason: 'any' })
          if (kind === 'taken' && asked > hundredths) {
            await expect(call).rejects.toMatchObject({ code: 'NOT_ENOUGH' })
            continue
          }
          await call
          hundredths = kind === 'corrected' ? asked : hundredths + (kind === 'added' ? asked : -asked)
        }
        const { volumeUl } = await samples().get({ id })
        expect(Math.round(Number(volumeUl) * 100)).toBe(hundredths)
        expect(volumeUl).not.toMatch(/\.\d{3}/)
      }),
      { numRuns: 15 },
    )
  })

  it('store with a correction which movements its author saw', async () => {
    const { id } = await record({ volumeUl: '20' })
    await samples().recordMovement({ id, kind: 'taken', quantity: '5', reason: 'bench' })
    await samples().recordMovement({ id, kind: 'corrected', quantity: '14', reason: 'weighed' })
    const rows = await bench.database('samples').asOwner(async (tx) => {
      const { amountMovement } = await import('./schema.ts')
      const all = await tx.select().from(amountMovement).orderBy(amountMovement.id)
      return all.filter(({ sampleId }) => sampleId === id)
    })
    expect(rows.map(({ covers }) => covers)).toEqual([[], [], rows.slice(0, 2).map((row) => row.id)])
  })
})

describe('aliquots and lineage', () => {
  it('take their volume from the mother tube, all or none', async () => {
    const mother = await record({ name: 'M', volumeUl: '30', concentrationNgPerUl: '4', donor: 'P-9' })
    await samples().changeState({ id: mother.id, to: 'validated' })
    const aliquots = await samples().makeAliquots({ id: mother.id, volumesUl: ['10.1', '10.2'] })
    expect(aliquots).toMatchObject([
      { name: 'M-A1', volumeUl: '10.1', amountNg: '40.4', donor: 'P-9', state: 'validated' },
      { name: 'M-A2', volumeUl: '10.2', amountNg: '40.8' },
    ])
    expect(await samples().get({ id: mother.id })).toMatchObject({ volumeUl: '9.7' })
    await expect(samples().makeAliquots({ id: mother.id, volumesUl: ['5', '5'] })).rejects.toMatchObject({
      code: 'NOT_ENOUGH',
      data: { available: '9.7', asked: '10' },
    })
    expect(await samples().makeAliquots({ id: mother.id, volumesUl: ['9.7'] })).toMatchObject([
      { name: 'M-A3' },
    ])
    const [first] = aliquots
    const family = await samples().lineage({ id: mother.id })
    expect(family.edges).toHaveLength(3)
    expect(family.samples.map(({ name }) => name).toSorted()).toEqual(['M', 'M-A1', 'M-A2', 'M-A3'])
    expect((await samples().custody({ id: first?.id ?? '' })).events).toMatchObject([
      { kind: 'received', reason: 'Aliquot of M' },
    ])
    expect(
      await samples().makeAliquots({ id: first?.id ?? '', volumesUl: Array(96).fill('0.1') }),
    ).toHaveLength(96)
  })

  it('are not made of what is spent', async () => {
    const { id } = await record({ volumeUl: '30' })
    await samples().changeState({ id, to: 'rejected' })
    await expect(samples().makeAliquots({ id, volumesUl: ['1'] })).rejects.toMatchObject({
      data: { rule: 'sample_cannot_be_aliquoted' },
    })
  })

  it('have no circles, and an aliquot has one origin', async () => {
    const [a, b, c] = [await record(), await record(), await record()]
    const relate = (
      child: { id: string },
      parent: { id: string },
      relationship: 'derived_from' | 'aliquot_of',
    ) => samples().relate({ childId: child.id, parentId: parent.id, relationship })
    await relate(b, a, 'derived_from')
    await relate(c, b, 'aliquot_of')
    await expect(relate(a, c, 'derived_from')).rejects.toMatchObject({
      code: 'CYCLE',
      data: { path: [c.id, b.id, a.id] },
    })
    await expect(relate(a, a, 'derived_from')).rejects.toMatchObject({ code: 'CYCLE' })
    await expect(relate(c, a, 'aliquot_of')).rejects.toMatchObject({
      data: { rule: 'relationship_second_origin' },
    })
    const { edges } = await samples().lineage({ id: b.id })
    expect(edges).toEqual([
      { childId: b.id, parentId: a.id, relationship: 'derived_from' },
      { childId: c.id, parentId: b.id, relationship: 'aliquot_of' },
    ])
  })
})

describe('custody', () => {
  it('goes on from the last event, and refuses what cannot follow', async () => {
    const { id } = await record()
    const say = (kind: 'received' | 'shipped' | 'stored' | 'received_elsewhere') =>
      samples().recordCustody({ id, kind, holder: 'RK', place: 'bench 7', reason: 'delivery' })
    await expect(say('stored')).rejects.toMatchObject({ data: { rule: 'custody_impossible_step' } })
    const first = await say('received')
    expect(await say('shipped')).toMatchObject({ predecessorId: first.id, place: 'bench 7' })
    await expect(say('stored')).rejects.toMatchObject({ code: 'RULE_BROKEN' })
    await say('received_elsewhere')
    const { events, problems } = await samples().custody({ id })
    expect(events.map(({ kind }) => kind)).toEqual(['received', 'shipped', 'received_elsewhere'])
    expect(problems).toEqual([])
  })

  it('shows a fork and a gap, and a fork settled by naming the other branch', async () => {
    const { id } = await record()
    const received = await samples().recordCustody({ id, kind: 'received', holder: 'RK', reason: 'in' })
    await samples().recordCustody({ id, kind: 'stored', holder: 'RK', reason: 'box 3' })
    // What another workstation recorded offline after the same event arrives.
    const { custodyEvent } = await import('./schema.ts')
    const offline = uuidv7()
    const values = {
      laboratoryId: bench.actor.laboratoryId,
      sampleId: id,
      settlesIds: [],
      holder: 'LT',
      at: new Date().toISOString(),
      by: 'LT',
      byId: 'LT',
    }
    await bench.database('samples').change(pulled(), async ({ tx }) => {
      await tx
        .insert(custodyEvent)
        .values([{ ...values, id: offline, kind: 'checked_out', predecessorId: received.id }])
      return {}
    })
    const forked = await samples().custody({ id })
    expect(forked.problems).toEqual([
      '"stored" and "checked out" were recorded after the same event, without knowing each other.',
    ])
    const stored = forked.events.find(({ kind }) => kind === 'stored')
    await samples().recordCustody({
      id,
      kind: 'checked_out',
      holder: 'LT',
      predecessorId: stored?.id ?? '',
      settlesIds: [offline],
      reason: 'it was in my hands',
    })
    expect((await samples().custody({ id })).problems).toEqual([])

    await bench.database('samples').change(pulled(), async ({ tx }) => {
      await tx
        .insert(custodyEvent)
        .values([{ ...values, id: uuidv7(), kind: 'returned', predecessorId: uuidv7() }])
      return {}
    })
    expect((await samples().custody({ id })).problems).toEqual([expect.stringContaining('is missing')])
  })

  function pulled() {
    return {
      laboratoryId: bench.actor.laboratoryId,
      actorId: 'LT',
      origin: 'hub' as const,
      workstationId: 'elsewhere',
      hybridLogicalTime: '',
      reason: null,
      correlationId: uuidv7(),
      procedure: 'samples.pull',
      idempotencyKey: null,
      requestHash: '',
      secretAnswer: false,
      deadlineAt: Date.now() + 10_000,
      reaction: null,
      causedBy: null,
    }
  }
})

describe('the timeline', () => {
  it('tells everything once, newest first, page by page', async () => {
    const mother = await record({ volumeUl: '10' })
    await samples().changeState({ id: mother.id, to: 'validated', reason: 'looks good' })
    await samples().addNote({ id: mother.id, note: 'slightly haemolytic' })
    await samples().recordCustody({ id: mother.id, kind: 'received', holder: 'RK', reason: 'delivery' })
    const [aliquot] = await samples().makeAliquots({ id: mother.id, volumesUl: ['1'] })
    const whole = await samples().timeline({ id: mother.id })
    expect(whole.nextCursor).toBeNull()
    expect(whole.items.map(({ lane, what }) => `${lane} ${what}`).toSorted()).toEqual([
      'amount corrected',
      'amount taken',
      'custody received',
      'note noted',
      'record accessioned',
      'record state_changed',
      'relation aliquot_of',
    ])
    expect(whole.items.find(({ lane }) => lane === 'relation')?.detail).toEqual({
      role: 'child',
      sampleId: aliquot?.id,
      name: aliquot?.name,
      code: null,
    })
    expect(whole.items.map(({ at }) => at)).toEqual(
      whole.items
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    )
    const collected: unknown[] = []
    let cursor: string | undefined
    do {
      const page = await samples().timeline({
        id: mother.id,
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      })
      collected.push(...page.items)
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(collected).toEqual(whole.items)
  })
})

describe('likely duplicates', () => {
  it('are named with reasons, relatives and deleted ones left out', async () => {
    const project = `P-${uuidv7()}`
    const fields = { project, donor: 'D-7', collectedOn: '2026-01-02' }
    const first = await record({ ...fields, clientId: 'S-007', volumeUl: '9' })
    const spelled = await record({ ...fields, clientId: 's 7' })
    const otherDay = await record({ ...fields, clientId: 'S-007', collectedOn: '2026-01-03' })
    const gone = await record({ ...fields, clientId: 'S-007' })
    await samples().remove({ id: gone.id, reason: 'entered twice' })
    await samples().makeAliquots({ id: first.id, volumesUl: ['1'] })
    const found = await samples().duplicates({ id: first.id })
    expect(found.map(({ sample }) => sample.id)).toEqual([spelled.id])
    expect(found[0]?.reasons).toHaveLength(2)
    expect(found.some(({ sample }) => sample.id === otherDay.id)).toBe(false)
  })
})

describe('two laboratories', () => {
  it('see nothing of each other', async () => {
    const { id, name, revision } = await record()
    const as = { context: { actor: someoneElse() } }
    const calls = [
      () => samples().get({ id }, as),
      () => samples().timeline({ id }, as),
      () => samples().custody({ id }, as),
      () => samples().lineage({ id }, as),
      () => samples().duplicates({ id }, as),
      () => samples().update({ id, revision, fields: { name: 'Mine' } }, as),
      () => samples().remove({ id, reason: 'not yours' }, as),
      () => samples().addNote({ id, note: 'not yours' }, as),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await samples().list({ search: name }, as)).items).toEqual([])
    expect(await samples().counts(undefined, as)).toEqual([])
    expect(await samples().getMany({ ids: [id] }, as)).toEqual([])
    expect(await samples().sagas({ open: false }, as)).toEqual([])
  })
})

it('keeps everything over a restart', async () => {
  const { id } = await record({ volumeUl: '7', project: 'Kept' })
  await samples().addNote({ id, note: 'kept' })
  const before = [await samples().get({ id }), await samples().timeline({ id })]
  const all = await samples().counts()
  await bench.restart()
  expect([await samples().get({ id }), await samples().timeline({ id })]).toEqual(before)
  expect(await samples().counts()).toEqual(all)
  expect((await samples().list({ project: 'Kept' })).items.map((item) => item.id)).toEqual([id])
})

it('writes no defect into the log', () => {
  expect(bench.logs).toEqual([])
})
