import { ORPCError } from '@orpc/client'
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stoppedWords } from '../../platform/database/testing/machine-stop.ts'
import { type RowAddress, splitAddress } from '../../platform/sync/change-set.ts'
import type { LogEntryBody } from '../../platform/sync/log.ts'
import type { Choice } from '../../platform/sync/resolve.ts'
import { isHeld, type WorkItem } from '../../platform/sync/work-item.ts'
import { permissionsOf } from '../../services/auth/domain/roles.ts'
import { blood } from '../../services/samples/testing/samples-bench.ts'
import { findBroken, findMisdecided } from './testing/laboratory-invariants.ts'
import type { Machine } from './testing/laboratory-machine.ts'
import { openSyncedLaboratory, type SyncedLaboratory } from './testing/synced-laboratory.ts'

const runs = Number(process.env['TRACSEQ_DATABASE_RUNS'] ?? 10)
const seed = Number(process.env['TRACSEQ_SEED'] ?? 20_261_121)
const hourMs = 3_600_000
/** How far clocks may seem apart because the machine is slow. */
const patienceMs = 60_000

let laboratory: SyncedLaboratory

beforeAll(async () => {
  laboratory = await openSyncedLaboratory(3)
  for (const [index, hours] of [5, -7, 11].entries())
    laboratory.workstation(index).clock.aheadMs = hours * hourMs
}, 180_000)
afterAll(() => laboratory.close(), 60_000)

it(`real databases are equal and sound again after random work apart, with stops in the middle of anything (${runs} histories, TRACSEQ_SEED=${seed})`, async () => {
  const on = laboratory.workstation(0)
  const freezer = await on.storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
  const box = { kind: 'box', parentId: freezer.id, name: 'Small', rows: 2, columns: 3 } as const
  const boxId = (await on.storage.createNode(box)).id
  await laboratory.syncAll()
  let stops = 0
  const acknowledged = new Set<string>()
  const done = new Set<Act>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 27 }), async (steps) => {
      await reinstate(laboratory.hub)
      for (const each of steps) if (await play({ boxId, acknowledged, done }, each)) stops += 1
      // What is late arrives in the end, in an order of its own.
      for (const { number } of steps) await laboratory.arrive(number, 'once')
      await laboratory.pushTogether()
      await laboratory.syncAll()
      await decideEverything(steps.map(({ number }) => number))
      await expectSound(acknowledged)
    }),
    { seed, numRuns: runs, endOnFailure: true },
  )
  // Machines did stop in the middle of something.
  expect(stops).toBeGreaterThan(runs / 10)
  expect(acknowledged.size).toBeGreaterThan(runs)
  // Every domain had something to bring together, and so had the wire.
  for (const some of kinds) expect(some.filter((act) => done.has(act))).not.toEqual([])
  await expectReviewed()
  await expectCappedClocks()
}, 3_600_000)

/** Everybody may work again, as their role says when it is delivered. */
async function reinstate({ auth }: Machine): Promise<void> {
  for (const { id, status } of (await auth.listUsers({ limit: 200 })).items)
    if (status !== 'active') await auth.setUserStatus({ id, status: 'active', reason: 'back from leave' })
  await changeRole(auth, [])
}

/** Takes permissions away from everybody at the workstations, and gives back what was taken before. */
async function changeRole(auth: Machine['auth'], without: readonly string[]): Promise<void> {
  const role = (await auth.listRoles({})).find(({ name }) => name === 'principal_investigator')
  if (role === undefined) throw new Error('There are always principal investigators')
  const permissions = permissionsOf(role.name).filter((each) => !without.includes(each))
  await auth.updateRole({ name: role.name, revision: role.revision, permissions, reason: 'house rule' })
}

/** The administrator decides whatever is open, until nothing is. What the Hub has is possible where nothing else is. */
async function decideEverything(numbers: readonly number[]): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    const item = (await laboratory.openItems()).find(({ kind }) => kind !== 'parked')
    if (item === undefined) {
      await laboratory.syncAll()
      if ((await laboratory.openItems()).length === 0) return
      continue
    }
    const isPushed = (numbers[round % numbers.length] ?? 0) % 2 === 0
    const said: string[] = []
    const choices: Choice[] = [{ take: isPushed ? 'pushed' : 'hub' }, { take: 'hub' }, ...renaming(item)]
    for (const choice of choices) {
      const words = await laboratory.resolve(item, choice)
      if (words === null) break
      said.push(`${choice.take}: ${words}`)
    }
    if (said.length === choices.length)
      throw new Error(`Nobody can resolve ${item.kind} (${item.words}): ${said.join(' ')}`)
  }
  throw new Error('There are always new work items')
}

