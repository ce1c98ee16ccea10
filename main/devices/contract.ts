import { eventIterator } from '@orpc/contract'
import { z } from 'zod'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import { Instant, requiredText, text } from '../../platform/contract/values.ts'
import { ScannerSettings } from './scanner-settings.ts'

export const DeviceStatus = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.literal('serial-scanner'),
  settings: ScannerSettings,
  state: z.enum(['starting', 'ready', 'waiting', 'failed', 'stopped']),
  words: z.string(),
  scans: z.number().int(),
  lastScanAt: Instant.nullable(),
  /** The last bytes that made no code, in words. */
  lastDropped: z.string().nullable(),
})
export type DeviceStatus = z.infer<typeof DeviceStatus>

/** A scan as it was stored, before anyone acted on it. */
export const Scan = z.object({
  scanId: z.uuid(),
  text: z.string(),
  source: z.enum(['serial', 'wedge', 'typed']),
  deviceId: z.string(),
  receivedAt: Instant,
  /** The same code from the same scanner within 500 ms: counted once. */
  repeat: z.boolean(),
  state: z.enum(['waiting', 'acted', 'dismissed']),
  /** What came of it, in words. */
  summary: z.string().nullable(),
})
export type Scan = z.infer<typeof Scan>

/** Scanners of this workstation, and the one queue all scans pass through. */
export const devices = domainContract('devices', {
  list: query({ permission: 'devices:read', path: '/', summary: 'Devices and their health' }).output(
    z.array(DeviceStatus),
  ),
  ports: query({ permission: 'devices:read', summary: 'Serial ports of this machine' }).output(
    z.array(z.object({ path: z.string(), description: z.string() })),
  ),
  saveScanner: command({ permission: 'devices:manage', summary: 'Add or change a serial scanner' })
    .input(ScannerSettings)
    .output(DeviceStatus),
  removeScanner: command({ permission: 'devices:manage', summary: 'Remove a scanner' })
    .input(z.object({ id: text(60) }))
    .output(z.object({})),

  scanFeed: query({
    permission: 'signed-in',
    scan: true,
    summary: 'Scans and device changes as they come',
  }).output(
    eventIterator(
      z.discriminatedUnion('type', [
        z.object({ type: z.literal('scan'), scan: Scan }),
        z.object({ type: z.literal('devices'), devices: z.array(DeviceStatus) }),
      ]),
    ),
  ),
  recordScan: command({
    permission: 'signed-in',
    scan: true,
    summary: 'Store a scan that a keyboard wedge or a person typed; it then comes by the feed like any other',
  })
    .input(z.object({ scanId: z.uuid(), text: requiredText(1_000), source: z.enum(['wedge', 'typed']) }))
    .output(Scan),
  settleScan: command({ permission: 'signed-in', scan: true, summary: 'Say what came of a scan' })
    .input(z.object({ scanId: z.uuid(), state: z.enum(['acted', 'dismissed']), summary: text(500) }))
    .output(z.object({})),
  waitingScans: query({ permission: 'signed-in', scan: true, summary: 'Scans nobody has acted on' }).output(
    z.array(Scan),
  ),
  recentScans: query({ permission: 'signed-in', summary: 'The last scans, newest first' })
    .input(z.object({ limit: z.number().int().min(1).max(500).default(50) }))
    .output(z.array(Scan)),
})
