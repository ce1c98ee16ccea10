import { createORPCClient } from '@orpc/client'
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import type { Actor } from '../platform/contract/envelope.ts'
import type { Gateway } from '../platform/gateway/gateway.ts'

/** What a call of the host itself says: the same key answers the same again. */
export interface HostCall {
  readonly key?: string
}

/** A typed client of one domain for the host itself, through the same gateway as everybody else. */
export function createHostClient<Contract extends AnyContractRouter>(
  gateway: Gateway,
  name: string,
  actor: Actor | null,
): ContractRouterClient<Contract, HostCall> {
  const client: unknown = createORPCClient({
    call: (path, input, { context }) => {
      const { key } = context as HostCall
      return gateway.call({
        path: [name, ...path],
        input,
        origin: { from: 'host', actor, ...(key === undefined ? {} : { idempotencyKey: key }) },
      })
    },
  })
  return client as ContractRouterClient<Contract, HostCall>
}
