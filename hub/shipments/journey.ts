import { ORPCError } from '@orpc/client'
import { type TravellingRow, travellingRowsAtMost } from '../../platform/contract/travelling-rows.ts'
import type { LaboratoryClient, Surroundings } from './laboratory-client.ts'
import type { Asker, ItemRow, ShipmentRow, ShipmentStore, StoredShipment } from './shipment-store.ts'

/** Two are enough while nobody works on the sample. */
const tellingsAtOnce = 5

/**
 * The steps of one shipment, sample by sample. Each asks domains of one laboratory, which know a repeat by what they
 * have, and is noted when it is done: it may be cut off anywhere and begun again. The sender's record becomes a stub
 * before the receiver has one, and the other way round on the way back.
 */
export class Journey {
  readonly #store: ShipmentStore
  readonly #around: Surroundings

  constructor(store: ShipmentStore, around: Surroundings) {
    this.#store = store
    this.#around = around
  }

  /** Goes on with every sample whose step is under way; what cannot be done now is tried again later. */
  async advance(id: string): Promise<void> {
    const shipment = await this.#store.get(id)
    if (shipment === null) return
    for (const item of shipment.items) {
      try {
        await this.#step(shipment.row, item)
      } catch (error) {
        this.#around.log('A step of a shipment could not be finished yet', {
          ...{ shipment: shipment.row.number, sample: item.sample_id, state: item.state, error },
        })
        if (error instanceof ORPCError) await this.#store.explain(id, item.sample_id, error.message)
      }
    }
  }

  /**
   * Brings the sender's stubs with news up to date with what was written elsewhere since, and tells the other side what was
   * late. Steps of any shipment may go on meanwhile: a domain takes what is told only while its stub is one of this shipment.
   */
  async tellSender(id: string): Promise<void> {
    const shipment = await this.#store.get(id)
    if (shipment === null) return
    const { row, items } = shipment
    const open = items.filter(({ state, told, news }) => state === 'received' && told !== null && news)
    const before = await this.#digests(row, open)
    for (const item of open) {
      const seen = before.get(item.sample_id) ?? ''
      try {
        // What was told itself is in the log too, and is no news.
        if (seen === item.told) await this.#store.noteTold(row.id, item.sample_id, seen)
        else await this.#tellUntilTold(row, item, seen)
      } catch (error) {
        // The next round tries it again; what became of the others is told all the same.
        this.#around.log('What became of a sample could not be told to its sender yet', {
          ...{ shipment: row.number, sample: item.sample_id, error },
        })
      }
    }
  }

  /**
   * Something may be written while it is told, so what was told counts only when telling it has changed nothing any more.
   * Where that never comes, the next round begins here again.
   */
  async #tellUntilTold(row: ShipmentRow, item: ItemRow, before: string): Promise<void> {
    let seen = before
    for (let round = 0; round < tellingsAtOnce; round += 1) {
      if (!(await this.#tell(row, item))) return this.#store.noteTold(row.id, item.sample_id, null)
      const after = (await this.#digests(row, [item])).get(item.sample_id) ?? ''
      if (after === seen) return this.#store.noteTold(row.id, item.sample_id, after)
      seen = after
    }
  }

  async #step(row: ShipmentRow, item: ItemRow): Promise<void> {
    switch (item.state) {
      case 'sending':
        return this.#send(row, item)
      case 'refusing':
        return this.#takeBack(row, item, 'refused')
      case 'cancelling':
        return this.#takeBack(row, item, 'cancelled')
      case 'arriving':
        return this.#arrive(row, item)
      case 'travelling':
      case 'received':
      case 'refused':
      case 'cancelled':
        return
    }
  }

  async #send(row: ShipmentRow, item: ItemRow): Promise<void> {
    const { samples, storage, barcodes } = this.#sender(row, item.asked_by)
    const id = item.sample_id
    const reason = item.asked_because
    try {
      const packed = await travelling(samples, id)
      const { rows } = await barcodes.shippingRecord({ things: thingsOf(id, packed) })
      await this.#store.noteCodes(row.id, id, rows.flatMap(linkedKey))
      await samples.shipOut({
        ...{ id, shipmentId: row.id, to: row.to_name, toLaboratoryId: row.to_laboratory, reason },
        reference: wordsOf(row),
      })
      const containerIds = await travelling(samples, id)
      await storage.leave({ containerIds, reason: `${row.reason} (${wordsOf(row)} to ${row.to_name})` })
    } catch (error) {
      if (!isRefusal(error)) throw error
      await this.#store.finish(row.id, item.sample_id, 'sending', 'refusing', error.message)
      return this.#takeBack(row, { ...item, state: 'refusing', words: error.message }, 'refused')
    }
    await this.#store.finish(row.id, item.sample_id, 'sending', 'travelling')
  }

  async #takeBack(row: ShipmentRow, item: ItemRow, to: 'refused' | 'cancelled'): Promise<void> {
    const { samples, storage } = this.#sender(row, item.asked_by)
    const id = item.sample_id
    const why = to === 'refused' ? (item.words ?? item.asked_because) : item.asked_because
    const reason = `Taken back from ${wordsOf(row)}: ${why}`.slice(0, 1_000)
    const containerIds = await travelling(samples, id)
    await storage.comeBack({ containerIds, reason })
    await samples.takeBack({ id, shipmentId: row.id, reason })
    await this.#store.finish(row.id, item.sample_id, item.state, to)
  }

  async #arrive(row: ShipmentRow, item: ItemRow): Promise<void> {
    const from = this.#sender(row, item.asked_by)
    const to = this.#receiver(row, item.asked_by)
    const id = item.sample_id
    const containerIds = await travelling(from.samples, id)
    const record = await from.samples.shippingRecord({ id })
    const tubes = await from.storage.shippingRecord({ containerIds })
    const codes = await from.barcodes.shippingRecord({
      things: thingsOf(id, containerIds),
    })
    const words = `${wordsOf(row)} from ${row.from_name}`
    await to.storage.land({ containerIds, rows: tubes.rows, reason: `Arrived with ${words}` })
    await to.barcodes.land({ rows: codes.rows })
    const landing = { id, shipmentId: row.id, from: words, reason: item.asked_because, rows: record.rows }
    await to.samples.land({ ...landing, as: 'arrive' })
    await this.#around.openContested(row.to_laboratory)
    await this.#store.finish(row.id, item.sample_id, 'arriving', 'received')
  }

  /** False when the sender has no stub of this shipment any more. */
  async #tell(row: ShipmentRow, item: ItemRow): Promise<boolean> {
    const from = this.#sender(row, null)
    const to = this.#receiver(row, null)
    const id = item.sample_id
    const shared = { id, shipmentId: row.id, from: row.to_name, reason: wordsOf(row) }
    const elsewhere = await to.samples.shippingRecord({ id })
    for (const rows of piecesOf(elsewhere.rows)) {
      const { taken } = await from.samples.land({ ...shared, as: 'stub', rows })
      if (!taken) return false
    }
    const stub = await from.samples.shippingRecord({ id })
    for (const rows of piecesOf(stub.rows)) await to.samples.land({ ...shared, as: 'late', rows })
    return true
  }

  async #digests(row: ShipmentRow, items: readonly ItemRow[]): Promise<ReadonlyMap<string, string>> {
    const ids = items.map((item) => item.sample_id)
    if (ids.length === 0) return new Map()
    const [from, to] = await Promise.all([
      this.#sender(row, null).samples.shippingDigests({ ids }),
      this.#receiver(row, null).samples.shippingDigests({ ids }),
    ])
    return new Map(ids.map((id) => [id, `${from[id] ?? ''}/${to[id] ?? ''}`]))
  }

  #sender(row: ShipmentRow, by: Asker | null): LaboratoryClient {
    return this.#around.at(row.from_laboratory, by)
  }

  #receiver(row: ShipmentRow, by: Asker | null): LaboratoryClient {
    return this.#around.at(row.to_laboratory, by)
  }
}

