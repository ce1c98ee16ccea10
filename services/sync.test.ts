import { ORPCError } from '@orpc/client'
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stoppedWords } from '../platform/database/testing/machine-stop.ts'
import { blood } from './samples/testing/samples-bench.ts'
import { type Machine, openSyncedLaboratory, type SyncedLaboratory } from './testing/synced-laboratory.ts'

describe('two workstations and a Hub', () => {
  let laboratory: SyncedLaboratory
  let first: Machine
  let second: Machine
  let boxId: string
  let tubes = 0

  beforeAll(async () => {
    laboratory = await openSyncedLaboratory(2)
    first = laboratory.workstation(0)
    second = laboratory.workstation(1)
    const freezer = await first.storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const box = { kind: 'box', parentId: freezer.id, name: 'Box 1', rows: 9, columns: 9 } as const
    boxId = (await first.storage.createNode(box)).id
    await laboratory.syncAll()
  }, 120_000)
  afterAll(() => laboratory.close())

  async function receive(machine: Machine, position?: string) {
    tubes += 1
    const place = position === undefined ? {} : { placement: { boxId, position } }
    return machine.samples.receive({
      sample: blood({ name: `S-${tubes}`, volumeUl: '20', concentrationNgPerUl: '4' }),
      ...place,
    })
  }

  async function expectEqual() {
    const atHub = await laboratory.readRows(laboratory.hub)
    for (const machine of laboratory.workstations) expect(await laboratory.readRows(machine)).toEqual(atHub)
    expect(laboratory.defects()).toEqual([])
    return atHub
  }

  it('have the same rows after what one of them did', async () => {
    const { sample, code } = await receive(first, 'A1')
    await laboratory.syncAll()
    await expectEqual()
    expect(await laboratory.openItems()).toEqual([])
    const found = await second.samples.get({ id: sample.id })
    expect(found).toMatchObject({ name: sample.name, code, state: 'in_storage' })
  })

  it('both take from one tube without knowing of each other, and both amounts are gone from it', async () => {
    const { sample } = await receive(first)
    await laboratory.syncAll()
    const take = { id: sample.id, kind: 'taken', quantity: '5', reason: 'aliquot' } as const
    await first.samples.recordMovement(take)
    await second.samples.recordMovement(take)
    await laboratory.syncAll()
    await expectEqual()
    expect((await first.samples.get({ id: sample.id })).volumeUl).toBe('10')
    expect(await laboratory.openItems()).toEqual([])
  })

  it('change different fields of one sample, and both changes are kept', async () => {
    const { sample } = await receive(first)
    await laboratory.syncAll()
    const edit = async (machine: Machine, fields: { readonly donor?: string; readonly project?: string }) => {
      const { revision } = await machine.samples.get({ id: sample.id })
      await machine.samples.update({ id: sample.id, revision, fields, reason: 'from the form' })
    }
    await edit(first, { donor: 'D-7' })
    await edit(second, { project: 'P-2' })
    await laboratory.syncAll()
    await expectEqual()
    expect(await first.samples.get({ id: sample.id })).toMatchObject({ donor: 'D-7', project: 'P-2' })
  })

  it('change the same field, and a person decides', async () => {
    const { sample } = await receive(first)
    await laboratory.syncAll()
    for (const [machine, donor] of [
      [first, 'D-1'],
      [second, 'D-2'],
    ] as const) {
      const { revision } = await machine.samples.get({ id: sample.id })
      await machine.samples.update({ id: sample.id, revision, fields: { donor }, reason: 'from the form' })
    }
    await laboratory.syncAll()
    await expectEqual()
    const [item] = await laboratory.openItems()
    expect(item).toMatchObject({
      kind: 'conflict',
      conflicts: [{ column: 'donor', hub: 'D-1', pushed: 'D-2' }],
    })
    expect(await laboratory.itemsAt(second)).toEqual(await laboratory.itemsAt(first))
    expect((await second.samples.get({ id: sample.id })).donor).toBe('D-1')
    expect(await laboratory.resolve(item, 'pushed')).toBe(true)
    await laboratory.syncAll()
    await expectEqual()
    expect((await first.samples.get({ id: sample.id })).donor).toBe('D-2')
    expect(await laboratory.openItems()).toEqual([])
    expect(await laboratory.itemsAt(first)).toEqual([])
  })

  it('put two tubes into one position: the later is contested until a person decides, and nobody loses one', async () => {
    const one = await receive(first, 'C3')
    const other = await receive(second, 'C3')
    await laboratory.syncAll()
    await expectEqual()
    const map = await first.storage.boxMap({ boxId })
    expect(map.positions.filter(({ label }) => label === 'C3').length).toBe(1)
    const [item] = await laboratory.openItems()
    expect(item?.kind).toBe('contested')
    expect(await laboratory.resolve(item, 'hub')).toBe(true)
    await laboratory.syncAll()
    await expectEqual()
    expect(await laboratory.openItems()).toEqual([])
    expect(await first.storage.getContainer({ id: one.containerId })).toMatchObject({ state: 'placed' })
    expect(await first.storage.getContainer({ id: other.containerId })).toMatchObject({ state: 'unplaced' })
    // The sample follows what was decided about its tube.
    expect(await second.samples.get({ id: other.sample.id })).toMatchObject({ location: null })
    expect((await second.samples.get({ id: one.sample.id })).location).toContain('C3')
  })

  it('lose their databases while work waits, and go on where they were', async () => {
    const { sample } = await receive(second, 'E5')
    const before = await laboratory.readRows(second)
    await second.bench.restart({ losing: ['storage', 'samples', 'barcodes'] })
    expect(await laboratory.readRows(second)).toEqual(before)
    await laboratory.syncAll()
    await expectEqual()
    expect((await first.samples.get({ id: sample.id })).location).toContain('E5')
    const hub = await laboratory.readRows(laboratory.hub)
    await laboratory.hub.bench.restart({ losing: ['storage', 'samples'] })
    expect(await laboratory.readRows(laboratory.hub)).toEqual(hub)
    // The Hub still knows what it decided: the same push again changes nothing.
    await laboratory.pushAgain(second)
    expect(await laboratory.readRows(laboratory.hub)).toEqual(hub)
  }, 120_000)

  it('a third workstation begins with a snapshot and follows from there', async () => {
    const third = await laboratory.join()
    await expectEqual()
    const { sample } = await receive(third, 'G7')
    await laboratory.syncAll()
    await expectEqual()
    expect((await first.samples.get({ id: sample.id })).location).toContain('G7')
    // What came in one piece is in no entry of its journal; its own snapshot brings it back.
    await third.bench.restart({ losing: ['storage', 'samples'] })
    await expectEqual()
  }, 120_000)
})

