import { checkCustody } from '../../../services/samples/domain/custody.ts'
import { type SampleState, nextStates } from '../../../services/samples/domain/lifecycle.ts'
import { toCustodyEvent } from '../../../services/samples/domain/sync-rules.ts'
import {
  addressOf,
  applyChange,
  type ChangeSet,
  compactChanges,
  type RowAddress,
  type RowImage,
} from '../change-set.ts'
import { isContested } from '../exclusive.ts'
import { findBrokenEntry, type LogEntry } from '../log.ts'
import { takesPart } from '../rules.ts'
import { isHeld } from '../work-item.ts'
import { forgedPermissions, laboratoryRules } from './model-laboratory.ts'
import type { RowStore } from './row-store.ts'
import { assertConstraints, equalRows } from './simulated-workstation.ts'
import type { World } from './world.ts'

/**
 * What must hold once everybody has heard everything; throws with words where it does not. It is written without the
 * engine's own functions where it can be, so that it does not share their mistakes.
 */
export function assertSound(world: World): void {
  assertEqualCopies(world)
  assertLogTellsTheRows(world)
  assertNothingLost(world)
  assertBuiltOnTaken(world)
  assertDecidedOnce(world)
  assertLaboratory(world)
}

function assertEqualCopies({ hub, workstations }: World): void {
  const expected = hub.rows.list()
  const items = JSON.stringify([...hub.openItems.keys()].sort())
  for (const workstation of workstations) {
    const actual = workstation.rows.list()
    const where = `Workstation ${workstation.name}`
    const byAddress = new Map(actual)
    for (const [address, row] of expected) {
      const copy = byAddress.get(address) ?? null
      if (!equalRows(row, copy)) {
        throw new Error(
          `${where} differs at ${address}: ${JSON.stringify(copy)} instead of ${JSON.stringify(row)}`,
        )
      }
    }
    const known = new Set(expected.map(([address]) => address))
    const extra = actual.find(([address]) => !known.has(address))
    if (extra !== undefined) throw new Error(`${where} has ${extra[0]}, which the Hub does not have`)
    if (JSON.stringify([...workstation.items.keys()].sort()) !== items) {
      throw new Error(`${where} shows other work items than the Hub`)
    }
    if (workstation.hubImageCount !== 0) throw new Error(`${where} keeps images of the Hub for nothing`)
  }
}

/** What a row holds of the changes that led to it, replayed from nothing. */
function assertLogTellsTheRows({ hub }: World): void {
  const broken = findBrokenEntry(hub.log)
  if (broken !== null) throw new Error(`The chain of the log breaks at ${broken}`)
  const rows = new Map<RowAddress, RowImage>()
  for (const entry of hub.log) {
    for (const change of entry.changes) {
      const address = addressOf(entry.domain, change.table, change.key.id)
      const before = rows.get(address) ?? null
      assertStep(entry, before, change.values)
      const after = applyChange(before, change, entry.id)
      if (after === null) throw new Error(`Entry ${entry.position} changes ${address}, which is not there`)
      rows.set(address, after)
    }
  }
  const listed = hub.rows.list()
  if (listed.length !== rows.size) throw new Error('The log makes another number of rows than the Hub has')
  for (const [address, row] of listed) {
    if (!equalRows(row, rows.get(address) ?? null)) throw new Error(`The log makes another row at ${address}`)
  }
}

/** No step of a sample that its life does not have, and nothing of a published version changes. */
function assertStep(entry: LogEntry, before: RowImage | null, values: RowImage): void {
  if (before === null) return
  if (entry.domain === 'samples' && before.priority !== undefined && 'state' in values) {
    const possible = nextStates(before.state as SampleState) as readonly (string | null)[]
    // Validating a tube that lies in its place already takes two steps at once.
    const isStored = before.state === 'pending' && values.state === 'in_storage'
    if (!isStored && !possible.includes(values.state ?? null)) {
      throw new Error(
        `Entry ${entry.position} takes a sample from ${before.state ?? ''} to ${values.state ?? ''}`,
      )
    }
  }
  if (entry.domain === 'templates' && before.definition !== undefined && before.state !== 'draft') {
    const isContestedOnly = values.definition === undefined && values.description === undefined
    if (!isContestedOnly) throw new Error(`Entry ${entry.position} changes a published template`)
  }
}

