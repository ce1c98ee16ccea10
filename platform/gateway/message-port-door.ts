import { ORPCError } from '@orpc/client'
import { RPCHandler } from '@orpc/server/message-port'
import { callHeaders } from '../contract/envelope.ts'
import type { RawHeaders } from './call-headers.ts'
import type { Gateway } from './gateway.ts'
import { type AnyMessagePort, guardPort } from './message-port.ts'
import { routeProcedures } from './procedure-router.ts'

/** One call as it came over a port. */
export interface PortCall {
  readonly path: readonly string[]
  readonly input: unknown
  readonly headers: RawHeaders
  readonly correlationId: string
  readonly signal?: AbortSignal
}

export interface MessagePortDoorOptions {
  /** Whether procedures that no client may see are served. */
  readonly internal: boolean
  readonly correlationIdOf: (headers: RawHeaders) => string
  readonly answer: (call: PortCall) => Promise<unknown>
}

interface DoorContext {
  headers?: RawHeaders
  correlationId?: string
}

/** Serves all contracts on a port, in oRPC's protocol; `answer` does the work. Every answer names its correlation id. */
export function openMessagePortDoor(
  gateway: Gateway,
  port: AnyMessagePort,
  options: MessagePortDoorOptions,
): void {
  const handler = new RPCHandler<DoorContext>(routeProcedures(gateway.catalogue, options), {
    rootInterceptors: [
      async (call) => {
        const { headers } = call.request
        const correlationId = options.correlationIdOf(headers)
        const result = await call.next({ ...call, context: { headers, correlationId } })
        if (result.response !== undefined)
          result.response.headers = { ...result.response.headers, [callHeaders.correlationId]: correlationId }
        return result
      },
    ],
    interceptors: [
      async (call) => {
        const result = await call.next()
        if (result.matched) return result
        const path = call.request.url.pathname
        throw new ORPCError('NOT_FOUND', { message: 'Not known here', data: { kind: 'procedure', id: path } })
      },
    ],
    clientInterceptors: [
      ({ path, input, context, signal }) => {
        const { headers = {}, correlationId = '' } = context
        return options.answer({
          path,
          input,
          headers,
          correlationId,
          ...(signal === undefined ? {} : { signal }),
        })
      },
    ],
  })
  const sound = guardPort(port, (why) =>
    gateway.log.write('warn', 'A message on a port was refused', { why }),
  )
  handler.upgrade(sound, { context: {} })
  port.start?.()
}
