import { type AnyContractRouter, type AnySchema, isContractProcedure } from '@orpc/contract'
import type { ProcedureMeta } from '../../platform/contract/procedure.ts'
import { asContracted, Refusal } from '../../platform/contract/refusal.ts'
import type { LocalService } from '../../platform/gateway/gateway.ts'
import type { passedOnDomains } from '../../platform/sync/passed-on.ts'
import type { SyncClient } from './sync-client.ts'

/**
 * A domain that the Hub alone answers, as a workstation offers it: permissions are asked here, and what may be asked is
 * passed on. The Hub parses the input and asks for the permission once more.
 */
export function createPassingOnService(
  client: Pick<SyncClient, 'passOn'>,
  domain: (typeof passedOnDomains)[number],
  contract: AnyContractRouter,
): LocalService {
  const procedures = new Map<string, AnyContractRouter>(Object.entries(contract))
  return {
    name: domain,
    contract,
    async call(procedure, given, { actor, idempotencyKey, deadlineAt }) {
      const called = procedures.get(procedure)
      if (!isContractProcedure(called)) throw new Error(`${domain}.${procedure} is not in the contract`)
      const { inputSchema, meta } = called['~orpc'] as Definition
      const { userId = '' } = actor ?? {}
      try {
        const input = await parse(inputSchema, given)
        return await client.passOn(
          { domain, procedure, input, actor: { userId }, idempotencyKey },
          { withinMs: deadlineAt - Date.now(), changes: meta.kind === 'command' },
        )
      } catch (error) {
        throw asContracted(called, error) ?? error
      }
    },
  }
}

interface Definition {
  readonly inputSchema?: AnySchema
  readonly meta: ProcedureMeta
}

/** The input as the contract has it, or the refusal that a service would answer with. */
async function parse(schema: AnySchema | undefined, input: unknown): Promise<unknown> {
  const parsed = await schema?.['~standard'].validate(input)
  if (parsed === undefined) return input
  if (parsed.issues === undefined) return parsed.value
  throw new Refusal('BAD_REQUEST', 'Input validation failed', { issues: parsed.issues })
}