/** Every change that was acknowledged is in the rows that resulted, or in a work item that a person sees or has decided. */
function assertNothingLost(world: World): void {
  const { hub, acknowledged } = world
  const decided = new Map<string, LogEntry[]>()
  const shown = new Map<string, ChangeSet>()
  for (const entry of hub.log) {
    decided.set(entry.decides, [...(decided.get(entry.decides) ?? []), entry])
    for (const item of entry.opens) if (isHeld(item)) shown.set(item.set.id, item.set)
  }
  const moments = new Moments(hub.log)
  for (const set of acknowledged.values()) {
    const entries = decided.get(set.id) ?? []
    if (entries.length === 0) throw new Error(`The change set ${set.id} (${set.procedure}) is gone`)
    const taking = entries.find(({ outcome }) => outcome === 'applied' || outcome === 'merged')
    if (taking !== undefined) {
      assertTaken(set, taking, moments)
      continue
    }
    const item = shown.get(set.id)
    if (item === undefined || JSON.stringify(item.changes) !== JSON.stringify(set.changes)) {
      throw new Error(`The change set ${set.id} (${set.procedure}) is neither taken nor shown to anybody`)
    }
    const isClosed = hub.log.some((entry) => entry.closes.includes(entries.at(-1)?.id ?? ''))
    if (!isClosed && !hub.openItems.has(entries.at(-1)?.id ?? '')) {
      throw new Error(`The work item of ${set.id} is gone without a decision`)
    }
  }
}

/**
 * A taken set is there whole: each of its values stands in the row right after, unless the column has a rule for two
 * sides; and it replaced only what its author had seen.
 */
function assertTaken(set: ChangeSet, taking: LogEntry, moments: Moments): void {
  for (const change of compactChanges(set)) {
    const rules = laboratoryRules[set.domain]?.[change.table]
    const address = addressOf(set.domain, change.table, change.key.id)
    const { before, after, lastWriters } = moments.around(address, taking.position)
    const written = taking.changes.find(
      ({ table, key }) => table === change.table && key.id === change.key.id,
    )
    // Of a row that both left alike, the later instant may be taken.
    const isWritten = Object.keys(written?.values ?? {}).some(
      (column) => rules?.columns?.[column] === undefined && column !== 'contested',
    )
    const sawLast = change.replaces === null || lastWriters.includes(change.replaces)
    if (
      leftByOnePerson.includes(`${set.domain}/${change.table}`) &&
      before !== null &&
      isWritten &&
      !sawLast
    ) {
      throw new Error(`${set.procedure} changed ${address}, which its author had seen otherwise`)
    }
    for (const [column, value] of Object.entries(change.values)) {
      if (rules === undefined || !takesPart(rules, column)) continue
      const ruled = rules.columns?.[column] !== undefined
      if (!ruled && after?.[column] !== value) {
        throw new Error(
          `${set.procedure} wrote ${column} of ${address}, and it is not there after it was taken`,
        )
      }
      const seen = change.before[column]
      const isOverwritten = before !== null && before[column] !== seen && before[column] !== value
      if (!ruled && isOverwritten && change.operation === 'update') {
        throw new Error(`${set.procedure} replaced ${column} of ${address}, which its author had not seen`)
      }
    }
  }
}

