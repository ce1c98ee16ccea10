import type { MessagePort } from 'node:worker_threads'
import { ORPCError } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import { type Envelope, envelopeHeader } from '../contract/envelope.ts'
import { answerWithinMs } from './deadline.ts'
import { describeError, lost, markInfrastructureFault, notStarted } from './faults.ts'
import type { KnownProcedure } from './catalogue.ts'

export interface ServiceCall {
  readonly procedure: KnownProcedure
  readonly input: unknown
  readonly envelope: Envelope
  /** The caller chose a shorter deadline than the contract's: its passing says nothing about the service. */
  readonly hurried: boolean
  readonly signal?: AbortSignal
}

interface SentCall {
  readonly call: ServiceCall
  readonly reject: (error: Error) => void
}

/** What is known of calls whose deadline passed while the worker still owes the answer. */
export interface OverdueCalls {
  readonly count: number
  /** A long operation is among the unanswered calls, overdue or not: silence is expected. */
  readonly longInFlight: boolean
}

/**
 * The calls to one life of one worker. oRPC's own link waits for ever on a port whose other end died, so every call
 * here has a deadline, and all end at once when the worker's end is told by `fail`.
 */
export class ServiceLink {
  readonly #link: RPCLink<{ readonly envelope: Envelope }>
  /** Sent and not answered by the worker, whether or not the caller has been answered meanwhile. */
  readonly #unanswered = new Set<SentCall>()
  readonly #overdue = new Set<SentCall>()
  #down: string | null = null

  /** `onBroken` is told when the port closes, which may be some time before the worker is known to have ended. */
  constructor(port: MessagePort, onBroken: () => void) {
    this.#link = new RPCLink<{ readonly envelope: Envelope }>({
      port,
      headers: ({ context }) => ({ [envelopeHeader]: JSON.stringify(context.envelope) }),
    })
    port.on('close', () => {
      if (this.#down === null) onBroken()
      this.fail('The service ended')
    })
  }

  get overdue(): OverdueCalls {
    const longInFlight = [...this.#unanswered].some(({ call }) => call.procedure.meta.long)
    return { count: this.#overdue.size, longInFlight }
  }

  /** Sends a call. Rejects with the service's own error, or with NOT_STARTED or OUTCOME_UNKNOWN. */
  call(call: ServiceCall): Promise<unknown> {
    if (this.#down !== null) return Promise.reject(notStarted(this.#down))
    const waitMs = answerWithinMs(call.envelope.deadlineAt)
    if (waitMs <= 0) return Promise.reject(notStarted('The deadline passed before the call was sent'))
    return new Promise((resolve, reject) => {
      const sent: SentCall = { call, reject }
      this.#unanswered.add(sent)
      const timer = setTimeout(() => {
        this.#overdue.add(sent)
        reject(this.#overdueError(call))
      }, waitMs)
      this.#send(call)
        .then(resolve, (error: unknown) => reject(this.#explain(call, error)))
        .finally(() => {
          clearTimeout(timer)
          this.#unanswered.delete(sent)
          this.#overdue.delete(sent)
        })
    })
  }

  /** Ends all calls in flight and refuses later ones; for a worker that ended or is about to be ended. */
  fail(why: string): void {
    if (this.#down !== null) return
    this.#down = why
    for (const { call, reject } of this.#unanswered)
      reject(markInfrastructureFault(lost(call.procedure.meta.kind, why)))
  }

  async #send(call: ServiceCall): Promise<unknown> {
    const { procedure, input, envelope, signal } = call
    // A command goes on although nobody listens: stopping it halfway would only make its outcome unclear.
    const stoppable = procedure.meta.kind === 'query' && signal !== undefined
    return this.#link.call([procedure.name], input, {
      context: { envelope },
      ...(stoppable ? { signal } : {}),
    })
  }

  #overdueError(call: ServiceCall): Error {
    const error = lost(call.procedure.meta.kind, `${call.procedure.label} did not answer before its deadline`)
    return call.hurried ? error : markInfrastructureFault(error)
  }

  #explain(call: ServiceCall, error: unknown): Error {
    if (error instanceof ORPCError) return error
    if (call.signal?.aborted === true) return lost(call.procedure.meta.kind, 'The caller gave up')
    const why = this.#down ?? `The service broke the connection: ${describeError(error)}`
    return markInfrastructureFault(lost(call.procedure.meta.kind, why))
  }
}
