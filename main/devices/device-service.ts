import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventPublisher, implement } from '@orpc/server'
import { z } from 'zod'
import type { Envelope } from '../../platform/contract/envelope.ts'
import { ruleBroken } from '../../platform/contract/refusal.ts'
import type { LocalService } from '../../platform/gateway/gateway.ts'
import { createLocalService } from '../../platform/gateway/local-service.ts'
import type { Log } from '../../platform/gateway/log.ts'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import { writeWhole } from '../../platform/journal/durable-files.ts'
import type { Scan as StoredScan } from '../../platform/journal/scan-intake.ts'
import { type DeviceStatus, devices, type Scan } from './contract.ts'
import {
  createDeviceHost,
  DeviceError,
  type DeviceHealth,
  type DevicePort,
  type DeviceProcess,
  type DeviceScan,
} from './device-host.ts'
import { ScannerSettings } from './scanner-settings.ts'

export interface DeviceServiceOptions {
  readonly home: string
  readonly journal: JournalClient
  readonly log: Log
  readonly spawn: () => DeviceProcess
}

export interface DeviceService {
  readonly service: LocalService
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
}

type Feed =
  | { readonly type: 'scan'; readonly scan: Scan }
  | { readonly type: 'devices'; readonly devices: DeviceStatus[] }

/** Scanners and the one queue of scans: every scan is on disk before anybody sees it. */
export function createDeviceService(options: DeviceServiceOptions): DeviceService {
  const { journal, log } = options
  const settingsFile = join(options.home, 'devices.json')
  const feed = new EventPublisher<{ feed: Feed }>({ maxBufferedEvents: 10_000 })
  let configured = readSettings(settingsFile)

  const host = createDeviceHost({
    spawn: options.spawn,
    onScan: (scan) => {
      takeScan(scan).catch((error: unknown) =>
        log.write('error', 'A scan could not be stored', { scan: scan.text, error: String(error) }),
      )
    },
    onHealth: (health) => feed.publish('feed', { type: 'devices', devices: health.map(toStatus) }),
    log: (level, words) => log.write(level, words, { step: 'devices' }),
  })

  async function takeScan(scan: DeviceScan): Promise<void> {
    const stored = await journal.recordScan({
      scanId: scan.scanId,
      text: scan.text,
      source: 'serial',
      deviceId: scan.deviceId,
      receivedAt: scan.receivedAt,
      screen: {},
    })
    if (scan.repeat) await settle(scan.scanId, 'repeat', 'The same code within half a second, counted once')
    feed.publish('feed', { type: 'scan', scan: { ...toScan(stored), repeat: scan.repeat } })
  }

  async function settle(
    scanId: string,
    state: 'acted' | 'dismissed' | 'repeat',
    summary: string,
  ): Promise<void> {
    await journal.settleScan({
      scanId,
      state,
      summary,
      settledAt: new Date().toISOString(),
      correlationId: null,
    })
  }

  async function configure(next: readonly ScannerSettings[]): Promise<void> {
    try {
      await host.configure(next)
    } catch (error) {
      // Refused settings change nothing; any other failure leaves the new list in force for when the process is back.
      if (error instanceof DeviceError && error.code === 'INVALID')
        throw ruleBroken('scanner-settings', error.message)
      log.write('warn', 'The device process did not confirm its scanners yet', { why: String(error) })
    }
    writeSettings(settingsFile, next)
    configured = next
  }

  const procedures = implement(devices).$context<{ readonly envelope: Envelope }>()
  const implementation = {
    list: procedures.list.handler(() => host.health().map(toStatus)),
    ports: procedures.ports.handler(async () =>
      (await host.listPorts()).map((port) => ({ path: port.path, description: describePort(port) })),
    ),
    saveScanner: procedures.saveScanner.handler(async ({ input }) => {
      const settings = ScannerSettings.parse(input)
      await configure([...configured.filter((each) => each.id !== settings.id), settings])
      const saved = host.health().find((each) => each.deviceId === settings.id)
      if (saved === undefined) throw new Error(`The scanner ${settings.id} is not there after it was saved`)
      return toStatus(saved)
    }),
    removeScanner: procedures.removeScanner.handler(async ({ input }) => {
      await configure(configured.filter((each) => each.id !== input.id))
      return {}
    }),
    scanFeed: procedures.scanFeed.handler(async function* ({ signal }) {
      yield { type: 'devices' as const, devices: host.health().map(toStatus) }
      for await (const event of feed.subscribe('feed', signal === undefined ? {} : { signal })) yield event
    }),
    recordScan: procedures.recordScan.handler(async ({ input }) => {
      const stored = await journal.recordScan({
        ...input,
        deviceId: input.source,
        receivedAt: new Date().toISOString(),
        screen: {},
      })
      const scan = toScan(stored)
      feed.publish('feed', { type: 'scan', scan })
      return scan
    }),
    settleScan: procedures.settleScan.handler(async ({ input }) => {
      await settle(input.scanId, input.state, input.summary)
      return {}
    }),
    waitingScans: procedures.waitingScans.handler(async () => (await journal.waitingScans()).map(toScan)),
    recentScans: procedures.recentScans.handler(async ({ input }) =>
      (await journal.recentScans(input.limit)).map(toScan),
    ),
  }
  return {
    service: createLocalService({ name: 'devices', contract: devices, procedures: implementation }),
    async start() {
      if (configured.length > 0) {
        await host
          .configure(configured)
          .catch((error: unknown) =>
            log.write('error', 'The scanners could not be set up', { why: String(error) }),
          )
      }
    },
    close: () => host.close(),
  }
}

function toScan(stored: StoredScan): Scan {
  const state = stored.state === 'repeat' ? 'dismissed' : stored.state
  return {
    scanId: stored.scanId,
    text: stored.text,
    source: stored.source === 'serial' || stored.source === 'wedge' ? stored.source : 'typed',
    deviceId: stored.deviceId ?? stored.source,
    receivedAt: stored.receivedAt,
    repeat: stored.state === 'repeat',
    state,
    summary: stored.summary,
  }
}

function toStatus(health: DeviceHealth): DeviceStatus {
  return {
    id: health.deviceId,
    name: health.settings.name,
    kind: health.kind,
    settings: health.settings,
    state: health.state,
    words: health.words,
    scans: health.scans,
    lastScanAt: health.lastScanAt,
    lastDropped: health.lastDropped,
  }
}

function describePort(port: DevicePort): string {
  return [port.manufacturer, port.serialNumber].filter((word) => word !== null).join(', ')
}

const Settings = z.object({ scanners: z.array(ScannerSettings) })

function readSettings(file: string): readonly ScannerSettings[] {
  return existsSync(file) ? Settings.parse(JSON.parse(readFileSync(file, 'utf8'))).scanners : []
}

function writeSettings(file: string, scanners: readonly ScannerSettings[]): void {
  writeWhole(file, JSON.stringify({ scanners }, null, 2))
}
