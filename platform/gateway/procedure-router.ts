import type { AnyContractProcedure } from '@orpc/contract'
import { type AnyRouter, Procedure } from '@orpc/server'
import type { Catalogue } from './catalogue.ts'

/**
 * A router of all contracts for oRPC's handlers. Its procedures are never run: each door answers in an interceptor that
 * hands the call to the gateway, so that the input is parsed once, in the service.
 */
export function routeProcedures(catalogue: Catalogue, options: { readonly internal: boolean }): AnyRouter {
  const domains: Record<string, Record<string, ReturnType<typeof placeHolder>>> = {}
  for (const { domain, name, meta, contract } of catalogue.list())
    if (options.internal || !meta.internal) (domains[domain] ??= {})[name] = placeHolder(contract)
  return domains
}

function placeHolder(contract: AnyContractProcedure) {
  return new Procedure({
    ...contract['~orpc'],
    middlewares: [],
    inputValidationIndex: 0,
    outputValidationIndex: 0,
    handler: () => {
      throw new Error('A door must answer this call by the gateway')
    },
  })
}