describe('real databases', () => {
  let laboratory: SyncedLaboratory

  beforeAll(async () => {
    laboratory = await openSyncedLaboratory(3)
  }, 120_000)
  afterAll(() => laboratory.close())

  const runs = Number(process.env['TRACSEQ_DATABASE_RUNS'] ?? 10)
  const seed = Number(process.env['TRACSEQ_SEED'] ?? 20_261_121)

  it(`are equal again after random work apart, with stops in the middle of anything (${runs} histories, TRACSEQ_SEED=${seed})`, async () => {
    const on = laboratory.workstation(0)
    const freezer = await on.storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const box = { kind: 'box', parentId: freezer.id, name: 'Small', rows: 2, columns: 3 } as const
    const boxId = (await on.storage.createNode(box)).id
    await laboratory.syncAll()
    const people = await addPeople(laboratory.hub)
    let stops = 0
    const acknowledged = new Set<string>()
    const done = new Set<Act>()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 27 }), async (steps) => {
        for (const each of steps)
          if (await play(laboratory, { boxId, people, acknowledged, done }, each)) stops += 1
        // What is late arrives in the end, in an order of its own.
        for (const { number } of steps) await laboratory.arrive(number, 'once')
        await laboratory.syncAll()
        for (const take of ['hub', 'pushed', 'hub'] as const) {
          for (const item of await laboratory.openItems()) await laboratory.resolve(item, take)
          await laboratory.syncAll()
        }
        const atHub = await laboratory.readRows(laboratory.hub)
        const samples = new Set(atHub['samples/sample']?.map(({ id }) => id))
        expect([...acknowledged].filter((id) => !samples.has(id))).toEqual([])
        for (const machine of laboratory.workstations) {
          expect(await laboratory.readRows(machine)).toEqual(atHub)
          expect(await laboratory.itemsAt(machine)).toEqual(await laboratory.itemsAt(laboratory.hub))
          expect(await laboratory.countPending(machine)).toBe(0)
          // Nothing that was acknowledged is gone: each change set is taken, waits, or was dropped by a person.
          expect(await laboratory.listUndecided(machine)).toEqual([])
          const capacity = await machine.storage.capacityCheck({})
          expect(capacity.differences).toEqual([])
        }
        expect(laboratory.defects()).toEqual([])
      }),
      { seed, numRuns: runs, endOnFailure: true },
    )
    // Machines did stop in the middle of something.
    expect(stops).toBeGreaterThan(runs / 4)
    expect(acknowledged.size).toBeGreaterThan(runs)
    // Every domain had something to bring together, and so had the wire.
    for (const some of kinds) expect(some.filter((act) => done.has(act))).not.toEqual([])
  }, 1_800_000)
})

