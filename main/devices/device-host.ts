import { v7 as createUuid } from 'uuid'
import { z } from 'zod'
import { DeviceMessage, type DeviceState, type FoundPort, type HostRequest } from './device-messages.ts'
import { createRepeatDetector } from './repeat-detector.ts'
import { ScannerSettings, type ScannerSettingsInput } from './scanner-settings.ts'

/** A running device process, whichever way it was started. */
export interface DeviceProcess {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Called once, also when the process could not be started. */
  onExit(listener: (reason: string) => void): void
  kill(): void
}

/** A scan as it left the scanner; the id becomes the idempotency key of the command it causes. */
export interface DeviceScan {
  /** UUIDv7. */
  readonly scanId: string
  /** With its symbology identifier and group separators, if the scanner sends them. */
  readonly text: string
  readonly deviceId: string
  readonly receivedAt: string
  /** Microseconds of the machine's monotonic clock at the last byte; compare with `process.hrtime.bigint() / 1000n`. */
  readonly lastByteMonotonicUs: number
  /** The same scanner read the same code within 500 ms before. */
  readonly repeat: boolean
}

/** How a configured scanner is doing. Counters begin with the host. */
export interface DeviceHealth {
  readonly deviceId: string
  readonly kind: 'serial-scanner'
  readonly settings: ScannerSettings
  readonly state: DeviceState
  readonly words: string
  readonly lastScanAt: string | null
  readonly scans: number
  readonly repeats: number
  /** Times that bytes made no code: garbage, noise, broken-off codes. */
  readonly dropped: number
  /** The last of these, in words. */
  readonly lastDropped: string | null
  /** Times that the port was opened: more than one tells of a loose plug. */
  readonly connections: number
}

/** A port to choose: found by the operating system, or typed for a configured scanner. */
export interface DevicePort extends FoundPort {
  readonly origin: 'found' | 'typed'
}

export type DeviceErrorCode = 'INVALID' | 'NOT_STARTED' | 'OUTCOME_UNKNOWN' | 'FAILED'

/** INVALID: bad settings, nothing changed; NOT_STARTED: nothing was asked; OUTCOME_UNKNOWN: no answer in time or the process died; FAILED: it said no. */
export class DeviceError extends Error {
  readonly code: DeviceErrorCode

  constructor(code: DeviceErrorCode, message: string) {
    super(message)
    this.name = 'DeviceError'
    this.code = code
  }
}

export interface DeviceHostOptions {
  /** Starts `device-process`; called again after it died. */
  readonly spawn: () => DeviceProcess
  /** Every scan, in the order read, repeats among them. */
  readonly onScan: (scan: DeviceScan) => void
  /** All configured scanners, whenever a state or its words change or bytes were dropped (not for each scan: see `health()`). */
  readonly onHealth: (health: readonly DeviceHealth[]) => void
  readonly log: (level: 'info' | 'warn' | 'error', words: string) => void
  readonly requestDeadlineMs?: number
  readonly firstRestartMs?: number
}

export interface DeviceHost {
  /**
   * Sets the complete list of scanners; unchanged ones are not disturbed. Bad settings throw INVALID and change
   * nothing. Otherwise the list stays in force through crashes of the device process, even when this call fails.
   */
  configure(scanners: readonly ScannerSettingsInput[]): Promise<void>
  health(): readonly DeviceHealth[]
  listPorts(): Promise<readonly DevicePort[]>
  /** Closes ports, then the process. Scans read before are handed over before it resolves. */
  close(): Promise<void>
}

type Request = HostRequest extends infer One
  ? One extends HostRequest
    ? Omit<One, 'request'>
    : never
  : never

interface Pending {
  readonly resolve: (ports: readonly FoundPort[]) => void
  readonly reject: (error: DeviceError) => void
}

interface Session {
  readonly process: DeviceProcess
  readonly startedAt: number
  readonly pending: Map<number, Pending>
  /** Held back until the process says that it is listening; null from then on. */
  unsent: HostRequest[] | null
}

const START_DEADLINE_MS = 15_000
const PING_EVERY_MS = 10_000
const SLOWEST_RESTART_MS = 30_000
const STEADY_AFTER_MS = 60_000

