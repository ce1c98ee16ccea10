/**
 * Entry of the device process. The native drivers live here alone, so that a crash of one ends this process and not
 * the app; the host starts it again. It runs as a forked Node process or as an Electron utility process.
 */
import { isDeepStrictEqual } from 'node:util'
import { SerialPort } from 'serialport'
import { type DeviceMessage, type FoundPort, HostRequest } from './device-messages.ts'
import type { ScannerSettings } from './scanner-settings.ts'
import { type SerialScanner, startSerialScanner } from './serial-scanner.ts'

/** The side of Electron's `process.parentPort` that is used; Electron's types stay out of this folder. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void
  postMessage(message: unknown): void
}

const running = new Map<string, { readonly settings: ScannerSettings; readonly scanner: SerialScanner }>()
const send = connectToHost(receive)
/** Changes of the scanner list happen one after the other; a listing of ports need not wait for them. */
let lastChange: Promise<void> = Promise.resolve()
send({ type: 'started' })

function connectToHost(onMessage: (message: unknown) => void): (message: DeviceMessage) => void {
  const { parentPort } = process as unknown as { readonly parentPort?: ParentPort }
  if (parentPort) {
    parentPort.on('message', (event) => onMessage(event.data))
    return (message) => parentPort.postMessage(message)
  }
  if (!process.send) throw new Error('The device process is started by its host only')
  process.on('message', onMessage)
  // The host is gone: nobody would store a scan any more.
  process.on('disconnect', () => process.exit(0))
  return (message) => {
    if (process.connected) process.send?.(message)
  }
}

function receive(message: unknown): void {
  const parsed = HostRequest.safeParse(message)
  if (!parsed.success) {
    send({ type: 'defect', words: `A request that is none: ${parsed.error.message}` })
    return
  }
  void answer(parsed.data)
}

async function answer(request: HostRequest): Promise<void> {
  let ports: readonly FoundPort[] = []
  let failure: string | null = null
  try {
    if (request.type === 'list-ports') ports = await findPorts()
    if (request.type === 'configure') await changeScanners(request.scanners)
    if (request.type === 'close') await changeScanners([])
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  send({ type: 'answer', request: request.request, failure, ports: [...ports] })
}

function changeScanners(wanted: readonly ScannerSettings[]): Promise<void> {
  const change = lastChange.then(() => applyScanners(wanted))
  lastChange = change.catch(() => undefined)
  return change
}

async function applyScanners(wanted: readonly ScannerSettings[]): Promise<void> {
  const outdated = [...running].filter(
    ([id, { settings }]) => !wanted.some((one) => one.id === id && isDeepStrictEqual(one, settings)),
  )
  // All are closed before one is opened: two scanners may have swapped their ports.
  await Promise.all(outdated.map(([, { scanner }]) => scanner.close()))
  for (const [id] of outdated) running.delete(id)
  for (const settings of wanted) {
    if (!running.has(settings.id)) running.set(settings.id, { settings, scanner: startScanner(settings) })
  }
}

function startScanner(settings: ScannerSettings): SerialScanner {
  const deviceId = settings.id
  return startSerialScanner(settings, {
    onState: (state, words) => send({ type: 'state', deviceId, state, words }),
    onCode: (code) => send({ type: 'code', deviceId, ...code }),
    onDropped: (words) => send({ type: 'dropped', deviceId, words }),
  })
}

async function findPorts(): Promise<readonly FoundPort[]> {
  const found = await SerialPort.list()
  return found.map((port) => ({
    path: port.path,
    manufacturer: port.manufacturer ?? null,
    serialNumber: port.serialNumber ?? null,
    vendorId: port.vendorId ?? null,
    productId: port.productId ?? null,
  }))
}
