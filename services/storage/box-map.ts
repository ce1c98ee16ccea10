import { and, eq, inArray } from 'drizzle-orm'
import type { z } from 'zod'
import { toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { type ContainerRecord, positionKey } from './containers.ts'
import type { BoxMap } from './contract.ts'
import { recountCapacity } from './domain/capacity.ts'
import { listPositions, nextFreePosition } from './domain/geometry.ts'
import type { Occupancy } from './domain/occupancy.ts'
import { findBox, readNodesAbove, toNode } from './nodes.ts'
import { readOccupancies } from './positions.ts'
import { container, placement } from './schema.ts'

type Shown = z.input<typeof BoxMap>
type ShownContainer = NonNullable<Shown['positions'][number]['container']>

/** Every position of a box with what it holds at an instant. */
export async function readBoxMap(tx: ReadTransaction, boxId: string, now: string): Promise<Shown> {
  const nodes = await readNodesAbove(tx, [boxId])
  const box = findBox(boxId, nodes)
  const { at } = await readOccupancies(tx, [{ boxId, labels: null }], now)
  const claims = await readClaims(tx, boxId)
  const shown = new Map(claims.map((claim) => [claim.id, toShown(claim)]))
  const occupancyAt = (label: string): Occupancy =>
    at.get(positionKey(boxId, label)) ?? { state: 'available' }
  const isFree = (label: string) => occupancyAt(label).state === 'available'
  const positions = listPositions(box.format, box.order)
  const capacity = recountCapacity(positions.map(({ label }) => occupancyAt(label).state))
  return {
    box: toNode(box.row, nodes, capacity),
    path: [...box.path],
    positions: positions.map(({ label, row, column }) => {
      const occupancy = occupancyAt(label)
      const holds = 'containerId' in occupancy ? occupancy.containerId : null
      return {
        label,
        row,
        column,
        state: occupancy.state,
        reservedUntil: occupancy.state === 'reserved' ? occupancy.reservedUntil : null,
        reservedFor: occupancy.state === 'reserved' ? occupancy.reservedFor : null,
        reason: occupancy.state === 'out_of_use' ? occupancy.reason : null,
        container: holds === null ? null : (shown.get(holds) ?? null),
      }
    }),
    nextFree: nextFreePosition(box.format, box.order, isFree)?.label ?? null,
    contested: claims
      .filter(({ contested }) => contested)
      .map((claim) => ({ position: claim.position, container: toShown(claim) })),
  }
}

type Claim = Omit<ShownContainer, 'state' | 'placedAt'> & {
  readonly position: string
  readonly kept: boolean
  readonly contested: boolean
  readonly since: string
}

/** Containers with a live place in a box, with no more of them than the map shows: a box may hold thousands. */
async function readClaims(tx: ReadTransaction, boxId: string): Promise<readonly Claim[]> {
  return tx
    .select({
      id: container.id,
      kind: container.kind,
      sampleId: container.sampleId,
      material: container.material,
      label: container.label,
      position: placement.position,
      kept: placement.kept,
      contested: placement.contested,
      since: placement.since,
    })
    .from(placement)
    .innerJoin(
      container,
      and(eq(container.laboratoryId, placement.laboratoryId), eq(container.id, placement.containerId)),
    )
    .where(and(eq(placement.boxId, boxId), placement.live))
}

function toShown({ id, kind, sampleId, material, label, kept, since }: Claim): ShownContainer {
  const state = kept ? 'checked_out' : 'placed'
  return { id, kind, sampleId, material, label, state, placedAt: toInstant(since) }
}

/** Containers with a live place in some boxes, contested and kept ones included. */
export async function readContainersIn(
  tx: ReadTransaction,
  boxIds: readonly string[],
): Promise<readonly ContainerRecord[]> {
  const rows = await tx
    .select({ row: container, placement })
    .from(placement)
    .innerJoin(
      container,
      and(eq(container.laboratoryId, placement.laboratoryId), eq(container.id, placement.containerId)),
    )
    .where(and(inArray(placement.boxId, [...boxIds]), placement.live))
  return rows
}
