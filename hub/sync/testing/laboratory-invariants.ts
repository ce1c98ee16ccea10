import { addressOf, type RowImage, splitAddress } from '../../../platform/sync/change-set.ts'
import type { LogEntryBody } from '../../../platform/sync/log.ts'
import { isHeld, type StandingItem, type WorkItem } from '../../../platform/sync/work-item.ts'
import { isSampleState, nextStates } from '../../../services/samples/domain/lifecycle.ts'

/*
 * What must be true of a laboratory's rows once everybody has heard everything, whoever wrote them and in which order they
 * came. Written without the rules by which the Hub decides, so that it does not share their mistakes. Each function says in
 * words what is broken, and nothing where all is well.
 */

/** Every synced row of a machine, by `domain/table`. */
export type LaboratoryRows = Readonly<Record<string, readonly RowImage[]>>

/** Work items as people know them. */
export interface ShownItems {
  readonly open: readonly WorkItem[]
  /** Seen by a person, and left as it is. */
  readonly acknowledged: readonly WorkItem[]
}

/** A change set that was made at a workstation. */
export interface MadeSet {
  readonly id: string
  readonly domain: string
}

/** Everything that is broken in a laboratory at rest. */
export function findBroken(
  rows: LaboratoryRows,
  items: ShownItems,
  log: readonly LogEntryBody[],
): readonly string[] {
  return [
    ...findSharedClaims(rows),
    ...findHiddenContests(rows, items),
    ...findMisplaced(rows),
    ...findBrokenCustody(rows, items),
    ...findBrokenStories(rows, items),
    ...findIllegalStates(rows),
    ...findIllegalSteps(log),
  ]
}

/** What only one live, uncontested row may have. */
const claims: readonly {
  readonly table: string
  readonly columns: readonly string[]
  readonly isLive: (row: RowImage) => boolean
}[] = [
  { table: 'storage/placement', columns: ['box_id', 'position'], isLive },
  { table: 'storage/placement', columns: ['container_id'], isLive },
  { table: 'storage/position_mark', columns: ['box_id', 'position'], isLive },
  { table: 'barcodes/code', columns: ['lookup_key'], isLive: (row) => row.state !== 'released' },
  { table: 'templates/template', columns: ['name', 'version'], isLive: () => true },
]

/** Two containers in one position, one container in two, a code that names two things, and the like. */
export function findSharedClaims(rows: LaboratoryRows): readonly string[] {
  return claims.flatMap(({ table, columns, isLive: holds }) => {
    const settled = rowsOf(rows, table).filter((row) => row.contested !== 'true' && holds(row))
    const held = Map.groupBy(settled, (row) => columns.map((column) => row[column] ?? '').join(' '))
    return [...held].flatMap(([claim, holders]) =>
      holders.length === 1
        ? []
        : [`${holders.length} rows of ${table} have the ${columns.join(' and ')} ${claim}`],
    )
  })
}

function isLive(row: RowImage): boolean {
  return row.live === 'true'
}

/** Contested rows that nobody is shown, and work items about what is not contested any more. */
export function findHiddenContests(rows: LaboratoryRows, { open }: ShownItems): readonly string[] {
  const contested = Object.entries(rows).flatMap(([name, some]) => {
    const [domain = '', table = ''] = name.split('/')
    return some
      .filter((row) => row.contested === 'true')
      .map((row): string => addressOf(domain, table, idOf(row)))
  })
  const shown = new Set(standing(open, 'contested').map(({ subject }) => subject))
  return [
    ...contested.filter((address) => !shown.has(address)).map((each) => `${each} is contested in secret`),
    ...[...shown].filter((each) => !contested.includes(each)).map((each) => `${each} is not contested`),
  ]
}

