import { v7 as uuidv7 } from 'uuid'
import { notFound, Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { travellingRowsAtMost } from '../../platform/contract/travelling-rows.ts'
import { hashRequest } from '../../platform/database/change.ts'
import type { SampleId } from '../../services/samples/contract.ts'
import { Journey } from './journey.ts'
import type { LaboratoryClient, Surroundings } from './laboratory-client.ts'
import { noteNews } from './news.ts'
import type { Asker, ShipmentStore, ShippingRequest, StoredShipment } from './shipment-store.ts'

/** Who asks, and for which laboratory. */
export interface Desk extends Asker {
  readonly laboratoryId: string
}

export interface Parcel {
  readonly carrier: string
  readonly reference: string
  readonly reason: string
}

interface Order extends Parcel {
  readonly sampleIds: readonly string[]
  readonly toLaboratoryId: string
}

type Checked = Awaited<ReturnType<LaboratoryClient['samples']['shippingCheck']>>[number]

/** What is written of a sample while it is sent and received must still fit. */
const roomForTheJourney = 50

export interface CheckedSample {
  readonly sampleId: SampleId
  readonly name: string
  readonly code: string | null
  readonly obstacles: string[]
}

/**
 * Samples on their way between laboratories. What is asked is written into the shipment first and then done, sample by
 * sample: whatever is cut off in the middle is gone on with by {@link goOn}.
 */
export class Shipments {
  readonly #store: ShipmentStore
  readonly #around: Surroundings
  readonly #journey: Journey
  readonly #steps = new Turns()
  /** Telling takes long where there is much to tell, and nobody waits behind it. */
  readonly #telling = new Turns()

  constructor(store: ShipmentStore, around: Surroundings) {
    this.#store = store
    this.#around = around
    this.#journey = new Journey(store, around)
  }

  /** Why samples of a laboratory may not be shipped, those that the Hub does not know left out. */
  async check(desk: Desk, sampleIds: readonly string[]): Promise<readonly CheckedSample[]> {
    const { samples, storage, barcodes } = this.#around.at(desk.laboratoryId, desk)
    const ids = [...new Set(sampleIds)]
    const found = await samples.shippingCheck({ ids })
    const containerIds = found.flatMap((sample) => sample.containerIds)
    const things = [
      ...ids.map((id) => ({ kind: 'sample' as const, id })),
      ...containerIds.map((id) => ({ kind: 'container' as const, id })),
    ]
    const [places, codes, work] = await Promise.all([
      storage.shippingCheck({ containerIds }),
      barcodes.shippingCheck({ things }),
      this.#around.openWork(desk.laboratoryId, [...ids, ...containerIds]),
    ])
    return found.map((sample) => {
      const own: readonly string[] = [sample.id, ...sample.containerIds]
      const ofTubes = places.filter((each) => own.includes(each.containerId))
      const ofCodes = codes.filter((each) => own.includes(each.thing.id))
      const rows = Math.max(
        sample.rows,
        ofTubes.reduce((sum, each) => sum + each.rows, 0),
      )
      return {
        sampleId: sample.id,
        name: sample.name,
        code: sample.code,
        obstacles: [
          ...sample.obstacles,
          ...ofTubes.flatMap((each) => each.words ?? []),
          ...ofCodes.flatMap((each) => each.words ?? []),
          ...sayStillComing(sample, { places: ofTubes, codes: ofCodes }),
          ...work.flatMap((each) =>
            own.some(each.isAbout)
              ? [`Something about ${sample.name} waits for a decision: ${each.words}`]
              : [],
          ),
          ...sayTooLong(sample.name, rows),
        ],
      }
    })
  }

  /** Ships samples, all or none. The same key answers with the shipment it made, and is refused for anything else. */
  async send(desk: Desk, order: Order, key: string): Promise<StoredShipment> {
    const request = requestOf('shipments.send', desk, order, key)
    return (await this.#repeated(request)) ?? this.#send(desk, order, request, null)
  }

  async #send(
    desk: Desk,
    order: Order,
    request: ShippingRequest,
    returnOf: string | null,
  ): Promise<StoredShipment> {
    const laboratories = await this.#around.laboratories()
    const from = laboratories.find(({ id }) => id === desk.laboratoryId)
    const to = laboratories.find(({ id }) => id === order.toLaboratoryId)
    if (from === undefined || to === undefined) throw notFound('laboratory', order.toLaboratoryId)
    if (from === to)
      throw ruleBroken('shipment_to_itself', 'A shipment goes to another laboratory.', 'toLaboratoryId')
    const checked = await this.check(desk, order.sampleIds)
    const unknown = order.sampleIds.find((each) => !checked.some(({ sampleId }) => sampleId === each))
    if (unknown !== undefined) throw notFound('sample', unknown)
    const obstacles = checked.flatMap((sample) => sample.obstacles)
    if (obstacles.length > 0)
      throw ruleBroken('sample_cannot_be_shipped', `Nothing was shipped. ${obstacles.join(' ')}`, 'sampleIds')
    const id = uuidv7()
    const { carrier, reference, reason } = order
    try {
      const items = checked.map(({ sampleId, name, code }) => ({ sampleId, name, code }))
      await this.#store.add({
        ...{ id, request, from, to, carrier, reference, reason, returnOf, by: desk, items },
      })
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const made = await this.#repeated(request)
      if (made !== null) return made
      throw new Refusal('CONFLICT', 'One of these samples is in another shipment. Nothing was shipped.')
    }
    return this.#goOnWith(id)
  }

  /** Takes back whatever nobody has received. Only the sender may. */
  async cancel(desk: Desk, id: string, reason: string): Promise<StoredShipment> {
    const { row, items } = await this.get(desk, id)
    if (row.from_laboratory !== desk.laboratoryId)
      throw ruleBroken('shipment_of_another', `Only ${row.from_name} can take this shipment back.`)
    const told = { what: 'taken_back', by: desk, laboratory: row.from_name, words: reason } as const
    const turn = { from: 'travelling', to: 'cancelling', by: desk, because: reason, told } as const
    const turned = await this.#store.turn(id, turn)
    if (turned.length === 0 && items.some(({ state }) => state === 'received' || state === 'arriving'))
      throw ruleBroken('shipment_received', `${row.to_name} has received it: it can only be sent back.`)
    return this.#goOnWith(id)
  }

  /**
   * Takes in what arrived. Only the receiver may; what is missing or turned back stays with the shipment. What is missing is
   * noted first: a receipt that is cut off there and asked again loses nothing.
   */
  async receive(desk: Desk, id: string, missing: readonly string[]): Promise<StoredShipment> {
    const { row, items } = await this.#coming(desk, id)
    requireInside(items, missing, 'missing')
    const done = (what: 'received' | 'missing') => ({ what, by: desk, laboratory: row.to_name })
    const turn = { from: 'travelling', to: 'arriving', by: desk, because: row.reason } as const
    await this.#store.noteMissing(id, missing, done('missing'))
    await this.#store.turn(id, { ...turn, told: done('received') }, { except: missing })
    return this.#goOnWith(id)
  }

  /** Notes that samples are in the parcel, or are not after all. Only the receiver may; nothing is taken in yet. */
  async checkOff(
    desk: Desk,
    id: string,
    sampleIds: readonly string[],
    present: boolean,
  ): Promise<StoredShipment> {
    const { items } = await this.#coming(desk, id)
    requireInside(items, sampleIds, 'sampleIds')
    await this.#store.checkOff(id, sampleIds, present)
    return this.get(desk, id)
  }

  /** Does not take samples that arrived. They stay with the shipment until their sender has them back. */
  async turnBack(
    desk: Desk,
    id: string,
    asked: { readonly sampleIds: readonly string[] | undefined; readonly reason: string },
  ): Promise<StoredShipment> {
    const { row, items } = await this.#coming(desk, id)
    const { sampleIds, reason } = asked
    requireInside(items, sampleIds ?? [], 'sampleIds')
    const told = { what: 'turned_back', by: desk, laboratory: row.to_name, words: reason } as const
    await this.#store.turnBack(id, reason, { only: sampleIds }, told)
    const now = await this.get(desk, id)
    // Those that were turned back for this reason before are not changed again, and are still on their way.
    const asksFor = (sampleId: string) => sampleIds?.includes(sampleId) ?? true
    if (!now.items.some((item) => item.state === 'travelling' && asksFor(item.sample_id)))
      throw ruleBroken('shipment_received', 'It was taken in already: ship it back instead.')
    return now
  }

  /** Samples on their way to a laboratory that a scanned code may be, those that can still be received first. */
  async recognise(laboratoryId: string, lookupKeys: readonly string[]) {
    const found = await this.#store.recognise(laboratoryId, lookupKeys)
    return found.toSorted((left, right) => Number(isOpen(right.item)) - Number(isOpen(left.item)))
  }

  /** The shipment that this very command made before; null when its key is new. */
  async #repeated(request: ShippingRequest): Promise<StoredShipment | null> {
    const made = await this.#store.madeBy(request)
    if (made === null) return null
    if (!made.isSame)
      throw new Refusal(
        'IDEMPOTENCY_KEY_REUSED',
        'This idempotency key was used for another shipment. Nothing was shipped.',
      )
    return this.#goOnWith(made.id)
  }

  /** Ships received samples back; all that are here when none is named. A key means what it means for {@link send}. */
  async sendBack(
    desk: Desk,
    id: string,
    order: Parcel & { readonly sampleIds?: readonly string[] | undefined },
    key: string,
  ): Promise<StoredShipment> {
    const { row, items } = await this.get(desk, id)
    if (row.to_laboratory !== desk.laboratoryId)
      throw ruleBroken('shipment_of_another', `Only ${row.to_name} can send it back.`)
    const request = requestOf('shipments.sendBack', desk, { ...order, id }, key)
    const made = await this.#repeated(request)
    if (made !== null) return made
    const received = items.filter(({ state }) => state === 'received').map((item) => item.sample_id)
    const wanted = order.sampleIds ?? (await this.#without(desk, received))
    const stranger = wanted.find((sampleId) => !received.includes(sampleId))
    if (stranger !== undefined)
      throw ruleBroken(
        'sample_not_received',
        `${stranger} did not come with this shipment, or has not been received.`,
        'sampleIds',
      )
    if (wanted.length === 0)
      throw ruleBroken('nothing_to_send_back', 'Nothing of this shipment is here any more.')
    return this.#send(desk, { ...order, sampleIds: wanted, toLaboratoryId: row.from_laboratory }, request, id)
  }

  /** One shipment of a laboratory; others are not known to it. */
  async get(desk: Pick<Desk, 'laboratoryId'>, id: string): Promise<StoredShipment> {
    const found = await this.#store.get(id)
    if (found === null) throw notFound('shipment', id)
    const { from_laboratory: from, to_laboratory: to } = found.row
    if (from !== desk.laboratoryId && to !== desk.laboratoryId) throw notFound('shipment', id)
    return found
  }

  list(
    desk: Pick<Desk, 'laboratoryId'>,
    wanted: { readonly direction: 'in' | 'out' | 'both'; readonly before: number; readonly limit: number },
  ): Promise<readonly StoredShipment[]> {
    return this.#store.list(desk.laboratoryId, wanted)
  }

  async laboratoriesBeside(laboratoryId: string) {
    const all = await this.#around.laboratories()
    return all.filter(({ id }) => id !== laboratoryId)
  }

  /** Goes on with what was cut off, in all laboratories. */
  goOn(): Promise<void> {
    return this.#steps.run(async () => {
      for (const id of await this.#store.shipmentsWith('steps')) await this.#journey.advance(id)
    })
  }

  /** Tells laboratories what became of the samples that they shipped, where something was written of them. */
  tellSenders(): Promise<void> {
    return this.#telling.run(async () => {
      await noteNews(this.#store, this.#around)
      for (const id of await this.#store.shipmentsWith('news')) {
        try {
          await this.#journey.tellSender(id)
        } catch (error) {
          this.#around.log('What became of a shipment could not be told to its sender yet', {
            ...{ shipment: id, error },
          })
        }
      }
    })
  }

  async #goOnWith(id: string): Promise<StoredShipment> {
    await this.#steps.run(() => this.#journey.advance(id))
    const found = await this.#store.get(id)
    if (found === null) throw notFound('shipment', id)
    return found
  }

  /** A shipment that comes to the laboratory of whoever asks, and is under way. */
  async #coming(desk: Desk, id: string): Promise<StoredShipment> {
    const shipment = await this.get(desk, id)
    const { row, items } = shipment
    if (row.to_laboratory !== desk.laboratoryId)
      throw ruleBroken('shipment_of_another', `This shipment goes to ${row.to_name}.`)
    if (items.some(({ state }) => state === 'sending' || state === 'refusing'))
      throw ruleBroken('shipment_not_sent', `${row.from_name} is not done with sending it: try again soon.`)
    return shipment
  }

  /** Samples that have not gone on elsewhere. */
  async #without(desk: Desk, sampleIds: readonly string[]): Promise<readonly string[]> {
    const { samples } = this.#around.at(desk.laboratoryId, desk)
    const here = sampleIds.length === 0 ? [] : await samples.getMany({ ids: [...sampleIds] })
    return here.flatMap((sample) => (sample.shippedTo === null ? [sample.id] : []))
  }
}

