import { z } from 'zod'
import { ScannerSettings } from './scanner-settings.ts'

/** starting: opening; ready: reading; waiting: not plugged in; failed: there, but unusable; stopped: closed on purpose. */
export const DeviceState = z.enum(['starting', 'ready', 'waiting', 'failed', 'stopped'])
export type DeviceState = z.infer<typeof DeviceState>

/** A serial port the operating system knows. */
export const FoundPort = z.object({
  path: z.string(),
  manufacturer: z.string().nullable(),
  serialNumber: z.string().nullable(),
  vendorId: z.string().nullable(),
  productId: z.string().nullable(),
})
export type FoundPort = z.infer<typeof FoundPort>

/** What the host asks of the device process; each request is answered under its number. */
export const HostRequest = z.discriminatedUnion('type', [
  /** The complete list of scanners: unchanged ones keep running, others are closed or opened. */
  z.object({ type: z.literal('configure'), request: z.number().int(), scanners: z.array(ScannerSettings) }),
  z.object({ type: z.literal('list-ports'), request: z.number().int() }),
  z.object({ type: z.literal('ping'), request: z.number().int() }),
  /** Closes every port; what was read before comes before the answer. */
  z.object({ type: z.literal('close'), request: z.number().int() }),
])
export type HostRequest = z.infer<typeof HostRequest>

/** What the device process says. */
export const DeviceMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started') }),
  z.object({
    type: z.literal('answer'),
    request: z.number().int(),
    /** Words of the failure, null when the request was done. */
    failure: z.string().nullable(),
    ports: z.array(FoundPort),
  }),
  z.object({ type: z.literal('state'), deviceId: z.string(), state: DeviceState, words: z.string() }),
  z.object({
    type: z.literal('code'),
    deviceId: z.string(),
    text: z.string(),
    receivedAt: z.iso.datetime(),
    lastByteMonotonicUs: z.number(),
  }),
  z.object({ type: z.literal('dropped'), deviceId: z.string(), words: z.string() }),
  z.object({ type: z.literal('defect'), words: z.string() }),
])
export type DeviceMessage = z.infer<typeof DeviceMessage>
