import { eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { placement } from './schema.ts'
import { openStorageBench, type StorageBench } from './testing/storage-bench.ts'

let on: StorageBench
beforeAll(async () => {
  on = await openStorageBench()
})
afterAll(() => on.bench.close())

const soon = () => new Date(Date.now() + 3_600_000).toISOString()
const without = (permission: string) => ({
  ...on.bench.actor,
  permissions: on.bench.actor.permissions.filter((each) => each !== permission),
})
const overriding = () => ({
  ...on.bench.actor,
  permissions: [...on.bench.actor.permissions, 'storage:override'],
})

describe('places', () => {
  it('get a code of their kind, a zone from above and a path', async () => {
    const freezer = await on.storage.createNode({ kind: 'freezer', name: 'Cold one', zone: 'minus_80' })
    const shelf = await on.storage.createNode({ kind: 'shelf', parentId: freezer.id, name: 'Shelf 2' })
    const rack = await on.storage.createNode({ kind: 'rack', parentId: shelf.id, name: 'Rack C' })
    const box = await on.storage.createNode({
      kind: 'box',
      parentId: rack.id,
      name: 'Plasma ONC-14',
      rows: 10,
      columns: 10,
    })
    expect([freezer, shelf, rack, box].map(({ code }) => code?.slice(0, 3))).toEqual([
      'FZ-',
      'SH-',
      'RK-',
      'BX-',
    ])
    expect(box).toMatchObject({ zone: 'minus_80', grid: { rows: 10, columns: 10, order: 'row-major' } })
    const found = await on.barcodes.resolve({ text: box.code ?? '' })
    expect(found.matches.map(({ thing }) => thing)).toEqual([{ kind: 'storage-node', id: box.id }])

    const tube = await on.placeTube(box.id, 'c04', 'Plasma')
    expect(tube).toMatchObject({
      state: 'placed',
      place: {
        boxId: box.id,
        boxName: 'Plasma ONC-14',
        boxCode: box.code,
        position: 'C4',
        zone: 'minus_80',
        path: ['Cold one', 'Shelf 2', 'Rack C'],
      },
      reservedPlace: null,
      heldBy: null,
      contested: false,
    })
    expect(await on.storage.locate({ containerIds: [tube.id] })).toMatchObject([
      { place: 'Cold one › Shelf 2 › Rack C › Plasma ONC-14, C4', position: 'C4' },
    ])
    const tree = await on.storage.tree({ rootId: shelf.id })
    expect(tree.map(({ name, capacity }) => [name, capacity.occupied, capacity.positions])).toEqual([
      ['Plasma ONC-14', 1, 100],
      ['Rack C', 1, 100],
      ['Shelf 2', 1, 100],
    ])
    expect((await on.storage.tree({})).find(({ id }) => id === freezer.id)?.capacity).toMatchObject({
      positions: 100,
      occupied: 1,
      available: 99,
      level: 'normal',
    })
  })

  it('take a printed code, and are not made when it is another thing’s', async () => {
    const room = await on.storage.createNode({ kind: 'room', name: 'Cold room' })
    expect(room.code).toBeNull()
    const first = await on.storage.createNode({
      kind: 'freezer',
      parentId: room.id,
      name: 'A',
      code: 'INV-0815',
    })
    expect(first.code).toBe('INV-0815')
    const taken = on.storage.createNode({ kind: 'freezer', parentId: room.id, name: 'B', code: 'INV-0815' })
    await expect(taken).rejects.toMatchObject({
      code: 'CODE_TAKEN',
      status: 409,
      data: { thing: { kind: 'storage-node', id: first.id } },
    })
    const index = on.storage.createNode({ kind: 'freezer', parentId: room.id, name: 'B', code: 'ACGTACGT' })
    await expect(index).rejects.toMatchObject({ code: 'INDEX_SEQUENCE' })
    const names = (await on.storage.tree({ rootId: room.id })).map(({ name }) => name)
    expect(names).toEqual(['A', 'Cold room'])
    // The name is free again after the saga took the place back.
    expect(await on.storage.createNode({ kind: 'freezer', parentId: room.id, name: 'B' })).toMatchObject({
      name: 'B',
    })
  })

  it('are made once for one key', async () => {
    const input = { kind: 'freezer' as const, name: 'Once', zone: 'minus_20' as const }
    const first = await on.storage.createNode(input, { context: { key: 'make once' } })
    expect(await on.storage.createNode(input, { context: { key: 'make once' } })).toEqual(first)
  })

  it('keep to the order of levels, to names and to sizes', async () => {
    const freezer = await on.makeFreezer()
    const box = await on.makeBox({ freezerId: freezer.id })
    const inBox = on.storage.createNode({ kind: 'shelf', parentId: box.id, name: 'S' })
    await expect(inBox).rejects.toMatchObject({
      code: 'RULE_BROKEN',
      data: { rule: 'node_kind_does_not_fit', allowed: ['freezer', 'room'] },
    })
    const again = on.storage.createNode({ kind: 'rack', parentId: freezer.id, name: box.name.toUpperCase() })
    await expect(again).rejects.toMatchObject({ code: 'NAME_TAKEN', data: { name: box.name.toUpperCase() } })
    const sizeless = on.storage.createNode({ kind: 'box', parentId: freezer.id, name: 'no size' })
    await expect(sizeless).rejects.toMatchObject({ data: { rule: 'box_needs_size' } })
    const sized = on.storage.createNode({
      kind: 'rack',
      parentId: freezer.id,
      name: 'r',
      rows: 2,
      columns: 2,
    })
    await expect(sized).rejects.toMatchObject({ data: { rule: 'only_boxes_have_positions' } })
    await expect(on.storage.getNode({ id: uuidv7() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(on.storage.tree({ rootId: uuidv7() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('move with all that is in them, unless the zone forbids it', async () => {
    const cold = await on.makeFreezer('minus_80')
    const cool = await on.makeFreezer('minus_20')
    const box = await on.makeBox({ freezerId: cold.id })
    const tube = await on.placeTube(box.id, 'A1', 'RNA')
    const { revision } = await on.storage.getNode({ id: box.id })
    const toCool = { id: box.id, revision, parentId: cool.id }
    await expect(on.storage.updateNode(toCool)).rejects.toMatchObject({
      code: 'ZONE_NOT_ALLOWED',
      data: { material: 'RNA', zone: 'minus_20', allowed: ['minus_80', 'ln2_vapour'] },
    })
    const zoneOverride = { reason: 'The freezer broke down' }
    await expect(on.storage.updateNode({ ...toCool, zoneOverride })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      data: { permission: 'storage:override' },
    })
    const moved = await on.storage.updateNode(
      { ...toCool, name: 'Rescued', zoneOverride },
      { context: { actor: overriding() } },
    )
    expect(moved).toMatchObject({ name: 'Rescued', parentId: cool.id, zone: 'minus_20' })
    await expect(on.storage.updateNode(toCool)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await on.storage.getContainer({ id: tube.id })).place?.path).toEqual([cool.name])
    const { items } = await on.storage.nodeHistory({ id: box.id })
    expect(items.map(({ what, from, to, reason }) => [what, from, to, reason])).toEqual([
      ['moved', `${cold.name} › ${box.name}`, `${cool.name} › Rescued`, zoneOverride.reason],
      ['renamed', box.name, 'Rescued', zoneOverride.reason],
      ['added', null, `${cold.name} › ${box.name}`, null],
    ])
    const circle = await on.makeFreezer()
    await expect(
      on.storage.updateNode({ id: circle.id, revision: circle.revision, parentId: circle.id }),
    ).rejects.toMatchObject({ data: { rule: 'node_cycle' } })
    const warm = await on.storage.getNode({ id: cool.id })
    await expect(
      on.storage.updateNode({ id: cool.id, revision: warm.revision, zone: 'room' }),
    ).rejects.toMatchObject({ code: 'ZONE_NOT_ALLOWED' })
  })

  it('go only when they are empty, and give their code back', async () => {
    const box = await on.makeBox()
    const tube = await on.placeTube(box.id)
    await on.storage.checkOut({ containerId: tube.id })
    const remove = { id: box.id, reason: 'cracked' }
    await expect(on.storage.removeNode(remove)).rejects.toMatchObject({
      code: 'NOT_EMPTY',
      data: { containers: 1, nodes: 0 },
    })
    await expect(on.storage.removeNode({ id: box.parentId ?? '', reason: 'old' })).rejects.toMatchObject({
      code: 'NOT_EMPTY',
      data: { containers: 1, nodes: 1 },
    })
    await on.storage.dispose({ containerId: tube.id, reason: 'empty' })
    await on.storage.removeNode(remove)
    await expect(on.storage.boxMap({ boxId: box.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await on.barcodes.resolve({ text: box.code ?? '' })).matches).toEqual([])
    const late = await on.makeTube()
    await expect(on.storage.place({ containerId: late.id, target: { boxId: box.id } })).rejects.toMatchObject(
      { code: 'NOT_FOUND', data: { kind: 'box' } },
    )
  })

  it('have the zones of the laboratory', async () => {
    expect(await on.storage.zones()).toContainEqual({
      name: 'minus_80',
      minimumCelsius: '-85',
      maximumCelsius: '-75',
    })
  })
})

describe('a box', () => {
  it('shows what every position holds', async () => {
    const box = await on.makeBox({ rows: 2, columns: 3 })
    const tube = await on.placeTube(box.id)
    const out = await on.placeTube(box.id)
    await on.storage.checkOut({ containerId: out.id, purpose: 'PCR' })
    await on.storage.reserve({ boxId: box.id, positions: ['b1'], until: soon(), reservedFor: 'Onco' })
    const shown = await on.storage.setOutOfUse({
      boxId: box.id,
      positions: ['B3'],
      outOfUse: true,
      reason: 'broken',
    })
    expect(shown.positions.map(({ label, state }) => `${label} ${state}`)).toEqual([
      'A1 occupied',
      'A2 reserved',
      'A3 available',
      'B1 reserved',
      'B2 available',
      'B3 out_of_use',
    ])
    expect(shown.nextFree).toBe('A3')
    expect(shown.positions[0]?.container).toMatchObject({ id: tube.id, state: 'placed', material: 'DNA' })
    expect(shown.positions[1]).toMatchObject({
      reservedFor: out.label,
      reservedUntil: null,
      container: { id: out.id, state: 'checked_out' },
    })
    expect(shown.positions[3]).toMatchObject({ reservedFor: 'Onco', container: null })
    expect(shown.positions[5]?.reason).toBe('broken')
    expect(shown.box.capacity).toEqual({
      positions: 6,
      occupied: 1,
      reserved: 2,
      outOfUse: 1,
      available: 2,
      level: 'normal',
    })
    expect(await on.storage.boxMap({ boxId: box.id })).toEqual(shown)
    await expect(on.storage.boxMap({ boxId: box.parentId ?? '' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('is filled in its own order', async () => {
    const freezer = await on.makeFreezer()
    const box = await on.storage.createNode({
      kind: 'box',
      parentId: freezer.id,
      name: 'columns first',
      rows: 8,
      columns: 12,
      order: 'column-major',
    })
    const first = await on.placeTube(box.id)
    const second = await on.placeTube(box.id)
    expect([first.place?.position, second.place?.position]).toEqual(['A1', 'B1'])
  })

  it('reserves for a time, all positions or none', async () => {
    const box = await on.makeBox({ rows: 1, columns: 4 })
    await on.placeTube(box.id, 'A2')
    const reserve = { boxId: box.id, until: soon(), reservedFor: 'Onco' }
    await expect(on.storage.reserve({ ...reserve, positions: ['A1', 'A2'] })).rejects.toMatchObject({
      code: 'POSITION_TAKEN',
      data: { position: 'A2', state: 'occupied' },
    })
    expect((await on.storage.boxMap({ boxId: box.id })).positions[0]?.state).toBe('available')
    const past = on.storage.reserve({ ...reserve, positions: ['A1'], until: '2020-01-01T00:00:00Z' })
    await expect(past).rejects.toMatchObject({ data: { rule: 'reservation_in_the_past' } })
    await on.storage.reserve({ ...reserve, positions: ['A1', 'a01', 'A3'] })

    const tube = await on.makeTube()
    const target = { boxId: box.id, position: 'A1' }
    await expect(on.storage.place({ containerId: tube.id, target })).rejects.toMatchObject({
      code: 'POSITION_TAKEN',
      data: { position: 'A1', occupant: 'Onco', state: 'reserved' },
    })
    await on.storage.place({ containerId: tube.id, target: { ...target, useReservation: true } })
    await on.storage.takeOut({ containerId: tube.id, reason: 'wrong tube' })
    expect((await on.storage.boxMap({ boxId: box.id })).positions[0]?.state).toBe('available')

    await on.storage.cancelReservation({ boxId: box.id, positions: ['A3'] })
    await expect(on.storage.cancelReservation({ boxId: box.id, positions: ['A3'] })).rejects.toMatchObject({
      data: { rule: 'position_not_reserved' },
    })
    const until = new Date(Date.now() + 300).toISOString()
    await on.storage.reserve({ ...reserve, positions: ['A4'], until })
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect((await on.storage.getNode({ id: box.id })).capacity.reserved).toBe(0)
    await on.storage.reserve({ ...reserve, positions: ['A4'], reservedFor: 'Cardio' })
    await on.storage.cancelReservation({ boxId: box.id, positions: ['A4'] })
    expect((await on.placeTube(box.id, 'A4')).place?.position).toBe('A4')
  })

  it('takes positions out of use and back', async () => {
    const box = await on.makeBox({ rows: 1, columns: 2 })
    const mark = { boxId: box.id, positions: ['A1'], reason: 'cracked' }
    await on.storage.setOutOfUse({ ...mark, outOfUse: true })
    expect((await on.placeTube(box.id)).place?.position).toBe('A2')
    const tube = await on.makeTube()
    await expect(
      on.storage.place({ containerId: tube.id, target: { boxId: box.id, position: 'A1' } }),
    ).rejects.toMatchObject({ data: { position: 'A1', state: 'out_of_use', occupant: 'cracked' } })
    await expect(on.storage.place({ containerId: tube.id, target: { boxId: box.id } })).rejects.toMatchObject(
      { code: 'BOX_FULL', data: { box: box.name } },
    )
    await on.storage.setOutOfUse({ ...mark, outOfUse: false })
    expect(await on.storage.place({ containerId: tube.id, target: { boxId: box.id } })).toMatchObject({
      place: { position: 'A1' },
    })
  })
})

describe('room', () => {
  it('is found where the type may be, the tightest fit first', async () => {
    const material = `serum`
    const warm = await on.makeBox({ zone: 'room', rows: 4, columns: 6 })
    const large = await on.makeBox({ zone: 'ln2_vapour', rows: 16, columns: 24 })
    const found = await on.storage.findSpace({ count: 300, material, together: true })
    expect(found.map(({ box }) => box.id)).toEqual([large.id])
    expect(found[0]?.positions.slice(0, 3)).toEqual(['A1', 'A2', 'A3'])
    expect(found[0]?.positions).toHaveLength(300)
    await on.placeTube(large.id, 'A5', 'serum')
    await on.placeTube(large.id, 'P1', 'serum')
    const apart = await on.storage.findSpace({ count: 380, material })
    expect(apart[0]?.positions.slice(3, 6)).toEqual(['A4', 'A6', 'A7'])
    expect(await on.storage.findSpace({ count: 380, material, together: true })).toEqual([])
    const few = await on.storage.findSpace({ count: 3, material })
    expect(few.map(({ box }) => box.id)).not.toContain(warm.id)
    const many = await on.storage.findSpace({ count: 390, material })
    expect(many.length).toBeGreaterThan(1)
    expect(many.flatMap(({ positions }) => positions)).toHaveLength(390)
    expect(await on.storage.findSpace({ count: 10_000, material })).toEqual([])
  })
})

describe('a container', () => {
  it('goes through its life, and its history has no gap', async () => {
    const box = await on.makeBox()
    const other = await on.makeBox()
    const sampleId = uuidv7()
    const tube = await on.storage.createContainer({ label: 'life', material: 'DNA', sampleId })
    expect(tube).toMatchObject({ state: 'unplaced', kind: 'tube', place: null })
    const containerId = tube.id
    const at = (boxId: string, position: string) => ({ containerId, target: { boxId, position } })
    await on.storage.place(at(box.id, 'A1'))
    const moved = await on.storage.move(at(other.id, 'B2'))
    expect(moved.place).toMatchObject({ boxId: other.id, position: 'B2' })
    const out = await on.storage.checkOut({ containerId, purpose: 'library' })
    expect(out).toMatchObject({
      state: 'checked_out',
      place: null,
      reservedPlace: { boxId: other.id, position: 'B2' },
      heldBy: on.bench.actor.name,
      heldById: on.bench.actor.userId,
    })
    const held = await on.storage.listContainers({ heldByMe: true, sampleId })
    expect(held.items.map(({ id }) => id)).toEqual([containerId])
    const intruder = await on.makeTube()
    await expect(
      on.storage.place({ containerId: intruder.id, target: { boxId: other.id, position: 'B2' } }),
    ).rejects.toMatchObject({ code: 'POSITION_TAKEN', data: { occupant: 'life', state: 'reserved' } })
    const back = await on.storage.returnToPlace({ containerId })
    expect(back).toMatchObject({
      state: 'placed',
      place: { position: 'B2' },
      heldBy: null,
    })
    await on.storage.updateContainer({ id: containerId, label: 'life, relabelled', reason: 'smudged' })
    await on.storage.checkOut({ containerId })
    await on.storage.returnToPlace(at(box.id, 'C3'))
    await on.storage.takeOut({ containerId, reason: 'undo' })
    const gone = await on.storage.dispose({ containerId, reason: 'used up' })
    expect(gone).toMatchObject({ state: 'disposed', place: null, reservedPlace: null })

    const { items } = await on.storage.history({ containerId })
    const where = (box: { name: string }, position: string) =>
      expect.stringMatching(new RegExp(` › ${box.name}, ${position}$`)) as string
    expect(items.map(({ what, from, to, reason }) => [what, from, to, reason])).toEqual([
      ['disposed', null, null, 'used up'],
      ['taken_out', where(box, 'C3'), null, 'undo'],
      ['returned', null, where(box, 'C3'), null],
      ['checked_out', where(other, 'B2'), null, null],
      ['corrected', where(other, 'B2'), where(other, 'B2'), 'smudged'],
      ['returned', null, where(other, 'B2'), null],
      ['checked_out', where(other, 'B2'), null, 'library'],
      ['moved', where(box, 'A1'), where(other, 'B2'), null],
      ['placed', null, where(box, 'A1'), null],
      ['registered', null, null, null],
    ])
    expect(new Set(items.map(({ broken }) => broken))).toEqual(new Set([null]))
    expect(items.every(({ by, byId }) => by === 'Test technician' && byId === on.bench.actor.userId)).toBe(
      true,
    )
    expect((await on.storage.history({ sampleId })).items).toEqual(items)
    const placedHere = await on.storage.history({ boxId: box.id, what: ['placed', 'returned'] })
    expect(placedHere.items.map(({ toPosition }) => toPosition?.position)).toEqual(['C3', 'A1'])
    expect(await on.storage.containersOfSamples({ sampleIds: [sampleId] })).toMatchObject([
      { id: containerId },
    ])
    const paged = await on.storage.history({ containerId, limit: 4 })
    const rest = await on.storage.history({ containerId, limit: 50, cursor: paged.nextCursor ?? '' })
    expect([...paged.items, ...rest.items]).toEqual(items)

    for (const attempt of [
      () => on.storage.dispose({ containerId, reason: 'again' }),
      () => on.storage.checkOut({ containerId }),
      () => on.storage.place(at(box.id, 'A1')),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'RULE_BROKEN',
        status: 422,
        data: { rule: 'container_disposed' },
      })
    }
  })

  it('announces what happens to it', async () => {
    const box = await on.makeBox({ rows: 2, columns: 2 })
    const tube = await on.placeTube(box.id, 'A1')
    const containerId = tube.id
    await on.storage.move({ containerId, target: { boxId: box.id, position: 'A2' } })
    await on.storage.checkOut({ containerId })
    await on.storage.returnToPlace({ containerId })
    await on.storage.takeOut({ containerId, reason: 'undo' })
    await on.storage.dispose({ containerId, reason: 'empty' })
    const names = [
      'ContainerPlaced',
      'ContainerMoved',
      'ContainerCheckedOut',
      'ContainerReturned',
      'ContainerTakenOut',
      'ContainerDisposed',
    ]
    const entries = await readAll(names)
    const mine = entries.filter(({ data }) => data.containerId === containerId)
    expect(mine.map(({ name }) => name)).toEqual(names)
    expect(mine[1]?.data).toMatchObject({
      label: tube.label,
      from: expect.stringMatching(/, A1$/) as string,
      to: expect.stringMatching(/, A2$/) as string,
    })
    expect(mine[5]?.data.reason).toBe('empty')
  })

  it('is refused where its type may not be, without a reason and a permission', async () => {
    const box = await on.makeBox({ zone: 'minus_20' })
    const rna = await on.makeTube('RNA')
    const input = { containerId: rna.id, target: { boxId: box.id, position: 'A1' } }
    await expect(on.storage.place(input)).rejects.toMatchObject({
      code: 'ZONE_NOT_ALLOWED',
      status: 422,
      data: { material: 'RNA', zone: 'minus_20', allowed: ['minus_80', 'ln2_vapour'] },
    })
    const zoneOverride = { reason: 'overnight only' }
    await expect(on.storage.place({ ...input, zoneOverride })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      status: 403,
      data: { permission: 'storage:override' },
    })
    expect((await on.storage.getContainer({ id: rna.id })).state).toBe('unplaced')
    const placed = await on.storage.place({ ...input, zoneOverride }, { context: { actor: overriding() } })
    expect(placed.place?.zone).toBe('minus_20')
    const [event] = (await on.storage.history({ containerId: rna.id })).items
    expect(event).toMatchObject({ what: 'placed', reason: 'overnight only', zoneOverridden: true })
    // Within its box nobody asks again.
    await on.storage.move({ containerId: rna.id, target: { boxId: box.id, position: 'A2' } })

    const dna = await on.placeTube(box.id, 'B1', 'DNA')
    await expect(
      on.storage.updateContainer({ id: dna.id, material: 'RNA', reason: 'was mistyped' }),
    ).rejects.toMatchObject({ code: 'ZONE_NOT_ALLOWED' })
    // An override that is not needed is no override.
    const quiet = await on.makeTube('DNA')
    await on.storage.place({ containerId: quiet.id, target: { boxId: box.id }, zoneOverride })
    const [calm] = (await on.storage.history({ containerId: quiet.id })).items
    expect(calm).toMatchObject({ reason: null, zoneOverridden: false })
  })

  it('moves together with others, swaps included, whole or not at all', async () => {
    const box = await on.makeBox({ rows: 2, columns: 3 })
    const a = await on.placeTube(box.id, 'A1')
    const b = await on.placeTube(box.id, 'A2')
    const c = await on.placeTube(box.id, 'A3')
    const to = (tube: { id: string }, position: string) => ({
      containerId: tube.id,
      target: { boxId: box.id, position },
    })
    const turned = await on.storage.moveMany({ moves: [to(a, 'A2'), to(b, 'A3'), to(c, 'A1')] })
    expect(turned.map(({ id, place }) => [id, place?.position])).toEqual([
      [a.id, 'A2'],
      [b.id, 'A3'],
      [c.id, 'A1'],
    ])
    await expect(on.storage.moveMany({ moves: [to(a, 'B1'), to(b, 'A1')] })).rejects.toMatchObject({
      code: 'POSITION_TAKEN',
      data: { position: 'A1', occupant: c.label },
    })
    expect((await on.storage.getContainer({ id: a.id })).place?.position).toBe('A2')
    await expect(on.storage.moveMany({ moves: [to(a, 'B1'), to(b, 'B1')] })).rejects.toMatchObject({
      data: { rule: 'position_wanted_twice' },
    })
    await expect(on.storage.move(to(a, 'D1'))).rejects.toMatchObject({
      code: 'NO_SUCH_POSITION',
      data: { position: 'D1', rows: 2, columns: 3 },
    })
    await expect(on.storage.move(to(a, 'A2'))).rejects.toMatchObject({
      data: { rule: 'container_already_there' },
    })
  })

  it('moves at once in one change set of two row changes each, so that 500 fit', async () => {
    const from = await on.makeBox({ rows: 4, columns: 6 })
    const to = await on.makeBox({ rows: 4, columns: 6 })
    const tubes = []
    for (let index = 0; index < 24; index += 1) tubes.push(await on.placeTube(from.id))
    const head = await on.bench.journal.domainHead('storage')
    await on.storage.moveMany({
      moves: tubes.map((tube) => ({
        containerId: tube.id,
        target: { boxId: to.id, position: tube.place?.position ?? '' },
      })),
    })
    const after = await on.bench.journal.domainHead('storage')
    expect((after?.domainSequence ?? 0) - (head?.domainSequence ?? 0)).toBe(1)
    const [entry] = await on.bench.journal.read({
      afterSequence: head?.sequence ?? 0,
      eventNames: ['ContainerMoved'],
      limit: 2,
    })
    const { body } = JSON.parse(entry?.payload ?? '') as { readonly body: { readonly changes: unknown[] } }
    expect(body.changes).toHaveLength(48)
    expect((await on.storage.getNode({ id: to.id })).capacity).toMatchObject({ occupied: 24, available: 0 })
  })

  it('is removed when it was never used', async () => {
    const box = await on.makeBox()
    const tube = await on.placeTube(box.id)
    const remove = { id: tube.id, reason: 'receipt taken back' }
    await expect(on.storage.removeContainer(remove)).rejects.toMatchObject({
      data: { rule: 'container_was_used' },
    })
    await on.storage.takeOut({ containerId: tube.id, reason: 'receipt taken back' })
    expect(await on.storage.removeContainer(remove)).toEqual({})
    await expect(on.storage.getContainer({ id: tube.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const { items } = await on.storage.history({ containerId: tube.id })
    expect(items[0]).toMatchObject({ what: 'removed', broken: null })
    const id = uuidv7()
    await on.storage.createContainer({ id, label: 'mine' })
    await expect(on.storage.createContainer({ id, label: 'mine' })).rejects.toMatchObject({
      code: 'CONFLICT',
      data: { field: 'id', existing: id },
    })
  })

  it('is listed by state, sorted and paged', async () => {
    const box = await on.makeBox({ rows: 1, columns: 3 })
    const sampleId = uuidv7()
    for (const label of ['list 2', 'list 10', 'list 1']) {
      const { id } = await on.storage.createContainer({ label, sampleId })
      if (label !== 'list 1') await on.storage.place({ containerId: id, target: { boxId: box.id } })
    }
    const labels = async (input: Parameters<typeof on.storage.listContainers>[0]) =>
      (await on.storage.listContainers({ sampleId, ...input })).items.map(({ label }) => label)
    expect(await labels({})).toEqual(['list 1', 'list 10', 'list 2'])
    expect(await labels({ sort: '-since' })).toEqual(['list 1', 'list 10', 'list 2'])
    expect(await labels({ sort: 'since' })).toEqual(['list 2', 'list 10', 'list 1'])
    expect(await labels({ state: 'placed' })).toEqual(['list 10', 'list 2'])
    expect(await labels({ state: 'unplaced' })).toEqual(['list 1'])
    expect(await labels({ state: 'disposed' })).toEqual([])
    expect(await labels({ boxId: box.id, search: 'T 1' })).toEqual(['list 10'])
    const first = await on.storage.listContainers({ sampleId, sort: 'since', limit: 2 })
    const second = await on.storage.listContainers({
      sampleId,
      sort: 'since',
      limit: 2,
      cursor: first.nextCursor ?? '',
    })
    expect([...first.items, ...second.items].map(({ label }) => label)).toEqual([
      'list 2',
      'list 10',
      'list 1',
    ])
    expect(second.nextCursor).toBeNull()
  })

  it('answers the same again for the same key', async () => {
    const box = await on.makeBox()
    const tube = await on.makeTube()
    const input = { containerId: tube.id, target: { boxId: box.id } }
    const first = await on.storage.place(input, { context: { key: 'scan 1' } })
    expect(await on.storage.place(input, { context: { key: 'scan 1' } })).toEqual(first)
    await expect(on.storage.place(input, { context: { key: 'scan 2' } })).rejects.toMatchObject({
      data: { rule: 'container_already_placed' },
    })
  })
})

describe('what is kept', () => {
  it('is seen by its laboratory only', async () => {
    const box = await on.makeBox()
    const tube = await on.placeTube(box.id)
    const stranger = { context: { actor: { ...on.bench.actor, laboratoryId: uuidv7() } } }
    expect(await on.storage.tree({}, stranger)).toEqual([])
    await expect(on.storage.boxMap({ boxId: box.id }, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(on.storage.getContainer({ id: tube.id }, stranger)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(
      on.storage.takeOut({ containerId: tube.id, reason: 'theft' }, stranger),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await on.storage.history({ containerId: tube.id }, stranger)).items).toEqual([])
  })

  it('needs its permission', async () => {
    const tube = await on.makeTube()
    await expect(
      on.storage.dispose(
        { containerId: tube.id, reason: 'no' },
        { context: { actor: without('storage:dispose') } },
      ),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('is whole after a restart, and comes back from the journal alone, swaps included', async () => {
    const box = await on.makeBox({ rows: 2, columns: 2 })
    const [a, b] = [await on.placeTube(box.id, 'A1'), await on.placeTube(box.id, 'A2')]
    await on.storage.moveMany({
      moves: [
        { containerId: a.id, target: { boxId: box.id, position: 'A2' } },
        { containerId: b.id, target: { boxId: box.id, position: 'A1' } },
      ],
    })
    const before = await snapshot(box.id)
    await on.bench.restart()
    expect(await snapshot(box.id)).toEqual(before)
    await on.bench.restart({ losing: ['storage'] })
    expect(await snapshot(box.id)).toEqual(before)
    expect(await on.storage.capacityCheck()).toMatchObject({ differences: [] })
  })

  it('shows two containers that claim one position, and lets a person move one away', async () => {
    const box = await on.makeBox({ rows: 1, columns: 3 })
    const owner = await on.placeTube(box.id, 'A1')
    const rival = await on.placeTube(box.id, 'A2')
    await rewrite(rival.id, { contested: true, position: 'A1' })
    const shown = await on.storage.boxMap({ boxId: box.id })
    expect(shown.positions[0]?.container?.id).toBe(owner.id)
    expect(shown.contested).toMatchObject([{ position: 'A1', container: { id: rival.id } }])
    expect(shown.box.capacity).toMatchObject({ occupied: 1, available: 2 })
    expect(await on.storage.getContainer({ id: rival.id })).toMatchObject({
      contested: true,
      state: 'placed',
    })
    const third = await on.makeTube()
    await expect(
      on.storage.place({ containerId: third.id, target: { boxId: box.id, position: 'A1' } }),
    ).rejects.toMatchObject({ code: 'POSITION_TAKEN', data: { occupant: owner.label } })
    const settled = await on.storage.move({
      containerId: rival.id,
      target: { boxId: box.id, position: 'A3' },
    })
    expect(settled).toMatchObject({ contested: false, place: { position: 'A3' } })
    expect((await on.storage.boxMap({ boxId: box.id })).contested).toEqual([])
    // Nobody told the history of that change behind its back, and that is shown.
    const [event] = (await on.storage.history({ containerId: rival.id })).items
    expect(event?.broken).toBe('gap')
  })

  it('is checked against a recount, which says what is wrong and where', async () => {
    const box = await on.makeBox({ rows: 1, columns: 2 })
    const tube = await on.placeTube(box.id, 'A1')
    await rewrite(tube.id, { position: 'Q7' })
    const { differences } = await on.storage.capacityCheck()
    expect(differences).toEqual([
      {
        boxId: box.id,
        words: expect.stringMatching(/shown 1 occupied.* recounted 0 occupied/) as string,
      },
      { boxId: box.id, words: `Something is recorded at Q7, which ${box.name} does not have` },
    ])
  })
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})

/** What a pull may do: a placement changes behind the back of the rules. */
async function rewrite(
  containerId: string,
  values: { readonly contested?: boolean; readonly position: string },
): Promise<void> {
  const { actor } = on.bench
  await on.bench.database('storage').change(
    {
      laboratoryId: actor.laboratoryId,
      actorId: actor.userId,
      origin: 'hub',
      workstationId: 'elsewhere',
      hybridLogicalTime: '',
      reason: null,
      correlationId: uuidv7(),
      procedure: 'storage.pull',
      idempotencyKey: null,
      requestHash: '',
      secretAnswer: false,
      deadlineAt: Date.now() + 10_000,
      reaction: null,
      causedBy: null,
    },
    async ({ tx }) => {
      await tx.update(placement).set(values).where(eq(placement.containerId, containerId))
    },
  )
}

async function snapshot(boxId: string) {
  const map = await on.storage.boxMap({ boxId })
  const { items } = await on.storage.history({ boxId })
  return { map, items, tree: await on.storage.tree({}) }
}

interface Announced {
  readonly name: string
  readonly data: { readonly containerId: string; readonly reason?: string }
}

async function readAll(eventNames: readonly string[]): Promise<readonly Announced[]> {
  const all: Announced[] = []
  for (let after = 0; ;) {
    const entries = await on.bench.journal.read({ afterSequence: after, eventNames, limit: 100 })
    const last = entries.at(-1)
    if (last === undefined) return all
    after = last.sequence
    for (const { payload } of entries) {
      const { body } = JSON.parse(payload ?? '') as { readonly body: { readonly events: Announced[] } }
      all.push(...body.events)
    }
  }
}
