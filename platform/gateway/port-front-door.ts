import { readClientHeaders, readCorrelationId } from './call-headers.ts'
import type { Gateway } from './gateway.ts'
import type { AnyMessagePort } from './message-port.ts'
import { openMessagePortDoor } from './message-port-door.ts'

/**
 * Serves all public contracts to a window over its port (Electron's or Node's). A client's name stands for it in the
 * rate limit while nobody is signed in.
 */
export function openPortFrontDoor(gateway: Gateway, port: AnyMessagePort, client: string): void {
  openMessagePortDoor(gateway, port, {
    internal: false,
    correlationIdOf: readCorrelationId,
    // Asynchronous, so that a bad header becomes the call's answer.
    answer: async ({ path, input, headers, correlationId, signal }) =>
      gateway.call({
        path,
        input,
        correlationId,
        origin: { from: 'door', client, headers: readClientHeaders(headers) },
        ...(signal === undefined ? {} : { signal }),
      }),
  })
}
