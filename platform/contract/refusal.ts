import { type AnyContractRouter, isContractProcedure, ORPCError } from '@orpc/contract'

/**
 * An expected "no": one of the errors the procedure's contract names. The status is taken from the contract when the
 * service answers, so a rule needs to know only the code and the words.
 */
export class Refusal extends ORPCError<string, unknown> {
  constructor(code: string, message: string, data?: unknown) {
    super(code, { message, data })
  }
}

/**
 * A refusal with the status that its procedure's contract gives it; null for errors that the contract does not name, which
 * are defects.
 */
export function asContracted(
  procedure: AnyContractRouter | undefined,
  error: unknown,
): ORPCError<string, unknown> | null {
  if (!(error instanceof ORPCError) || !isContractProcedure(procedure)) return null
  const { code, message, data } = error as ORPCError<string, unknown>
  const errors = procedure['~orpc'].errorMap as Readonly<
    Record<string, { readonly status?: number } | undefined>
  >
  const status = errors[code]?.status
  return status === undefined
    ? null
    : new ORPCError<string, unknown>(code, { defined: true, status, message, data })
}

/** Nothing with this id is known here. */
export function notFound(kind: string, id: string): Refusal {
  return new Refusal('NOT_FOUND', `No ${kind} with the id ${id} is known here`, { kind, id })
}

/** A laboratory rule says no; `field` names the input it is about. */
export function ruleBroken(rule: string, message: string, field?: string): Refusal {
  return new Refusal('RULE_BROKEN', message, field === undefined ? { rule } : { rule, field })
}

/** Somebody changed the row since the caller read it. */
export function changedMeanwhile(what: string): Refusal {
  return new Refusal('CONFLICT', `${what} was changed by someone else meanwhile: look at it again`, {
    field: 'revision',
  })
}