/** What is left where neither of two can give way: one of them gets another name. */
function renaming(item: WorkItem): readonly Choice[] {
  if (isHeld(item) || item.kind !== 'contested') return []
  const { table, id } = splitAddress(item.subject as RowAddress)
  return [{ take: 'edits', edits: [{ table, id, values: { name: `Form ${uuidv7()}` } }] }]
}

/** Everybody has the same, nothing is lost, and what they have is a laboratory. */
async function expectSound(acknowledged: ReadonlySet<string>): Promise<void> {
  const atHub = await laboratory.readRows(laboratory.hub)
  const log = await laboratory.readLog()
  const samples = new Set([...(atHub['samples/sample']?.map(({ id }) => id) ?? []), ...listDropped(log)])
  expect([...acknowledged].filter((id) => !samples.has(id))).toEqual([])
  for (const machine of laboratory.workstations) {
    expect(await laboratory.readRows(machine)).toEqual(atHub)
    expect(await laboratory.itemsAt(machine)).toEqual([])
    expect(await laboratory.countPending(machine)).toBe(0)
    // Nothing that was acknowledged is gone: each change set is taken, waits, or was dropped by a person.
    expect(await laboratory.listUndecided(machine)).toEqual([])
    expect(findMisdecided(log, await laboratory.listMade(machine))).toEqual([])
    expect((await machine.storage.capacityCheck({})).differences).toEqual([])
  }
  const items = { open: [], acknowledged: await laboratory.acknowledgedItems() }
  expect(findBroken(atHub, items, log)).toEqual([])
  expect(laboratory.defects()).toEqual([])
}

/** The rows that were to be made by work that a person saw and did not take: such a decision changes nothing. */
function listDropped(log: readonly LogEntryBody[]): readonly string[] {
  const drops = log.filter(({ outcome, changes }) => outcome === 'resolved' && changes.length === 0)
  const dropped = new Set(drops.flatMap(({ parents }) => parents))
  const held = log.flatMap(({ opens }) => opens).filter(isHeld)
  return held.flatMap(({ set }) => (dropped.has(set.id) ? set.changes.map(({ key }) => key.id) : []))
}

/** Work of people who might not do it any more went to a person, who took some of it and dropped some. */
async function expectReviewed(): Promise<void> {
  const log = await laboratory.readLog()
  const reviewed = new Set(log.filter(({ outcome }) => outcome === 'review').map(({ decides }) => decides))
  const after = log.filter(
    ({ decides, parents, resolvedBy }) =>
      resolvedBy !== null && [decides, ...parents].some((id) => reviewed.has(id)),
  )
  const outcomes = new Set(after.map(({ outcome }) => outcome))
  expect(outcomes).toContain('resolved')
  expect([...outcomes].some((outcome) => outcome === 'applied' || outcome === 'merged')).toBe(true)
}

/** Clocks that run ahead are told so and capped in the log, and the Hub shows how wrong each one is. */
async function expectCappedClocks(): Promise<void> {
  const known = await Promise.all(laboratory.workstations.map((each) => laboratory.clockOf(each)))
  expect(Math.max(...known.map(({ mostAheadMs }) => mostAheadMs))).toBeGreaterThan(hourMs)
  const log = await laboratory.readLog()
  const latest = Math.max(...log.map(({ hybridLogicalTime }) => Number(hybridLogicalTime.slice(0, 13))))
  expect(latest).toBeLessThan(Date.now() + patienceMs)
  for (const [index, { skewMs }] of known.entries()) {
    const { aheadMs } = laboratory.workstation(index).clock
    expect(Math.abs(skewMs + aheadMs)).toBeLessThan(patienceMs)
  }
}

/** An id that nothing has. */
const nothing = uuidv7()

/** Where samples are moved to; the first more often than the ends. */
const states = [
  'validated',
  'validated',
  'in_sequencing',
  'completed',
  'failed',
  'rejected',
  'discarded',
] as const

