import { type SQL, sql } from 'drizzle-orm'
import { rowsOf, type Transaction } from '../../database/transaction.ts'
import { addressOf, type RowAddress, type RowImage, splitAddress } from '../change-set.ts'
import type { Decision } from '../decide.ts'
import {
  type Answer,
  type Fate,
  type HubView,
  LoadedView,
  type LookUp,
  matches,
  nameQuestion,
  type Question,
  type Standing,
} from '../view.ts'
import { describeFinding, isHeld, type StandingItem, type WorkItem } from '../work-item.ts'
import type { RowImages } from './row-images.ts'

/** What the Hub knows outside of the domain's database. */
export interface Known {
  readonly fates: ReadonlyMap<string, Fate | null>
  /** Change sets whose authors may do now what these did. */
  readonly permitted: ReadonlySet<string>
}

/**
 * The Hub's rows of one domain and laboratory for a batch of decisions: loaded from the database when they are asked
 * for, with everything that the batch has decided so far laid over them.
 */
export class BatchView implements HubView {
  readonly #loaded = new LoadedView()
  readonly #asked = new Set<string>()
  readonly #known: Known
  readonly #rows = new Map<RowAddress, RowImage>()
  /** The same by table, since a look-up would go through all of them. */
  readonly #written = new Map<string, Map<RowAddress, RowImage>>()
  readonly #fates = new Map<string, Fate>()
  readonly #makers = new Map<RowAddress, string>()
  readonly #opened = new Map<string, WorkItem>()
  readonly #closed = new Set<string>()
  readonly #acknowledged = new Map<string, StandingItem>()

  constructor(known: Known) {
    this.#known = known
  }

