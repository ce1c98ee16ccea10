import { Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { orchestrates, reads } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { factsOf, readContainers, readNodesOf, toContainer } from './containers.ts'
import { groupDependent } from './domain/dependent-moves.ts'
import { decideArrangement, type FoundContainer, splitArrangement } from './domain/occupancy.ts'
import type { RackPositionResult } from './domain/rack-comparison.ts'
import type { InputOf } from './inputs.ts'
import { passZoneOf } from './place-commands.ts'
import { readRack, type RackReading } from './rack-reading.ts'
import { settle } from './settle.ts'
import {
  accepted,
  explainRefusal,
  findRecord,
  findSpot,
  gather,
  placeOf,
  positionOf,
  type Situation,
} from './situation.ts'
import type { ZoneOverride } from './zones.ts'

export const readRackScan = reads(async (scope: ReadScope, input: InputOf<'readRackScan'>) => {
  const { scan, comparison, problems } = await readRack(scope, input.boxId, input.text)
  return {
    rackCode: scan.rackBarcode,
    reads: comparison.positions.map((each) => ({
      position: each.position,
      code: each.code,
      result: each.outcome,
      containerId: each.tube?.containerId ?? null,
      label: each.tube?.label ?? null,
      expected: each.expected?.label ?? null,
      sentence: each.message,
    })),
    problems: [...problems],
  }
})

/** A tube that was read at a position where the books do not have it. */
interface Arrival {
  readonly row: number
  readonly containerId: string
  readonly from: string | null
  readonly to: string
}

type RowError = { readonly code: string; readonly message: string }
type RowOutcome = { readonly row: number; readonly containerId: string; readonly error: RowError | null }

/** At most three row changes for each, below the limit of a change set. */
const mostTogether = 330

/**
 * Brings the books in line with the good reads. Tubes that need each other's positions change places in one change set,
 * every other tube has one of its own; a tube that cannot go where it was read leaves the others alone.
 */
export const applyRackScan = orchestrates(
  async (scope: OrchestrationScope, input: InputOf<'applyRackScan'>) => {
    const reading = await readRack(scope, input.boxId, input.text)
    if (reading.isOtherRack) {
      const [problem] = reading.problems
      throw ruleBroken('rack_scan_of_another_place', problem?.message ?? '', 'text')
    }
    const rows = new Map(reading.scan.reads.map((read) => [read.position, read.row]))
    const rowOf = (result: RackPositionResult) => rows.get(result.position) ?? 0
    const arrivals = reading.comparison.positions.flatMap((result): readonly Arrival[] =>
      result.tube !== null && (result.outcome === 'new_here' || result.outcome === 'moved_here')
        ? [
            {
              row: rowOf(result),
              containerId: result.tube.containerId,
              from: reading.homes.get(result.tube.containerId) ?? null,
              to: result.position,
            },
          ]
        : [],
    )
    const outcomes: RowOutcome[] = reading.comparison.positions.flatMap((result) =>
      result.outcome === 'as_expected' && result.tube !== null
        ? [{ row: rowOf(result), containerId: result.tube.containerId, error: null }]
        : [],
    )
    for (const group of groupDependent(arrivals)) {
      const [first] = group
      if (first === undefined) continue
      if (group.length > mostTogether) {
        const message = `${group.length} tubes wait for each other's positions: scan a part of the rack first`
        outcomes.push(...group.map((each) => failed(each, { code: 'RULE_BROKEN', message })))
        continue
      }
      const key = `row ${first.row}`
      outcomes.push(
        ...(await scope.change(key, (write) => applyGroup(write, input.boxId, group, input.zoneOverride))),
      )
    }
    return { results: await showRows(scope, reading, outcomes), problems: listProblems(reading) }
  },
)

/** One change set: what can be done of a group of tubes that depend on each other. */
async function applyGroup(
  scope: WriteScope,
  boxId: string,
  group: readonly Arrival[],
  override: ZoneOverride | undefined,
): Promise<readonly RowOutcome[]> {
  const targets = group.map(({ to }) => ({ boxId, position: to, useReservation: false }))
  const situation = await gather(
    scope,
    group.map(({ containerId }) => containerId),
    targets,
  )
  const errors = new Map<string, RowError>()
  const overridden = new Set<string>()
  const found: FoundContainer[] = []
  for (const { containerId, to } of group) {
    try {
      const record = findRecord(situation, containerId)
      const spot = findSpot(situation, { boxId, position: to, useReservation: false })
      if (passZoneOf(scope, record, spot, override)) overridden.add(containerId)
      found.push({
        container: factsOf(record),
        from: placeOf(situation, record),
        to: positionOf(situation, spot),
      })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      errors.set(containerId, error)
    }
  }
  const { possible, refused } = splitArrangement(found, situation.now)
  for (const { container, refusal } of refused) errors.set(container.id, explainRefusal(refusal))
  await arrange(scope, situation, possible, { overridden, reason: override?.reason ?? null })
  return group.map((each) => failed(each, errors.get(each.containerId) ?? null))
}

async function arrange(
  scope: WriteScope,
  situation: Situation,
  found: readonly FoundContainer[],
  motive: { readonly overridden: ReadonlySet<string>; readonly reason: string | null },
): Promise<void> {
  if (found.length === 0) return
  const change = accepted(decideArrangement(found, situation.now))
  const reason = motive.overridden.size > 0 ? motive.reason : 'Read by a whole-rack scan'
  await settle(scope, situation, change, { reason, overridden: motive.overridden })
}

function failed({ row, containerId }: Arrival, error: RowError | null): RowOutcome {
  return {
    row,
    containerId,
    error: error === null ? null : { code: error.code, message: error.message },
  }
}

/** Every row that named a tube, in the order of the file: where it is now, or why not. */
async function showRows(
  scope: ReadScope,
  { scan, comparison }: RackReading,
  outcomes: readonly RowOutcome[],
) {
  const done = new Map(outcomes.map((outcome) => [outcome.row, outcome]))
  const shown = await scope.read(async (tx) => {
    const records = await readContainers(tx, { ids: outcomes.map(({ containerId }) => containerId) })
    const nodes = await readNodesOf(tx, records)
    return new Map(records.map((record) => [record.row.id, toContainer(record, nodes)]))
  })
  const results = new Map(comparison.positions.map((each) => [each.position, each]))
  return scan.reads
    .filter(({ barcode }) => barcode !== null)
    .map(({ row, position }) => {
      const outcome = done.get(row)
      const value = outcome?.error === null ? shown.get(outcome.containerId) : undefined
      if (value !== undefined) return { ok: true as const, row, value }
      const result = results.get(position)
      const error = outcome?.error ?? {
        code: result?.outcome === 'unknown_code' ? 'UNKNOWN_CODE' : 'UNREADABLE',
        message: result?.message ?? `${position} could not be used`,
      }
      return { ok: false as const, row, error: { ...error, field: 'code' } }
    })
}

/** What is wrong with the file, then the tubes that should have been in the rack and were not read. */
function listProblems({ problems, comparison }: RackReading) {
  return [
    ...problems,
    ...comparison.positions.flatMap(({ outcome, position, message }) =>
      outcome === 'missing' ? [{ row: null, position, message }] : [],
    ),
  ]
}
