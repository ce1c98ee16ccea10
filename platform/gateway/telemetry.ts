import type { Span, Tracer } from '@opentelemetry/api'
import { ORPCError } from '@orpc/client'
import type { Actor } from '../contract/envelope.ts'
import type { FinishedSpan, FromService } from '../service/boot.ts'
import { type CallOrigin, givenTraceParent } from './call-origin.ts'
import type { Catalogue, KnownProcedure } from './catalogue.ts'
import type { Log, LogLevel } from './log.ts'
import { givenUpCode, Metrics } from './metrics.ts'
import type { ServiceStatus } from './registry.ts'
import { createTracer, endSpan, startSpan, TraceStore } from './trace.ts'

/** One call on its way through the gates, and what is known of it so far. */
export interface Trip {
  readonly procedure: KnownProcedure
  readonly correlationId: string
  readonly span: Span
  readonly startedAt: number
  actor: Actor | null
  /** Milliseconds spent outside the gateway: in the service, waiting for its start, finding out who calls. */
  elsewhereMs: number
}

/** Makes every call visible: a span, figures, and a line in the log for each step, joined by the correlation id. */
export class Telemetry {
  readonly traces = new TraceStore()
  readonly metrics: Metrics
  readonly log: Log
  readonly #catalogue: Catalogue
  readonly #tracer: Tracer
  readonly #onSpan: (span: FinishedSpan) => void

  constructor(
    log: Log,
    catalogue: Catalogue,
    statuses: () => readonly ServiceStatus[],
    onSpan: (span: FinishedSpan) => void = () => undefined,
  ) {
    this.log = log
    this.metrics = new Metrics(statuses)
    this.#catalogue = catalogue
    this.#onSpan = onSpan
    this.#tracer = createTracer((span) => this.#keep(span))
  }

  #keep(span: FinishedSpan): void {
    this.traces.add(span)
    this.#onSpan(span)
  }

  begin(procedure: KnownProcedure, origin: CallOrigin, correlationId: string): Trip {
    const span = startSpan(this.#tracer, `gateway ${procedure.label}`, givenTraceParent(origin), {
      correlationId,
      kind: procedure.meta.kind,
      from: origin.from === 'service' ? origin.domain : origin.from,
    })
    return { procedure, correlationId, span, startedAt: performance.now(), actor: null, elsewhereMs: 0 }
  }

  /** What the caller may see of an error: a defect shows nothing but the id under which the log explains it. */
  explain({ procedure, correlationId }: Trip, error: unknown): ORPCError<string, unknown> {
    if (isExpected(error)) return error
    this.log.write('error', `A defect in ${procedure.label}`, { correlationId, error })
    return new ORPCError('INTERNAL_SERVER_ERROR', {
      message: `Something is wrong in ${procedure.label}. The log explains it under ${correlationId}`,
      data: { correlationId },
      cause: error,
    })
  }

  conclude(trip: Trip, problem: ORPCError<string, unknown> | null, callerLeft: boolean): void {
    const { procedure, correlationId, span, actor, elsewhereMs } = trip
    // A screen that was left wants its answers no more: that is nobody's fault.
    const isGivenUp = problem !== null && callerLeft && procedure.meta.kind === 'query'
    const code = isGivenUp ? givenUpCode : (problem?.code ?? 'OK')
    if (actor !== null) span.setAttribute('laboratoryId', actor.laboratoryId)
    const durationMs = performance.now() - trip.startedAt
    this.metrics.count(procedure, { code, durationMs, elsewhereMs })
    endSpan(span, code)
    this.log.write(isGivenUp ? 'debug' : levelOf(procedure, problem), `${procedure.label} ${code}`, {
      correlationId,
      traceId: span.spanContext().traceId,
      step: 'gateway',
      service: procedure.domain,
      userId: actor?.userId ?? null,
      code,
      ...(problem === null ? {} : { why: problem.message, details: problem.data }),
      durationMs,
      elsewhereMs,
    })
  }

  /** Takes in what a service tells about its own part of a call. */
  receive(service: string, notice: Extract<FromService, { readonly type: 'log' | 'span' }>): void {
    if (notice.type === 'log') {
      this.log.write(notice.level, notice.message, { service, ...notice.fields })
      return
    }
    const { span } = notice
    this.#keep(span)
    const correlationId = span.attributes['correlationId']
    // Services name their spans `domain.procedure part`.
    const procedure = this.#catalogue.find((span.name.split(' ')[0] ?? '').split('.'))
    this.log.write(procedure?.meta.kind === 'query' ? 'debug' : 'info', span.name, {
      correlationId: typeof correlationId === 'string' ? correlationId : null,
      traceId: span.traceId,
      step: 'service',
      service,
      ok: span.ok,
      durationMs: span.durationMs,
    })
  }
}

function isExpected(error: unknown): error is ORPCError<string, unknown> {
  return error instanceof ORPCError && error.code !== 'INTERNAL_SERVER_ERROR'
}

/** Reading is not worth a line in everyday work; what a person cannot put right alone is worth more than one. */
function levelOf(procedure: KnownProcedure, problem: ORPCError<string, unknown> | null): LogLevel {
  if (problem !== null && problem.status >= 500) return 'warn'
  return procedure.meta.kind === 'query' ? 'debug' : 'info'
}
