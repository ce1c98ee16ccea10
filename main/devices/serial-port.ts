import { read } from 'node:fs'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { SerialPort } from 'serialport'
import type { DeviceState } from './device-messages.ts'
import type { ScannerSettings } from './scanner-settings.ts'

/** Why a port could not be opened: `waiting` when it is not there, `failed` when it is there and unusable. */
export class PortUnavailable extends Error {
  readonly state: Extract<DeviceState, 'waiting' | 'failed'>

  constructor(state: 'waiting' | 'failed', words: string) {
    super(words)
    this.name = 'PortUnavailable'
    this.state = state
  }
}

const OPEN_DEADLINE_MS = 15_000

/** Opens a serial port by its typed path; throws PortUnavailable with words for the person at the bench. */
export async function openSerialPort(settings: ScannerSettings): Promise<SerialPort> {
  await checkPath(settings.path)
  const port = new SerialPort({
    path: settings.path,
    baudRate: settings.baudRate,
    dataBits: settings.dataBits,
    stopBits: settings.stopBits,
    parity: settings.parity,
    rtscts: settings.flowControl === 'rts-cts',
    xon: settings.flowControl === 'xon-xoff',
    xoff: settings.flowControl === 'xon-xoff',
    autoOpen: false,
  })
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => {
      port.once('open', () => port.close())
      reject(
        new PortUnavailable('failed', `${settings.path} did not open within ${OPEN_DEADLINE_MS / 1_000} s`),
      )
    }, OPEN_DEADLINE_MS)
    port.open((error) => {
      clearTimeout(deadline)
      if (error) reject(explainOpenError(settings.path, error))
      else resolve()
    })
  })
  failReadsOnHangUp(port)
  return port
}

/** False once a device file is gone. Names that are not file paths (`COM3`) cannot be looked up and count as there. */
export async function isPathThere(path: string): Promise<boolean> {
  if (!path.startsWith('/')) return true
  try {
    await stat(path)
    return true
  } catch (error) {
    return !hasErrorCode(error, 'ENOENT')
  }
}

async function checkPath(path: string): Promise<void> {
  if (!path.startsWith('/')) return
  if (!(await isPathThere(path))) throw new PortUnavailable('waiting', `Waiting for ${path} to be plugged in`)
  const found = await stat(path).catch((error: unknown) => {
    throw new PortUnavailable('failed', `${path} cannot be looked at: ${messageOf(error)}`)
  })
  if (!found.isCharacterDevice()) throw new PortUnavailable('failed', `${path} is not a serial port`)
}

/** The binding gives no error codes, only the words of the operating system. */
function explainOpenError(path: string, error: Error): PortUnavailable {
  const words = error.message
  if (/no such (file|device)|file not found/i.test(words)) {
    return new PortUnavailable('waiting', `Waiting for ${path} to be plugged in`)
  }
  if (/cannot lock|access denied|resource busy/i.test(words)) {
    return new PortUnavailable('failed', `Another program is using ${path}`)
  }
  if (/permission denied/i.test(words)) {
    return new PortUnavailable(
      'failed',
      `No permission to open ${path}. On Linux, add this user to the group dialout and sign in again`,
    )
  }
  if (/inappropriate ioctl|not a tty/i.test(words)) {
    return new PortUnavailable('failed', `${path} is not a serial port`)
  }
  return new PortUnavailable('failed', `${path} could not be opened: ${words}`)
}

const readFile = promisify(read)

/**
 * Makes the end of a line an error on Linux and macOS. A terminal that was hung up answers every read with zero
 * bytes; the binding then reads again at once and spins at 100 % CPU instead of closing.
 */
function failReadsOnHangUp(port: SerialPort): void {
  const binding = port.port
  if (binding === undefined || !('poller' in binding)) return
  const { poller } = binding

  async function readOnce(buffer: Buffer, offset: number, length: number): Promise<number | 'nothing yet'> {
    if (binding === undefined || binding.fd === null) throw canceled()
    try {
      return (await readFile(binding.fd, buffer, offset, length, null)).bytesRead
    } catch (error) {
      if (!binding.isOpen) throw canceled()
      if (hasErrorCode(error, 'EAGAIN') || hasErrorCode(error, 'EINTR')) return 'nothing yet'
      throw error
    }
  }

  binding.read = async (buffer, offset, length) => {
    for (;;) {
      const bytesRead = await readOnce(buffer, offset, length)
      if (bytesRead === 0) throw new Error('the line was hung up')
      if (bytesRead !== 'nothing yet') return { buffer, bytesRead }
      if (!binding.isOpen) throw canceled()
      await new Promise<void>((resolve, reject) => {
        poller.once('readable', (error) => (error ? reject(error) : resolve()))
      })
    }
  }
}

/** The stream above the binding takes a `canceled` error for our own closing, any other for a disconnection. */
function canceled(): Error {
  return Object.assign(new Error('the port was closed'), { canceled: true })
}

function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
