import type { AnyContractProcedure } from '@orpc/contract'
import { type AnyProcedure, Procedure } from '@orpc/server'
import type { Catalogue } from './catalogue.ts'

/** Domain, then procedure. */
export type ProcedureRouter = Record<string, Record<string, AnyProcedure>>

/**
 * A router of all contracts for oRPC's handlers. Its procedures are never run: each door answers in an interceptor that
 * hands the call to the gateway, so that the input is parsed once, in the service.
 */
export function routeProcedures(
  catalogue: Catalogue,
  options: { readonly internal: boolean },
): ProcedureRouter {
  const domains: ProcedureRouter = {}
  for (const { domain, name, meta, contract } of catalogue.list())
    if (options.internal || !meta.internal) (domains[domain] ??= {})[name] = placeHolder(contract)
  return domains
}

function placeHolder(contract: AnyContractProcedure): AnyProcedure {
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
