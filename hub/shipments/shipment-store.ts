import { z } from 'zod'
import type { Actor } from '../../platform/contract/envelope.ts'
import { type ItemState, itemStates, shipmentHappenings } from '../../services/shipments/contract.ts'
import { shipmentSchema } from './shipment-schema.ts'

/** A PostgreSQL that runs one statement at a time; each statement of the store is one whole step. */
export interface Statements {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>
}

const Instant = z.date().transform((date) => date.toISOString())

const ItemRow = z.object({
  sample_id: z.string(),
  name: z.string(),
  code: z.string().nullable(),
  state: z.enum(itemStates),
  missing: z.boolean(),
  checked_off: z.boolean(),
  turned_back: z.string().nullable(),
  words: z.string().nullable(),
  asked_by: z.object({ userId: z.string(), name: z.string() }),
  asked_because: z.string(),
  told: z.string().nullable(),
  news: z.boolean(),
})
export type ItemRow = z.output<typeof ItemRow>

const ShipmentRow = z.object({
  id: z.string(),
  number: z.number(),
  from_laboratory: z.string(),
  from_name: z.string(),
  to_laboratory: z.string(),
  to_name: z.string(),
  carrier: z.string(),
  reference: z.string(),
  reason: z.string(),
  return_of: z.string().nullable(),
  sent_at: Instant,
  sent_by: z.string(),
  received_at: Instant.nullable(),
  received_by: z.string().nullable(),
})
export type ShipmentRow = z.output<typeof ShipmentRow>

const EventRow = z.object({
  at: Instant,
  what: z.enum(shipmentHappenings),
  by_name: z.string(),
  laboratory: z.string(),
  samples: z.number(),
  words: z.string().nullable(),
})
type EventRow = z.output<typeof EventRow>

/** A shipment with its samples by name, and what happened to it, newest first. */
export interface StoredShipment {
  readonly row: ShipmentRow
  readonly items: readonly ItemRow[]
  readonly events: readonly EventRow[]
}

/** What is told of a step, where it changed anything. */
interface Told {
  readonly what: EventRow['what']
  readonly by: Pick<Actor, 'name'>
  /** What the laboratory is called in which it was done. */
  readonly laboratory: string
  /** The names of the samples stand in the story where they are left out. */
  readonly words?: string
}

/** The command by which a shipment is made: the same key stands for the same request, and for that alone. */
export interface ShippingRequest {
  readonly key: string
  readonly hash: string
}

export interface NewShipment {
  readonly id: string
  readonly request: ShippingRequest
  readonly from: { readonly id: string; readonly name: string }
  readonly to: { readonly id: string; readonly name: string }
  readonly carrier: string
  readonly reference: string
  readonly reason: string
  readonly returnOf: string | null
  readonly by: Asker
  readonly items: readonly {
    readonly sampleId: string
    readonly name: string
    readonly code: string | null
  }[]
}

/** The person for whom a step is done. */
export type Asker = Pick<Actor, 'userId' | 'name'>

/** A step of some samples of a shipment, from one state into another. */
export interface Turn {
  readonly from: ItemState
  readonly to: ItemState
  readonly by: Asker
  readonly because: string
  readonly told: Told
}

/** Samples of a shipment: all of them where neither is said. */
interface Some {
  readonly only?: readonly string[] | undefined
  readonly except?: readonly string[]
}

/** It is at its receiver, and its sender has a stub of it that may have to be brought up to date. */
const isStub = `state = 'received' and told is not null`

/** The Hub's record of shipments. */
export class ShipmentStore {
  readonly #database: Statements

  private constructor(database: Statements) {
    this.#database = database
  }

  static async open(database: Statements): Promise<ShipmentStore> {
    for (const statement of shipmentSchema.split(';')) {
      if (statement.trim() !== '') await database.query(statement)
    }
    return new ShipmentStore(database)
  }

