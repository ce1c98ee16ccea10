/** What Node's MessagePort, a browser's, and Electron's MessagePortMain have in common, as far as it is needed here. */
export type AnyMessagePort = NodeStylePort | EventPort

interface EventPort {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: () => void): void
  postMessage(message: unknown): void
  start?(): void
}

interface NodeStylePort {
  on(type: 'message', listener: (event: { readonly data: unknown }) => void): unknown
  on(type: 'close', listener: () => void): unknown
  postMessage(message: unknown): void
  start?(): void
}

/** The shape oRPC wants of a port, with messages that are known to be sound. */
export interface SoundPort {
  on(type: string, listener: (event?: { data: unknown }) => void): void
  postMessage(message: unknown): void
}

/**
 * Lets only messages through that oRPC can decode. It would reject a promise that nobody holds for any other, and that
 * ends the process; nor may an answer to a port that has closed meanwhile do so.
 */
export function guardPort(port: AnyMessagePort, onRefused: (why: string) => void): SoundPort {
  return {
    on: (type, listener) => {
      if (type === 'close') listen(port, 'close', () => listener())
      else
        listen(port, 'message', (event) => {
          const problem = findProblem(event.data)
          if (problem === null) listener({ data: event.data })
          else onRefused(problem)
        })
    },
    postMessage: (message) => {
      try {
        port.postMessage(message)
      } catch (error) {
        onRefused(`An answer could not be sent: ${String(error)}`)
      }
    },
  }
}

function listen(
  port: AnyMessagePort,
  type: 'message' | 'close',
  listener: (event: { readonly data: unknown }) => void,
): void {
  if ('addEventListener' in port) {
    if (type === 'message') port.addEventListener('message', listener)
    else port.addEventListener('close', () => listener({ data: undefined }))
  } else if (type === 'message') port.on('message', listener)
  else port.on('close', () => listener({ data: undefined }))
}

/** oRPC's frames are JSON text, or JSON and bytes parted by 0xFF. */
function findProblem(data: unknown): string | null {
  try {
    const frame: unknown = JSON.parse(readJsonPart(data))
    return isFrame(frame) ? null : 'A message is no call'
  } catch {
    return 'A message is not JSON'
  }
}

function readJsonPart(data: unknown): string {
  if (typeof data === 'string') return data
  if (!(data instanceof Uint8Array) && !(data instanceof ArrayBuffer))
    throw new TypeError('neither text nor bytes')
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data)
  const end = bytes.indexOf(0xff)
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end))
}

const requestType = 1
const laterTypes = [3, 4]

function isFrame(frame: unknown): boolean {
  if (typeof frame !== 'object' || frame === null || !('i' in frame)) return false
  if (typeof frame.i !== 'string' && typeof frame.i !== 'number') return false
  const type = 't' in frame && frame.t !== undefined ? frame.t : requestType
  if (laterTypes.some((later) => later === type)) return true
  if (type !== requestType || !('p' in frame)) return false
  const payload = frame.p
  if (typeof payload !== 'object' || payload === null || !('u' in payload)) return false
  return typeof payload.u === 'string' && URL.canParse(payload.u, 'http://orpc')
}