/** One thing at a time: the next one sees what the last one did. */
class Turns {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

/** Keys are a laboratory's own: another one's may be the same. */
function requestOf(procedure: string, desk: Desk, input: object, key: string): ShippingRequest {
  return { key: `${desk.laboratoryId}/${key}`, hash: hashRequest(procedure, desk.userId, input) }
}

function isOpen({ state }: Pick<StoredShipment['items'][number], 'state'>): boolean {
  return state === 'travelling' || state === 'arriving'
}

function requireInside(items: StoredShipment['items'], sampleIds: readonly string[], field: string): void {
  const stranger = sampleIds.find((sampleId) => !items.some((item) => item.sample_id === sampleId))
  if (stranger !== undefined)
    throw ruleBroken('sample_not_in_shipment', `${stranger} is not in this shipment.`, field)
}

/**
 * What a workstation pushed is decided domain by domain: for a moment, or longer when the Hub stops just then, the sample is
 * here and its tube or code is not. Shipped like that it would leave them behind.
 */
function sayStillComing(
  { name, code, containerIds }: Pick<Checked, 'name' | 'code' | 'containerIds'>,
  here: {
    readonly places: readonly { readonly containerId: string }[]
    readonly codes: readonly { readonly text: string }[]
  },
): readonly string[] {
  const hasTubes = containerIds.every((id) => here.places.some(({ containerId }) => containerId === id))
  const hasCode = code === null || here.codes.some(({ text }) => text === code)
  return hasTubes && hasCode
    ? []
    : [`The tube of ${name} is not in this storage yet: its workstation is still sending it. Try again soon.`]
}

function sayTooLong(name: string, rows: number): readonly string[] {
  const most = travellingRowsAtMost - roomForTheJourney
  return rows <= most
    ? []
    : [
        `The record of ${name} is too long to travel: it has ${rows} entries, at most ${most} can go along. Ship an aliquot of it instead, whose record begins anew.`,
      ]
}

function isDuplicate(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === '23505'
}
