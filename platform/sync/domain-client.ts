import { createORPCClient } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import type { Gateway } from '../gateway/gateway.ts'
import type { DomainSyncContract } from './domain-contract.ts'

export type DomainSyncClient = ContractRouterClient<DomainSyncContract>

/** What a domain offers its host for sync. The host calls it through the gateway like everything else. */
export function createDomainSyncClient(gateway: Gateway, domain: string): DomainSyncClient {
  const client: unknown = createORPCClient({
    call: (path, input) =>
      gateway.call({ path: [domain, ...path], input, origin: { from: 'host', actor: null } }),
  })
  return client as DomainSyncClient
}
