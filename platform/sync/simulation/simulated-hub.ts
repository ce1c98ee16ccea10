import { type ChangeSet, ChangeSetSchema, addressOf, type RowAddress } from '../change-set.ts'
import { type Decision, decideChangeSet, type HowToDecide, type Repeated } from '../decide.ts'
import { emptyLog, type LogEntry, type LogEntryBody, type LogHead, sequenceEntry } from '../log.ts'
import { type Choice, type Impossible, resolveItem, type Resolver } from '../resolve.ts'
import type { SyncRules } from '../rules.ts'
import { type Answer, type Fate, type HubView, LoadedView, type Needs, type Question } from '../view.ts'
import { describeFinding, findReady, isHeld, type WorkItem } from '../work-item.ts'
import type { Chance } from './chance.ts'
import type { Message } from './messages.ts'
import { RowStore } from './row-store.ts'

/** A protocol in steps: between two of them the machine may stop. What was written before is there, nothing else is. */
export type Steps<Result> = Generator<string, Result, void>

/** A Hub whose databases are in memory. Every field is durable: what a crash takes are the steps that were running. */
export class SimulatedHub {
  readonly rows = new RowStore()
  readonly log: LogEntry[] = []
  readonly openItems = new Map<string, WorkItem>()
  /** Everything that was decided, in the order of the commits. */
  readonly decisions: Decision[] = []
  readonly #acknowledged = new Map<string, WorkItem>()
  readonly #fates = new Map<string, Fate>()
  /** Committed with the rows of their domain, not in the laboratory's log yet. */
  readonly #headers = new Map<string, LogEntryBody[]>()
  readonly #rules: SyncRules

  constructor(rules: SyncRules) {
    this.#rules = rules
  }

  get head(): LogHead {
    return this.log.at(-1) ?? emptyLog
  }

  fateOf(changeSetId: string): Fate | null {
    return this.#fates.get(changeSetId) ?? null
  }

  get hasHeaders(): boolean {
    return [...this.#headers.values()].some((waiting) => waiting.length > 0)
  }

  /** Takes pushed sets in order; a push that does not follow what is here is not for now. */
  *receive(push: Extract<Message, { kind: 'push' }>): Steps<Message | null> {
    if (push.after !== null && !this.#fates.has(push.after)) return null
    yield 'push received'
    for (const pushed of push.sets) {
      const set = ChangeSetSchema.parse(JSON.parse(JSON.stringify(pushed)))
      const decision = this.decide(set, { from: 'workstation' })
      if (decision.kind === 'decision') {
        this.commit(decision)
        yield 'set decided'
      }
    }
    const last = push.sets.at(-1)
    return last === undefined ? null : { to: push.from, kind: 'received', lastId: last.id }
  }

  entriesAfter(to: number, position: number, limit: number): Message {
    return { to, kind: 'entries', entries: this.log.slice(position, position + limit) }
  }

  /** Gives the next committed header of some domain its position. */
  sequenceOne(chance: Chance): void {
    const waiting = [...this.#headers.values()].filter((headers) => headers.length > 0)
    const header = chance.pick(waiting)?.shift()
    if (header !== undefined) this.log.push(sequenceEntry(this.head, header))
  }

  *resolve(itemId: string, choice: Choice, resolver: Resolver): Steps<Impossible | null> {
    const item = this.openItems.get(itemId)
    if (item === undefined) return { kind: 'impossible', words: 'It is resolved already.' }
    const answer = this.#load((view) => resolveItem(item, choice, resolver, view, this.#rules))
    if (answer.kind !== 'decision') return answer
    this.commit(answer)
    yield 'item resolved'
    yield* this.decideReady()
    return null
  }

  /** Decides again whatever waits for nothing any more. Also done after a crash: it may have been under way. */
  *decideReady(): Steps<void> {
    for (;;) {
      const isWaiting = (id: string) => this.#fates.get(id)?.status === 'waiting'
      const ready = findReady(this.openItems.values(), isWaiting)
      if (ready === null) return
      const decision = this.decide(ready.set, { from: 'workstation', again: true })
      if (decision.kind === 'decision') this.commit(decision)
      yield 'parked set decided again'
    }
  }

  /** By the way of a database: load what is asked for, try again. */
  decide(set: ChangeSet, how: HowToDecide): Decision | Repeated {
    return this.#load((view) => decideChangeSet(set, view, this.#rules, how))
  }

  /** One transaction in the set's domain: rows, fates, work items, and the header last. */
  commit(decision: Decision): void {
    this.decisions.push(decision)
    for (const { address, image } of decision.rows) this.rows.write(address, image)
    for (const { changeSetId, fate } of decision.fates) this.#fates.set(changeSetId, fate)
    const { body } = decision
    for (const id of body.acknowledges) {
      const item = this.openItems.get(id)
      if (item !== undefined) this.#acknowledged.set(id, item)
    }
    for (const id of body.closes) this.openItems.delete(id)
    for (const item of body.opens) this.openItems.set(item.id, item)
    this.#headers.set(body.domain, [...(this.#headers.get(body.domain) ?? []), body])
  }

  #load<Result>(attempt: (view: HubView) => Result | Needs): Result {
    const view = new LoadedView()
    for (let round = 0; round < 50; round += 1) {
      const result = attempt(view)
      if (!isNeeds(result)) return result
      for (const question of result.questions) this.#answerInto(view, question)
    }
    throw new Error('The engine goes on asking')
  }

  #answerInto(view: LoadedView, question: Question): void {
    switch (question.ask) {
      case 'row': {
        view.set(question, this.rows.row(question.address))
        return
      }
      case 'rows': {
        view.set(question, this.rows.find(question.lookUp))
        return
      }
      case 'fate': {
        view.set(question, this.fateOf(question.changeSetId))
        return
      }
      case 'maker': {
        view.set(question, this.#findMaker(question.address))
        return
      }
      case 'standing': {
        view.set(question, this.#listStanding(question))
        return
      }
      case 'permission': {
        view.set(question, this.#isActive(question.actorId))
        return
      }
    }
  }

  #findMaker(address: RowAddress): string | null {
    for (const item of this.openItems.values()) {
      const makes = item.set?.changes.some(
        ({ operation, table, key }) =>
          operation === 'insert' && addressOf(item.domain, table, key.id) === address,
      )
      if (isHeld(item) && makes === true) return item.set.id
    }
    return null
  }

  #listStanding(question: Extract<Question, { ask: 'standing' }>): Answer<'standing'> {
    const list = (items: Iterable<WorkItem>, isAcknowledged: boolean) =>
      [...items].flatMap((item) =>
        !isHeld(item) &&
        item.kind === question.kind &&
        item.domain === question.domain &&
        item.subject === question.subject
          ? [{ id: item.id, finding: describeFinding(item), isAcknowledged }]
          : [],
      )
    return [...list(this.openItems.values(), false), ...list(this.#acknowledged.values(), true)]
  }

  #isActive(personId: string): boolean {
    return this.rows.row(addressOf('auth', 'app_user', personId))?.status === 'active'
  }
}

function isNeeds(result: unknown): result is Needs {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'needs'
}