/** Containers whose state is not what their places say, and places in boxes that are gone. */
export function findMisplaced(rows: LaboratoryRows): readonly string[] {
  const live = rowsOf(rows, 'storage/placement').filter(isLive)
  const containers = rowsOf(rows, 'storage/container').flatMap((row) => {
    const places = live.filter((place) => place.container_id === row.id)
    const isRight =
      row.state === 'placed'
        ? places.some(({ kept }) => kept === 'false')
        : row.state === 'checked_out'
          ? places.some(({ kept }) => kept === 'true')
          : places.length === 0
    return isRight ? [] : [`Container ${idOf(row)} is ${row.state ?? ''}, with ${places.length} places`]
  })
  const kept = new Set(
    rowsOf(rows, 'storage/storage_node').flatMap((row) => (row.removed_at === null ? idOf(row) : [])),
  )
  const outside = live
    .filter(({ box_id: boxId }) => !kept.has(boxId ?? ''))
    .map((row) => `Placement ${idOf(row)} is in a box that is not there`)
  return [...containers, ...outside]
}

/** Samples in nobody's custody, steps without the one before them, and forks that nobody is told of. */
export function findBrokenCustody(rows: LaboratoryRows, items: ShownItems): readonly string[] {
  const chains = Map.groupBy(rowsOf(rows, 'samples/custody_event'), (row) => row.sample_id ?? '')
  const samples = rowsOf(rows, 'samples/sample').map(idOf)
  return [
    ...samples.filter((id) => !chains.has(id)).map((id) => `Sample ${id} is in nobody's custody`),
    ...findBrokenChains('Custody of', chains, rowsShown(items, 'custody-fork')),
  ]
}

/** The same for what happened to containers. */
export function findBrokenStories(rows: LaboratoryRows, items: ShownItems): readonly string[] {
  const stories = Map.groupBy(rowsOf(rows, 'storage/container_event'), (row) => row.container_id ?? '')
  const containers = rowsOf(rows, 'storage/container').map(idOf)
  return [
    ...containers.filter((id) => !stories.has(id)).map((id) => `Container ${id} came from nowhere`),
    ...findBrokenChains('The story of', stories, rowsShown(items, 'container-fork')),
  ]
}

function findBrokenChains(
  what: string,
  chains: ReadonlyMap<string, readonly RowImage[]>,
  shown: ReadonlySet<string>,
): readonly string[] {
  return [...chains].flatMap(([subject, events]) => {
    const ids = new Set(events.map(idOf))
    const gaps = events.flatMap(before).filter((id) => !ids.has(id))
    if (gaps.length > 0) return [`${what} ${subject} has a gap: ${gaps.join(', ')} is missing`]
    if (events.some((event) => eventsBefore(event, events).has(idOf(event)))) {
      return [`${what} ${subject} goes in a circle`]
    }
    const hidden = branchesOf(events).filter((id) => !shown.has(id))
    return hidden.length > 0 ? [`${what} ${subject} is forked in secret: ${hidden.join(', ')}`] : []
  })
}

/** The events that one follows: the last one its author saw, and ends of branches that it settles. */
function before(event: RowImage): readonly string[] {
  const settled = JSON.parse(event.settles_ids ?? '[]') as readonly string[]
  return event.predecessor_id == null ? settled : [event.predecessor_id, ...settled]
}

function eventsBefore(event: RowImage, events: readonly RowImage[]): Set<string> {
  const reached = new Set(before(event))
  for (const id of reached) {
    for (const each of events) if (idOf(each) === id) for (const next of before(each)) reached.add(next)
  }
  return reached
}

/** The events that follow the same one as another does, or begin the chain as another does, where none comes after them all. */
function branchesOf(events: readonly RowImage[]): readonly string[] {
  const behind = events.map((event) => eventsBefore(event, events).add(idOf(event)))
  return [...Map.groupBy(events, (event) => event.predecessor_id ?? '').values()]
    .map((branches) => branches.map(idOf))
    .filter((ids) => ids.length > 1 && !behind.some((reached) => ids.every((id) => reached.has(id))))
    .flat()
}

