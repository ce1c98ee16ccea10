import { and, eq, inArray } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { splitPositionKey } from './containers.ts'
import type { Occupancy, OccupancyChange } from './domain/occupancy.ts'
import { positionMark } from './schema.ts'
import type { Situation } from './situation.ts'
import { byWhom } from './story.ts'

/**
 * Reservations that are used up or cancelled end; new marks are written over what is left of an old one. Those that ran
 * out by themselves are left as they are: nobody sees them any more.
 */
export async function writeMarks(
  scope: WriteScope,
  situation: Pick<Situation, 'occupancies'>,
  positions: OccupancyChange['positions'],
): Promise<void> {
  const { tx, laboratoryId, now } = scope
  const ended = positions.flatMap(({ id, occupancy }) => {
    const mark = situation.occupancies.marks.get(id)
    if (mark === undefined || toMark(occupancy) !== null) return []
    // A container in the position hides its mark, which shows again when the container leaves.
    const shown = situation.occupancies.at.get(id)
    const isShown =
      shown?.state === 'out_of_use' || (shown?.state === 'reserved' && shown.containerId === null)
    return isShown ? [mark] : []
  })
  if (ended.length > 0) {
    await tx
      .update(positionMark)
      .set({ live: false })
      .where(and(eq(positionMark.laboratoryId, laboratoryId), inArray(positionMark.id, ended)))
  }
  const { byId, by } = byWhom(scope)
  const signed = { markedAt: now, markedById: byId, markedBy: by }
  const fresh: (typeof positionMark.$inferInsert)[] = []
  for (const { id, occupancy } of positions) {
    const mark = toMark(occupancy)
    if (mark === null) continue
    const old = situation.occupancies.marks.get(id)
    if (old === undefined) {
      const { boxId, label } = splitPositionKey(id)
      fresh.push({ laboratoryId, id: uuidv7(), boxId, position: label, live: true, ...mark, ...signed })
    } else {
      await tx
        .update(positionMark)
        .set({ ...mark, ...signed })
        .where(and(eq(positionMark.laboratoryId, laboratoryId), eq(positionMark.id, old)))
    }
  }
  if (fresh.length > 0) await tx.insert(positionMark).values(fresh)
}

/** The row that a mark is; null for what is no mark (a kept place is part of the container's placement). */
function toMark(occupancy: Occupancy) {
  switch (occupancy.state) {
    case 'available':
    case 'occupied':
      return null
    case 'out_of_use':
      return { kind: 'out_of_use' as const, words: occupancy.reason, until: null }
    case 'reserved':
      return occupancy.containerId === null
        ? { kind: 'reserved' as const, words: occupancy.reservedFor, until: occupancy.reservedUntil }
        : null
  }
}
