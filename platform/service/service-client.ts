import type { MessagePort } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import { type Envelope, envelopeHeader } from '../contract/envelope.ts'

/** What a call to another domain may say about itself. */
export interface ServiceCallContext {
  /** Distinguishes repeated calls of one procedure within one command; part of the idempotency key. */
  readonly key?: string
}

export type ServiceClient<Contract extends AnyContractRouter> = ContractRouterClient<
  Contract,
  ServiceCallContext
>

type Link = RPCLink<ServiceCallContext & { readonly envelope?: Envelope }>

/** The worker's one link to the gateway, over which it reaches other domains. */
export function createGatewayLink(port: MessagePort): Link {
  const link: Link = new RPCLink({
    port,
    headers: ({ context: { envelope } }, path) => {
      if (envelope === undefined) throw new Error(`A call to ${path.join('.')} came without an envelope`)
      return { [envelopeHeader]: JSON.stringify(envelope) }
    },
  })
  return link
}

/**
 * A typed client of another domain, calling on behalf of the envelope's actor. Commands get an idempotency key derived
 * from the caller's, so repeating the caller repeats nothing below it.
 */
export function createServiceClient<Contract extends AnyContractRouter>(
  link: Link,
  name: string,
  envelope: Envelope,
): ServiceClient<Contract> {
  const client: unknown = createORPCClient<ContractRouterClient<AnyContractRouter, ServiceCallContext>>({
    call(path, input, { context, signal, ...options }) {
      const procedure = [name, ...path].join('.')
      const key = `${envelope.idempotencyKey ?? envelope.correlationId}/${procedure}/${context.key ?? ''}`
      const timeout = AbortSignal.timeout(Math.max(1, envelope.deadlineAt - Date.now()))
      return link.call([name, ...path], input, {
        ...options,
        context: { envelope: { ...envelope, idempotencyKey: key } },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
    },
  })
  return client as ServiceClient<Contract>
}