/** An id that nothing has. */
const nothing = uuidv7()

/** What a workstation may do in a random history; the rules there may refuse it. */
const acts = {
  receive: async ({ samples, target, acknowledged, number }: Stage) => {
    // The box is soon full: only every third tube goes into it.
    const placement = number % 3 === 0 ? { placement: target } : {}
    const { sample } = await samples.receive({ sample: blood({ volumeUl: '20' }), ...placement })
    acknowledged.add(sample.id)
  },
  place: ({ storage, containerId, target }: Stage) => storage.place({ containerId, target }),
  move: ({ storage, containerId, target }: Stage) => storage.move({ containerId, target }),
  checkOut: ({ storage, containerId }: Stage) => storage.checkOut({ containerId }),
  return: ({ storage, containerId }: Stage) => storage.returnToPlace({ containerId }),
  dispose: ({ storage, containerId }: Stage) => storage.dispose({ containerId, reason: 'empty' }),
  take: ({ samples, sample: { id } }: Stage) =>
    samples.recordMovement({ id, kind: 'taken', quantity: '5', reason: 'used' }),
  edit: ({ samples, sample: { id, revision }, word }: Stage) =>
    samples.update({ id, revision, fields: { donor: word }, reason: 'corrected' }),
  note: ({ samples, sample: { id }, word }: Stage) => samples.addNote({ id, note: word }),
  custody: ({ samples, sample: { id }, word }: Stage) =>
    samples.recordCustody({ id, kind: 'received', holder: word, reason: 'handed over' }),
  allocate: ({ machine: { barcodes }, number }: Stage) =>
    barcodes.allocate({ kind: 'box', count: 1 + (number % 2) }),
  // Few codes for many tubes: two workstations soon mean different ones by the same.
  link: ({ machine: { barcodes }, containerId, number }: Stage) =>
    barcodes.link({ text: `EXTERNAL-${number % 3}`, thing: { kind: 'container', id: containerId } }),
  unlink: ({ machine: { barcodes }, codeId }: Stage) => barcodes.unlink({ codeId, reason: 'peeled off' }),
  draft: ({ machine: { templates }, form, number }: Stage) =>
    templates.createDraft({ name: `Form ${number % 3}`, ...(form === null ? {} : { fromId: form.id }) }),
  describe: ({ machine: { templates }, form, word }: Stage) =>
    templates.updateDraft({
      id: form?.id ?? nothing,
      revision: form?.revision ?? nothing,
      description: word,
    }),
  publish: ({ machine: { templates }, form, number }: Stage) =>
    templates.changeState({ id: form?.id ?? nothing, to: number % 2 === 0 ? 'published' : 'deprecated' }),
  // People and roles are the Hub's alone; everybody else follows.
  rename: ({ laboratory: { hub }, person: { id, revision }, word }: Stage) =>
    hub.auth.updateUser({ id, revision, name: `Person ${word}` }),
  suspend: ({ laboratory: { hub }, person: { id, status } }: Stage) =>
    hub.auth.setUserStatus({ id, status: status === 'active' ? 'suspended' : 'active', reason: 'leave' }),
  allow: async ({ laboratory: { hub }, number }: Stage) => {
    const role = (await hub.auth.listRoles({})).find(({ name }) => name === 'lab_technician')
    if (role === undefined) throw new Error('There are always technicians')
    const permissions = number % 2 === 0 ? ['samples:read'] : ['samples:read', 'storage:read']
    await hub.auth.updateRole({ name: role.name, revision: role.revision, permissions, reason: 'house rule' })
  },
  push: ({ laboratory, machine }: Stage) => laboratory.push(machine),
  pull: ({ laboratory, machine }: Stage) => laboratory.pull(machine),
  pullSome: ({ laboratory, machine, number }: Stage) => laboratory.pull(machine, 1 + (number % 5)),
  pushAgain: ({ laboratory, machine }: Stage) => laboratory.pushAgain(machine),
  send: ({ laboratory, machine }: Stage) => laboratory.send(machine),
  answer: ({ laboratory, machine, number }: Stage) => laboratory.answer(machine, 1 + (number % 20)),
  arrive: ({ laboratory, number }: Stage) => laboratory.arrive(number, 'once'),
  arriveTwice: ({ laboratory, number }: Stage) => laboratory.arrive(number, 'and again'),
  lose: ({ laboratory, number }: Stage) => Promise.resolve(laboratory.lose(number)),
} as const

