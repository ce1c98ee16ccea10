import {
  addressOf,
  type ChangeSet,
  compactChanges,
  type RowAddress,
  type RowChange,
  type RowImage,
  splitAddress,
} from './change-set.ts'
import { type Decision, decideChangeSet } from './decide.ts'
import { claimOf, holdersAgainst } from './exclusive.ts'
import { type RowEdit, type SyncRules, takesPart } from './rules.ts'
import { type Fate, type HubView, type Needs, Reader } from './view.ts'
import { type HeldItem, isHeld, rowsOfItem, type StandingItem, type WorkItem } from './work-item.ts'

/** What a person decides: what the Hub has, what was pushed, or something else. */
export type Choice =
  | { readonly take: 'hub' }
  | { readonly take: 'pushed' }
  | { readonly take: 'edits'; readonly edits: readonly RowEdit[] }

/** Who decides, when and why. `id` becomes the resolution's change-set id. */
export type Resolver = Pick<
  ChangeSet,
  | 'id'
  | 'laboratoryId'
  | 'workstationId'
  | 'actorId'
  | 'hybridLogicalTime'
  | 'recordedAt'
  | 'reason'
  | 'correlationId'
>

/** The choice would break a rule; nothing is written and the item stays. */
export interface Impossible {
  readonly kind: 'impossible'
  readonly words: string
}

/** The procedure under which resolutions stand in the log. */
export const resolveProcedure = 'sync.resolve'

/**
 * Makes the change set of a person's decision about a work item, decided at the Hub like any other. Afterwards
 * what `findReady` finds is to be decided again.
 */
export function resolveItem(
  item: WorkItem,
  choice: Choice,
  resolver: Resolver,
  view: HubView,
  rules: SyncRules,
): Decision | Impossible | Needs {
  const reader = new Reader(view)
  if (isHeld(item) && item.kind === 'review' && choice.take === 'pushed') {
    return approve(item, resolver, view, rules)
  }
  const edits = isHeld(item)
    ? editsOfHeld(item, choice, reader, rules)
    : editsOfStanding(item, choice, reader, rules)
  const missing = needsOf(reader)
  if (missing !== null) return missing
  if (typeof edits === 'string') return { kind: 'impossible', words: edits }
  const forbidden = choice.take === 'edits' ? findForbiddenEdit(item, edits, rules) : null
  if (forbidden !== null) return { kind: 'impossible', words: forbidden }
  const changes = edits.map((edit) => changeOf(edit, item.domain, resolver, reader))
  const events = edits.flatMap(({ table, id, values }) => {
    const before = reader.row(addressOf(item.domain, table, id))
    return rules[item.domain]?.[table]?.announce?.(before, { ...before, ...values }) ?? []
  })
  const set: ChangeSet = {
    ...resolver,
    domain: item.domain,
    procedure: resolveProcedure,
    causedBy: null,
    changes,
    events,
  }
  const missingStill = needsOf(reader)
  if (missingStill !== null) return missingStill
  const decision = decideChangeSet(set, view, rules, { from: 'hub' })
  if (decision.kind === 'needs') return decision
  if (decision.kind === 'repeated') return { kind: 'impossible', words: 'This was decided before.' }
  if (decision.fates[0]?.fate.status !== 'taken') return { kind: 'impossible', words: explain(decision) }
  return isHeld(item) ? settleHeld(item, choice, decision) : settleStanding(item, choice, decision)
}

/** What the reader was asked for and does not have; it grows with every further question. */
function needsOf(reader: Reader): Needs | null {
  return reader.needs
}

/** Decided again as if its author still might. */
function approve(
  item: HeldItem,
  resolver: Resolver,
  view: HubView,
  rules: SyncRules,
): Decision | Impossible | Needs {
  const how = { from: 'workstation', again: true, approvedBy: resolver.actorId } as const
  const decision = decideChangeSet(item.set, view, rules, how)
  return decision.kind === 'repeated' ? { kind: 'impossible', words: 'This was decided before.' } : decision
}

/**
 * Why a person's own edits cannot be taken, in words. Whoever may decide about an item decides about its rows and nothing
 * else, and what is changed at the Hub alone is changed by the commands for it, each with a permission of its own.
 */
function findForbiddenEdit(item: WorkItem, edits: readonly RowEdit[], rules: SyncRules): string | null {
  const about = new Set(rowsOfItem(item))
  for (const { table, id } of edits) {
    if (rules[item.domain]?.[table]?.policy === 'hub-only')
      return `The table ${table} is changed at the Hub only.`
    if (!about.has(addressOf(item.domain, table, id))) return 'It is not about that row.'
  }
  return null
}

