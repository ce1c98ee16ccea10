import { addressOf, type ChangeSet, type RowChange, type RowImage } from '../change-set.ts'
import type { Chance } from './chance.ts'
import type { RowStore } from './row-store.ts'

/** A fact announced by a simulated command. */
export interface SimulatedEvent {
  readonly name: string
  readonly data: Readonly<Record<string, string | null>>
}

/** What a simulated command wrote, before it has an id of its own. */
export interface Draft {
  readonly domain: string
  readonly procedure: string
  readonly changes: readonly RowChange[]
  readonly events: readonly SimulatedEvent[]
}

/** Where somebody works: what they see, and what they are given. */
export interface Desk {
  readonly laboratoryId: string
  readonly personId: string
  readonly rows: RowStore
  readonly chance: Chance
  /** The id that the change set will have. */
  readonly changeSetId: string
  newId(): string
  /** By the clock of this machine, which may be wrong by hours. */
  now(): string
}

/** Gathers what one command writes, with what it replaces, as the capture trigger does. */
export class Writing {
  readonly desk: Desk
  readonly #domain: string
  readonly #changes: RowChange[] = []
  readonly #events: SimulatedEvent[] = []
  readonly #written = new Map<string, RowImage>()

  constructor(desk: Desk, domain: string) {
    this.desk = desk
    this.#domain = domain
  }

  row(table: string, id: string | null | undefined): RowImage | null {
    return (
      this.#written.get(`${table}/${id ?? ''}`) ??
      this.desk.rows.row(addressOf(this.#domain, table, id ?? ''))
    )
  }

  /** Rows as this command sees them. */
  all(table: string): readonly RowImage[] {
    const kept = this.desk.rows
      .all(this.#domain, table)
      .filter((row) => !this.#written.has(`${table}/${row.id ?? ''}`))
    const own = [...this.#written].filter(([name]) => name.startsWith(`${table}/`)).map(([, row]) => row)
    return [...kept, ...own]
  }

  insert(table: string, values: RowImage, id: string = this.desk.newId()): string {
    const { laboratoryId, changeSetId } = this.desk
    const row = { laboratory_id: laboratoryId, id, ...values, revision: changeSetId }
    const key = { laboratory_id: laboratoryId, id }
    this.#changes.push({ table, operation: 'insert', key, replaces: null, values: row, before: {} })
    this.#written.set(`${table}/${id}`, row)
    return id
  }

  update(table: string, id: string, wanted: RowImage): void {
    const row = this.row(table, id)
    if (row === null) throw new Error(`A simulated command changes ${table} ${id}, which is not there`)
    const columns = Object.keys(wanted).filter((column) => wanted[column] !== row[column])
    const values = Object.fromEntries(columns.map((column) => [column, wanted[column] ?? null]))
    const before = Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))
    const key = { laboratory_id: this.desk.laboratoryId, id }
    this.#changes.push({ table, operation: 'update', key, replaces: row.revision ?? null, values, before })
    this.#written.set(`${table}/${id}`, { ...row, ...values, revision: this.desk.changeSetId })
  }

  announce(name: string, data: SimulatedEvent['data']): void {
    this.#events.push({ name, data })
  }

  finish(procedure: string): Draft | null {
    if (this.#changes.length === 0) return null
    return { domain: this.#domain, procedure, changes: this.#changes, events: this.#events }
  }
}

/** A draft as the change set of a workstation or the Hub. */
export function makeChangeSet(
  desk: Desk,
  draft: Draft,
  more: Pick<ChangeSet, 'workstationId' | 'causedBy' | 'hybridLogicalTime'>,
): ChangeSet {
  return {
    id: desk.changeSetId,
    laboratoryId: desk.laboratoryId,
    actorId: desk.personId,
    recordedAt: desk.now(),
    reason: null,
    correlationId: desk.changeSetId,
    ...draft,
    ...more,
  }
}
