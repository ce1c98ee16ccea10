import { and, eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { isDuplicate } from '../../platform/database/errors.ts'
import { rowsOf, type Transaction } from '../../platform/database/transaction.ts'
import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { type ContainerRow, readContainer, toContainer } from './containers.ts'
import type { InputOf } from './inputs.ts'
import { findBox } from './nodes.ts'
import { container } from './schema.ts'
import { putIntoPlace } from './place-commands.ts'
import { findRecord, gather } from './situation.ts'
import { type Happening, placeThen, tellStory } from './story.ts'
import { passZone } from './zones.ts'

export const createContainer = writes(async (scope: WriteScope, input: InputOf<'createContainer'>) => {
  const row = await insertContainer(scope, input)
  await tellStory(scope, [happeningOf(row, 'registered', null)])
  const { target, zoneOverride } = input
  return target === undefined
    ? toContainer({ row, placement: null }, new Map())
    : putIntoPlace(scope, { containerId: row.id, target, zoneOverride })
})

export const updateContainer = writes(async (scope: WriteScope, input: InputOf<'updateContainer'>) => {
  const situation = await gather(scope, [input.id], [])
  const record = findRecord(situation, input.id)
  const { placement } = record
  const { kind, sampleId, material, label } = { ...record.row, ...definedOf(input) }
  // A tube that turns out to be RNA may be in the wrong zone where it is.
  const { nodes } = situation
  const zone = placement === null || !nodes.has(placement.boxId) ? null : findBox(placement.boxId, nodes).zone
  const isNews = material !== record.row.material
  const zoneOverridden = isNews && passZone(scope, { label, material, zone }, input.zoneOverride)
  await scope.tx
    .update(container)
    .set({ kind, sampleId, material, label })
    .where(and(eq(container.laboratoryId, scope.laboratoryId), eq(container.id, input.id)))
  const after = await readContainer(scope.tx, input.id)
  const at =
    after.row.state === 'placed' && placement !== null
      ? placeThen(nodes, placement.boxId, placement.position)
      : null
  const corrected = happeningOf(after.row, 'corrected', input.reason)
  await tellStory(scope, [{ ...corrected, from: at, to: at, zoneOverridden }])
  return toContainer(after, nodes)
})

export const removeContainer = writes(async (scope: WriteScope, input: InputOf<'removeContainer'>) => {
  const situation = await gather(scope, [input.id], [])
  const record = findRecord(situation, input.id)
  const { row } = record
  if (record.row.state !== 'unplaced' || (await wasUsed(scope.tx, row.id))) {
    throw ruleBroken(
      'container_was_used',
      `${row.label} was used already, so its record stays. Take it out and dispose of it instead.`,
      'id',
    )
  }
  await scope.tx
    .update(container)
    .set({ removedAt: scope.now })
    .where(and(eq(container.laboratoryId, scope.laboratoryId), eq(container.id, row.id)))
  await tellStory(scope, [happeningOf(row, 'removed', input.reason)])
  return {}
})

async function insertContainer(scope: WriteScope, input: InputOf<'createContainer'>): Promise<ContainerRow> {
  const id = input.id ?? uuidv7()
  try {
    const [row] = await scope.tx
      .insert(container)
      .values({
        laboratoryId: scope.laboratoryId,
        id,
        kind: input.kind,
        sampleId: input.sampleId,
        material: input.material,
        label: input.label,
        createdAt: scope.now,
        createdBy: scope.actor?.userId ?? 'nobody',
        state: 'unplaced',
        stateSince: scope.now,
      })
      .returning()
    if (row === undefined) throw new Error('The container was not stored')
    return row
  } catch (error) {
    if (!isDuplicate(error)) throw error
    throw new Refusal('CONFLICT', 'A container with this id is registered already. Nothing was changed.', {
      field: 'id',
      existing: id,
    })
  }
}

/** Being placed and taken out again is no use: that is how a receipt is taken back. */
async function wasUsed(tx: Transaction, containerId: string): Promise<boolean> {
  const [found] = await rowsOf<{ used: boolean }>(
    tx,
    sql`select exists (select from container_event where container_id = ${containerId}::uuid
      and what not in ('registered', 'corrected', 'placed', 'taken_out')) as used`,
  )
  return found?.used ?? false
}

function happeningOf(row: ContainerRow, what: Happening['what'], reason: string | null): Happening {
  return { container: row, what, from: null, to: null, reason, zoneOverridden: false }
}

/** The fields that were given. */
function definedOf({ kind, sampleId, material, label }: InputOf<'updateContainer'>) {
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(sampleId === undefined ? {} : { sampleId }),
    ...(material === undefined ? {} : { material }),
    ...(label === undefined ? {} : { label }),
  }
}