/** What a shipment is called: `shipment 12, DHL 4711`. */
export function wordsOf({ number, carrier, reference }: ShipmentRow): string {
  const parcel = [carrier, reference].filter((each) => each.trim() !== '').join(' ')
  return parcel === '' ? `shipment ${number}` : `shipment ${number}, ${parcel}`
}

/** The tubes that go with a sample. */
async function travelling(samples: LaboratoryClient['samples'], id: string): Promise<string[]> {
  const [sample] = await samples.shippingCheck({ ids: [id] })
  return sample?.containerIds ?? []
}

/** What has codes of a sample: itself and its tubes. */
function thingsOf(sampleId: string, containerIds: readonly string[]) {
  return [
    { kind: 'sample' as const, id: sampleId },
    ...containerIds.map((id) => ({ kind: 'container' as const, id })),
  ]
}

/**
 * A record as it fits into change sets, in its order: what rows name comes before them. Only what is told may come in
 * pieces, each of which says nothing wrong by itself; who takes a sample over gets all of it at once.
 */
function piecesOf(rows: TravellingRow[]): readonly TravellingRow[][] {
  const count = Math.ceil(rows.length / travellingRowsAtMost)
  return Array.from({ length: count }, (_, index) =>
    rows.slice(index * travellingRowsAtMost, (index + 1) * travellingRowsAtMost),
  )
}

function linkedKey({ row }: TravellingRow): readonly string[] {
  const key = row['lookup_key'] ?? null
  return row['state'] === 'linked' && key !== null ? [key] : []
}

/** A domain said no: asking again would not change it. */
function isRefusal(error: unknown): error is ORPCError<string, unknown> {
  return (
    error instanceof ORPCError &&
    ['RULE_BROKEN', 'NOT_FOUND', 'CONFLICT', 'BAD_REQUEST'].includes(String(error.code))
  )
}

/** What the states of its samples come to. */
export function stateOf({ items }: Pick<StoredShipment, 'items'>) {
  const states = new Set(items.map(({ state }) => state))
  if (states.has('sending') || states.has('refusing')) return 'sending'
  const open = states.has('travelling') || states.has('cancelling') || states.has('arriving')
  if (states.has('received')) return open ? 'partly_received' : 'received'
  const travelling = items.filter(({ state }) => state === 'travelling')
  const goesBack = travelling.length > 0 && travelling.every(isTurnedBack)
  if (open) return goesBack ? 'turned_back' : 'travelling'
  return states.has('cancelled') ? 'cancelled' : 'refused'
}

/** The receiver does not take it. What is checked off is taken in all the same. */
function isTurnedBack(item: ItemRow): boolean {
  return item.turned_back !== null && !item.checked_off
}
