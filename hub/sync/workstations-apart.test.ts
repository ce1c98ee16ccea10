import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isHeld, type WorkItem } from '../../platform/sync/work-item.ts'
import { blood } from '../../services/samples/testing/samples-bench.ts'
import type { Machine } from './testing/laboratory-machine.ts'
import { openSyncedLaboratory, type SyncedLaboratory } from './testing/synced-laboratory.ts'

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
    expect(await laboratory.resolve(item, { take: 'pushed' })).toBeNull()
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
    expect(await laboratory.resolve(item, { take: 'hub' })).toBeNull()
    await laboratory.syncAll()
    await expectEqual()
    expect(await laboratory.openItems()).toEqual([])
    expect(await first.storage.getContainer({ id: one.containerId })).toMatchObject({ state: 'placed' })
    expect(await first.storage.getContainer({ id: other.containerId })).toMatchObject({ state: 'unplaced' })
    // The sample follows what was decided about its tube.
    expect(await second.samples.get({ id: other.sample.id })).toMatchObject({ location: null })
    expect((await second.samples.get({ id: one.sample.id })).location).toContain('C3')
  })

  it('give a template and a type the same name, and a person decides whose they stay', async () => {
    for (const { templates } of [first, second]) await templates.createDraft({ name: 'Clinic 7' })
    await first.samples.addType({ name: 'Feather', letter: 'F' })
    await second.samples.addType({ name: 'Feather', letter: 'G' })
    await laboratory.syncAll()
    await expectEqual()
    const items = await laboratory.openItems()
    expect(items.map(({ kind, domain }) => [kind, domain]).toSorted()).toEqual([
      ['contested', 'samples'],
      ['contested', 'templates'],
    ])
    for (const item of items) {
      const take = item.domain === 'templates' ? 'pushed' : 'hub'
      expect(await laboratory.resolve(item, { take })).toBeNull()
    }
    await laboratory.syncAll()
    const rows = await expectEqual()
    expect(await laboratory.openItems()).toEqual([])
    const versions = rows['templates/template']?.filter(({ name }) => name === 'Clinic 7')
    expect(versions?.map(({ version }) => version).toSorted()).toEqual(['1', '2'])
    const feathers = rows['samples/sample_type']?.filter(({ key }) => key?.startsWith('feather'))
    expect(feathers?.map(({ key, name, letter }) => [key, name, letter]).toSorted()).toEqual([
      ['feather', 'Feather', 'F'],
      ['feather_2', 'Feather 2', 'G'],
    ])
  })

  it('lose their databases while work waits, and go on where they were', async () => {
    const { sample } = await receive(second, 'E5')
    const before = await laboratory.readRows(second)
    await laboratory.restart(second, { losing: ['storage', 'samples', 'barcodes'] })
    expect(await laboratory.readRows(second)).toEqual(before)
    await laboratory.syncAll()
    await expectEqual()
    expect((await first.samples.get({ id: sample.id })).location).toContain('E5')
    const hub = await laboratory.readRows(laboratory.hub)
    await laboratory.restart(laboratory.hub, { losing: ['storage', 'samples'] })
    expect(await laboratory.readRows(laboratory.hub)).toEqual(hub)
    // The Hub still knows what it decided: the same push again changes nothing.
    await laboratory.pushAgain(second)
    expect(await laboratory.readRows(laboratory.hub)).toEqual(hub)
  }, 120_000)

  it('a third workstation begins with a snapshot and follows from there', async () => {
    const [disputed] = await disputeDonors(1)
    await receive(first, 'G6')
    await receive(second, 'G6')
    await laboratory.syncAll()
    const open = await listOpen(laboratory.hub)
    expect(open.map(({ item }) => (item as WorkItem).kind).toSorted()).toEqual(['conflict', 'contested'])
    const third = await laboratory.join()
    expect(await laboratory.readRows(third)).toEqual(await laboratory.readRows(laboratory.hub))
    expect(await listOpen(third)).toEqual(open)
    const { sample } = await receive(third, 'G7')
    await laboratory.syncAll()
    await expectEqual()
    expect((await first.samples.get({ id: sample.id })).location).toContain('G7')
    // What came in one piece is in no entry of its journal; its own snapshot brings it back.
    await laboratory.restart(third, { losing: ['storage', 'samples'] })
    await expectEqual()
    expect(await listOpen(third)).toEqual(open)
    // One that came by the snapshot and one that came by the log are closed and opened like any other.
    const later = await disputeDonors(2)
    const conflicts = (await laboratory.openItems()).filter(({ kind }) => kind === 'conflict')
    expect(conflicts.flatMap((item) => (isHeld(item) ? item.conflicts[0]?.id : []))).toEqual([
      disputed,
      ...later,
    ])
    expect(await listOpen(third)).toEqual(await listOpen(laboratory.hub))
    for (const item of await laboratory.openItems())
      expect(await laboratory.resolve(item, { take: 'hub' })).toBe(null)
    await laboratory.syncAll()
    expect(await listOpen(third)).toEqual([])
    await expectEqual()
  }, 120_000)

  it('begins anew with snapshots over work that is not pushed, that is decided, and that waits for a person', async () => {
    const [decided, waiting, unpushed] = [await receive(first), await receive(first), await receive(first)]
    const [left, right] = [await receive(first, 'H1'), await receive(first, 'H2')]
    await laboratory.syncAll()
    await edit(second, waiting.sample.id, { donor: 'D-1' })
    await laboratory.push(second)
    // The Hub decides these, and the workstation does not hear of it.
    await edit(first, decided.sample.id, { project: 'P-1' })
    await edit(first, waiting.sample.id, { donor: 'D-2' })
    await receive(first, 'H5')
    await laboratory.push(first)
    const unheard = await countPending(first)
    await laboratory.pull(second)
    await edit(second, decided.sample.id, { project: 'P-2' })
    await laboratory.push(second)
    // The Hub has not heard of these. There are more than one entry of a journal may hold, and two tubes change places.
    await edit(first, unpushed.sample.id, { donor: 'D-3' })
    for (let time = 0; time < 3; time += 1) await first.barcodes.allocate({ kind: 'box', count: 400 })
    for (const [tube, position] of [
      [left, 'H3'],
      [right, 'H1'],
      [left, 'H2'],
    ] as const)
      await first.storage.move({ containerId: tube.containerId, target: { boxId, position } })
    const unpushedSets = (await countPending(first)) - unheard
    expect(unheard).toBeGreaterThan(3)
    expect(unpushedSets).toBeGreaterThan(6)

    await laboratory.beginAnew(first)
    const expectAnew = async () => {
      expect(await countPending(first)).toBe(unpushedSets)
      expect(await listOpen(first)).toEqual(await listOpen(laboratory.hub))
      expect(await first.samples.get({ id: decided.sample.id })).toMatchObject({ project: 'P-2' })
      expect(await first.samples.get({ id: waiting.sample.id })).toMatchObject({ donor: 'D-1' })
      expect(await first.samples.get({ id: unpushed.sample.id })).toMatchObject({ donor: 'D-3' })
      const { positions } = await first.storage.boxMap({ boxId })
      const at = (label: string) => positions.find((each) => each.label === label)?.container?.id
      expect([at('H1'), at('H2')]).toEqual([right.containerId, left.containerId])
    }
    await expectAnew()
    await laboratory.restart(first, { losing: ['storage', 'samples', 'barcodes'] })
    await expectAnew()

    await laboratory.syncAll()
    await expectEqual()
    for (const machine of laboratory.workstations) expect(await countPending(machine)).toBe(0)
    expect(await second.samples.get({ id: unpushed.sample.id })).toMatchObject({ donor: 'D-3' })
    const [item] = await laboratory.openItems()
    expect(item).toMatchObject({ kind: 'conflict', conflicts: [{ hub: 'D-1', pushed: 'D-2' }] })
    expect(await laboratory.resolve(item, { take: 'pushed' })).toBe(null)
    await laboratory.syncAll()
    await expectEqual()
    expect(await first.samples.get({ id: waiting.sample.id })).toMatchObject({ donor: 'D-2' })
    for (const machine of laboratory.workstations) expect(await listOpen(machine)).toEqual([])
  }, 240_000)

  async function edit(
    machine: Machine,
    id: string,
    fields: { readonly donor?: string; readonly project?: string },
  ): Promise<void> {
    const { revision } = await machine.samples.get({ id })
    await machine.samples.update({ id, revision, fields, reason: 'from the form' })
  }

  /** Two people name another donor of each of so many samples while apart. */
  async function disputeDonors(count: number): Promise<readonly string[]> {
    const ids: string[] = []
    for (let each = 0; each < count; each += 1) ids.push((await receive(first)).sample.id)
    await laboratory.syncAll()
    for (const id of ids) {
      await edit(first, id, { donor: 'D-1' })
      await edit(second, id, { donor: 'D-2' })
    }
    await laboratory.syncAll()
    return ids
  }

  /** With what the services there do by themselves. */
  async function countPending(machine: Machine): Promise<number> {
    await machine.bench.settle()
    return laboratory.countPending(machine)
  }

  /** What waits for a person at a machine, in its order and with when it came. */
  async function listOpen({ bench }: Machine) {
    const { laboratoryId } = laboratory
    const answers = await Promise.all(
      ['samples', 'storage', 'barcodes'].map((name) => bench.syncOf(name).syncWorkItems({ laboratoryId })),
    )
    return answers.flatMap(({ items }) => items)
  }
})
