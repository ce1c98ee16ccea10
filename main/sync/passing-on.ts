import { type AnyContractRouter, isContractProcedure } from '@orpc/contract'
import type { ProcedureMeta } from '../../platform/contract/procedure.ts'
import { asContracted } from '../../platform/contract/refusal.ts'
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
    async call(procedure, input, { actor, idempotencyKey, deadlineAt }) {
      const { userId = '', name = '' } = actor ?? {}
      try {
        return await client.passOn(
          { domain, procedure, input, actor: { userId, name }, idempotencyKey },
          {
            withinMs: deadlineAt - Date.now(),
            changes: metaOf(procedures.get(procedure)).kind === 'command',
          },
        )
      } catch (error) {
        throw asContracted(procedures.get(procedure), error) ?? error
      }
    },
  }
}

function metaOf(procedure: AnyContractRouter | undefined): ProcedureMeta {
  if (!isContractProcedure(procedure)) throw new Error('This is no procedure')
  return procedure['~orpc'].meta as ProcedureMeta
}
