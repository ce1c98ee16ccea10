import { implement } from '@orpc/server'
import type { z } from 'zod'
import type { Envelope } from '../../platform/contract/envelope.ts'
import { Refusal } from '../../platform/contract/refusal.ts'
import type { LocalService } from '../../platform/gateway/gateway.ts'
import { createLocalService } from '../../platform/gateway/local-service.ts'
import { SampleId } from '../../services/samples/contract.ts'
import { type Shipment, ShipmentId, shipments } from '../../services/shipments/contract.ts'
import { stateOf } from './journey.ts'
import type { StoredShipment } from './shipment-store.ts'
import type { Desk, Shipments } from './shipments.ts'

/** The contract `shipments`, for the laboratory of whoever asks. */
export function createShipmentsService(shipping: Shipments): LocalService {
  const os = implement(shipments).$context<{ readonly envelope: Envelope }>()
  return createLocalService({
    name: 'shipments',
    contract: shipments,
    procedures: os.router({
      laboratories: os.laboratories.handler(async ({ context }) => [
        ...(await shipping.laboratoriesBeside(deskOf(context).laboratoryId)),
      ]),
      list: os.list.handler(async ({ context, input }) => {
        const before = Number(input.cursor ?? Number.MAX_SAFE_INTEGER)
        if (!Number.isSafeInteger(before)) throw new Refusal('BAD_REQUEST', 'This cursor is not one of ours')
        const wanted = {
          direction: input.direction,
          before: Math.min(before, lastNumber),
          limit: input.limit,
        }
        const found = await shipping.list(deskOf(context), wanted)
        const last = found.length < input.limit ? undefined : found.at(-1)
        return { items: found.map(show), nextCursor: last === undefined ? null : String(last.row.number) }
      }),
      get: os.get.handler(async ({ context, input }) => show(await shipping.get(deskOf(context), input.id))),
      recognise: os.recognise.handler(async ({ context, input }) => {
        const found = await shipping.recognise(deskOf(context).laboratoryId, input.lookupKeys)
        return found.map(({ row, item }) => ({
          ...{ shipmentId: ShipmentId.parse(row.id), number: row.number, from: row.from_name },
          item: showItem(item),
        }))
      }),
      check: os.check.handler(async ({ context, input }) => [
        ...(await shipping.check(deskOf(context), input.sampleIds)),
      ]),
      send: os.send.handler(async ({ context, input }) =>
        show(await shipping.send(deskOf(context), input, keyOf(context))),
      ),
      cancel: os.cancel.handler(async ({ context, input }) =>
        show(await shipping.cancel(deskOf(context), input.id, input.reason)),
      ),
      checkOff: os.checkOff.handler(async ({ context, input }) =>
        show(await shipping.checkOff(deskOf(context), input.id, input.sampleIds, input.present)),
      ),
      turnBack: os.turnBack.handler(async ({ context, input }) =>
        show(
          await shipping.turnBack(deskOf(context), input.id, {
            sampleIds: input.sampleIds,
            reason: input.reason,
          }),
        ),
      ),
      receive: os.receive.handler(async ({ context, input }) =>
        show(await shipping.receive(deskOf(context), input.id, input.missing)),
      ),
      sendBack: os.sendBack.handler(async ({ context, input }) =>
        show(await shipping.sendBack(deskOf(context), input.id, input, keyOf(context))),
      ),
    }),
  })
}

/** Numbers of shipments are PostgreSQL's integers. */
const lastNumber = 2_147_483_647

function deskOf({ envelope }: { readonly envelope: Envelope }): Desk {
  const { actor } = envelope
  if (actor === null) throw new Refusal('UNAUTHORIZED', 'Sign in first')
  return { userId: actor.userId, name: actor.name, laboratoryId: actor.laboratoryId }
}

function keyOf({ envelope }: { readonly envelope: Envelope }): string {
  return envelope.idempotencyKey ?? envelope.correlationId
}

function show(stored: StoredShipment): z.input<typeof Shipment> {
  const { row, items, events } = stored
  return {
    id: ShipmentId.parse(row.id),
    number: row.number,
    from: { id: row.from_laboratory, name: row.from_name },
    to: { id: row.to_laboratory, name: row.to_name },
    state: stateOf(stored),
    carrier: row.carrier,
    reference: row.reference,
    reason: row.reason,
    returnOf: row.return_of === null ? null : ShipmentId.parse(row.return_of),
    sentAt: row.sent_at,
    sentBy: row.sent_by,
    receivedAt: row.received_at,
    receivedBy: row.received_by,
    items: items.map(showItem),
    events: events.map(({ by_name: by, ...told }) => ({ ...told, by })),
  }
}

function showItem(item: StoredShipment['items'][number]): z.input<typeof Shipment>['items'][number] {
  const { name, code, state, missing, words } = item
  return {
    ...{ sampleId: SampleId.parse(item.sample_id), name, code, state, missing, words },
    ...{ checkedOff: item.checked_off, turnedBack: item.turned_back },
  }
}
