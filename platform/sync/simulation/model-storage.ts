import type { RowImage } from '../change-set.ts'
import { type Desk, type Draft, Writing } from './draft.ts'

/** Positions of every box of the model: few, so that people get in each other's way. */
const positions = ['A1', 'A2', 'B1', 'B2'] as const

/** What people do to containers and places in the model laboratory. Null: there was nothing to do. */
export const storageWork: readonly ((desk: Desk) => Draft | null)[] = [
  register,
  register,
  place,
  place,
  place,
  move,
  move,
  swap,
  checkOut,
  returnToPlace,
  takeOut,
  dispose,
  markPosition,
  unmarkPosition,
  addBox,
  renameBox,
  removeBox,
]

/** The room and boxes that every model laboratory begins with. */
export function furnish(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const roomId = addNode(writing, 'room', 'Room 1', null)
  for (const name of ['Box 1', 'Box 2']) addNode(writing, 'box', name, roomId)
  return writing.finish('storage.addNode')
}

export function register(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const samples = desk.rows.all('samples', 'sample').filter((row) => row.state !== 'deleted')
  const sample = desk.chance.pick(samples)
  if (sample === undefined || writing.all('container').length > 6) return null
  const now = desk.now()
  const id = writing.insert('container', {
    ...{ kind: 'tube', sample_id: sample.id ?? null, material: 'dna', label: sample.name ?? 'tube' },
    ...{ created_at: now, created_by: desk.personId, state: 'unplaced', state_since: now, removed_at: null },
  })
  tell(writing, id, 'registered', null)
  return writing.finish('storage.registerContainer')
}

export function place(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const container = pickContainer(writing, 'unplaced')
  const spot = desk.chance.pick(listFree(writing))
  if (container === null || spot === undefined) return null
  const now = desk.now()
  writing.insert('placement', {
    ...{ container_id: container.id ?? null, box_id: spot.boxId, position: spot.position, live: 'true' },
    ...{ contested: 'false', since: now, kept: 'false', held_by_id: null, held_by: null, held_since: null },
  })
  writing.update('container', container.id ?? '', { state: 'placed', state_since: now })
  tell(writing, container.id ?? '', 'placed', `${spot.boxId} ${spot.position}`)
  return writing.finish('storage.place')
}

function move(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const container = pickContainer(writing, 'placed')
  const spot = desk.chance.pick(listFree(writing))
  const row = container === null ? null : placementOf(writing, container)
  if (container === null || spot === undefined || row === null) return null
  const to = { box_id: spot.boxId, position: spot.position, since: desk.now(), contested: 'false' }
  writing.update('placement', row.id ?? '', to)
  tell(writing, container.id ?? '', 'moved', `${spot.boxId} ${spot.position}`)
  return writing.finish('storage.move')
}

/** Two containers change places in one change set. */
function swap(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const placed = writing
    .all('placement')
    .filter((row) => row.live === 'true' && row.kept === 'false' && row.contested === 'false')
  const first = desk.chance.pick(placed)
  const second = desk.chance.pick(placed.filter((row) => row.id !== first?.id))
  if (first === undefined || second === undefined) return null
  for (const [one, other] of [
    [first, second],
    [second, first],
  ] as const) {
    const to = { box_id: other.box_id ?? null, position: other.position ?? null, since: desk.now() }
    writing.update('placement', one.id ?? '', to)
    tell(writing, one.container_id ?? '', 'moved', `${to.box_id ?? ''} ${to.position ?? ''}`)
  }
  return writing.finish('storage.moveMany')
}

function checkOut(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const container = pickContainer(writing, 'placed')
  const row = container === null ? null : placementOf(writing, container)
  if (container === null || row === null) return null
  const now = desk.now()
  const held = { kept: 'true', held_by_id: desk.personId, held_by: desk.personId, held_since: now }
  writing.update('placement', row.id ?? '', held)
  writing.update('container', container.id ?? '', { state: 'checked_out', state_since: now })
  tell(writing, container.id ?? '', 'checked_out', null)
  return writing.finish('storage.checkOut')
}

function returnToPlace(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const container = pickContainer(writing, 'checked_out')
  const row = writing
    .all('placement')
    .find((each) => each.container_id === container?.id && each.live === 'true' && each.kept === 'true')
  if (container === null || row === undefined) return null
  const now = desk.now()
  writing.update('placement', row.id ?? '', {
    kept: 'false',
    held_by_id: null,
    held_by: null,
    held_since: null,
  })
  writing.update('container', container.id ?? '', { state: 'placed', state_since: now })
  tell(writing, container.id ?? '', 'returned', `${row.box_id ?? ''} ${row.position ?? ''}`)
  return writing.finish('storage.returnToPlace')
}

function takeOut(desk: Desk): Draft | null {
  return leave(desk, 'unplaced', 'taken_out')
}

function dispose(desk: Desk): Draft | null {
  return desk.chance.happens(0.5) ? leave(desk, 'disposed', 'disposed') : null
}

