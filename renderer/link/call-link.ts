import { type ClientLink, ORPCError } from '@orpc/client'
import type { AnyContractProcedure } from '@orpc/contract'
import { v7 as newId } from 'uuid'
import { callHeaders } from '../../platform/contract/envelope.ts'
import type { ProcedureMeta } from '../../platform/contract/procedure.ts'

/** What a caller may say beside the input. */
export interface CallContext {
  /** Repeats an earlier command under its own key, for instance after the window was reloaded. */
  readonly idempotencyKey?: string
  /** A feed that stays open: it ends by its signal and not by the clock. */
  readonly feed?: boolean
}

/** What travels on the wire: a port in the desktop app, HTTP in a browser. */
export interface WireContext {
  readonly headers: Record<string, string>
}

export interface CallLinkOptions {
  readonly wire: ClientLink<WireContext>
  readonly contracts: Readonly<Record<string, Readonly<Record<string, AnyContractProcedure>>>>
  readonly readToken: () => string | null
  /** Told of every refusal that ends or locks the session, whichever call met it. */
  readonly onSessionRefused: (code: 'UNAUTHORIZED' | 'SESSION_LOCKED') => void
  /** Told of every command that was done, as `samples.update`: what is shown may no longer be true. */
  readonly onCommandDone?: (name: string) => void
  /** Waits between two tries; a test passes its own. */
  readonly wait?: (milliseconds: number) => Promise<void>
}

/** Nobody answered: the line to the host is not there, or broke. */
export class WireBroken extends Error {
  override readonly name = 'WireBroken'
}

/** The host answers a little before its deadline; only a host that is gone lets this much more pass. */
const graceMs = 3_000
const waitsMs = [250, 1_000, 4_000] as const
const correlations = new WeakMap<object, string>()

/** The id under which an error stands in the log, to be told to whoever looks after the system. */
export function correlationOf(error: unknown): string | null {
  return typeof error === 'object' && error !== null ? (correlations.get(error) ?? null) : null
}

/**
 * Makes every call the way the gateway wants it: token, deadline, and for commands one idempotency key. A command whose
 * outcome is unknown is repeated under the same key, up to three times, until its answer is known.
 */
export function makeCallLink(options: CallLinkOptions): ClientLink<CallContext> {
  const wait = options.wait ?? sleep
  return {
    async call(path, input, { context, signal, lastEventId }) {
      const meta = metaOf(options.contracts, path)
      const idempotencyKey = meta.kind === 'command' ? (context.idempotencyKey ?? newId()) : null
      const correlationId = newId()
      for (let tries = 0; ; tries += 1) {
        const token = options.readToken()
        const feed = context.feed === true
        const headers: Record<string, string> = {
          [callHeaders.correlationId]: correlationId,
          ...(token === null ? {} : { [callHeaders.authorization]: `Bearer ${token}` }),
          ...(idempotencyKey === null ? {} : { [callHeaders.idempotencyKey]: idempotencyKey }),
          ...(feed ? {} : { [callHeaders.deadlineMs]: String(meta.deadlineMs) }),
        }
        const late = feed ? [] : [AbortSignal.timeout(meta.deadlineMs + graceMs)]
        const signals = signal === undefined ? late : [signal, ...late]
        try {
          const answer = await options.wire.call(path, input, {
            context: { headers },
            ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
            ...(lastEventId === undefined ? {} : { lastEventId }),
          })
          if (meta.kind === 'command') options.onCommandDone?.(path.join('.'))
          return answer
        } catch (error) {
          const failure = signal?.aborted === true ? error : nameSilence(error, meta)
          if (typeof failure === 'object' && failure !== null) correlations.set(failure, correlationId)
          const waitMs = waitsMs[tries]
          if (idempotencyKey !== null && waitMs !== undefined && isOutcomeUnknown(failure)) {
            await wait(waitMs)
            continue
          }
          if (token !== null && token === options.readToken() && isSessionRefusal(failure)) {
            options.onSessionRefused(failure.code)
          }
          throw failure
        }
      }
    },
  }
}

function metaOf(contracts: CallLinkOptions['contracts'], path: readonly string[]): ProcedureMeta {
  const procedure = contracts[path[0] ?? '']?.[path[1] ?? '']
  if (procedure === undefined) throw new Error(`No contract names ${path.join('.')}`)
  return procedure['~orpc'].meta as ProcedureMeta
}

/** A host that does not answer at all: for a command nobody knows what became of it. */
function nameSilence(error: unknown, meta: ProcedureMeta): unknown {
  const isLate =
    error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')
  const isBroken = error instanceof WireBroken
  if (!isLate && !isBroken) return error
  const code = meta.kind === 'command' ? 'OUTCOME_UNKNOWN' : 'NOT_STARTED'
  return new ORPCError(code, {
    status: code === 'OUTCOME_UNKNOWN' ? 504 : 503,
    data: { why: isBroken ? error.message : 'The application does not answer' },
    cause: error,
  })
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof ORPCError && error.code === 'OUTCOME_UNKNOWN'
}

function isSessionRefusal(error: unknown): error is ORPCError<'UNAUTHORIZED' | 'SESSION_LOCKED', unknown> {
  return error instanceof ORPCError && (error.code === 'UNAUTHORIZED' || error.code === 'SESSION_LOCKED')
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