/** Nothing was taken by itself while what it builds on waited for a person, nor as a reaction to what was dropped. */
function assertBuiltOnTaken({ hub, acknowledged }: World): void {
  const statuses = new Map<string, string>()
  for (const { outcome, body, fates } of hub.decisions) {
    const set = acknowledged.get(body.decides)
    if (set !== undefined && (outcome === 'applied' || outcome === 'merged')) {
      const bases = [set.causedBy, ...set.changes.map(({ replaces }) => replaces)]
      const waiting = bases.find((base) => base !== set.id && statuses.get(base ?? '') === 'waiting')
      if (waiting !== undefined) throw new Error(`${set.procedure} was taken, though ${waiting ?? ''} waits`)
      if (statuses.get(set.causedBy ?? '') === 'dropped') {
        throw new Error(`${set.procedure} was taken, though what it reacts to was dropped`)
      }
    }
    for (const { changeSetId, fate } of fates) statuses.set(changeSetId, fate.status)
  }
}

/**
 * Each set once, again only where it had waited to be: after the one that caused it, and those of one domain in the order in
 * which their workstation made them. Nothing else is promised: the Hub lets sets of different domains pass each other.
 */
function assertDecidedOnce({ hub, workstations }: World): void {
  const outcomes = new Map<string, string>()
  for (const { body, outcome } of hub.decisions) {
    const before = outcomes.get(body.decides)
    if (before !== undefined && before !== 'parked' && before !== 'review') {
      throw new Error(`The change set ${body.decides} was decided again after it was ${before}`)
    }
    outcomes.set(body.decides, outcome)
  }
  for (const item of hub.openItems.values()) {
    const waits = !isHeld(item) || item.behind.some((id) => hub.fateOf(id)?.status === 'waiting')
    if (item.kind === 'parked' && !waits) throw new Error(`The parked item ${item.id} waits for nothing`)
  }
  const places = new Map([...outcomes.keys()].map((id, place) => [id, place]))
  const placeOf = (id: string) => places.get(id) ?? Infinity
  for (const { name, journal } of workstations) {
    for (const [domain, sets] of Map.groupBy(journal, (set) => set.domain)) {
      const made = sets.map(({ id }) => placeOf(id))
      if (made.some((place, index) => place < (made[index - 1] ?? 0))) {
        throw new Error(`Sets of ${domain} of workstation ${name} were decided in another order than made`)
      }
    }
    const early = journal.find(({ id, causedBy }) => causedBy !== null && placeOf(id) < placeOf(causedBy))
    if (early !== undefined) throw new Error(`The set ${early.id} was decided before what it reacts to`)
  }
}

/** Tables whose rows are never put together from what two people did. */
const leftByOnePerson: readonly string[] = ['storage/placement', 'storage/position_mark', 'barcodes/code']

interface Moment {
  readonly position: number
  readonly row: RowImage | null
  /** Under which ids an author may know that this is what the row holds. */
  readonly writers: readonly string[]
}

/** What every row was at every position of the log. */
class Moments {
  readonly #histories = new Map<RowAddress, readonly Moment[]>()

  constructor(log: readonly LogEntry[]) {
    for (const entry of log) {
      for (const change of entry.changes) {
        const address = addressOf(entry.domain, change.table, change.key.id)
        const history = this.#histories.get(address) ?? []
        const row = applyChange(history.at(-1)?.row ?? null, change, entry.id)
        // Where a person took the author's proposal, the row is as the author left it.
        const resolved = entry.outcome === 'resolved' ? entry.parents : []
        this.#histories.set(address, [
          ...history,
          { position: entry.position, row, writers: [entry.id, entry.decides, ...resolved] },
        ])
      }
    }
  }

  around(
    address: RowAddress,
    position: number,
  ): {
    readonly before: RowImage | null
    readonly after: RowImage | null
    readonly lastWriters: readonly string[]
  } {
    const history = this.#histories.get(address) ?? []
    const before = history.findLast((moment) => moment.position < position)
    return {
      before: before?.row ?? null,
      after: history.findLast((moment) => moment.position <= position)?.row ?? null,
      lastWriters: before?.writers ?? [],
    }
  }
}

