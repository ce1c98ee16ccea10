import type { MessagePort } from 'node:worker_threads'
import { Envelope, envelopeHeader } from '../contract/envelope.ts'
import type { RawHeaders } from './call-headers.ts'
import { commonError } from './faults.ts'
import type { Gateway } from './gateway.ts'
import { openMessagePortDoor } from './message-port-door.ts'

/**
 * Serves the calls of one service to the others. The service speaks for whom its envelope says; only that it acts as
 * itself is taken from the port, since nobody else holds its other end.
 */
export function serveServicePort(gateway: Gateway, port: MessagePort, domain: string): () => void {
  openMessagePortDoor(gateway, port, {
    internal: true,
    correlationIdOf: (headers) => parseEnvelope(headers).data?.correlationId ?? 'unknown',
    answer: async ({ path, input, headers, signal }) => {
      const envelope = readEnvelope(headers, domain)
      return gateway.call({
        path,
        input,
        origin: { from: 'service', domain, envelope },
        ...(signal === undefined ? {} : { signal }),
      })
    },
  })
  return () => port.close()
}

function readEnvelope(headers: RawHeaders, domain: string): Envelope {
  const parsed = parseEnvelope(headers)
  if (!parsed.success)
    throw commonError('BAD_REQUEST', { message: `A call of the service ${domain} has no valid envelope` })
  const { actor } = parsed.data
  if (actor === null || actor.service === null) return parsed.data
  return { ...parsed.data, actor: { ...actor, service: domain } }
}

function parseEnvelope(headers: RawHeaders) {
  const text = headers[envelopeHeader]
  return Envelope.safeParse(typeof text === 'string' ? readJson(text) : null)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
