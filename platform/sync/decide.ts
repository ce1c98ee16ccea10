import {
  addressOf,
  type ChangeSet,
  compactChanges,
  deriveId,
  type RowAddress,
  type RowChange,
  type RowImage,
} from './change-set.ts'
import { claimOf, holdersAgainst, isContested } from './exclusive.ts'
import type { LogEntryBody, Outcome } from './log.ts'
import { applyAsPushed, mergeChange } from './merge.ts'
import { type DomainRules, type Find, isWrittenOnce, type Reference, type SyncRules } from './rules.ts'
import { emptyView, type Fate, type HubView, type Needs, type Question, Reader, ResultRows } from './view.ts'
import {
  type ConflictPoint,
  describeFinding,
  type HeldItem,
  type HeldKind,
  type StandingItem,
} from './work-item.ts'

/** What is to be written at the Hub, in one transaction of the set's domain. */
export interface Decision {
  readonly kind: 'decision'
  readonly outcome: Outcome
  readonly body: LogEntryBody
  /** The whole rows that result. */
  readonly rows: readonly { readonly address: RowAddress; readonly image: RowImage }[]
  readonly fates: readonly { readonly changeSetId: string; readonly fate: Fate }[]
}

/** The set was decided before. */
export interface Repeated {
  readonly kind: 'repeated'
  readonly fate: Fate
}

export interface HowToDecide {
  /** The Hub's own commands may write what is the Hub's, and were checked by its own front door. */
  readonly from: 'workstation' | 'hub'
  /** It waits as a work item, and what it waited for has been decided. */
  readonly again?: boolean
  /** Somebody who may has approved what its person may not do any more. */
  readonly approvedBy?: string
}

/**
 * Decides a change set by the Hub's rows and the rules beside each table. Asks for what the view does not hold yet;
 * with the answers in it the same call is made again.
 */
export function decideChangeSet(
  set: ChangeSet,
  view: HubView,
  rules: SyncRules,
  how: HowToDecide,
): Decision | Repeated | Needs {
  const reader = new Reader(view)
  const answer = new Attempt(set, reader, rules, how).decide()
  return reader.needs ?? answer
}

/** Holds back a set that the Hub's database itself would not take: a rule of its tables that no other rule knows. */
export function refuseChangeSet(
  set: ChangeSet,
  view: HubView,
  rules: SyncRules,
  words: string,
): Decision | Repeated | Needs {
  const reader = new Reader(view)
  const answer = new Attempt(set, reader, rules, { from: 'workstation' }).refuse(words)
  return reader.needs ?? answer
}

/** What the engine will ask about a set first, so that it can be loaded for many sets at once. */
export function neededFor(set: ChangeSet, rules: SyncRules): readonly Question[] {
  const answer = decideChangeSet(set, emptyView, rules, { from: 'workstation' })
  return answer.kind === 'needs' ? answer.questions : []
}

/** A row that the set writes, on the way from the Hub's row to the resulting one. */
interface Write {
  readonly address: RowAddress
  readonly change: RowChange
  readonly hub: RowImage | null
  /** The Hub's row is another than its author saw. */
  readonly isMerged: boolean
  after: RowImage
}

class Attempt {
  readonly #set: ChangeSet
  readonly #reader: Reader
  readonly #tables: DomainRules
  readonly #how: HowToDecide
  readonly #changes: readonly RowChange[]
  readonly #result: ResultRows
  readonly #find: Find

  constructor(set: ChangeSet, reader: Reader, rules: SyncRules, how: HowToDecide) {
    this.#set = set
    this.#reader = reader
    this.#tables = rules[set.domain] ?? {}
    this.#how = how
    this.#changes = compactChanges(set)
    const result = new ResultRows(reader)
    this.#result = result
    this.#find = (table, where) => result.find({ domain: set.domain, table, where, lower: [] })
  }

