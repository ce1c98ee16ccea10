import type { RowAddress, RowImage } from './change-set.ts'
import { addressOf } from './change-set.ts'
import type { Outcome } from './log.ts'

/** What a change set is by now: taken into the rows, waiting for a person (or behind one that does), or dropped. */
export interface Fate {
  readonly outcome: Outcome
  readonly status: 'taken' | 'waiting' | 'dropped'
  /** The log entry that holds its rows, or its work item. */
  readonly resultId: string
  /** Rows that the Hub keeps with another content than their author has. */
  readonly altered: readonly RowAddress[]
}

/** Rows of a table by the values of some columns; `lower` compares that column without regard to case. */
export interface LookUp {
  readonly domain: string
  readonly table: string
  readonly where: Readonly<Record<string, string | null>>
  readonly lower: readonly string[]
}

/** Something the engine must know to decide. Whoever runs it answers many of them at once. */
export type Question =
  | { readonly ask: 'row'; readonly address: RowAddress }
  | { readonly ask: 'rows'; readonly lookUp: LookUp }
  /** What became of a change set; null for an id that no set was pushed under. */
  | { readonly ask: 'fate'; readonly changeSetId: string }
  /** The waiting change set that would insert the row; null when there is none. */
  | { readonly ask: 'maker'; readonly address: RowAddress }
  /** The standing items of a kind about a subject that are open or were acknowledged. */
  | { readonly ask: 'standing'; readonly kind: string; readonly domain: string; readonly subject: string }
  /** Whether its author may do now what the change set did. */
  | { readonly ask: 'permission'; readonly changeSetId: string; readonly actorId: string }

/** What is known of a standing item: what it found, and whether a person has said that it may stay. */
export interface Standing {
  readonly id: string
  readonly finding: string
  readonly isAcknowledged: boolean
}

interface AnswerTypes {
  readonly row: RowImage | null
  readonly rows: readonly RowImage[]
  readonly fate: Fate | null
  readonly maker: string | null
  readonly standing: readonly Standing[]
  readonly permission: boolean
}
export type Answer<Ask extends Question['ask']> = AnswerTypes[Ask]

/** What is known so far of the Hub. */
export interface HubView {
  /** Undefined where the answer is not here yet. */
  answer<Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>): Answer<Ask> | undefined
}

/** The engine cannot decide before these are answered. */
export interface Needs {
  readonly kind: 'needs'
  readonly questions: readonly Question[]
}

/** A view of nothing: what the engine asks of it is what it needs first. */
export const emptyView: HubView = { answer: () => undefined }

/** A view of what was loaded. Filled by whoever runs the engine, between two attempts to decide. */
export class LoadedView implements HubView {
  readonly #answers = new Map<string, unknown>()

  set<Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>, answer: Answer<Ask>): void {
    this.#answers.set(nameQuestion(question), answer)
  }

  answer<Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>): Answer<Ask> | undefined {
    return this.#answers.get(nameQuestion(question)) as Answer<Ask> | undefined
  }
}

/** The same text for the same question. */
export function nameQuestion(question: Question): string {
  switch (question.ask) {
    case 'row':
    case 'maker':
      return `${question.ask} ${question.address}`
    case 'rows': {
      const { domain, table, where, lower } = question.lookUp
      return `rows ${domain}/${table} ${JSON.stringify(Object.entries(where).sort())} ${lower.join()}`
    }
    case 'fate':
      return `fate ${question.changeSetId}`
    case 'standing':
      return `standing ${question.kind} ${question.domain} ${question.subject}`
    case 'permission':
      return `permission ${question.changeSetId}`
  }
}

/**
 * Reads a view on behalf of one decision. What is not loaded reads as absent and is noted: a decision made while
 * anything was missing does not count.
 */
export class Reader {
  readonly #view: HubView
  readonly #missing = new Map<string, Question>()

  constructor(view: HubView) {
    this.#view = view
  }

  /** Null when everything that was read was there. */
  get needs(): Needs | null {
    return this.#missing.size === 0 ? null : { kind: 'needs', questions: [...this.#missing.values()] }
  }

  row(address: RowAddress): RowImage | null {
    return this.#read({ ask: 'row', address }, null)
  }

  rows(lookUp: LookUp): readonly RowImage[] {
    return this.#read({ ask: 'rows', lookUp }, [])
  }

  fate(changeSetId: string): Fate | null {
    return this.#read({ ask: 'fate', changeSetId }, null)
  }

  maker(address: RowAddress): string | null {
    return this.#read({ ask: 'maker', address }, null)
  }

  standing(kind: string, domain: string, subject: string): readonly Standing[] {
    return this.#read({ ask: 'standing', kind, domain, subject }, [])
  }

  isPermitted(changeSetId: string, actorId: string): boolean {
    return this.#read({ ask: 'permission', changeSetId, actorId }, true)
  }

  #read<Ask extends Question['ask']>(
    question: Extract<Question, { ask: Ask }>,
    absent: Answer<Ask>,
  ): Answer<Ask> {
    const answer = this.#view.answer(question)
    if (answer !== undefined) return answer
    this.#missing.set(nameQuestion(question), question)
    return absent
  }
}

/** Rows as they would be after a change: the Hub's, with what the change writes laid over them. */
export class ResultRows {
  readonly #reader: Pick<Reader, 'row' | 'rows'>
  readonly #written = new Map<RowAddress, RowImage>()

  constructor(reader: Pick<Reader, 'row' | 'rows'>) {
    this.#reader = reader
  }

  write(address: RowAddress, row: RowImage): void {
    this.#written.set(address, row)
  }

  row(address: RowAddress): RowImage | null {
    return this.#written.get(address) ?? this.#reader.row(address)
  }

  find(lookUp: LookUp): readonly RowImage[] {
    const { domain, table } = lookUp
    const untouched = this.#reader
      .rows(lookUp)
      .filter((row) => !this.#written.has(addressOf(domain, table, row.id ?? '')))
    const written = [...this.#written].filter(
      ([address, row]) => address.startsWith(`${domain}/${table}/`) && matches(row, lookUp),
    )
    return [...untouched, ...written.map(([, row]) => row)]
  }
}

/** Whether a row is one that is looked for. */
export function matches(row: RowImage, { where, lower }: LookUp): boolean {
  return Object.entries(where).every(([column, value]) => {
    const held = row[column] ?? null
    return (lower.includes(column) ? (held?.toLowerCase() ?? null) : held) === value
  })
}
