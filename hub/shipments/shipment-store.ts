import { z } from 'zod'
import type { Actor } from '../../platform/contract/envelope.ts'
import { type ItemState, itemStates } from '../../services/shipments/contract.ts'
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
  words: z.string().nullable(),
  asked_by: z.object({ userId: z.string(), name: z.string() }),
  asked_because: z.string(),
  told: z.string().nullable(),
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

/** A shipment with its samples in the order in which they were named. */
export interface StoredShipment {
  readonly row: ShipmentRow
  readonly items: readonly ItemRow[]
}

export interface NewShipment {
  readonly id: string
  readonly key: string
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
}

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
           reason, return_of, sent_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id)
       insert into shipment_item (shipment_id, sample_id, name, code, state, asked_by, asked_because)
       select added.id, (each ->> 'sampleId')::uuid, each ->> 'name', each ->> 'code', 'sending', $12::jsonb, $9
       from added, json_array_elements($13::json) each`,
      [
        ...[shipment.id, shipment.key, from.id, from.name, to.id, to.name, shipment.carrier],
        ...[shipment.reference, shipment.reason, shipment.returnOf, by.name],
        ...[JSON.stringify(toAsker(by)), JSON.stringify(shipment.items)],
      ],
    )
  }

  async byKey(key: string): Promise<StoredShipment | null> {
    const { rows } = await this.#database.query('select id from shipment where request_key = $1', [key])
    const [found] = z.array(z.object({ id: z.string() })).parse(rows)
    return found === undefined ? null : this.get(found.id)
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

  /** Shipments with a sample whose step is under way, or with one that is somewhere else and may tell of itself. */
  async shipmentsWith(what: 'steps' | 'stubs'): Promise<readonly string[]> {
    const condition =
      what === 'steps'
        ? `state in ('sending', 'refusing', 'cancelling', 'arriving')`
        : `state = 'received' and told is not null`
    const { rows } = await this.#database.query(
      `select distinct shipment_id as id from shipment_item where ${condition} order by 1`,
    )
    return z
      .array(z.object({ id: z.string() }))
      .parse(rows)
      .map(({ id }) => id)
  }

  /** Turns samples that are in a state into another one, all in one step; gives those that it found. */
  async turn(
    shipmentId: string,
    { from, to, by, because }: Turn,
    wanted: { readonly only?: readonly string[]; readonly except?: readonly string[] } = {},
  ): Promise<readonly string[]> {
    const { rows } = await this.#database.query(
      `update shipment_item set state = $3, asked_by = $4::jsonb, asked_because = $5, words = null,
         missing = case when $3 in ('arriving', 'cancelling') then false else missing end
       where shipment_id = $1 and state = $2 and ($6::uuid[] is null or sample_id = any ($6::uuid[]))
         and not sample_id = any ($7::uuid[])
       returning sample_id`,
      [
        ...[shipmentId, from, to, JSON.stringify(toAsker(by)), because],
        ...[wanted.only ?? null, wanted.except ?? []],
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

  async noteMissing(shipmentId: string, sampleIds: readonly string[]): Promise<void> {
    await this.#database.query(
      `update shipment_item set missing = true
       where shipment_id = $1 and state = 'travelling' and sample_id = any ($2::uuid[])`,
      [shipmentId, sampleIds],
    )
  }

  async noteReceived(shipmentId: string, by: string): Promise<void> {
    await this.#database.query(
      'update shipment set received_at = coalesce(received_at, now()), received_by = coalesce(received_by, $2) where id = $1',
      [shipmentId, by],
    )
  }

  /** The sender's stub is as up to date as this; null when there is no stub any more. */
  async noteTold(shipmentId: string, sampleId: string, told: string | null): Promise<void> {
    await this.#database.query(
      'update shipment_item set told = $3 where shipment_id = $1 and sample_id = $2',
      [shipmentId, sampleId, told],
    )
  }

  async #withItems(row: ShipmentRow): Promise<StoredShipment> {
    const { rows } = await this.#database.query(
      'select * from shipment_item where shipment_id = $1 order by name, sample_id',
      [row.id],
    )
    return { row, items: z.array(ItemRow).parse(rows) }
  }
}

function toAsker({ userId, name }: Asker): Asker {
  return { userId, name }
}