  decide(): Decision | Repeated {
    const known = this.#reader.fate(this.#set.id)
    if (known !== null && this.#how.again !== true) return { kind: 'repeated', fate: known }

    const forbidden = this.#findForbidden()
    if (forbidden !== null) return this.#hold('refused', forbidden)
    if (!this.#isPermitted()) {
      return this.#hold('review', 'Its author may not do this any more. Somebody who may must look at it.')
    }
    const behind = this.#listBlockers()
    if (behind.length > 0) {
      return this.#hold('parked', 'It builds on work that waits for a decision.', { behind })
    }

    const conflicts: ConflictPoint[] = []
    const writes = this.#mergeRows(conflicts)
    conflicts.push(...this.#listLooseEnds(writes))
    if (conflicts.length === 0) {
      conflicts.push(...this.#listBroken(writes))
    }
    if (conflicts.length > 0) {
      return this.#hold('conflict', 'It does not go together with what is at the Hub.', { conflicts })
    }
    this.#markContested(writes)
    return this.#take(writes)
  }

  refuse(said: string): Decision | Repeated {
    const known = this.#reader.fate(this.#set.id)
    if (known !== null && known.status !== 'waiting') return { kind: 'repeated', fate: known }
    return this.#hold('refused', said)
  }

  /** Why the Hub takes nothing of this kind from a workstation, in words. */
  #findForbidden(): string | null {
    const { laboratoryId } = this.#set
    // Every change as it was pushed: together they are judged by the key of the first.
    for (const { table, operation, key } of this.#set.changes) {
      const rules = this.#tables[table]
      if (rules === undefined || rules.policy === 'local' || rules.policy === 'derived') {
        return `The table ${table} is not synced.`
      }
      if (rules.policy === 'hub-only' && this.#how.from === 'workstation') {
        return `The table ${table} is changed at the Hub only.`
      }
      if (key.laboratory_id !== laboratoryId) return 'It changes a row of another laboratory.'
      if (operation === 'withdraw') return 'Rows are withdrawn at a workstation only.'
      if (operation === 'update' && isWrittenOnce(rules.policy)) return `Rows of ${table} are written once.`
    }
    return null
  }

  #isPermitted(): boolean {
    if (this.#how.from === 'hub' || this.#how.approvedBy !== undefined) return true
    return this.#reader.isPermitted(this.#set.id, this.#set.actorId)
  }

  /** The waiting sets that this one builds on: their rows, rows that only they make, or their events. */
  #listBlockers(): readonly string[] {
    const candidates = new Set<string>()
    if (this.#set.causedBy !== null) candidates.add(this.#set.causedBy)
    const note = (address: RowAddress) => {
      if (this.#reader.row(address) !== null) return
      const maker = this.#reader.maker(address)
      if (maker !== null) candidates.add(maker)
    }
    for (const change of this.#changes) {
      if (change.replaces !== null) candidates.add(change.replaces)
      if (change.operation === 'update') note(this.#addressOf(change))
      for (const reference of this.#tables[change.table]?.references ?? []) {
        for (const id of listNamed(reference, change.values)) {
          note(addressOf(this.#set.domain, reference.table, id))
        }
      }
    }
    candidates.delete(this.#set.id)
    return [...candidates].filter((id) => this.#reader.fate(id)?.status === 'waiting')
  }

  #mergeRows(conflicts: ConflictPoint[]): readonly Write[] {
    const { causedBy, id } = this.#set
    if (causedBy !== null && this.#reader.fate(causedBy)?.status === 'dropped') {
      const words = 'What it reacts to was not taken.'
      conflicts.push(...this.#changes.map((change) => pointAt(change, words)))
    }
    const writes: Write[] = []
    for (const change of this.#changes) {
      const rules = this.#tables[change.table]
      if (rules === undefined) continue
      const address = this.#addressOf(change)
      const hub = this.#reader.row(address)
      if (hub === null && change.operation === 'update') {
        conflicts.push(pointAt(change, 'The row it changes was not taken.'))
        continue
      }
      if (this.#isAsSeen(address, change, hub)) {
        writes.push({ address, change, hub, isMerged: false, after: applyAsPushed(rules, change, hub) })
        continue
      }
      const merged = mergeChange(rules, change, hub ?? {}, deriveId(id, 'merged'))
      conflicts.push(...merged.conflicts)
      if (merged.after !== null) writes.push({ address, change, hub, isMerged: true, after: merged.after })
    }
    for (const { address, after } of writes) this.#result.write(address, after)
    return writes
  }

  /** Whether the Hub has the row as its author saw it. */
  #isAsSeen(address: RowAddress, change: RowChange, hub: RowImage | null): boolean {
    if (change.operation === 'insert') return hub === null
    if (hub === null || change.replaces === null) return false
    if (hub.revision === change.replaces) return true
    const before = this.#reader.fate(change.replaces)
    return before?.status === 'taken' && before.resultId === hub.revision && !before.altered.includes(address)
  }

  /** Rows that name one that is missing or must not be named any more, and rows that end while others hang on them. */
  #listLooseEnds(writes: readonly Write[]): readonly ConflictPoint[] {
    const points: ConflictPoint[] = []
    for (const { change, hub, after } of writes) {
      for (const reference of this.#tables[change.table]?.references ?? []) {
        for (const id of listNamed(reference, after)) {
          const words = this.#judgeReference(reference, id, hub, after)
          if (words !== null) points.push(pointAt(change, words))
        }
      }
      const isAlive = this.#tables[change.table]?.isAlive
      if (isAlive === undefined || hub === null || !isAlive(hub) || isAlive(after)) continue
      const words = this.#findHanging(change)
      if (words !== null) points.push(pointAt(change, words))
    }
    return points
  }

  #judgeReference(reference: Reference, id: string, hub: RowImage | null, after: RowImage): string | null {
    const named = this.#result.row(addressOf(this.#set.domain, reference.table, id))
    if (named === null) return `The ${words(reference.table)} it names was not taken.`
    if (reference.whileLive?.(after) !== true) return null
    const isAlive = this.#tables[reference.table]?.isAlive ?? (() => true)
    const heldBefore = hub !== null && reference.whileLive(hub) && listNamed(reference, hub).includes(id)
    return isAlive(named) || heldBefore
      ? null
      : `The ${words(reference.table)} it names is not in use any more.`
  }

  #findHanging(change: RowChange): string | null {
    for (const [table, { references = [] }] of Object.entries(this.#tables)) {
      for (const { column, table: target, whileLive } of references) {
        if (target !== change.table || whileLive === undefined) continue
        if (this.#find(table, { [column]: change.key.id }).some(whileLive)) {
          return `A ${words(table)} at the Hub still needs it.`
        }
      }
    }
    return null
  }

  /** Invariants that the result would break. Its author may be right: what broke it may be somebody else's row. */
  #listBroken(writes: readonly Write[]): readonly ConflictPoint[] {
    return writes.flatMap(({ change, hub, after }) => {
      const said = this.#tables[change.table]?.check?.(hub, after, this.#find) ?? null
      return said === null ? [] : [pointAt(change, said)]
    })
  }

  /** Judged on the result of the whole set, so that two rows may change places. */
  #markContested(writes: readonly Write[]): void {
    for (const write of writes) {
      const { table } = write.change
      const { exclusive } = this.#tables[table] ?? {}
      if (exclusive === undefined) continue
      const collides = exclusive.some((rule) => {
        const claim = claimOf(this.#set.domain, table, rule, write.after)
        return claim !== null && holdersAgainst(rule, write.after, this.#result.find(claim)).length > 0
      })
      write.after = { ...write.after, contested: String(collides) }
      this.#result.write(write.address, write.after)
    }
  }

  #take(writes: readonly Write[]): Decision {
    const isAsPushed = writes.every(({ isMerged, after }) => !isMerged && !isContested(after))
    const id = isAsPushed ? this.#set.id : deriveId(this.#set.id, 'merged')
    const written = writes.filter((write) => !write.isMerged || differs(write))
    const merged = writes.filter(({ isMerged }) => isMerged)
    const outcome = isAsPushed ? 'applied' : 'merged'
    const { opens, closes } = this.#judgeStanding(writes, id)
    const fate: Fate = {
      outcome,
      status: 'taken',
      resultId: id,
      altered: merged.map(({ address }) => address),
    }
    const revisions = merged.flatMap(({ hub }) => hub?.revision ?? [])
    return {
      kind: 'decision',
      outcome,
      body: {
        ...this.#describe(id, outcome),
        parents: isAsPushed ? [] : [this.#set.id, ...new Set(revisions)],
        changes: written.map((write) => resultingChange(write, id)),
        opens,
        closes: [...this.#waitedAs(), ...closes],
      },
      rows: written.map(({ address, after }) => ({ address, image: { ...after, revision: id } })),
      fates: [{ changeSetId: this.#set.id, fate }],
    }
  }

  #hold(kind: HeldKind, said: string, more: Partial<Pick<HeldItem, 'conflicts' | 'behind'>> = {}): Decision {
    // Parked again behind something else, it is another item.
    const id = deriveId(this.#set.id, [kind, ...(more.behind ?? [])].join(' '))
    const { domain } = this.#set
    const item: HeldItem = {
      kind,
      id,
      domain,
      set: this.#set,
      words: said,
      conflicts: [],
      behind: [],
      ...more,
    }
    const closes = this.#waitedAs().filter((waited) => waited !== id)
    const fate: Fate = { outcome: kind, status: 'waiting', resultId: id, altered: [] }
    return {
      kind: 'decision',
      outcome: kind,
      body: { ...this.#describe(id, kind), parents: [this.#set.id], changes: [], opens: [item], closes },
      rows: [],
      fates: [{ changeSetId: this.#set.id, fate }],
    }
  }

  /** The work item it was until now. */
  #waitedAs(): readonly string[] {
    const known = this.#reader.fate(this.#set.id)
    return known?.status === 'waiting' ? [known.resultId] : []
  }

  #judgeStanding(
    writes: readonly Write[],
    entryId: string,
  ): { readonly opens: readonly StandingItem[]; readonly closes: readonly string[] } {
    const { domain } = this.#set
    const opens: StandingItem[] = []
    const closes: string[] = []
    const judged = new Set<string>()
    const judge = (
      kind: string,
      subject: string,
      found: { readonly words: string; readonly rows: readonly RowAddress[] } | null,
    ) => {
      const name = `${kind} ${subject}`
      if (judged.has(name)) return
      judged.add(name)
      const finding = found === null ? null : describeFinding(found)
      const known = this.#reader.standing(kind, domain, subject)
      const gone = known.filter((each) => !each.isAcknowledged && each.finding !== finding)
      closes.push(...gone.map((each) => each.id))
      if (found === null || known.some((each) => each.finding === finding)) return
      opens.push({ kind, id: deriveId(entryId, name), domain, set: null, subject, ...found })
    }
    for (const { address, change, after } of writes) {
      const rules = this.#tables[change.table]
      if (rules?.exclusive !== undefined) {
        const rivals = isContested(after) ? this.#listRivals(change.table, after) : null
        const said = `Two of ${words(change.table)} claim the same.`
        judge('contested', address, rivals === null ? null : { words: said, rows: [address, ...rivals] })
      }
      for (const notice of rules?.notices ?? []) {
        const found = notice.judge(after, this.#find)
        const rows = found?.rowIds.map((id) => addressOf(domain, change.table, id)) ?? []
        judge(notice.kind, notice.subjectOf(after), found === null ? null : { words: found.words, rows })
      }
    }
    return { opens, closes }
  }

  #listRivals(table: string, row: RowImage): readonly RowAddress[] {
    const { domain } = this.#set
    const rivals = (this.#tables[table]?.exclusive ?? []).flatMap((rule) => {
      const claim = claimOf(domain, table, rule, row)
      return claim === null ? [] : holdersAgainst(rule, row, this.#result.find(claim))
    })
    return [...new Set(rivals.map((rival) => addressOf(domain, table, rival.id ?? '')))]
  }

  #describe(id: string, outcome: Outcome): Omit<LogEntryBody, 'parents' | 'changes' | 'opens' | 'closes'> {
    const { id: decides, laboratoryId, domain, workstationId, actorId, hybridLogicalTime } = this.#set
    const { recordedAt, reason, correlationId, procedure, causedBy, events } = this.#set
    return {
      ...{ id, laboratoryId, domain, outcome, decides, workstationId, actorId, hybridLogicalTime },
      ...{ recordedAt, reason, correlationId, procedure, causedBy, events },
      resolvedBy: this.#how.approvedBy ?? null,
      acknowledges: [],
    }
  }

  #addressOf(change: RowChange): RowAddress {
    return addressOf(this.#set.domain, change.table, change.key.id)
  }
}

/** The ids that a row names by a reference. */
function listNamed(reference: Reference, row: RowImage): readonly string[] {
  const value = row[reference.column] ?? null
  if (value === null) return []
  return reference.isList === true ? (JSON.parse(value) as readonly string[]) : [value]
}

function pointAt(change: RowChange, said: string): ConflictPoint {
  return {
    table: change.table,
    id: change.key.id,
    column: null,
    base: null,
    hub: null,
    pushed: null,
    words: said,
  }
}

function differs({ hub, after }: Write): boolean {
  return (
    hub === null ||
    Object.keys(after).some((column) => column !== 'revision' && after[column] !== hub[column])
  )
}

/** What really happened to the Hub's row, in the vocabulary of captured changes. */
function resultingChange({ change, hub, after }: Write, revision: string): RowChange {
  const { table, key } = change
  if (hub === null) {
    const values = { ...after, revision }
    return { table, operation: 'insert', key, replaces: null, values, before: {} }
  }
  const columns = Object.keys(after).filter(
    (column) => column !== 'revision' && after[column] !== hub[column],
  )
  return {
    ...{ table, operation: 'update', key, replaces: hub.revision ?? null },
    values: Object.fromEntries(columns.map((column) => [column, after[column] ?? null])),
    before: Object.fromEntries(columns.map((column) => [column, hub[column] ?? null])),
  }
}

function words(table: string): string {
  return table.replaceAll('_', ' ')
}
