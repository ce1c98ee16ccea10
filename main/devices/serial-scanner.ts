import { setTimeout as delay } from 'node:timers/promises'
import type { SerialPort } from 'serialport'
import type { DeviceState } from './device-messages.ts'
import { createScanFramer, type DropReason, type FramerEvent } from './scan-framer.ts'
import type { ScannerSettings } from './scanner-settings.ts'
import { isPathThere, openSerialPort, PortUnavailable } from './serial-port.ts'

export interface ScannedCode {
  /** As decoded, with symbology identifier and group separators, without its terminator. */
  readonly text: string
  readonly receivedAt: string
  /** Microseconds of the machine's monotonic clock (`process.hrtime`, the same in every process) at the last byte. */
  readonly lastByteMonotonicUs: number
}

export interface SerialScannerListener {
  onState(state: DeviceState, words: string): void
  onCode(code: ScannedCode): void
  /** Bytes that made no code, in words. */
  onDropped(words: string): void
}

export interface SerialScanner {
  /** Closes the port; everything read before has been handed over when it resolves. */
  close(): Promise<void>
}

const FIRST_RETRY_MS = 200
const SLOWEST_RETRY_MS = 2_000
const STEADY_AFTER_MS = 2_000
const CLOSED_ON_REQUEST = 'closed on request'
const PATH_CHECK_MS = 1_000

/** Reads one scanner for as long as it is wanted: opens it when it is there, and again whenever it comes back. */
export function startSerialScanner(
  settings: ScannerSettings,
  listener: SerialScannerListener,
): SerialScanner {
  const closing = new AbortController()
  const done = keepReading(settings, listener, closing.signal)
  return {
    close() {
      closing.abort()
      return done
    },
  }
}

async function keepReading(
  settings: ScannerSettings,
  listener: SerialScannerListener,
  closing: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS
  listener.onState('starting', `Opening ${settings.path}`)
  while (!closing.aborted) {
    try {
      const port = await openSerialPort(settings)
      const openedAt = performance.now()
      listener.onState('ready', `Reading ${settings.path} at ${settings.baudRate} baud`)
      const reason = await readUntilClosed(port, settings, listener, closing)
      if (reason === CLOSED_ON_REQUEST) break
      listener.onState(
        'waiting',
        `${settings.path} was disconnected (${reason}); waiting for it to come back`,
      )
      // A port that opens and dies at once must not be opened in a tight circle.
      if (performance.now() - openedAt > STEADY_AFTER_MS) retryMs = FIRST_RETRY_MS
    } catch (error) {
      if (error instanceof PortUnavailable) listener.onState(error.state, error.message)
      else
        listener.onState(
          'failed',
          `${settings.path}: ${error instanceof Error ? error.message : String(error)}`,
        )
    }
    await delay(retryMs, undefined, { signal: closing }).catch(() => undefined)
    retryMs = Math.min(retryMs * 2, SLOWEST_RETRY_MS)
  }
  listener.onState('stopped', 'Closed')
}

/** Resolves with the reason, in words, when the port is gone or was closed. */
async function readUntilClosed(
  port: SerialPort,
  settings: ScannerSettings,
  listener: SerialScannerListener,
  closing: AbortSignal,
): Promise<string> {
  const framer = createScanFramer(settings)
  let idle: NodeJS.Timeout | undefined

  function deliver(events: readonly FramerEvent[]): void {
    for (const event of events) {
      if (event.kind === 'dropped') {
        listener.onDropped(describeDrop(event.reason, event.bytes, settings))
        continue
      }
      listener.onCode({
        text: event.text,
        receivedAt: new Date().toISOString(),
        lastByteMonotonicUs: event.lastByteMonotonicUs,
      })
    }
  }

  port.on('data', (bytes: Buffer) => {
    clearTimeout(idle)
    deliver(framer.push(bytes, Number(process.hrtime.bigint() / 1_000n)))
    if (settings.idleFlushMs > 0) idle = setTimeout(() => deliver(framer.flush()), settings.idleFlushMs)
  })
  port.on('error', (error) => listener.onDropped(`${settings.path}: ${error.message}`))

  // Some drivers keep a dead port open without a word; its device file is gone all the same.
  const pathCheck = setInterval(() => {
    void isPathThere(settings.path).then((there) => {
      if (!there && port.isOpen) port.close()
    })
  }, PATH_CHECK_MS)
  function closeOnRequest(): void {
    if (port.isOpen) port.close()
  }

  try {
    return await new Promise<string>((resolve) => {
      port.once('close', (error?: Error | null) =>
        resolve(closing.aborted ? CLOSED_ON_REQUEST : (error?.message ?? 'its device file is gone')),
      )
      closing.addEventListener('abort', closeOnRequest)
      if (closing.aborted) closeOnRequest()
    })
  } finally {
    closing.removeEventListener('abort', closeOnRequest)
    clearInterval(pathCheck)
    clearTimeout(idle)
    deliver(framer.breakOff())
  }
}

function describeDrop(reason: DropReason, bytes: number, settings: ScannerSettings): string {
  switch (reason) {
    case 'too-long':
      return `${settings.name}: more than ${settings.maximumFrameBytes} bytes without an end of code were dropped. Check the baud rate and the scanner's terminator`
    case 'broken-off':
      return `${settings.name}: a code broke off after ${bytes} bytes. Scan it again`
    case 'noise':
      return `${settings.name}: ${bytes} bytes of line noise were dropped. Check cable and baud rate, and scan again`
  }
}
