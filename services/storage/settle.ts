import { and, eq, inArray, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { Refusal } from '../../platform/contract/refusal.ts'
import { isDuplicate } from '../../platform/database/errors.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import {
  type ContainerRecord,
  type ContainerRow,
  splitPositionKey,
  toContainer,
  withPlacements,
} from './containers.ts'
import { storageEvents } from './contract.ts'
import type { ContainerState, OccupancyChange } from './domain/occupancy.ts'
import type { NodesById } from './nodes.ts'
import { writeMarks } from './marks.ts'
import { container, placement } from './schema.ts'
import { findRecord, type Situation } from './situation.ts'
import { byWhom, type Happening, placeThen, tellStory } from './story.ts'

/** Why a change is made, for the containers' histories. */
export interface Motive {
  readonly reason: string | null
  /** Containers for which a zone rule is overridden. */
  readonly overridden?: ReadonlySet<string>
}

type ContainerChange = OccupancyChange['containers'][number]

/**
 * Writes a decision: placements, marks, histories and events, in the scope's one transaction. A move costs two row changes
 * and everything else three, so that 500 moves fit into one change set.
 */
export async function settle(
  scope: WriteScope,
  situation: Situation,
  change: OccupancyChange,
  motive: Motive,
): Promise<readonly ContainerRecord[]> {
  const rows = change.containers.map(({ id }) => findRecord(situation, id).row)
  try {
    await writePlacements(scope, situation, change.containers)
  } catch (error) {
    // The rules were asked before; this is a position that is contested, or a writer outside of our locks.
    if (!isDuplicate(error)) throw error
    throw new Refusal(
      'CONFLICT',
      'The position was filled at this very moment. Nothing was changed: look at the box again.',
    )
  }
  const changed = await writeStates(scope, situation, change.containers)
  await writeMarks(scope, situation, change.positions)
  const happenings = change.containers.map((each) => tell(situation, each, motive))
  await tellStory(scope, happenings)
  for (const each of happenings) announce(scope, each)
  return withPlacements(
    scope.tx,
    rows.map((row) => changed.get(row.id) ?? row),
  )
}

/** The containers of a change, as the contract shows them, in the order asked for. */
export function showContainers(
  records: readonly ContainerRecord[],
  ids: readonly string[],
  nodes: NodesById,
) {
  const shown = new Map(records.map((record) => [record.row.id, record]))
  return ids.flatMap((id) => {
    const record = shown.get(id)
    return record === undefined ? [] : [toContainer(record, nodes)]
  })
}

async function writePlacements(
  scope: WriteScope,
  situation: Situation,
  changes: readonly ContainerChange[],
): Promise<void> {
  const after = (state: ContainerState) => changes.filter((each) => each.state === state)
  const placed = after('placed')
  await endPlacements(scope, situation, [...after('unplaced'), ...after('disposed')])
  await keepPlacements(scope, situation, after('checked_out'))
  await movePlacements(
    scope,
    situation,
    placed.filter(({ id }) => findRecord(situation, id).placement !== null),
  )
  await startPlacements(
    scope,
    placed.filter(({ id }) => findRecord(situation, id).placement === null),
  )
}

async function endPlacements(scope: WriteScope, situation: Situation, changes: readonly ContainerChange[]) {
  const ids = changes.flatMap(({ id }) => findRecord(situation, id).placement?.id ?? [])
  if (ids.length === 0) return
  await scope.tx
    .update(placement)
    .set({ live: false, kept: false, heldById: null, heldBy: null, heldSince: null })
    .where(and(eq(placement.laboratoryId, scope.laboratoryId), inArray(placement.id, ids)))
}

async function keepPlacements(scope: WriteScope, situation: Situation, changes: readonly ContainerChange[]) {
  const ids = changes.flatMap(({ id }) => findRecord(situation, id).placement?.id ?? [])
  if (ids.length === 0) return
  const { byId, by } = byWhom(scope)
  await scope.tx
    .update(placement)
    .set({ kept: true, heldById: byId, heldBy: by, heldSince: scope.now })
    .where(and(eq(placement.laboratoryId, scope.laboratoryId), inArray(placement.id, ids)))
}

