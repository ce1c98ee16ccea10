import { and, eq } from 'drizzle-orm'
import { pageClauses, pageOf, toInstant } from '../../platform/database/paging.ts'
import { notFound } from '../../platform/contract/refusal.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import { readBoxMap } from './box-map.ts'
import { positionKey } from './containers.ts'
import { countCapacities } from './counts.ts'
import { addCapacities } from './domain/capacity.ts'
import { findSpace as findSpaceIn, listPositions } from './domain/geometry.ts'
import { listNodesBelow } from './domain/hierarchy.ts'
import { allowedZones, decideZone, zoneNames, zones as zoneTable } from './domain/zone.ts'
import type { InputOf } from './inputs.ts'
import { type Box, readAllNodes, readNodesAround, toBox, toNode } from './nodes.ts'
import { showNode } from './node-commands.ts'
import { type Occupancies, readOccupancies } from './positions.ts'
import { nodeEvent } from './schema.ts'

export const zones = reads(() =>
  Promise.resolve(
    zoneNames.map((name) => {
      const { minimumCelsius, maximumCelsius } = zoneTable[name]
      return { name, minimumCelsius, maximumCelsius }
    }),
  ),
)

export const tree = reads((scope: ReadScope, input: InputOf<'tree'>) =>
  scope.read(async (tx) => {
    const { rootId } = input
    const nodes = rootId === undefined ? await readAllNodes(tx) : await readNodesAround(tx, rootId)
    const root = rootId === undefined ? null : nodes.get(rootId)
    if (root === undefined) throw notFound('place', rootId ?? '')
    const shown = root === null ? [...nodes.values()] : [root, ...listNodesBelow(root.id, nodes)]
    const capacities = await countCapacities(tx, nodes, scope.now)
    const collator = new Intl.Collator('en', { numeric: true })
    return shown
      .flatMap(({ id }) => nodes.get(id) ?? [])
      .sort((left, right) => collator.compare(left.name, right.name))
      .map((row) => toNode(row, nodes, capacities.get(row.id) ?? addCapacities([])))
  }),
)

export const getNode = reads((scope: ReadScope, input: InputOf<'getNode'>) =>
  scope.read((tx) => showNode(tx, input.id, scope.now)),
)

export const nodeHistory = reads((scope: ReadScope, input: InputOf<'nodeHistory'>) =>
  scope.read(async (tx) => {
    const request = { ...input, sort: '-at' }
    const page = pageClauses(request, { at: nodeEvent.at }, nodeEvent.id)
    const rows = await tx
      .select()
      .from(nodeEvent)
      .where(and(eq(nodeEvent.nodeId, input.id), page.after))
      .orderBy(...page.orderBy)
      .limit(page.limit)
    return pageOf(
      rows,
      request,
      (row) => [row.at, row.id],
      ({ id, what, from, to, reason, by, byId, at }) => ({
        id,
        what,
        from,
        to,
        reason,
        by,
        byId,
        at: toInstant(at),
      }),
    )
  }),
)

export const boxMap = reads((scope: ReadScope, input: InputOf<'boxMap'>) =>
  scope.read((tx) => readBoxMap(tx, input.boxId, scope.now)),
)

/** As many answers as a person looks at. */
const mostAnswers = 20

/**
 * Boxes that each have room for all, the best zone and the tightest fit first. Where no single box has, and they need
 * not stay together: boxes that have room together, the emptiest first. Nothing when even that is not enough.
 */
export const findSpace = reads((scope: ReadScope, input: InputOf<'findSpace'>) =>
  scope.read(async (tx) => {
    const nodes = await readAllNodes(tx)
    const capacities = await countCapacities(tx, nodes, scope.now)
    const free = (box: Box) => capacities.get(box.row.id)?.available ?? 0
    const candidates = [...nodes.values()]
      .flatMap((row) => toBox(row, nodes) ?? [])
      .filter((box) => free(box) > 0 && decideZone(input.material ?? null, box.zone).ok)
    const rank = rankZone(input.material ?? null)
    const fitting = candidates
      .filter((box) => free(box) >= input.count)
      .sort((left, right) => rank(left) - rank(right) || free(left) - free(right))
    const answer = (box: Box, positions: readonly string[]) => ({
      box: toNode(box.row, nodes, capacities.get(box.row.id) ?? addCapacities([])),
      path: [...box.path],
      positions: [...positions],
    })

    const alone: ReturnType<typeof answer>[] = []
    for (let from = 0; from < fitting.length && alone.length < mostAnswers; from += mostAnswers) {
      const some = fitting.slice(from, from + mostAnswers)
      const occupancies = await readWholeBoxes(tx, some, scope.now)
      for (const box of some) {
        const found = findSpaceIn(box.format, box.order, isFreeIn(occupancies, box), input.count)
        if (!found.ok || (input.together && !found.value.contiguous)) continue
        alone.push(
          answer(
            box,
            found.value.positions.map(({ label }) => label),
          ),
        )
      }
    }
    if (alone.length > 0 || input.together) return alone.slice(0, mostAnswers)

    const emptiest = candidates.toSorted(
      (left, right) => rank(left) - rank(right) || free(right) - free(left),
    )
    const needed = takeUntil(emptiest, free, input.count)
    const occupancies = await readWholeBoxes(tx, needed, scope.now)
    let missing = input.count
    return needed.map((box) => {
      const labels = listPositions(box.format, box.order)
        .map(({ label }) => label)
        .filter(isFreeIn(occupancies, box))
        .slice(0, missing)
      missing -= labels.length
      return answer(box, labels)
    })
  }),
)

function readWholeBoxes(tx: ReadTransaction, boxes: readonly Box[], now: string): Promise<Occupancies> {
  return readOccupancies(
    tx,
    boxes.map((box) => ({ boxId: box.row.id, labels: null })),
    now,
  )
}

function isFreeIn(occupancies: Occupancies, box: Box): (label: string) => boolean {
  return (label) => (occupancies.at.get(positionKey(box.row.id, label))?.state ?? 'available') === 'available'
}

/** The zone a material likes best has the lowest number; boxes without a zone come last. */
function rankZone(material: string | null): (box: Box) => number {
  const order = material === null ? [] : allowedZones(material)
  return ({ zone }) => {
    const at = zone === null ? -1 : order.indexOf(zone)
    return at === -1 ? order.length : at
  }
}

/** The first boxes whose room adds up to what is needed; none when all together are too small. */
function takeUntil(boxes: readonly Box[], free: (box: Box) => number, needed: number): readonly Box[] {
  let room = 0
  const end = boxes.findIndex((box) => (room += free(box)) >= needed)
  return end === -1 ? [] : boxes.slice(0, end + 1)
}
