import { and, count, eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { ruleBroken } from '../../platform/contract/refusal.ts'
import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { notEnough, requireMovement } from './amounts.ts'
import { addCustody } from './custody.ts'
import { addAmounts, compareAmounts, foldMovements, type Movement } from './domain/amount.ts'
import type { SampleState } from './domain/lifecycle.ts'
import { insertRelationship } from './lineage.ts'
import { occasionOf } from './people.ts'
import { addMovement, recordSample } from './record-sample.ts'
import { holdSample, readMovements, type SampleRow, showSamples } from './sample-rows.ts'
import { sampleRelation } from './schema.ts'

/** States of a mother tube from which nothing may be taken for further work. */
const spentStates: readonly SampleState[] = ['rejected', 'discarded', 'archived', 'deleted']

export const makeAliquots = writes(
  async (scope: WriteScope, input: { id: string; volumesUl: string[]; reason?: string | undefined }) => {
    const mother = await holdSample(scope.tx, input.id)
    if (spentStates.includes(mother.state)) {
      throw ruleBroken(
        'sample_cannot_be_aliquoted',
        `${mother.name} is ${mother.state}: no aliquots are made of it.`,
      )
    }
    const known = (await readMovements(scope.tx, [mother.id])).get(mother.id) ?? []
    const taken = takeAll(known, input.volumesUl)
    const reason = input.reason ?? 'Aliquots made'
    const first = (await countAliquots(scope, mother.id)) + 1
    const aliquots: SampleRow[] = []
    for (const [index, movement] of taken.entries()) {
      await addMovement(scope, mother.id, movement, reason)
      aliquots.push(await makeOne(scope, mother, { number: first + index, volumeUl: movement.value, reason }))
    }
    return showSamples(scope.tx, aliquots)
  },
)

/** One taking for each aliquot; all or none, so the refusal names the sum. */
function takeAll(known: readonly Movement[], volumesUl: readonly string[]): readonly Movement[] {
  const movements: Movement[] = []
  const available = foldMovements(known, 'volume_ul').value
  const asked = addAmounts(volumesUl)
  if (available !== null && compareAmounts(asked, available) > 0) {
    const message = `There are ${available} µL left, ${asked} µL cannot be taken. No aliquot was made.`
    throw notEnough(message, available, asked)
  }
  for (const value of volumesUl) {
    const request = { id: uuidv7(), quantity: 'volume_ul', kind: 'taken', value, override: null } as const
    movements.push(requireMovement([...known, ...movements], request))
  }
  return movements
}

async function makeOne(
  scope: WriteScope,
  mother: SampleRow,
  aliquot: { readonly number: number; readonly volumeUl: string; readonly reason: string },
): Promise<SampleRow> {
  const from = `Aliquot of ${mother.name}`
  const row = await recordSample(scope, {
    id: uuidv7(),
    fields: {
      name: nameAliquot(mother.name, aliquot.number),
      type: mother.type,
      clientId: mother.clientId,
      donor: mother.donor,
      project: mother.project,
      collectedOn: mother.collectedOn,
      volumeUl: aliquot.volumeUl,
      concentrationNgPerUl: mother.concentrationNgPerUl,
      taxonId: mother.taxonId,
      priority: mother.priority,
      extra: { ...mother.extra },
    },
    type: mother.type,
    importId: null,
    validated: mother.state !== 'pending',
    firstVolume: { kind: 'added', reason: from },
  })
  await insertRelationship(scope, { childId: row.id, kind: 'aliquot_of', parentId: mother.id })
  const occasion = occasionOf(scope)
  await addCustody(scope, row.id, { kind: 'received', holder: occasion.by, reason: from }, occasion, null)
  return row
}

/** `S-007-A3`; a name that is as long as names may be gives way for the number. */
function nameAliquot(motherName: string, number: number): string {
  const suffix = `-A${number}`
  return `${motherName.slice(0, 200 - suffix.length)}${suffix}`
}

async function countAliquots(scope: WriteScope, motherId: string): Promise<number> {
  const [row] = await scope.tx
    .select({ count: count() })
    .from(sampleRelation)
    .where(and(eq(sampleRelation.parentId, motherId), eq(sampleRelation.kind, 'aliquot_of')))
  return row?.count ?? 0
}
