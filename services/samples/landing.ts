import type { TravellingRow } from '../../platform/contract/travelling-rows.ts'
import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import type { RowImage } from '../../platform/sync/change-set.ts'
import { rowsOfTable, TravellingTables } from '../../platform/sync/database/travelling-rows.ts'
import { refreshCode } from './codes.ts'
import { addCustody, readChain } from './custody.ts'
import { findSample, holdSampleIfKnown } from './sample-rows.ts'
import { occasionOf } from './people.ts'
import { readTypes } from './types.ts'

interface Landing {
  readonly id: string
  readonly shipmentId: string
  readonly as: 'arrive' | 'stub' | 'late'
  readonly from: string
  readonly reason: string
  readonly rows: TravellingRow[]
}

const tables = new TravellingTables()

/**
 * Writes what another laboratory has written of a sample, under the same ids. A sample that has been here before is
 * brought up to date, and a repeat changes nothing. `taken` says whether the record was meant for what is here.
 */
export const land = writes(async (scope: WriteScope, input: Landing) => {
  const here = await holdSampleIfKnown(scope.tx, input.id)
  switch (input.as) {
    case 'arrive':
      await arrive(scope, input)
      return { taken: true }
    case 'stub':
      if (here?.shipmentId !== input.shipmentId) return { taken: false }
      await follow(scope, input, here.shippedTo)
      return { taken: true }
    case 'late':
      if (here === null) return { taken: false }
      await landFacts(scope, input.rows, ['amount_movement', 'sample_note'])
      return { taken: true }
  }
})

async function arrive(scope: WriteScope, input: Landing): Promise<void> {
  const chain = rowsOfTable(input.rows, 'custody_event')
  const shipped = openShipment(chain)
  const known = await readChain(scope.tx, input.id)
  const isHere = known.some((event) => event.kind === 'received_elsewhere' && event.predecessorId === shipped)
  if (isHere) return
  await landType(scope, input.rows)
  const own = { shipment_id: null, shipped_to: null, location: null, written_revision: scope.changeSetId }
  await landSample(scope, input.rows, { ...own, updated_at: scope.now })
  await landTubes(scope, input.rows)
  await landFacts(scope, input.rows, facts)
  await landRelations(scope, input.rows)
  const occasion = occasionOf(scope)
  const said = {
    kind: 'received_elsewhere',
    holder: occasion.by,
    place: input.from,
    reason: input.reason,
  } as const
  await addCustody(scope, input.id, said, occasion, shipped)
  await refreshCode(scope, input.id)
}

/** What became of it elsewhere, at the laboratory that shipped it: the stub stays one. */
async function follow(scope: WriteScope, input: Landing, shippedTo: string | null): Promise<void> {
  const marks = { shipment_id: input.shipmentId, shipped_to: shippedTo, location: null }
  await landSample(scope, input.rows, marks)
  await landTubes(scope, input.rows)
  await landFacts(scope, input.rows, facts)
  await landRelations(scope, input.rows)
}

const facts = ['amount_movement', 'custody_event', 'sample_note', 'sample_history'] as const

async function landSample(
  scope: WriteScope,
  rows: readonly TravellingRow[],
  own: Readonly<Record<string, string | null>>,
): Promise<void> {
  const samples = rowsOfTable(rows, 'sample').map((row) => ({ ...row, ...own }))
  await tables.land(scope.tx, scope.laboratoryId, 'sample', samples)
}

/** Facts are never written again. Who acted stays with the step of custody, wherever the chain goes. */
async function landFacts(
  scope: WriteScope,
  rows: readonly TravellingRow[],
  of: readonly (typeof facts)[number][],
): Promise<void> {
  for (const table of of) {
    const said = rowsOfTable(rows, table)
    const own = table === 'custody_event' ? said.map((row) => withActor(row, scope.laboratoryId)) : [...said]
    await tables.landNew(scope.tx, scope.laboratoryId, table, own)
  }
}

function withActor(row: RowImage, laboratoryId: string): RowImage {
  const actor = row.acted_in_id ?? row.laboratory_id ?? null
  return { ...row, acted_in_id: actor === laboratoryId ? null : actor }
}

/** The tubes travel too, in hand and without a place; codes lead to them as before. */
async function landTubes(scope: WriteScope, rows: readonly TravellingRow[]): Promise<void> {
  const tubes = rowsOfTable(rows, 'sample_container').map((row) => ({
    ...row,
    state: row.state === 'disposed' || row.state === 'removed' ? row.state : 'unplaced',
    ...{ place: null, placement_ahead: null, by_receive: 'false', received_place: null },
  }))
  const known = await tables.known(scope.tx, scope.laboratoryId, 'sample_container', tubes)
  // Storage may have told of a tube's new place here before the sample's record came.
  const isPlaced = ({ id }: RowImage) => ['placed', 'checked_out'].includes(known.get(id ?? '')?.state ?? '')
  const landing = tubes.filter((row) => !isPlaced(row))
  await tables.land(scope.tx, scope.laboratoryId, 'sample_container', landing)
  await tables.land(scope.tx, scope.laboratoryId, 'sample_code', rowsOfTable(rows, 'sample_code'))
}

/** A type that is not known here arrives with the sample; where its letter is taken, a person decides. */
async function landType(scope: WriteScope, rows: readonly TravellingRow[]): Promise<void> {
  const types = await readTypes(scope.tx)
  const fresh = rowsOfTable(rows, 'sample_type').filter((row) => !types.some((type) => type.key === row.key))
  const landing = fresh.map((row) => ({
    ...row,
    contested: String(types.some((type) => type.letter === row.letter)),
  }))
  await tables.landNew(scope.tx, scope.laboratoryId, 'sample_type', landing)
}

/** Only arrows with both ends here. */
async function landRelations(scope: WriteScope, rows: readonly TravellingRow[]): Promise<void> {
  const whole: RowImage[] = []
  for (const row of rowsOfTable(rows, 'sample_relation')) {
    const ends = [row.child_id ?? '', row.parent_id ?? '']
    const found = await Promise.all(ends.map((id) => findSample(scope.tx, id)))
    if (found.every((end) => end !== null)) whole.push(row)
  }
  await tables.landNew(scope.tx, scope.laboratoryId, 'sample_relation', whole)
}

/** The `shipped` that nobody has answered: what the arrival follows. */
function openShipment(chain: readonly RowImage[]): string | null {
  const answered = new Set(
    chain.filter(({ kind }) => kind === 'received_elsewhere').map((row) => row.predecessor_id),
  )
  const open = chain.filter(({ kind, id }) => kind === 'shipped' && !answered.has(id ?? null))
  return (
    open
      .map(({ id }) => id ?? '')
      .toSorted()
      .at(-1) ?? null
  )
}
