import { ORPCError } from '@orpc/client'
import { commonErrors } from '../contract/errors.ts'
import type { ProcedureMeta } from '../contract/procedure.ts'

export type CommonCode = keyof typeof commonErrors

/** An error of the list every contract shares, with its status and, unless told otherwise, its message. */
export function commonError<Code extends CommonCode>(
  code: Code,
  options: { readonly message?: string; readonly data?: unknown } = {},
): ORPCError<Code, unknown> {
  const { status, message } = commonErrors[code]
  const error = new ORPCError<Code, unknown>(code, {
    defined: true,
    status,
    message: options.message ?? message,
    data: options.data,
  })
  madeHere.add(error)
  return error
}

const madeHere = new WeakSet<Error>()

/** Whether the host made this error itself, so that it is no answer of a service. */
export function isMadeHere(error: unknown): boolean {
  return error instanceof Error && madeHere.has(error)
}

/** The call never reached a service: safe to repeat. */
export function notStarted(why: string): ORPCError<'NOT_STARTED', unknown> {
  return commonError('NOT_STARTED', { data: { why } })
}

/**
 * A call that was sent and will not be answered. A query changed nothing, so it counts as not started; of a command
 * nobody knows.
 */
export function lost(kind: ProcedureMeta['kind'], why: string): ORPCError<CommonCode, unknown> {
  return kind === 'query' ? notStarted(why) : commonError('OUTCOME_UNKNOWN', { data: { why } })
}

const infrastructureFaults = new WeakSet<Error>()

/** Marks an error as the fault of a worker, a port or the machine; only these open a circuit breaker. */
export function markInfrastructureFault<T extends Error>(error: T): T {
  infrastructureFaults.add(error)
  return error
}

export function isInfrastructureFault(error: unknown): boolean {
  return error instanceof Error && infrastructureFaults.has(error)
}

/** The words of anything thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
