import { createORPCClient, ORPCError } from '@orpc/client'
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

const unclear: ReadonlySet<string> = new Set(['OUTCOME_UNKNOWN', 'NOT_STARTED', 'BUSY', 'TOO_MANY_REQUESTS'])
const waitsMs = [250, 1_000, 4_000, 15_000, 30_000, 60_000] as const

/**
 * Makes a call with a key again, with growing waits, until it is known what came of it: the same key does nothing twice.
 * Throws every refusal at once, and after some minutes the last failure.
 */
export async function repeatUntilKnown<T>(
  call: () => Promise<T>,
  waits: readonly number[] = waitsMs,
): Promise<T> {
  for (const waitMs of waits) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof ORPCError) || !unclear.has(String(error.code))) throw error
    }
    await new Promise((resume) => setTimeout(resume, waitMs))
  }
  return call()
}