/** One statement for all, so that containers can change places: the constraint is judged at its end. */
async function movePlacements(scope: WriteScope, situation: Situation, changes: readonly ContainerChange[]) {
  if (changes.length === 0) return
  const goals = changes.map((each) => {
    const { boxId, label } = splitPositionKey(each.positionId ?? '')
    return sql`(${findRecord(situation, each.id).placement?.id}::uuid, ${boxId}::uuid, ${label}::text)`
  })
  await scope.tx.execute(sql`update placement set box_id = goal.box_id, position = goal.position,
      since = case when placement.box_id = goal.box_id and placement.position = goal.position
        then placement.since else ${scope.now}::timestamptz end,
      contested = false, kept = false, held_by_id = null, held_by = null, held_since = null
    from (values ${sql.join(goals, sql`, `)}) as goal(id, box_id, position)
    where placement.laboratory_id = ${scope.laboratoryId}::uuid and placement.id = goal.id`)
}

async function startPlacements(scope: WriteScope, changes: readonly ContainerChange[]) {
  if (changes.length === 0) return
  await scope.tx.insert(placement).values(
    changes.map(({ id, positionId }) => {
      const { boxId, label } = splitPositionKey(positionId ?? '')
      return {
        laboratoryId: scope.laboratoryId,
        id: uuidv7(),
        containerId: id,
        boxId,
        position: label,
        live: true,
        since: scope.now,
      }
    }),
  )
}

/** A move leaves the state as it is, and so the container's own row. */
async function writeStates(
  scope: WriteScope,
  situation: Situation,
  changes: readonly ContainerChange[],
): Promise<ReadonlyMap<string, ContainerRow>> {
  const changed = changes.filter(({ id, state }) => findRecord(situation, id).row.state !== state)
  const rows: ContainerRow[] = []
  for (const [state, group] of Map.groupBy(changed, (each) => each.state)) {
    const ids = group.map(({ id }) => id)
    const written = await scope.tx
      .update(container)
      .set({ state, stateSince: scope.now })
      .where(and(eq(container.laboratoryId, scope.laboratoryId), inArray(container.id, ids)))
      .returning()
    rows.push(...written)
  }
  return new Map(rows.map((row) => [row.id, row]))
}

function tell(situation: Situation, change: ContainerChange, motive: Motive): Happening {
  const record = findRecord(situation, change.id)
  const before = record.row.state
  const at = record.placement
  const from = before === 'placed' && at !== null ? placeThen(situation.nodes, at.boxId, at.position) : null
  const goal = splitPositionKey(change.positionId ?? '')
  return {
    container: record.row,
    what: nameChange(before, change.state),
    from,
    to: change.state === 'placed' ? placeThen(situation.nodes, goal.boxId, goal.label) : null,
    reason: motive.reason,
    zoneOverridden: motive.overridden?.has(change.id) ?? false,
  }
}

function nameChange(before: ContainerState, after: ContainerState): Happening['what'] {
  switch (after) {
    case 'unplaced':
      return 'taken_out'
    case 'checked_out':
      return 'checked_out'
    case 'disposed':
      return 'disposed'
    case 'placed':
      if (before === 'placed') return 'moved'
      return before === 'checked_out' ? 'returned' : 'placed'
  }
}

function announce(scope: WriteScope, { container: which, what, from, to, reason }: Happening): void {
  const data = {
    containerId: which.id,
    sampleId: which.sampleId,
    label: which.label,
    from: from?.words ?? null,
    to: to?.words ?? null,
  }
  switch (what) {
    case 'placed':
      scope.announce(storageEvents.ContainerPlaced, data)
      return
    case 'moved':
      scope.announce(storageEvents.ContainerMoved, data)
      return
    case 'taken_out':
      scope.announce(storageEvents.ContainerTakenOut, data)
      return
    case 'checked_out':
      scope.announce(storageEvents.ContainerCheckedOut, data)
      return
    case 'returned':
      scope.announce(storageEvents.ContainerReturned, data)
      return
    case 'disposed':
      scope.announce(storageEvents.ContainerDisposed, { ...data, reason: reason ?? '' })
      return
    case 'registered':
    case 'corrected':
    case 'removed':
      return
  }
}
