import { v7 as uuidv7 } from 'uuid'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { type SampleFields, samplesEvents } from './contract.ts'
import { accepted } from './decisions.ts'
import { decideMovement, type Movement } from './domain/amount.ts'
import { decideTransition, initialSampleState } from './domain/lifecycle.ts'
import { type HistoryRow, line, stateLine, tell } from './history.ts'
import { occasionOf } from './people.ts'
import { type SampleRow, sampleColumns } from './sample-rows.ts'
import { amountMovement, sample } from './schema.ts'

export interface NewSample {
  readonly id: string
  readonly fields: SampleFields
  /** The key that `fields.type` stands for. */
  readonly type: string
  readonly importId: string | null
  /** Checked by a person who holds it, so it goes on to `validated` at once. */
  readonly validated: boolean
  /** Where its first volume comes from: measured by the sender, or poured from another tube. */
  readonly firstVolume: { readonly kind: 'corrected' | 'added'; readonly reason: string }
}

/** Writes a new sample with its first movement and the beginning of its history. */
export async function recordSample(scope: WriteScope, given: NewSample): Promise<SampleRow> {
  const { id, fields, type, validated } = given
  const occasion = occasionOf(scope)
  const begun = { from: initialSampleState, to: 'validated' } as const
  const values = {
    laboratoryId: scope.laboratoryId,
    id,
    name: fields.name,
    type,
    state: validated ? begun.to : begun.from,
    clientId: fields.clientId,
    donor: fields.donor,
    project: fields.project,
    collectedOn: fields.collectedOn,
    concentrationNgPerUl: checkConcentration(fields.concentrationNgPerUl),
    taxonId: fields.taxonId,
    priority: fields.priority,
    extra: fields.extra,
    importId: given.importId,
    createdAt: occasion.at,
    createdBy: occasion.by,
    createdById: occasion.byId,
    updatedAt: occasion.at,
    writtenRevision: scope.changeSetId,
  }
  const [row] = await scope.tx.insert(sample).values(values).returning(sampleColumns)
  if (row === undefined) throw new Error('The sample was not stored')
  if (fields.volumeUl !== null) {
    const { kind, reason } = given.firstVolume
    await addMovement(scope, id, firstMovement(fields.volumeUl, kind), reason)
  }
  scope.announce(samplesEvents.SampleAccessioned, { sampleId: id, name: fields.name, type })
  const lines: HistoryRow[] = [
    line(scope, id, occasion, { lane: 'record', what: 'accessioned', detail: { name: fields.name, type } }),
  ]
  if (validated) {
    const transition = accepted(decideTransition(begun.from, begun.to, { reason: null }))
    lines.push(stateLine(scope, id, occasion, transition))
  }
  await tell(scope, lines)
  return row
}

/** Writes one movement of a sample's amount. */
export async function addMovement(
  scope: WriteScope,
  sampleId: string,
  movement: Movement,
  reason: string,
): Promise<void> {
  const { id, quantity, kind, value, covers } = movement
  await scope.tx.insert(amountMovement).values({
    laboratoryId: scope.laboratoryId,
    sampleId,
    ...{ id, quantity, kind, value, covers, reason },
    ...occasionOf(scope),
  })
}

/** A concentration is measured and never below zero. */
export function checkConcentration(value: string | null): string | null {
  if (value === null) return null
  const quantity = 'concentration_ng_per_ul'
  const measured = decideMovement([], { id: '', quantity, kind: 'corrected', value, override: null })
  return accepted(measured, 'concentrationNgPerUl').value
}

function firstMovement(volumeUl: string, kind: 'corrected' | 'added'): Movement {
  return accepted(
    decideMovement([], { id: uuidv7(), quantity: 'volume_ul', kind, value: volumeUl, override: null }),
    'volumeUl',
  )
}
