import { z } from 'zod'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import { id, Instant, page, listInput, Reason, requiredText, text } from '../../platform/contract/values.ts'
import { SampleId } from '../samples/contract.ts'

export const ShipmentId = id('ShipmentId')

/**
 * `sending`, `cancelling`, `refusing` and `arriving` are under way and go on by themselves; while it travels, the
 * shipment is the one that has the sample.
 */
export const itemStates = [
  'sending',
  'refusing',
  'travelling',
  'cancelling',
  'arriving',
  'received',
  'refused',
  'cancelled',
] as const
export const ItemState = z.enum(itemStates)
export type ItemState = z.output<typeof ItemState>

/** What the states of its samples come to. `turned_back`: the receiver takes none of it, and the sender has it not yet. */
export const ShipmentState = z.enum([
  'sending',
  'travelling',
  'turned_back',
  'partly_received',
  'received',
  'cancelled',
  'refused',
])
export type ShipmentState = z.output<typeof ShipmentState>

const Laboratory = z.object({ id: z.uuid(), name: z.string() })

const ShipmentItem = z.object({
  sampleId: SampleId,
  name: z.string(),
  code: z.string().nullable(),
  state: ItemState,
  /** It was not in the parcel: the shipment still has it. */
  missing: z.boolean(),
  /** Its tube was found in the parcel; it is taken in with the others. */
  checkedOff: z.boolean(),
  /** Why the receiver does not take it: its sender takes it back. It is taken in all the same while it is checked off. */
  turnedBack: z.string().nullable(),
  /** Why it could not be sent, or what holds it up. */
  words: z.string().nullable(),
})

export const shipmentHappenings = ['sent', 'received', 'missing', 'turned_back', 'taken_back'] as const

/** A step of the shipment as a whole. */
const ShipmentEvent = z.object({
  at: Instant,
  what: z.enum(shipmentHappenings),
  by: z.string(),
  /** Where it was done. */
  laboratory: z.string(),
  /** How many samples it was about. */
  samples: z.int(),
  words: z.string().nullable(),
})

export const Shipment = z.object({
  id: ShipmentId,
  number: z.int(),
  from: Laboratory,
  to: Laboratory,
  state: ShipmentState,
  carrier: z.string(),
  reference: z.string(),
  reason: z.string(),
  /** The shipment with which the samples had come. */
  returnOf: ShipmentId.nullable(),
  sentAt: Instant,
  sentBy: z.string(),
  receivedAt: Instant.nullable(),
  receivedBy: z.string().nullable(),
  items: z.array(ShipmentItem),
  /** Newest first. */
  events: z.array(ShipmentEvent),
})
export type Shipment = z.output<typeof Shipment>

const SampleIds = z.array(SampleId).min(1).max(200)
const parcel = {
  carrier: text(100).default(''),
  /** The carrier's number of the parcel. */
  reference: text(100).default(''),
  reason: Reason,
}
const byId = z.object({ id: ShipmentId })

/** What a workstation, which passes everything on, says when it cannot. */
const atHub = {
  AT_HUB_ONLY: { status: 422, message: 'This is done by way of a Hub, and this laboratory has none' },
  OFFLINE: { status: 503, message: 'This is kept at the Hub, and it cannot be reached now' },
} as const

/** Samples on their way between laboratories of one Hub. Answered by the Hub alone; workstations pass on what they are asked. */
export const shipments = domainContract('shipments', {
  laboratories: query({ permission: 'shipments:read', summary: 'The other laboratories of this Hub' })
    .errors(atHub)
    .output(z.array(Laboratory)),
  list: query({
    permission: 'shipments:read',
    path: '/',
    summary: 'Shipments of this laboratory, newest first',
  })
    .errors(atHub)
    .input(z.object({ ...listInput, direction: z.enum(['in', 'out', 'both']).default('both') }))
    .output(page(Shipment)),
  get: query({ permission: 'shipments:read', summary: 'One shipment' })
    .errors(atHub)
    .input(byId)
    .output(Shipment),
  recognise: query({
    permission: 'shipments:read',
    scan: true,
    summary: 'The samples on their way to this laboratory that a scanned code may be',
  })
    .errors(atHub)
    // The keys of a scan's meaning: a code that is not known here yet has them too.
    .input(z.object({ lookupKeys: z.array(z.string().max(1_000)).max(50) }))
    .output(
      z.array(z.object({ shipmentId: ShipmentId, number: z.int(), from: z.string(), item: ShipmentItem })),
    ),
  check: query({
    permission: 'shipments:send',
    largeInput: true,
    deadlineMs: 60_000,
    summary: 'Which of these samples may be shipped, and why others may not',
  })
    .errors(atHub)
    .input(z.object({ sampleIds: SampleIds }))
    .output(
      z.array(
        z.object({
          sampleId: SampleId,
          name: z.string(),
          code: z.string().nullable(),
          obstacles: z.array(z.string()),
        }),
      ),
    ),
  send: command({
    permission: 'shipments:send',
    long: true,
    deadlineMs: 120_000,
    summary: 'Ship samples to another laboratory: all of them, or none',
  })
    .errors(atHub)
    .input(z.object({ sampleIds: SampleIds, toLaboratoryId: z.uuid(), ...parcel }))
    .output(Shipment),
  cancel: command({
    permission: 'shipments:send',
    long: true,
    deadlineMs: 120_000,
    summary: 'Take back what has not been received',
  })
    .errors(atHub)
    .input(byId.extend({ reason: requiredText(1_000) }))
    .output(Shipment),
  checkOff: command({
    permission: 'shipments:receive',
    summary: 'Say that samples are in the parcel, or that they are not after all',
  })
    .errors(atHub)
    .input(byId.extend({ sampleIds: SampleIds, present: z.boolean() }))
    .output(Shipment),
  turnBack: command({
    permission: 'shipments:receive',
    summary: 'Do not take samples that arrived; all that are not taken in when none is named',
  })
    .errors(atHub)
    .input(byId.extend({ sampleIds: SampleIds.optional(), reason: requiredText(1_000) }))
    .output(Shipment),
  receive: command({
    permission: 'shipments:receive',
    long: true,
    deadlineMs: 120_000,
    summary: 'Take in what arrived; samples that are missing or turned back stay with the shipment',
  })
    .errors(atHub)
    .input(byId.extend({ missing: z.array(SampleId).max(200).default([]) }))
    .output(Shipment),
  sendBack: command({
    permission: 'shipments:send',
    long: true,
    deadlineMs: 120_000,
    summary: 'Ship received samples back to where they came from; all that are still here when none is named',
  })
    .errors(atHub)
    .input(byId.extend({ sampleIds: SampleIds.optional(), ...parcel }))
    .output(Shipment),
})