/** Samples in a state to which no recorded step leads from the beginning, and recorded steps that life does not have. */
export function findIllegalStates(rows: LaboratoryRows): readonly string[] {
  const history = rowsOf(rows, 'samples/sample_history').filter(({ what }) => what === 'state_changed')
  const stepsOf = Map.groupBy(
    history.map((row) => ({ row, ...(JSON.parse(row.detail ?? '{}') as { from: string; to: string }) })),
    ({ row }) => row.sample_id ?? '',
  )
  return rowsOf(rows, 'samples/sample').flatMap((row) => {
    const id = idOf(row)
    const state = row.state ?? ''
    const steps = stepsOf.get(id) ?? []
    const illegal = steps
      .filter(({ from, to }) => !isStep(from, to))
      .map(({ from, to }) => `Sample ${id} has a step from ${from} to ${to} in its history`)
    const reached = new Set(['pending'])
    for (const at of reached) for (const { from, to } of steps) if (from === at) reached.add(to)
    return reached.has(state) ? illegal : [...illegal, `Nothing says how sample ${id} became ${state}`]
  })
}

/** Steps that the log makes of a sample's state and that its life does not have. */
export function findIllegalSteps(log: readonly LogEntryBody[]): readonly string[] {
  return log
    .filter(({ domain }) => domain === 'samples')
    .flatMap(({ id, changes }) =>
      changes.flatMap(({ table, operation, values, before: { state: from }, key }) => {
        const { state: to } = values
        if (table !== 'sample' || operation !== 'update' || from == null || to == null || from === to)
          return []
        // Validating a tube that lies in its place already takes two steps at once.
        const isLegal = isStep(from, to) || (from === 'pending' && to === 'in_storage')
        return isLegal ? [] : [`Entry ${id} takes sample ${key.id} from ${from} to ${to}`]
      }),
    )
}

/** Outcomes after which a set may be decided again: it waited for others, or for somebody who may. */
const waits: readonly LogEntryBody['outcome'][] = ['parked', 'review']

/**
 * Sets that were decided twice, before the one that caused them, or before one of their domain that their workstation made
 * earlier. Sets of different domains may pass each other. `made` is what one workstation made, in its order.
 */
export function findMisdecided(log: readonly LogEntryBody[], made: readonly MadeSet[]): readonly string[] {
  const firsts = new Map<string, number>()
  const last = new Map<string, LogEntryBody>()
  const problems: string[] = []
  for (const [at, entry] of log.entries()) {
    const { decides, causedBy, outcome } = entry
    const before = last.get(decides)
    if (before !== undefined && !waits.includes(before.outcome)) {
      problems.push(`Set ${decides} was decided as ${outcome} after it was ${before.outcome}`)
    }
    last.set(decides, entry)
    if (before === undefined) firsts.set(decides, at)
    if (causedBy !== null && !firsts.has(causedBy) && log.some((each) => each.decides === causedBy)) {
      problems.push(`Set ${decides} was decided before ${causedBy}, which caused it`)
    }
  }
  for (const [domain, sets] of Map.groupBy(made, (set) => set.domain)) {
    const places = sets.map(({ id }) => firsts.get(id) ?? Infinity)
    const at = places.findIndex((place, index) => place < (places[index - 1] ?? -1))
    if (at > 0) problems.push(`Set ${sets[at]?.id ?? ''} of ${domain} was decided before those made earlier`)
  }
  return problems
}

function isStep(from: string, to: string): boolean {
  return isSampleState(from) && (nextStates(from) as readonly string[]).includes(to)
}

/** The rows that people see, or have seen, in work items of a kind. */
function rowsShown({ open, acknowledged }: ShownItems, kind: string): ReadonlySet<string> {
  const items = [...standing(open, kind), ...standing(acknowledged, kind)]
  return new Set(items.flatMap(({ rows }) => rows.map((address) => splitAddress(address).id)))
}

function standing(items: readonly WorkItem[], kind: string): readonly StandingItem[] {
  return items.filter((item): item is StandingItem => !isHeld(item) && item.kind === kind)
}

function idOf(row: RowImage): string {
  return row.id ?? ''
}

function rowsOf(rows: LaboratoryRows, table: string): readonly RowImage[] {
  const found = rows[table]
  if (found === undefined) throw new Error(`There are no rows of ${table} to look at`)
  return found
}
