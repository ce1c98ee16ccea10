import type { AnyContractRouter } from '@orpc/contract'
import { call, isProcedure } from '@orpc/server'
import { asContracted } from '../contract/refusal.ts'
import type { LocalService } from './gateway.ts'

/** Makes a domain of the host's own from its oRPC procedures; their context is the call's envelope. */
export function createLocalService(options: {
  readonly name: string
  readonly contract: AnyContractRouter
  readonly procedures: object
  /** Turns errors of what lies below into errors of the contract. */
  readonly explain?: (error: unknown) => unknown
}): LocalService {
  const contracts = new Map<string, AnyContractRouter>(Object.entries(options.contract))
  const procedures = new Map<string, unknown>(Object.entries(options.procedures))
  return {
    name: options.name,
    contract: options.contract,
    call: async (name, input, envelope, signal) => {
      const procedure = procedures.get(name)
      if (!isProcedure(procedure)) throw new Error(`${options.name}.${name} is in the contract but not here`)
      try {
        return await call(procedure, input, {
          context: { envelope },
          ...(signal === undefined ? {} : { signal }),
        })
      } catch (error) {
        const explained = options.explain === undefined ? error : options.explain(error)
        throw asContracted(contracts.get(name), explained) ?? explained
      }
    },
  }
}