  answer<Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>): Answer<Ask> | undefined {
    return this.#answer(question) as Answer<Ask> | undefined
  }

  /** Lays a decision over what is loaded. */
  add({ rows, fates, body }: Decision): void {
    for (const { address, image } of rows) {
      this.#rows.set(address, image)
      const { domain, table } = splitAddress(address)
      const written = this.#written.get(`${domain}/${table}`) ?? new Map<RowAddress, RowImage>()
      this.#written.set(`${domain}/${table}`, written.set(address, image))
    }
    for (const { changeSetId, fate } of fates) this.#fates.set(changeSetId, fate)
    for (const id of body.closes) {
      const item = this.#opened.get(id)
      if (body.acknowledges.includes(id) && item !== undefined && !isHeld(item))
        this.#acknowledged.set(id, item)
      this.#opened.delete(id)
      this.#closed.add(id)
    }
    for (const item of body.opens) {
      this.#opened.set(item.id, item)
      if (!isHeld(item)) continue
      for (const { operation, table, key } of item.set.changes) {
        if (operation === 'insert') this.#makers.set(addressOf(item.domain, table, key.id), item.set.id)
      }
    }
  }

  /** Loads what was asked for and is not here yet; each table and kind of question is one statement. */
  async load(
    tx: Transaction,
    images: RowImages,
    laboratoryId: string,
    questions: readonly Question[],
  ): Promise<void> {
    const fresh = questions.filter((question) => !this.#asked.has(nameQuestion(question)))
    for (const question of fresh) this.#asked.add(nameQuestion(question))
    await this.#loadRows(tx, images, laboratoryId, only(fresh, 'row'))
    await this.#loadLookUps(tx, images, laboratoryId, only(fresh, 'rows'))
    await this.#loadFates(tx, laboratoryId, only(fresh, 'fate'))
    await this.#loadMakers(tx, laboratoryId, only(fresh, 'maker'))
    await this.#loadStanding(tx, laboratoryId, only(fresh, 'standing'))
  }

  #answer(question: Question): unknown {
    switch (question.ask) {
      case 'row':
        return this.#rows.get(question.address) ?? this.#loaded.answer(question)
      case 'rows': {
        const loaded = this.#loaded.answer(question)
        return loaded === undefined ? undefined : this.#layOver(question.lookUp, loaded)
      }
      case 'fate':
        return this.#fates.get(question.changeSetId) ?? this.#loaded.answer(question)
      case 'maker':
        return this.#answerMaker(question)
      case 'standing':
        return this.#answerStanding(question)
      case 'permission':
        return this.#known.permitted.has(question.changeSetId)
    }
  }

  #layOver(lookUp: LookUp, loaded: readonly RowImage[]): readonly RowImage[] {
    const { domain, table } = lookUp
    const written = this.#written.get(`${domain}/${table}`)
    if (written === undefined) return loaded
    const kept = loaded.filter((row) => !written.has(addressOf(domain, table, row.id ?? '')))
    return [...kept, ...[...written.values()].filter((row) => matches(row, lookUp))]
  }

  #answerMaker(question: Extract<Question, { ask: 'maker' }>): string | null | undefined {
    const made = this.#makers.get(question.address)
    if (made !== undefined && this.#fates.get(made)?.status === 'waiting') return made
    return this.#loaded.answer(question)
  }

  #answerStanding(question: Extract<Question, { ask: 'standing' }>): readonly Standing[] | undefined {
    const loaded = this.#loaded.answer(question)
    if (loaded === undefined) return undefined
    const isAsked = (item: WorkItem): item is StandingItem =>
      !isHeld(item) &&
      item.kind === question.kind &&
      item.domain === question.domain &&
      item.subject === question.subject
    const here = [
      ...[...this.#opened.values()].filter(isAsked).map((item) => ({ item, isAcknowledged: false })),
      ...[...this.#acknowledged.values()].filter(isAsked).map((item) => ({ item, isAcknowledged: true })),
    ]
    return [
      ...loaded.filter((each) => !this.#closed.has(each.id)),
      ...here.map(({ item, isAcknowledged }) => ({
        id: item.id,
        finding: describeFinding(item),
        isAcknowledged,
      })),
    ]
  }

  async #loadRows(
    tx: Transaction,
    images: RowImages,
    laboratoryId: string,
    questions: readonly Extract<Question, { ask: 'row' }>[],
  ): Promise<void> {
    for (const [table, some] of groupBy(questions, ({ address }) => splitAddress(address).table)) {
      const ids = some.map(({ address }) => splitAddress(address).id)
      const found = await images.read(tx, laboratoryId, table, ids)
      for (const question of some) {
        this.#loaded.set(question, found.get(splitAddress(question.address).id) ?? null)
      }
    }
  }

  async #loadLookUps(
    tx: Transaction,
    images: RowImages,
    laboratoryId: string,
    questions: readonly Extract<Question, { ask: 'rows' }>[],
  ): Promise<void> {
    for (const [table, some] of groupBy(questions, ({ lookUp }) => lookUp.table)) {
      const found = await images.find(
        tx,
        laboratoryId,
        table,
        some.map(({ lookUp }) => lookUp),
      )
      for (const [index, question] of some.entries()) this.#loaded.set(question, found[index] ?? [])
    }
  }

  async #loadFates(
    tx: Transaction,
    laboratoryId: string,
    questions: readonly Extract<Question, { ask: 'fate' }>[],
  ): Promise<void> {
    if (questions.length === 0) return
    const found = await readFates(
      tx,
      laboratoryId,
      questions.map(({ changeSetId }) => changeSetId),
    )
    for (const question of questions) {
      const { changeSetId } = question
      this.#loaded.set(question, found.get(changeSetId) ?? this.#known.fates.get(changeSetId) ?? null)
    }
  }

  async #loadMakers(
    tx: Transaction,
    laboratoryId: string,
    questions: readonly Extract<Question, { ask: 'maker' }>[],
  ): Promise<void> {
    if (questions.length === 0) return
    const about = questions.map(({ address }) => splitAddress(address).id)
    const held = (await readOpenItems(tx, laboratoryId, { about })).map(({ item }) => item).filter(isHeld)
    for (const question of questions) {
      const maker = held.find(({ set, domain }) =>
        set.changes.some(
          ({ operation, table, key }) =>
            operation === 'insert' && addressOf(domain, table, key.id) === question.address,
        ),
      )
      this.#loaded.set(question, maker?.set.id ?? null)
    }
  }

  async #loadStanding(
    tx: Transaction,
    laboratoryId: string,
    questions: readonly Extract<Question, { ask: 'standing' }>[],
  ): Promise<void> {
    if (questions.length === 0) return
    const wanted = JSON.stringify(questions.map(({ kind, subject }) => ({ kind, subject })))
    const rows = await rowsOf<{ item: StandingItem; state: string }>(
      tx,
      sql`select w.item, w.state from json_array_elements(${wanted}::json) each
        join platform.work_item w on w.laboratory_id = ${laboratoryId}::uuid
          and w.kind = each ->> 'kind' and w.subject = each ->> 'subject' and w.state in ('open', 'acknowledged')`,
    )
    for (const question of questions) {
      const standing = rows.filter(
        ({ item }) => item.kind === question.kind && item.subject === question.subject,
      )
      this.#loaded.set(
        question,
        standing.map(({ item, state }) => ({
          id: item.id,
          finding: describeFinding(item),
          isAcknowledged: state === 'acknowledged',
        })),
      )
    }
  }
}

