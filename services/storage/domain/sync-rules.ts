import type { AnnouncedEvent, RowImage } from '../../../platform/sync/change-set.ts'
import {
  asOnePersonLeftIt,
  type ColumnRule,
  type DomainRules,
  type Find,
  type RowEdit,
  sagaRules,
} from '../../../platform/sync/rules.ts'

const placementColumns = { since: 'greatest', held_since: 'greatest' } as const satisfies Record<
  string,
  ColumnRule
>
const markColumns = { marked_at: 'greatest' } as const satisfies Record<string, ColumnRule>

/** How the tables of storage come together when several workstations wrote to them. */
export const storageSyncRules: DomainRules = {
  ...sagaRules,
  storage_node: {
    policy: 'field-merge',
    // Barcodes owns the code; this copy follows.
    columns: { code: 'pushed' },
    isAlive: isKept,
    references: [{ column: 'parent_id', table: 'storage_node', whileLive: isKept }],
  },
  node_event: { policy: 'append-only', references: [{ column: 'node_id', table: 'storage_node' }] },
  container: {
    policy: 'field-merge',
    columns: { state_since: 'greatest' },
    isAlive: (row) => isKept(row) && row.state !== 'disposed',
    check: (_before, after, find) => checkPlaces(after, find),
    announce: announceTakenOut,
  },
  placement: {
    policy: 'reconcile',
    columns: placementColumns,
    reconcile: asOnePersonLeftIt(placementColumns, 'Somebody else moved this container, or took it in hand.'),
    references: [
      { column: 'container_id', table: 'container', whileLive: isLive },
      { column: 'box_id', table: 'storage_node', whileLive: isLive },
    ],
    exclusive: [
      { name: 'one_container_per_position', columns: ['box_id', 'position'], isLive, giveUp: leavePlace },
      { name: 'one_position_per_container', columns: ['container_id'], isLive, giveUp: leavePlace },
    ],
    check: (_before, after, find) => {
      const [container] = find('container', { id: after.container_id ?? null })
      return container === undefined ? null : checkPlaces(container, find)
    },
  },
  position_mark: {
    policy: 'reconcile',
    columns: markColumns,
    reconcile: asOnePersonLeftIt(markColumns, 'Somebody else changed this mark.'),
    references: [{ column: 'box_id', table: 'storage_node', whileLive: isLive }],
    exclusive: [
      {
        name: 'one_mark_per_position',
        columns: ['box_id', 'position'],
        isLive,
        giveUp: (row) => [{ table: 'position_mark', id: row.id ?? '', values: { live: 'false' } }],
      },
    ],
  },
  container_event: {
    policy: 'append-only',
    references: [
      { column: 'container_id', table: 'container' },
      { column: 'predecessor_id', table: 'container_event' },
    ],
    notices: [{ kind: 'container-fork', subjectOf: (row) => row.container_id ?? '', judge: judgeStory }],
  },
}

function isLive(row: RowImage): boolean {
  return row.live === 'true'
}

function isKept(row: RowImage): boolean {
  return (row.removed_at ?? null) === null
}

/** A container's state says whether it has a place, and whether that is only kept for it. */
function checkPlaces(container: RowImage, find: Find): string | null {
  const places = find('placement', { container_id: container.id ?? null, live: 'true' })
  const isRight = {
    unplaced: places.length === 0,
    placed: places.some((place) => place.kept === 'false'),
    checked_out: places.some((place) => place.kept === 'true'),
    disposed: places.length === 0,
  }[container.state ?? '']
  return isRight === false ? `${container.label ?? 'The container'} is not where its state says.` : null
}

/** A container that a decision leaves without a place: its sample is in none either. */
function announceTakenOut(before: RowImage | null, after: RowImage): readonly AnnouncedEvent[] {
  const hadPlace = before?.state === 'placed' || before?.state === 'checked_out'
  if (!hadPlace || after.state !== 'unplaced') return []
  const { id: containerId, sample_id: sampleId, label } = after
  return [{ name: 'ContainerTakenOut', data: { containerId, sampleId, label, from: null, to: null } }]
}

/** The container keeps its other place, if it has one, and has none otherwise. */
function leavePlace(row: RowImage, find: Find): readonly RowEdit[] {
  const containerId = row.container_id ?? ''
  const others = find('placement', { container_id: containerId, live: 'true' }).filter(
    ({ id }) => id !== row.id,
  )
  const [container] = find('container', { id: containerId })
  const kept = others.some((place) => place.kept === 'true')
  const state = others.length === 0 ? 'unplaced' : kept ? 'checked_out' : 'placed'
  const left = { live: 'false', kept: 'false', held_by_id: null, held_by: null, held_since: null }
  const edits = [{ table: 'placement', id: row.id ?? '', values: left }]
  if (container === undefined || container.state === state || container.state === 'disposed') return edits
  return [...edits, { table: 'container', id: containerId, values: { state } }]
}

/** Two events after one: two people handled the container without knowing of each other. */
function judgeStory(row: RowImage, find: Find) {
  const events = find('container_event', { container_id: row.container_id ?? null })
  const followers = new Map<string, string[]>()
  for (const event of events) {
    const before = event.predecessor_id ?? ''
    followers.set(before, [...(followers.get(before) ?? []), event.id ?? ''])
  }
  const forked = [...followers.values()].filter((ids) => ids.length > 1).flat()
  if (forked.length === 0) return null
  return {
    words: 'The container was handled at two places without knowing of each other.',
    rowIds: forked.sort(),
  }
}