  /** Writes a shipment with its samples at once. Throws PostgreSQL's 23505 when one of them is in a shipment already. */
  async add(shipment: NewShipment): Promise<void> {
    const { from, to, by } = shipment
    await this.#database.query(
      `with added as (
         insert into shipment (id, request_key, from_laboratory, from_name, to_laboratory, to_name, carrier, reference,
           reason, return_of, sent_by, request_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $14) returning id),
       told as (
         insert into shipment_event (shipment_id, what, by_name, laboratory, samples, words)
         select id, 'sent', $11, $4, json_array_length($13::json), $9 from added)
       insert into shipment_item (shipment_id, sample_id, name, code, state, asked_by, asked_because)
       select added.id, (each ->> 'sampleId')::uuid, each ->> 'name', each ->> 'code', 'sending', $12::jsonb, $9
       from added, json_array_elements($13::json) each`,
      [
        ...[shipment.id, shipment.request.key, from.id, from.name, to.id, to.name, shipment.carrier],
        ...[shipment.reference, shipment.reason, shipment.returnOf, by.name],
        ...[JSON.stringify(toAsker(by)), JSON.stringify(shipment.items), shipment.request.hash],
      ],
    )
  }

  /** The shipment that was made under a key, and whether by the same request. */
  async madeBy({
    key,
    hash,
  }: ShippingRequest): Promise<{ readonly id: string; readonly isSame: boolean } | null> {
    const { rows } = await this.#database.query(
      'select id, request_hash from shipment where request_key = $1',
      [key],
    )
    const [made] = z.array(z.object({ id: z.string(), request_hash: z.string().nullable() })).parse(rows)
    if (made === undefined) return null
    return { id: made.id, isSame: made.request_hash === null || made.request_hash === hash }
  }

  async get(id: string): Promise<StoredShipment | null> {
    const { rows } = await this.#database.query('select * from shipment where id = $1', [id])
    const [row] = z.array(ShipmentRow).parse(rows)
    return row === undefined ? null : this.#withItems(row)
  }

  /** Newest first, those with a number below `before`. */
  async list(
    laboratoryId: string,
    wanted: { readonly direction: 'in' | 'out' | 'both'; readonly before: number; readonly limit: number },
  ): Promise<readonly StoredShipment[]> {
    const { rows } = await this.#database.query(
      `select * from shipment
       where ((from_laboratory = $1 and $2 <> 'in') or (to_laboratory = $1 and $2 <> 'out')) and number < $3
       order by number desc limit $4`,
      [laboratoryId, wanted.direction, wanted.before, wanted.limit],
    )
    return Promise.all(
      z
        .array(ShipmentRow)
        .parse(rows)
        .map((row) => this.#withItems(row)),
    )
  }

  /** Shipments with a sample whose step is under way, or with one of which something may have to be told. */
  async shipmentsWith(what: 'steps' | 'news'): Promise<readonly string[]> {
    const condition =
      what === 'steps' ? `state in ('sending', 'refusing', 'cancelling', 'arriving')` : `${isStub} and news`
    const { rows } = await this.#database.query(
      `select distinct shipment_id as id from shipment_item where ${condition} order by 1`,
    )
    return z
      .array(z.object({ id: z.string() }))
      .parse(rows)
      .map(({ id }) => id)
  }

  /** Whether any sample is somewhere else and may tell of itself. */
  async hasStubs(): Promise<boolean> {
    const { rows } = await this.#database.query(`select from shipment_item where ${isStub} limit 1`)
    return rows.length > 0
  }

  /** Up to which entry of samples it was looked for news; null before the first look. */
  async lookedUpTo(): Promise<number | null> {
    const { rows } = await this.#database.query('select sequence::float8 as sequence from shipment_look')
    const [looked] = z.array(z.object({ sequence: z.int() })).parse(rows)
    return looked?.sequence ?? null
  }

  /** Notes that something was written of these samples, or maybe of all of them, up to an entry. */
  async noteNews(sampleIds: readonly string[] | 'all', upTo: number): Promise<void> {
    await this.#database.query(
      `with noted as (
         update shipment_item set news = true
         where ${isStub} and not news and ($1::uuid[] is null or sample_id = any ($1::uuid[])))
       insert into shipment_look (sequence) values ($2) on conflict (id) do update set sequence = excluded.sequence`,
      [sampleIds === 'all' ? null : sampleIds, upTo],
    )
  }

  /**
   * Turns samples that are in a state into another one, all in one step; gives those that it found. What the receiver does
   * not take does not arrive, whoever turned it back meanwhile.
   */
  turn(shipmentId: string, turn: Turn, some: Some = {}): Promise<readonly string[]> {
    const { from, to, by, because, told } = turn
    return this.#change(shipmentId, {
      ...{ from, some, told },
      ...(to === 'arriving' ? { where: 'turned_back is null or checked_off' } : {}),
      set: `state = $7, asked_by = $8::jsonb, asked_because = $9, words = null, checked_off = false,
        missing = case when $7 in ('arriving', 'cancelling') then false else missing end,
        turned_back = case when $7 = 'arriving' then null else turned_back end`,
      values: [to, JSON.stringify(toAsker(by)), because],
    })
  }

  /**
   * Changes samples that are in a state and tells it in the same step; gives those that it found. Whoever receives first is
   * noted with it, also when they find samples missing.
   */
  async #change(
    shipmentId: string,
    change: {
      readonly from: ItemState
      readonly some: Some
      /** Which of them are changed: all of them where it is left out. */
      readonly where?: string
      /** What is written, with its values from $7 on. */
      readonly set: string
      readonly values: readonly unknown[]
      readonly told: Told | null
    },
  ): Promise<readonly string[]> {
    const { from, some, where = 'true', told } = change
    const { rows } = await this.#database.query(
      `with changed as (
         update shipment_item set ${change.set}
         where shipment_id = $1 and state = $2 and ($3::uuid[] is null or sample_id = any ($3::uuid[]))
           and not sample_id = any ($4::uuid[]) and (${where})
         returning sample_id, name),
       told as (
         insert into shipment_event (shipment_id, what, by_name, laboratory, samples, words)
         select $1, $5::json ->> 'what', $5::json ->> 'by', $5::json ->> 'laboratory', count(*),
           coalesce($6, string_agg(name, ', ' order by name))
         from changed where $5 is not null having count(*) > 0),
       noted as (
         update shipment set received_at = coalesce(received_at, now()),
           received_by = coalesce(received_by, $5::json ->> 'by')
         where id = $1 and $5::json ->> 'what' in ('received', 'missing') and exists (select from changed))
       select sample_id from changed`,
      [
        ...[shipmentId, from, some.only ?? null, some.except ?? []],
        told === null ? null : JSON.stringify({ ...told, by: told.by.name }),
        ...[told?.words ?? null, ...change.values],
      ],
    )
    return z
      .array(z.object({ sample_id: z.string() }))
      .parse(rows)
      .map((row) => row.sample_id)
  }

  /** A step is done. */
  async finish(
    shipmentId: string,
    sampleId: string,
    from: ItemState,
    to: ItemState,
    words: string | null = null,
  ): Promise<void> {
    await this.#database.query(
      `update shipment_item set state = $4, words = coalesce($5, words)
       where shipment_id = $1 and sample_id = $2 and state = $3`,
      [shipmentId, sampleId, from, to, words],
    )
  }

  /** Says what holds a sample up. */
  async explain(shipmentId: string, sampleId: string, words: string | null): Promise<void> {
    await this.#database.query(
      'update shipment_item set words = $3 where shipment_id = $1 and sample_id = $2',
      [shipmentId, sampleId, words],
    )
  }

  /** The parcel was opened without them. Those that are missing or turned back already stay as they are. */
  async noteMissing(shipmentId: string, sampleIds: readonly string[], told: Told): Promise<void> {
    await this.#change(shipmentId, {
      ...{ from: 'travelling', some: { only: sampleIds }, told, values: [] },
      where: 'checked_off or (turned_back is null and not missing)',
      set: 'missing = true, checked_off = false, turned_back = null',
    })
  }

  /**
   * Whoever finds a tube that was turned back or missing after all takes it in with the others. Until then it is kept what
   * was said of it before, which counts again when the tube is not there after all.
   */
  async checkOff(shipmentId: string, sampleIds: readonly string[], present: boolean): Promise<void> {
    await this.#change(shipmentId, {
      ...{ from: 'travelling', some: { only: sampleIds }, told: null, values: [present] },
      set: 'checked_off = $7',
    })
  }

  /** The receiver does not take them. Those that were turned back for this reason already stay as they are. */
  async turnBack(shipmentId: string, reason: string, some: Some, told: Told): Promise<void> {
    await this.#change(shipmentId, {
      ...{ from: 'travelling', some, told, values: [reason] },
      where: 'checked_off or turned_back is distinct from $7',
      set: 'turned_back = $7, checked_off = false',
    })
  }

  /** The codes by which the receiver's scanner knows a sample. */
  async noteCodes(shipmentId: string, sampleId: string, lookupKeys: readonly string[]): Promise<void> {
    await this.#database.query(
      'update shipment_item set lookup_keys = $3::text[] where shipment_id = $1 and sample_id = $2',
      [shipmentId, sampleId, lookupKeys],
    )
  }

  /** Samples in shipments to a laboratory that one of these keys names, of the newest shipment first. */
  async recognise(
    laboratoryId: string,
    lookupKeys: readonly string[],
  ): Promise<readonly { readonly row: ShipmentRow; readonly item: ItemRow }[]> {
    const { rows } = await this.#database.query(
      `select shipment_item.* from shipment_item join shipment on shipment.id = shipment_id
       where to_laboratory = $1 and lookup_keys && $2::text[] and state <> 'refused'
       order by number desc, name limit 20`,
      [laboratoryId, lookupKeys],
    )
    const found = z.array(z.object({ shipment_id: z.string() })).parse(rows)
    const items = z.array(ItemRow).parse(rows)
    const shipments = new Map<string, ShipmentRow>()
    for (const id of new Set(found.map((row) => row.shipment_id))) {
      const shipment = await this.get(id)
      if (shipment !== null) shipments.set(id, shipment.row)
    }
    return items.flatMap((item, index) => {
      const row = shipments.get(found[index]?.shipment_id ?? '')
      return row === undefined ? [] : [{ row, item }]
    })
  }

  /** The sender's stub is as up to date as this; null when there is no stub any more. */
  async noteTold(shipmentId: string, sampleId: string, told: string | null): Promise<void> {
    await this.#database.query(
      'update shipment_item set told = $3, news = false where shipment_id = $1 and sample_id = $2',
      [shipmentId, sampleId, told],
    )
  }

  async #withItems(row: ShipmentRow): Promise<StoredShipment> {
    const [items, events] = await Promise.all([
      this.#database.query('select * from shipment_item where shipment_id = $1 order by name, sample_id', [
        row.id,
      ]),
      this.#database.query('select * from shipment_event where shipment_id = $1 order by id desc', [row.id]),
    ])
    return {
      row,
      items: z.array(ItemRow).parse(items.rows),
      events: z.array(EventRow).parse(events.rows),
    }
  }
}

function toAsker({ userId, name }: Asker): Asker {
  return { userId, name }
}
