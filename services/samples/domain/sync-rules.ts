import type { RowImage } from '../../../platform/sync/change-set.ts'
import {
  asOnePersonLeftIt,
  type BothChanged,
  type ColumnVerdict,
  type DomainRules,
  type Find,
  type RowEdit,
  sagaRules,
} from '../../../platform/sync/rules.ts'
import { foldMovements, type Movement, type Quantity, quantityRules } from './amount.ts'
import { checkCustody, type CustodyEvent } from './custody.ts'
import { nextStates, type SampleState } from './lifecycle.ts'
import { findCycle, type Relationship } from './relationship.ts'
import { builtInSampleTypes, freeCapLetters } from './sample-type.ts'

/** States of work that goes on. Between any others a person decides: nothing ends, or is opened again, by a merge. */
const working: readonly string[] = ['validated', 'in_storage', 'in_sequencing', 'completed']

/** States of a tube that is gone. */
const gone: readonly (string | null)[] = ['disposed', 'removed']

const numbersTried = [2, 3, 4, 5, 6, 7, 8, 9]

const ofSample = [{ column: 'sample_id', table: 'sample' }] as const

/** How the tables of samples come together when several workstations wrote to them. */
export const samplesSyncRules: DomainRules = {
  ...sagaRules,
  sample: {
    policy: 'field-merge',
    columns: {
      state: mergeState,
      // Both follow what storage and barcodes tell; where those conflict, this waits behind them.
      code: 'pushed',
      location: 'pushed',
      updated_at: 'greatest',
      // What was merged is what neither of the two has read, so neither may go on writing from it.
      written_revision: ({ mergeId }) => ({ value: mergeId }),
      // Only the Hub ships.
      shipment_id: 'hub',
      shipped_to: 'hub',
    },
    check: checkStep,
  },
  sample_type: {
    policy: 'reconcile',
    reconcile: asOnePersonLeftIt({}, 'Both sides changed this sample type.'),
    // A type is in use and cannot go: it gets another letter, or another key.
    exclusive: [
      { name: 'sample_type_has_one_key', columns: ['key'], isLive: () => true, giveUp: giveUpKey },
      { name: 'sample_type_has_one_letter', columns: ['letter'], isLive: () => true, giveUp: giveUpLetter },
    ],
  },
  amount_movement: {
    policy: 'movement',
    references: ofSample,
    notices: [
      {
        kind: 'amount',
        subjectOf: (row) => `${row.sample_id ?? ''}/${row.quantity ?? ''}`,
        judge: judgeAmount,
      },
    ],
  },
  sample_relation: {
    policy: 'append-only',
    references: [
      { column: 'child_id', table: 'sample' },
      { column: 'parent_id', table: 'sample' },
    ],
    notices: [{ kind: 'lineage-circle', subjectOf: (row) => row.child_id ?? '', judge: judgeLineage }],
  },
  custody_event: {
    policy: 'append-only',
    references: [
      ...ofSample,
      { column: 'predecessor_id', table: 'custody_event' },
      { column: 'settles_ids', table: 'custody_event', isList: true },
    ],
    notices: [{ kind: 'custody-fork', subjectOf: (row) => row.sample_id ?? '', judge: judgeCustody }],
  },
  sample_note: { policy: 'append-only', references: ofSample },
  // News of a tube may arrive before its sample does.
  sample_history: { policy: 'append-only' },
  sample_container: {
    policy: 'field-merge',
    columns: {
      sample_id: 'pushed',
      state: ({ hub, pushed }) =>
        gone.includes(hub) ? { conflict: 'The tube is gone already.' } : { value: pushed },
      place: 'pushed',
      // Once storage has told of the first placement it is not ahead any more.
      placement_ahead: ({ hub, pushed }) => ({ value: hub === 'false' ? hub : pushed }),
      by_receive: ({ hub, pushed }) => ({ value: hub === 'true' ? hub : pushed }),
      received_place: 'pushed',
    },
  },
  sample_code: {
    policy: 'field-merge',
    columns: { thing_kind: 'pushed', thing_id: 'pushed', live: 'pushed', linked_at: 'greatest' },
  },
}

/** The first letter that no type has; nothing where all are taken. */
function giveUpLetter({ id }: RowImage, find: Find): readonly RowEdit[] {
  const free = freeCapLetters(builtInSampleTypes).map((letter) => ({
    letter,
    isTaken: find('sample_type', { letter }).length > 0,
  }))
  const letter = free.find(({ isTaken }) => !isTaken)?.letter
  return letter === undefined ? [] : [{ table: 'sample_type', id: id ?? '', values: { letter } }]
}

/** Samples name their type by its key, so those of both stay with the type that keeps it. */
function giveUpKey({ id, key, name }: RowImage, find: Find): readonly RowEdit[] {
  const others = numbersTried.map((number) => ({
    values: { key: `${key ?? ''}_${number}`, name: `${name ?? ''} ${number}` },
    isTaken: find('sample_type', { key: `${key ?? ''}_${number}` }).length > 0,
  }))
  const free = others.find(({ isTaken }) => !isTaken)
  return free === undefined ? [] : [{ table: 'sample_type', id: id ?? '', values: free.values }]
}

/**
 * Two steps from one state: where exactly one order of the two is possible, both were made in that order. A step to an
 * end, or back to a beginning, is never merged with another.
 */