/** What became of change sets that were pushed to this domain, by id. */
export async function readFates(
  tx: Pick<Transaction, 'execute'>,
  laboratoryId: string,
  changeSetIds: readonly string[],
): Promise<ReadonlyMap<string, Fate>> {
  const rows = await rowsOf<Fate & { id: string }>(
    tx,
    sql`select change_set_id::text as id, outcome, status, result_id::text as "resultId", altered
      from platform.change_set_fate where laboratory_id = ${laboratoryId}::uuid
        and change_set_id = any (array(select each::uuid from json_array_elements_text(${JSON.stringify(changeSetIds)}::json) each))`,
  )
  return new Map(rows.map(({ id, ...fate }) => [id, fate]))
}

/** A work item that nobody has decided, and since when. */
export interface OpenItem {
  readonly openedAt: string
  readonly item: WorkItem
}

/** Which open items are wanted; all where nothing is said. */
export interface WantedItems {
  readonly kind?: string | undefined
  readonly id?: string | undefined
  /** Those in which any of these ids stands. */
  readonly about?: readonly string[] | undefined
  readonly limit?: number | undefined
}

/** A laboratory's open items in the order in which they came. */
export async function readOpenItems(
  tx: Pick<Transaction, 'execute'>,
  laboratoryId: string,
  wanted: WantedItems = {},
): Promise<readonly OpenItem[]> {
  return rowsOf<OpenItem>(
    tx,
    sql`select to_char(opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "openedAt", item
      from platform.work_item where ${isWanted(laboratoryId, wanted)}
      order by opened_sequence, opened_ordinal limit ${wanted.limit ?? null}::bigint`,
  )
}

/** How many there are, whatever the limit is. */
export async function countOpenItems(
  tx: Pick<Transaction, 'execute'>,
  laboratoryId: string,
  wanted: WantedItems = {},
): Promise<number> {
  const [row] = await rowsOf<{ count: string }>(
    tx,
    sql`select count(*)::text as count from platform.work_item where ${isWanted(laboratoryId, wanted)}`,
  )
  return Number(row?.count ?? 0)
}

function isWanted(laboratoryId: string, { kind, id, about }: WantedItems): SQL {
  const conditions = [sql`laboratory_id = ${laboratoryId}::uuid and state = 'open'`]
  if (kind !== undefined) conditions.push(sql`kind = ${kind}`)
  if (id !== undefined) conditions.push(sql`id = ${id}::uuid`)
  if (about !== undefined) {
    conditions.push(sql`exists (select from json_array_elements_text(${JSON.stringify(about)}::json) each
      where position(each in item::text) > 0)`)
  }
  return sql.join(conditions, sql` and `)
}

function only<Ask extends Question['ask']>(
  questions: readonly Question[],
  ask: Ask,
): readonly Extract<Question, { ask: Ask }>[] {
  return questions.filter((question): question is Extract<Question, { ask: Ask }> => question.ask === ask)
}

function groupBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