/** The rows to write for a choice, or in words why it cannot be chosen. */
function editsOfHeld(
  item: HeldItem,
  choice: Choice,
  reader: Reader,
  rules: SyncRules,
): readonly RowEdit[] | string {
  if (choice.take === 'hub') return []
  if (item.kind === 'parked') {
    return 'It waits for another decision; decide that one first.'
  }
  if (choice.take === 'edits') return choice.edits
  if (item.kind === 'refused') return item.words
  const edits: RowEdit[] = []
  for (const change of compactChanges(item.set)) {
    const hub = reader.row(addressOf(item.domain, change.table, change.key.id))
    if (hub === null && change.operation === 'update') {
      return `A ${change.table} that it changes was not taken.`
    }
    const tableRules = rules[item.domain]?.[change.table]
    const differing = Object.entries(change.values).filter(
      ([column, value]) =>
        tableRules !== undefined && takesPart(tableRules, column) && (hub === null || hub[column] !== value),
    )
    if (hub === null) edits.push({ table: change.table, id: change.key.id, values: change.values })
    else if (differing.length > 0) {
      edits.push({ table: change.table, id: change.key.id, values: Object.fromEntries(differing) })
    }
  }
  return edits
}

function editsOfStanding(
  item: StandingItem,
  choice: Choice,
  reader: Reader,
  rules: SyncRules,
): readonly RowEdit[] | string {
  if (choice.take === 'edits') return choice.edits
  // A finding about what was recorded may stay, once a person has seen it.
  if (item.kind !== 'contested' && choice.take === 'hub') return []
  if (item.kind !== 'contested') {
    return 'Nobody proposed anything here: say what is to be written.'
  }
  const { domain, table, id } = splitAddress(item.subject as RowAddress)
  const row = reader.row(item.subject as RowAddress)
  if (row === null) return []
  const find = (name: string, where: Readonly<Record<string, string | null>>) =>
    reader.rows({ domain, table: name, where, lower: [] })
  const edits: RowEdit[] = [{ table, id, values: {} }]
  for (const rule of rules[domain]?.[table]?.exclusive ?? []) {
    const claim = claimOf(domain, table, rule, row)
    const holders = claim === null ? [] : holdersAgainst(rule, row, reader.rows(claim))
    if (holders.length === 0) continue
    const losing = choice.take === 'hub' ? [row] : holders
    edits.push(...losing.flatMap((each) => rule.giveUp(each, find)))
  }
  return joinEdits(edits)
}

/** One edit for each row, so that a row that gives up two claims is written once. */
function joinEdits(edits: readonly RowEdit[]): readonly RowEdit[] {
  const byRow = new Map<string, RowEdit>()
  for (const edit of edits) {
    const row = `${edit.table}/${edit.id}`
    byRow.set(row, { ...edit, values: { ...byRow.get(row)?.values, ...edit.values } })
  }
  return [...byRow.values()]
}

function changeOf(edit: RowEdit, domain: string, resolver: Resolver, reader: Reader): RowChange {
  const { table, id, values } = edit
  const hub = reader.row(addressOf(domain, table, id))
  const key = { laboratory_id: resolver.laboratoryId, id }
  if (hub === null) return { table, operation: 'insert', key, replaces: null, values, before: {} }
  const before: RowImage = Object.fromEntries(
    Object.keys(values).map((column) => [column, hub[column] ?? null]),
  )
  return { table, operation: 'update', key, replaces: hub.revision ?? null, values, before }
}

function settleHeld(item: HeldItem, choice: Choice, decision: Decision): Decision {
  const isDropped = choice.take === 'hub'
  const fate: Fate = {
    outcome: item.kind,
    status: isDropped ? 'dropped' : 'taken',
    resultId: decision.body.id,
    // In a row that was there, columns that its author did not touch may hold what the author has not seen.
    altered: decision.body.changes
      .filter(({ operation }) => operation === 'update' || choice.take === 'edits')
      .map(({ table, key }) => addressOf(item.domain, table, key.id)),
  }
  return {
    ...decision,
    body: {
      ...decision.body,
      outcome: 'resolved',
      parents: [...new Set([...decision.body.parents, item.set.id])],
      resolvedBy: decision.body.actorId,
      closes: [...decision.body.closes, item.id],
    },
    fates: [...decision.fates, { changeSetId: item.set.id, fate }],
  }
}

/** The rows themselves say whether it is settled: then the decision has closed the item. */
function settleStanding(item: StandingItem, choice: Choice, decision: Decision): Decision | Impossible {
  const { body } = decision
  if (item.kind !== 'contested' && choice.take === 'hub') {
    const seen = { closes: [...body.closes, item.id], acknowledges: [item.id] }
    return { ...decision, body: { ...body, ...seen, outcome: 'resolved', resolvedBy: body.actorId } }
  }
  if (!body.closes.includes(item.id)) {
    return { kind: 'impossible', words: `After that it would still be so: ${item.words}` }
  }
  return { ...decision, body: { ...body, outcome: 'resolved', resolvedBy: body.actorId } }
}

function explain(decision: Decision): string {
  const held = decision.body.opens.find(isHeld)
  if (held === undefined) return 'It cannot be taken.'
  return [...new Set(held.conflicts.map(({ words }) => words)), held.words].slice(0, 3).join(' ')
}