function mergeState({ base, hub, pushed }: BothChanged): ColumnVerdict {
  const conflict = `It became ${sayState(hub)} at the Hub and ${sayState(pushed)} here.`
  if (base === undefined || !working.includes(hub ?? '') || !working.includes(pushed ?? ''))
    return { conflict }
  const pushedMayFollow = mayFollow(hub, pushed)
  const hubMayFollow = mayFollow(pushed, hub)
  if (pushedMayFollow === hubMayFollow) return { conflict }
  return { value: pushedMayFollow ? pushed : hub }
}

/** What follows from storage and barcodes is written to an ended sample too; nothing else is. */
const following: readonly string[] = ['code', 'location', 'updated_at', 'revision', 'state']

/** Late news of codes and places may still be told of a sample that has left. */
const followingShipped: readonly string[] = ['code', 'location', 'updated_at', 'revision']
/** Columns that only a shipment writes. */
const shipping: readonly string[] = ['shipment_id', 'shipped_to']

/** One step of the life, or the two that validating a stored tube takes; and nothing more once it has ended. */
function checkStep(before: RowImage | null, after: RowImage): string | null {
  const changed = Object.keys(after).filter((column) => before?.[column] !== after[column])
  const isOut = (before?.shipment_id ?? null) !== null
  if (isOut && changed.some((column) => !followingShipped.includes(column))) {
    return `The sample was shipped to ${before?.shipped_to ?? 'another laboratory'}: nothing is written to it here.`
  }
  if (before !== null && changed.some((column) => shipping.includes(column)))
    return 'Only the Hub ships samples.'
  const hasEnded = before !== null && nextStates(before.state as SampleState).length === 0
  if (hasEnded && changed.some((column) => !following.includes(column))) {
    return `The sample is ${sayState(before.state)}: nothing is written to it any more.`
  }
  if (before === null || before.state === after.state || mayFollow(before.state, after.state)) return null
  const isStoredAlready = before.state === 'pending' && after.state === 'in_storage'
  return isStoredAlready
    ? null
    : `A sample that is ${sayState(before.state)} cannot become ${sayState(after.state)}.`
}

function mayFollow(from: string | null | undefined, to: string | null | undefined): boolean {
  return nextStates(from as SampleState).includes(to as SampleState)
}

function sayState(state: string | null | undefined): string {
  return (state ?? 'nothing').replaceAll('_', ' ')
}

function judgeCustody(row: RowImage, find: Find) {
  const chain = find('custody_event', { sample_id: row.sample_id ?? null }).map(toCustodyEvent)
  return sayProblems(
    checkCustody(chain).problems.map(({ message, eventIds }) => ({ message, ids: eventIds })),
  )
}

function judgeAmount(row: RowImage, find: Find) {
  const quantity = row.quantity as Quantity
  const rows = find('amount_movement', { sample_id: row.sample_id ?? null, quantity })
  const { overdrawn, baseId, competingCorrectionIds } = foldMovements(rows.map(toMovement), quantity)
  const { name } = quantityRules[quantity]
  if (overdrawn) {
    return { words: `More of the ${name} was taken than was there. Measure it.`, rowIds: [] }
  }
  if (competingCorrectionIds.length === 0) return null
  const ids = [...competingCorrectionIds, ...(baseId === null ? [] : [baseId])]
  return { words: `The ${name} was measured twice, without knowing each other.`, rowIds: ids }
}

function judgeLineage(row: RowImage, find: Find) {
  // All arrows upwards from the child: a circle through the new one must come back to it.
  const edges: { readonly id: string; readonly relation: Relationship }[] = []
  const reached = new Set([row.child_id ?? ''])
  for (const childId of reached) {
    for (const found of find('sample_relation', { child_id: childId })) {
      const relation = { childId, parentId: found.parent_id ?? '', kind: found.kind as Relationship['kind'] }
      edges.push({ id: found.id ?? '', relation })
      reached.add(relation.parentId)
    }
  }
  const circle = findCycle(edges.map(({ relation }) => relation))
  if (circle === null) return null
  const inCircle = edges.filter(({ relation }) => circle.includes(relation.childId))
  return { words: 'These samples come from each other in a circle.', rowIds: inCircle.map(({ id }) => id) }
}

function sayProblems(problems: readonly { readonly message: string; readonly ids: readonly string[] }[]) {
  if (problems.length === 0) return null
  return {
    words: problems.map(({ message }) => message).join(' '),
    rowIds: [...new Set(problems.flatMap(({ ids }) => ids))],
  }
}

/** A row of the chain as the rule of custody reads it. */
export function toCustodyEvent(row: RowImage): CustodyEvent {
  return {
    id: row.id ?? '',
    predecessorId: row.predecessor_id ?? null,
    settlesIds: JSON.parse(row.settles_ids ?? '[]') as string[],
    kind: row.kind as CustodyEvent['kind'],
    laboratoryId: row.acted_in_id ?? row.laboratory_id ?? '',
    toLaboratoryId: row.to_laboratory_id ?? null,
  }
}

/** A movement's row as the rule of amounts reads it. */
export function toMovement(row: RowImage): Movement {
  return {
    id: row.id ?? '',
    quantity: row.quantity as Quantity,
    kind: row.kind as Movement['kind'],
    value: row.value ?? '0',
    covers: JSON.parse(row.covers ?? '[]') as string[],
  }
}
