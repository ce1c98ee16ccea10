import { type ClientLink, ORPCError } from '@orpc/client'
import { z } from 'zod'
import { RPCLink } from '@orpc/client/message-port'
import type { Bridge } from '../bridge.ts'
import type { WireContext } from './call-link.ts'

const portMessage = 'tracseq:port'
/** What comes instead of a port when the workstation did not open. */
const Refused = z.object({ noPort: z.string() })

/** Opening may rebuild a damaged journal; only a host that is gone lets this much time pass. */
const longestOpeningMs = 310_000

/** Asks the desktop for a port to its gateway. Rejects in its words when it did not open, or when no answer came in time. */
export function openPort(bridge: Bridge, withinMs = longestOpeningMs): Promise<MessagePort> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      window.removeEventListener('message', listen)
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error('The application gave no port'))
    }, withinMs)
    function listen(event: MessageEvent<unknown>): void {
      if (event.source !== window) return
      const [port] = event.ports
      const refused = Refused.safeParse(event.data)
      if (event.data === portMessage && port !== undefined) {
        end()
        resolve(port)
      } else if (refused.success) {
        end()
        reject(new ORPCError('NOT_STARTED', { message: refused.data.noPort }))
      }
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