/** Keeps the device process running while there are scanners, and turns what it says into scans and health. */
export function createDeviceHost(options: DeviceHostOptions): DeviceHost {
  const requestDeadlineMs = options.requestDeadlineMs ?? 10_000
  const firstRestartMs = options.firstRestartMs ?? 250
  const health = new Map<string, DeviceHealth>()
  const repeatDetectors = new Map<string, ReturnType<typeof createRepeatDetector>>()
  let wanted: readonly ScannerSettings[] = []
  let session: Session | null = null
  let lastRequest = 0
  let restartMs = firstRestartMs
  let restart: NodeJS.Timeout | undefined
  let closed = false

  function ensureStarted(): Session {
    if (session) return session
    clearTimeout(restart)
    const started: Session = {
      process: options.spawn(),
      startedAt: performance.now(),
      pending: new Map(),
      unsent: [],
    }
    session = started
    const startDeadline = setTimeout(() => {
      endHungProcess(started, `did not start within ${START_DEADLINE_MS / 1_000} s`)
    }, START_DEADLINE_MS).unref()
    const ping = setInterval(() => {
      if (started.unsent === null) {
        request(started, { type: 'ping' }).catch((error: unknown) => endHungProcess(started, String(error)))
      }
    }, PING_EVERY_MS).unref()
    started.process.onMessage((message) => {
      const parsed = DeviceMessage.safeParse(message)
      if (!parsed.success) {
        options.log('error', `The device process sent a message that is none: ${parsed.error.message}`)
        return
      }
      if (parsed.data.type === 'started') clearTimeout(startDeadline)
      receive(started, parsed.data)
    })
    started.process.onExit((reason) => {
      clearTimeout(startDeadline)
      clearInterval(ping)
      processEnded(started, reason)
    })
    if (wanted.length > 0) {
      request(started, { type: 'configure', scanners: [...wanted] }).catch((error: unknown) =>
        options.log('warn', `Scanners were not set up: ${String(error)}`),
      )
    }
    return started
  }

  function endHungProcess(hung: Session, reason: string): void {
    if (session !== hung) return
    options.log('error', `The device process is ended because it ${reason}`)
    hung.process.kill()
  }

  function processEnded(ended: Session, reason: string): void {
    for (const waiting of ended.pending.values()) {
      waiting.reject(new DeviceError('OUTCOME_UNKNOWN', `The device process ended (${reason})`))
    }
    ended.pending.clear()
    if (session !== ended) return
    session = null
    if (closed) return
    if (performance.now() - ended.startedAt > STEADY_AFTER_MS) restartMs = firstRestartMs
    options.log('error', `The device process ended (${reason}); it is started again in ${restartMs} ms`)
    for (const { id } of wanted) {
      changeHealth(id, {
        state: 'starting',
        words: 'The device process ended unexpectedly and is started again',
      })
    }
    options.onHealth(currentHealth())
    if (wanted.length > 0) restart = setTimeout(ensureStarted, restartMs).unref()
    restartMs = Math.min(restartMs * 2, SLOWEST_RESTART_MS)
  }

  function request(target: Session, content: Request): Promise<readonly FoundPort[]> {
    lastRequest += 1
    const number = lastRequest
    const message: HostRequest = { ...content, request: number }
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        target.pending.delete(number)
        const words = `The device process did not answer "${content.type}" within ${requestDeadlineMs} ms`
        reject(new DeviceError('OUTCOME_UNKNOWN', words))
      }, requestDeadlineMs)
      target.pending.set(number, {
        resolve: (ports) => {
          clearTimeout(deadline)
          resolve(ports)
        },
        reject: (error) => {
          clearTimeout(deadline)
          reject(error)
        },
      })
      if (target.unsent) target.unsent.push(message)
      else target.process.send(message)
    })
  }

  function receive(from: Session, message: DeviceMessage): void {
    switch (message.type) {
      case 'started': {
        const unsent = from.unsent ?? []
        from.unsent = null
        for (const held of unsent) from.process.send(held)
        return
      }
      case 'answer': {
        const waiting = from.pending.get(message.request)
        from.pending.delete(message.request)
        if (message.failure === null) waiting?.resolve(message.ports)
        else waiting?.reject(new DeviceError('FAILED', message.failure))
        return
      }
      case 'code':
        // Also from a process that has ended: its exit may be told before its last words are.
        handOver(message)
        return
      case 'state': {
        if (session !== from) return
        const connections =
          (health.get(message.deviceId)?.connections ?? 0) + (message.state === 'ready' ? 1 : 0)
        const changed = changeHealth(message.deviceId, {
          state: message.state,
          words: message.words,
          connections,
        })
        if (changed) options.onHealth(currentHealth())
        return
      }
      case 'dropped':
        options.log('warn', message.words)
        changeHealth(message.deviceId, {
          lastDropped: message.words,
          dropped: (health.get(message.deviceId)?.dropped ?? 0) + 1,
        })
        options.onHealth(currentHealth())
        return
      case 'defect':
        options.log('error', `Device process: ${message.words}`)
    }
  }

  function handOver(code: Extract<DeviceMessage, { type: 'code' }>): void {
    const { text, deviceId, receivedAt, lastByteMonotonicUs } = code
    const isRepeat = repeatDetectors.get(deviceId) ?? createRepeatDetector()
    repeatDetectors.set(deviceId, isRepeat)
    const repeat = isRepeat(text, lastByteMonotonicUs)
    const before = health.get(deviceId)
    changeHealth(deviceId, {
      lastScanAt: receivedAt,
      scans: (before?.scans ?? 0) + 1,
      repeats: (before?.repeats ?? 0) + (repeat ? 1 : 0),
    })
    try {
      options.onScan({ scanId: createUuid(), text, deviceId, receivedAt, lastByteMonotonicUs, repeat })
    } catch (error) {
      options.log('error', `The scan ${JSON.stringify(text)} of ${deviceId} was not taken: ${String(error)}`)
    }
  }

  /** Answers whether a person would see a difference. */
  function changeHealth(deviceId: string, change: Partial<DeviceHealth>): boolean {
    const before = health.get(deviceId)
    if (!before) return false
    const after = { ...before, ...change }
    health.set(deviceId, after)
    return after.state !== before.state || after.words !== before.words
  }

  function currentHealth(): readonly DeviceHealth[] {
    return wanted.flatMap(({ id }) => health.get(id) ?? [])
  }

  return {
    async configure(scanners) {
      if (closed) throw new DeviceError('NOT_STARTED', 'The device host is closed')
      const next = parseScanners(scanners)
      wanted = next
      for (const id of health.keys()) if (!next.some((one) => one.id === id)) health.delete(id)
      for (const settings of next) {
        const before = health.get(settings.id) ?? unknownHealth(settings)
        health.set(settings.id, { ...before, settings })
      }
      options.onHealth(currentHealth())
      if (!session && next.length === 0) {
        clearTimeout(restart)
        return
      }
      // A process that is started now gets the list as its first request; asking again is harmless.
      await request(ensureStarted(), { type: 'configure', scanners: [...next] })
    },

    health: currentHealth,

    async listPorts() {
      if (closed) throw new DeviceError('NOT_STARTED', 'The device host is closed')
      const found = await request(ensureStarted(), { type: 'list-ports' })
      const typed = wanted.filter(({ path }) => !found.some((port) => port.path === path))
      return [
        ...found.map((port): DevicePort => ({ ...port, origin: 'found' })),
        ...typed.map((scanner): DevicePort => ({
          path: scanner.path,
          manufacturer: null,
          serialNumber: null,
          vendorId: null,
          productId: null,
          origin: 'typed',
        })),
      ]
    },

    async close() {
      closed = true
      clearTimeout(restart)
      const ending = session
      if (!ending) return
      const ended = new Promise<void>((resolve) => ending.process.onExit(() => resolve()))
      await request(ending, { type: 'close' }).catch((error: unknown) =>
        options.log('warn', `The device process is ended without its ports closed: ${String(error)}`),
      )
      ending.process.kill()
      await ended
    },
  }
}

function parseScanners(scanners: readonly ScannerSettingsInput[]): readonly ScannerSettings[] {
  const parsed = z.array(ScannerSettings).safeParse(scanners)
  if (!parsed.success) throw new DeviceError('INVALID', z.prettifyError(parsed.error))
  refuseTwice('id', parsed.data)
  refuseTwice('path', parsed.data)
  return parsed.data
}

function refuseTwice(key: 'id' | 'path', scanners: readonly ScannerSettings[]): void {
  const values = scanners.map((scanner) => scanner[key])
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  if (twice !== undefined) throw new DeviceError('INVALID', `Two scanners have the same ${key} "${twice}"`)
}

function unknownHealth(settings: ScannerSettings): DeviceHealth {
  return {
    deviceId: settings.id,
    kind: 'serial-scanner',
    settings,
    state: 'starting',
    words: 'Starting',
    lastScanAt: null,
    scans: 0,
    repeats: 0,
    dropped: 0,
    lastDropped: null,
    connections: 0,
  }
}
