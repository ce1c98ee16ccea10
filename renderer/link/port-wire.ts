import type { ClientLink } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { Bridge } from '../bridge.ts'
import type { WireContext } from './call-link.ts'

const portMessage = 'tracseq:port'

/** Asks the desktop for a port to its gateway. Rejects when none came in time. */
export function openPort(bridge: Bridge, withinMs = 30_000): Promise<MessagePort> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      window.removeEventListener('message', listen)
      reject(new Error('The application gave no port'))
    }, withinMs)
    function listen(event: MessageEvent<unknown>): void {
      const [port] = event.ports
      if (event.source !== window || event.data !== portMessage || port === undefined) return
      clearTimeout(timer)
      window.removeEventListener('message', listen)
      resolve(port)
    }
    window.addEventListener('message', listen)
    bridge.requestPort()
  })
}

/** Calls over a port, in oRPC's protocol. */
export function makePortWire(port: MessagePort): ClientLink<WireContext> {
  const wire = new RPCLink<WireContext>({ port, headers: ({ context }) => context.headers })
  port.start()
  return wire
}