function leave(desk: Desk, state: string, what: string): Draft | null {
  const writing = new Writing(desk, 'storage')
  const container = pickContainer(writing, 'placed')
  if (container === null) return null
  const places = writing
    .all('placement')
    .filter((row) => row.container_id === container.id && row.live === 'true')
  const left = { live: 'false', kept: 'false', held_by_id: null, held_by: null, held_since: null }
  for (const row of places) writing.update('placement', row.id ?? '', left)
  writing.update('container', container.id ?? '', { state, state_since: desk.now() })
  tell(writing, container.id ?? '', what, null)
  return writing.finish(`storage.${what}`)
}

function markPosition(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const spot = desk.chance.pick(listFree(writing))
  if (spot === undefined || !desk.chance.happens(0.5)) return null
  writing.insert('position_mark', {
    ...{ box_id: spot.boxId, position: spot.position, kind: 'out_of_use', live: 'true', contested: 'false' },
    ...{ until: null, words: 'ice', marked_at: desk.now() },
    ...{ marked_by_id: desk.personId, marked_by: desk.personId },
  })
  return writing.finish('storage.setOutOfUse')
}

function unmarkPosition(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const mark = desk.chance.pick(writing.all('position_mark').filter((row) => row.live === 'true'))
  if (mark === undefined) return null
  writing.update('position_mark', mark.id ?? '', { live: 'false' })
  return writing.finish('storage.setInUse')
}

function addBox(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  if (listBoxes(writing).length > 2) return null
  const room = writing.all('storage_node').find((row) => row.kind === 'room')
  if (room === undefined) return null
  addNode(writing, 'box', `Box ${desk.chance.below(100)}`, room.id ?? null)
  return writing.finish('storage.addNode')
}

function renameBox(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const box = desk.chance.pick(listBoxes(writing))
  if (box === undefined) return null
  writing.update('storage_node', box.id ?? '', { name: `Box ${desk.chance.below(1000)}` })
  return writing.finish('storage.renameNode')
}

function removeBox(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'storage')
  const used = new Set(
    [...liveOf(writing, 'placement'), ...liveOf(writing, 'position_mark')].map((row) => row.box_id),
  )
  const box = desk.chance.pick(listBoxes(writing).filter((row) => !used.has(row.id ?? null)))
  if (box === undefined || listBoxes(writing).length < 2) return null
  writing.update('storage_node', box.id ?? '', { removed_at: desk.now() })
  return writing.finish('storage.removeNode')
}

function addNode(writing: Writing, kind: string, name: string, parentId: string | null): string {
  const { desk } = writing
  const size = kind === 'box' ? '2' : null
  const id = writing.insert('storage_node', {
    ...{
      parent_id: parentId,
      kind,
      name,
      zone: null,
      rows: size,
      columns: size,
      fill_order: null,
      code: null,
    },
    ...{ created_at: desk.now(), created_by: desk.personId, removed_at: null },
  })
  const said = { node_id: id, what: 'added', from: null, to: null, reason: null }
  writing.insert('node_event', { ...said, by_id: desk.personId, by: desk.personId, at: desk.now() })
  return id
}

function pickContainer(writing: Writing, state: string): RowImage | null {
  const found = writing.all('container').filter((row) => row.state === state)
  return writing.desk.chance.pick(found) ?? null
}

/** The place of a container; one that is contested may be moved as well, which settles it. */
function placementOf(writing: Writing, container: RowImage): RowImage | null {
  const places = liveOf(writing, 'placement').filter((row) => row.container_id === container.id)
  return writing.desk.chance.pick(places.filter((row) => row.kept === 'false')) ?? null
}

function listFree(writing: Writing): readonly { readonly boxId: string; readonly position: string }[] {
  const taken = new Set(
    [...liveOf(writing, 'placement'), ...liveOf(writing, 'position_mark')].map(
      (row) => `${row.box_id ?? ''} ${row.position ?? ''}`,
    ),
  )
  return listBoxes(writing).flatMap((box) =>
    positions
      .map((position) => ({ boxId: box.id ?? '', position }))
      .filter((spot) => !taken.has(`${spot.boxId} ${spot.position}`)),
  )
}

function listBoxes(writing: Writing): readonly RowImage[] {
  return writing.all('storage_node').filter((row) => row.kind === 'box' && row.removed_at === null)
}

function liveOf(writing: Writing, table: string): readonly RowImage[] {
  return writing.all(table).filter((row) => row.live === 'true')
}

/** Adds to the container's story behind its last event, and announces it. */
function tell(writing: Writing, containerId: string, what: string, to: string | null): void {
  const { desk } = writing
  const story = writing.all('container_event').filter((row) => row.container_id === containerId)
  const followed = new Set(story.map((row) => row.predecessor_id))
  const last = story.filter((row) => !followed.has(row.id ?? null)).at(-1)
  const container = writing.row('container', containerId)
  const sampleId = container?.sample_id ?? null
  writing.insert('container_event', {
    ...{ container_id: containerId, predecessor_id: last?.id ?? null, sample_id: sampleId, what },
    ...{ label: container?.label ?? '', from_box_id: null, from_position: null, from_place: null },
    ...{ to_box_id: null, to_position: null, to_place: to, reason: null, zone_overridden: 'false' },
    ...{ by_id: desk.personId, by: desk.personId, at: desk.now() },
  })
  if (what !== 'registered') writing.announce(what, { containerId, sampleId, to })
}