type Act = keyof typeof acts

/** Of each of these something has to come about; what was refused or met an empty wire does not count. */
const kinds: readonly (readonly Act[])[] = [
  ['place', 'move', 'checkOut', 'return', 'dispose'],
  ['receive', 'take', 'edit', 'note', 'custody'],
  ['allocate', 'link', 'unlink'],
  ['draft', 'describe', 'publish'],
  ['rename', 'suspend', 'allow'],
  ['arrive', 'arriveTwice', 'lose'],
]

interface Stage {
  readonly laboratory: SyncedLaboratory
  readonly machine: Machine
  readonly samples: Machine['samples']
  readonly storage: Machine['storage']
  readonly target: { readonly boxId: string; readonly position: string }
  /** Ids that nothing has, where there is nothing yet. */
  readonly containerId: string
  readonly codeId: string
  readonly form: { readonly id: string; readonly revision: string } | null
  readonly person: { readonly id: string; readonly revision: string; readonly status: string }
  readonly sample: { readonly id: string; readonly revision: string }
  readonly number: number
  readonly word: string
  /** Samples whose receipt was confirmed. */
  readonly acknowledged: Set<string>
}

const step = fc.record({
  at: fc.integer({ min: 0, max: 2 }),
  does: fc.constantFrom(...(Object.keys(acts) as Act[]), 'receive', 'receive', 'send', 'answer', 'arrive'),
  number: fc.nat(1_000),
  position: fc.constantFrom('A1', 'A2', 'A3', 'B1', 'B2', 'B3'),
  /** Which machine stops in the middle of it, if any: a start of four databases takes its time. */
  stops: fc.oneof(
    { weight: 7, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.record({
        machine: fc.constantFrom('hub' as const, 'workstation' as const),
        at: fc.oneof(
          { weight: 3, arbitrary: fc.record({ beforeStatement: fc.nat(60) }) },
          { weight: 1, arbitrary: fc.constant('after-commit' as const) },
        ),
      }),
    },
  ),
})

/** Two people that the Hub's laboratory has. */
async function addPeople({ auth }: Machine): Promise<readonly string[]> {
  const people = ['Grace', 'Rosalind'].map((name) => ({
    ...{ name, email: `${name}@example.org`, password: 'sturdy lantern heron' },
    ...{ roles: ['lab_technician' as const], badgeCode: null },
  }))
  return Promise.all(people.map(async (person) => (await auth.createUser(person)).id))
}

/** Does one step. True when it stopped a machine in the middle, which then was started again. */
async function play(
  laboratory: SyncedLaboratory,
  around: {
    readonly boxId: string
    readonly people: readonly string[]
    readonly acknowledged: Set<string>
    readonly done: Set<Act>
  },
  each: typeof step extends fc.Arbitrary<infer Step> ? Step : never,
): Promise<boolean> {
  const machine = laboratory.workstation(each.at)
  const { samples, storage, barcodes, templates } = machine
  const { boxId, people, acknowledged, done } = around
  const { number, position } = each
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[number % Math.max(1, items.length)]
  const person = await laboratory.hub.auth.getUser({ id: pick(people) ?? nothing })
  const stage: Stage = {
    ...{ laboratory, machine, samples, storage, number, word: `${number}`, target: { boxId, position } },
    acknowledged,
    containerId: pick((await storage.listContainers({ limit: 200 })).items)?.id ?? nothing,
    codeId: pick((await barcodes.list({ limit: 200 })).items)?.id ?? nothing,
    form: pick((await templates.list({ limit: 200 })).items) ?? null,
    person,
    sample: pick((await samples.list({ limit: 200 })).items) ?? { id: nothing, revision: nothing },
  }
  const stopping = each.stops?.machine === 'hub' ? laboratory.hub : machine
  if (each.stops !== null) stopping.stop.arm(each.stops.at)
  try {
    if ((await acts[each.does](stage)) !== 'nothing') done.add(each.does)
  } catch (error) {
    const isAnswer = error instanceof ORPCError && error.code !== 'INTERNAL_SERVER_ERROR'
    const isStop = stopping.stop.met && (error instanceof ORPCError || String(error).includes(stoppedWords))
    if (!isAnswer && !isStop) throw error
  }
  const { met } = stopping.stop
  if (met) await stopping.bench.restart()
  else stopping.stop.mend()
  return met
}
