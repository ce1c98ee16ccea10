import { sql } from 'drizzle-orm'
import { type ReadTransaction, rowsOf } from '../../platform/database/transaction.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import { countCapacities } from './counts.ts'
import { type Capacity, recountCapacity } from './domain/capacity.ts'
import { listPositions } from './domain/geometry.ts'
import type { PositionState } from './domain/occupancy.ts'
import { type Box, readAllNodes, toBox } from './nodes.ts'

/** How many boxes are recounted in one transaction, so that a scan never waits long. */
const boxesPerRecount = 200

/** Compares what screens show of every box with a recount, position by position. */
export const capacityCheck = reads(async (scope: ReadScope) => {
  const nodes = await scope.read(readAllNodes)
  const boxes = [...nodes.values()].flatMap((row) => toBox(row, nodes) ?? [])
  const differences: { boxId: string; words: string }[] = []
  for (let from = 0; from < boxes.length; from += boxesPerRecount) {
    const some = boxes.slice(from, from + boxesPerRecount)
    differences.push(...(await scope.read((tx) => recountBoxes(tx, some, scope.now))))
  }
  return { boxes: boxes.length, differences }
})

async function recountBoxes(tx: ReadTransaction, boxes: readonly Box[], now: string) {
  const counted = await countCapacities(tx, new Map(boxes.map((box) => [box.row.id, box.row])), now)
  const recorded = await readStates(tx, boxes, now)
  return boxes.flatMap(({ row, format, order }) => {
    const states = recorded.get(row.id) ?? new Map<string, PositionState>()
    const labels = listPositions(format, order).map(({ label }) => label)
    const recount = recountCapacity(labels.map((label) => states.get(label) ?? 'available'))
    const shown = countWords(counted.get(row.id))
    const known = new Set(labels)
    const outside = [...states.keys()].filter((label) => !known.has(label))
    return [
      ...(shown === countWords(recount)
        ? []
        : [`${row.name}: shown ${shown}, recounted ${countWords(recount)}`]),
      ...outside.map((label) => `Something is recorded at ${label}, which ${row.name} does not have`),
    ].map((words) => ({ boxId: row.id, words }))
  })
}

/** What every position that is not simply free is, by box and label: one row for each box, however full it is. */
async function readStates(
  tx: ReadTransaction,
  boxes: readonly Box[],
  now: string,
): Promise<ReadonlyMap<string, ReadonlyMap<string, PositionState>>> {
  const ids = `{${boxes.map(({ row }) => row.id).join(',')}}`
  const rows = await rowsOf<{ box_id: string; states: string }>(
    tx,
    // A container in a position hides a mark on it, so containers come last.
    sql`select box_id::text, string_agg(position || ' ' || state, ',' order by is_container) as states from (
        select box_id, position, case when kept then 'reserved' else 'occupied' end as state, true as is_container
        from placement where live and not contested and box_id = any(${ids}::uuid[])
        union all
        select box_id, position,
          case when kind = 'out_of_use' then 'out_of_use' when until > ${now}::timestamptz then 'reserved' else 'available' end, false
        from position_mark where live and not contested and box_id = any(${ids}::uuid[])
      ) as recorded group by box_id`,
  )
  return new Map(rows.map((row) => [row.box_id, new Map(row.states.split(',').map(readState))]))
}

function readState(text: string): readonly [string, PositionState] {
  const [label = '', state = ''] = text.split(' ')
  switch (state) {
    case 'occupied':
    case 'reserved':
    case 'out_of_use':
    case 'available':
      return [label, state]
    default:
      throw new Error(`A position cannot be ${state}`)
  }
}

function countWords(capacity: Capacity | undefined): string {
  if (capacity === undefined) return 'nothing'
  const { occupied, reserved, outOfUse, available, positions } = capacity
  return `${occupied} occupied, ${reserved} reserved, ${outOfUse} out of use and ${available} available of ${positions}`
}