function assertLaboratory({ hub }: World): void {
  const { rows } = hub
  assertConstraints(rows, laboratoryRules)
  const forged = rows.all('auth', 'role').find((row) => row.permissions === forgedPermissions)
  if (forged !== undefined) throw new Error('A workstation gave itself rights')
  assertContestedShown(hub)
  assertPlaces(rows)
  assertCustody(hub)
  for (const [table, column, target] of references) {
    const [domain = '', name = ''] = table.split('/')
    for (const row of rows.all(domain, name)) {
      const id = row[column] ?? null
      if (id !== null && rows.row(addressOf(domain, target, id)) === null) {
        throw new Error(`${table} ${row.id ?? ''} names a ${target} that is not there`)
      }
    }
  }
}

/** Names that lead nowhere would mean that a set was taken without what it builds on. */
const references = [
  ['samples/amount_movement', 'sample_id', 'sample'],
  ['samples/custody_event', 'predecessor_id', 'custody_event'],
  ['samples/sample_relation', 'parent_id', 'sample'],
  ['storage/placement', 'container_id', 'container'],
  ['storage/placement', 'box_id', 'storage_node'],
  ['storage/container_event', 'predecessor_id', 'container_event'],
  ['templates/import_row', 'import_id', 'import'],
] as const

function assertContestedShown({ rows, openItems }: World['hub']): void {
  for (const [address, row] of rows.list()) {
    const isShown = [...openItems.values()].some(
      (item) => item.kind === 'contested' && !isHeld(item) && item.subject === address,
    )
    if (isContested(row) !== isShown)
      throw new Error(`${address}: contested, and shown as such, do not go together`)
  }
}

/** A container's state agrees with its places, no place is in a box that is gone, and every count is a recount. */
function assertPlaces(rows: RowStore): void {
  const live = rows.all('storage', 'placement').filter((row) => row.live === 'true')
  for (const container of rows.all('storage', 'container')) {
    const own = live.filter((row) => row.container_id === container.id)
    const isRight =
      container.state === 'placed'
        ? own.some((row) => row.kept === 'false')
        : container.state === 'checked_out'
          ? own.some((row) => row.kept === 'true')
          : own.length === 0
    if (!isRight)
      throw new Error(
        `Container ${container.id ?? ''} is ${container.state ?? ''}, with ${own.length} places`,
      )
  }
  for (const box of rows.all('storage', 'storage_node').filter((row) => row.kind === 'box')) {
    const inside = live.filter((row) => row.box_id === box.id)
    if (box.removed_at !== null && inside.length > 0)
      throw new Error(`The box ${box.id ?? ''} is gone, with its tubes`)
    const taken = new Set(inside.map((row) => row.position))
    const settled = inside.filter((row) => !isContested(row))
    const counted = settled.length
    const recounted = new Set(settled.map((row) => row.position)).size
    if (counted !== recounted || taken.size > 4)
      throw new Error(`The box ${box.id ?? ''} holds more than it can`)
  }
}

function assertCustody({ rows, openItems, log }: World['hub']): void {
  for (const sample of rows.all('samples', 'sample')) {
    const chain = rows.all('samples', 'custody_event').filter((row) => row.sample_id === sample.id)
    const { problems } = checkCustody(chain.map(toCustodyEvent))
    const gap = problems.find(({ problem }) => problem === 'gap' || problem === 'circle')
    if (gap !== undefined) throw new Error(`Custody of ${sample.id ?? ''} is broken: ${gap.message}`)
    const isAbout = (item: { readonly kind: string }) =>
      item.kind === 'custody-fork' && 'subject' in item && item.subject === sample.id
    const isShown = [...openItems.values()].some(isAbout)
    const acknowledged = new Set(log.flatMap((entry) => entry.acknowledges))
    const wasSeen = log.some((entry) =>
      entry.opens.some((item) => isAbout(item) && acknowledged.has(item.id)),
    )
    if (problems.length > 0 && !isShown && !wasSeen) {
      throw new Error(`Custody of ${sample.id ?? ''} is forked and nobody is told`)
    }
    if (chain.length === 0) throw new Error(`Sample ${sample.id ?? ''} is in nobody's custody`)
  }
}