/** What the role of everybody may lack; each hangs together without it. */
const withheld = [['templates:manage'], ['storage:dispose'], ['samples:edit', 'shipments:send'], []] as const

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
  advance: ({ samples, sample: { id }, number }: Stage) =>
    samples.changeState({ id, to: states[number % states.length] ?? 'validated', reason: 'bench' }),
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
  // People and roles are the Hub's alone; everybody else follows. Whoever works on while suspended has it reviewed.
  rename: ({ hub, person: { id, revision }, word }: Stage) =>
    hub.auth.updateUser({ id, revision, name: `Person ${word}` }),
  suspend: ({ hub, person: { id, status } }: Stage) =>
    hub.auth.setUserStatus({ id, status: status === 'active' ? 'suspended' : 'active', reason: 'leave' }),
  allow: ({ hub, number }: Stage) => changeRole(hub.auth, withheld[number % withheld.length] ?? []),
  setClock: ({ machine, number }: Stage) => {
    machine.clock.aheadMs = ((number % 25) - 12) * hourMs
    return Promise.resolve()
  },
  push: ({ machine }: Stage) => laboratory.push(machine),
  pull: ({ machine }: Stage) => laboratory.pull(machine),
  pullSome: ({ machine, number }: Stage) => laboratory.pull(machine, 1 + (number % 5)),
  pushAgain: ({ machine }: Stage) => laboratory.pushAgain(machine),
  send: ({ machine }: Stage) => laboratory.send(machine),
  answer: ({ machine, number }: Stage) => laboratory.answer(machine, 1 + (number % 20)),
  arrive: ({ number }: Stage) => laboratory.arrive(number, 'once'),
  arriveTwice: ({ number }: Stage) => laboratory.arrive(number, 'and again'),
  lose: ({ number }: Stage) => Promise.resolve(laboratory.lose(number)),
} as const

type Act = keyof typeof acts

/** Of each of these something has to come about; what was refused or met an empty wire does not count. */
const kinds: readonly (readonly Act[])[] = [
  ['place', 'move', 'checkOut', 'return', 'dispose'],
  ['receive', 'take', 'edit', 'advance', 'note', 'custody'],
  ['allocate', 'link', 'unlink'],
  ['draft', 'describe', 'publish'],
  ['rename', 'suspend', 'allow'],
  ['setClock'],
  ['arrive', 'arriveTwice', 'lose'],
]

interface Stage {
  readonly hub: Machine
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
  does: fc.constantFrom(
    ...(Object.keys(acts) as Act[]),
    'receive',
    'receive',
    'suspend',
    'send',
    'answer',
    'arrive',
  ),
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

/** Does one step. True when it stopped a machine in the middle, which then was started again. */
async function play(
  around: {
    readonly boxId: string
    readonly acknowledged: Set<string>
    readonly done: Set<Act>
  },
  each: typeof step extends fc.Arbitrary<infer Step> ? Step : never,
): Promise<boolean> {
  const machine = laboratory.workstation(each.at)
  const { samples, storage, barcodes, templates } = machine
  const { boxId, acknowledged, done } = around
  const { hub } = laboratory
  const { number, position } = each
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[number % Math.max(1, items.length)]
  const person = await hub.auth.getUser({ id: machine.bench.actor.userId })
  const stage: Stage = {
    ...{ hub, machine, samples, storage, number, word: `${number}`, target: { boxId, position } },
    acknowledged,
    containerId: pick((await storage.listContainers({ limit: 200 })).items)?.id ?? nothing,
    codeId: pick((await barcodes.list({ limit: 200 })).items)?.id ?? nothing,
    form: pick((await templates.list({ limit: 200 })).items) ?? null,
    person,
    sample: pick((await samples.list({ limit: 200 })).items) ?? { id: nothing, revision: nothing },
  }
  const stopping = each.stops?.machine === 'hub' ? hub : machine
  if (each.stops !== null) stopping.stop.arm(each.stops.at)
  try {
    if ((await acts[each.does](stage)) !== 'nothing') done.add(each.does)
  } catch (error) {
    const isAnswer = error instanceof ORPCError && error.code !== 'INTERNAL_SERVER_ERROR'
    const isStop = stopping.stop.met && (error instanceof ORPCError || String(error).includes(stoppedWords))
    if (!isAnswer && !isStop) throw error
  }
  const { met } = stopping.stop
  if (met) await laboratory.restart(stopping)
  else stopping.stop.mend()
  return met
}
