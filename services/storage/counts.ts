import { sql } from 'drizzle-orm'
import { type ReadTransaction, rowsOf } from '../../platform/database/transaction.ts'
import { addCapacities, type Capacity, countedCapacity } from './domain/capacity.ts'
import type { NodesById } from './nodes.ts'

interface CountRow {
  readonly box_id: string
  readonly occupied: number
  readonly reserved: number
  readonly out_of_use: number
}

/**
 * The capacity of every node given, from the boxes among them: one grouped query, however many boxes. Nothing is stored,
 * so nothing can drift.
 */
export async function countCapacities(
  tx: ReadTransaction,
  nodes: NodesById,
  now: string,
): Promise<ReadonlyMap<string, Capacity>> {
  const boxes = [...nodes.values()].filter((row) => row.kind === 'box')
  const counted = new Map((await countBoxes(tx, boxes, now)).map((row) => [row.box_id, row]))
  const below = new Map<string, Capacity[]>([...nodes.keys()].map((id) => [id, []]))
  for (const box of boxes) {
    const counts = counted.get(box.id)
    const capacity = countedCapacity((box.rows ?? 0) * (box.columns ?? 0), {
      occupied: counts?.occupied ?? 0,
      reserved: counts?.reserved ?? 0,
      outOfUse: counts?.out_of_use ?? 0,
    })
    for (const id of [box.id, ...idsAbove(box.id, nodes)]) below.get(id)?.push(capacity)
  }
  return new Map([...below].map(([id, capacities]) => [id, addCapacities(capacities)]))
}

/** Boxes are named, unless there are so many that most of what there is would be counted anyhow. */
async function countBoxes(
  tx: ReadTransaction,
  boxes: readonly { readonly id: string }[],
  now: string,
): Promise<readonly CountRow[]> {
  if (boxes.length === 0) return []
  const ids = `{${boxes.map(({ id }) => id).join(',')}}`
  const ofThese = boxes.length > 2_000 ? sql`true` : sql`box_id = any(${ids}::uuid[])`
  return rowsOf<CountRow>(
    tx,
    sql`select box_id::text, sum(occupied)::int as occupied, sum(reserved)::int as reserved, sum(out_of_use)::int as out_of_use
      from (
        select box_id, count(*) filter (where not kept) as occupied, count(*) filter (where kept) as reserved, 0 as out_of_use
        from placement where live and not contested and ${ofThese} group by box_id
        union all
        select box_id, 0, count(*) filter (where kind = 'reserved' and until > ${now}::timestamptz),
          count(*) filter (where kind = 'out_of_use')
        from position_mark where live and not contested and ${ofThese} and not exists (
          select from placement where placement.laboratory_id = position_mark.laboratory_id
            and placement.box_id = position_mark.box_id and placement.position = position_mark.position
            and placement.live and not placement.contested)
        group by box_id
      ) as counted group by box_id`,
  )
}

function idsAbove(id: string, nodes: NodesById): readonly string[] {
  const ids: string[] = []
  for (
    let parentId = nodes.get(id)?.parentId ?? null;
    parentId !== null && parentId !== id && !ids.includes(parentId);
    parentId = nodes.get(parentId)?.parentId ?? null
  ) {
    ids.push(parentId)
  }
  return ids
}
