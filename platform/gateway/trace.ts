import { ROOT_CONTEXT, type Span, SpanStatusCode, trace, TraceFlags, type Tracer } from '@opentelemetry/api'
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { FinishedSpan } from '../service/boot.ts'

const rememberedSpans = 5_000

/** Finished spans of the host and its workers, the latest some thousands, so that one command can be followed. */
export class TraceStore {
  readonly #spans: FinishedSpan[] = []
  #next = 0

  add(span: FinishedSpan): void {
    this.#spans[this.#next] = span
    this.#next = (this.#next + 1) % rememberedSpans
  }

  /** All spans of the traces in which this correlation id or trace id occurs, in the order they began. */
  find(correlationOrTraceId: string): readonly FinishedSpan[] {
    const traceIds = new Set(
      this.#spans
        .filter(
          (span) =>
            span.traceId === correlationOrTraceId ||
            span.attributes['correlationId'] === correlationOrTraceId,
        )
        .map((span) => span.traceId),
    )
    return this.#spans
      .filter((span) => traceIds.has(span.traceId))
      .sort((left, right) => left.startedAt - right.startedAt)
  }
}

/** Makes the host's tracer; every span it ends goes to `receive`. */
export function createTracer(receive: (span: FinishedSpan) => void): Tracer {
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: (span) => receive(finish(span)),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  })
  return provider.getTracer('tracseq')
}

/** Begins a span below the one a W3C `traceparent` names, or a new trace when there is none. */
export function startSpan(
  tracer: Tracer,
  name: string,
  traceParent: string | null | undefined,
  attributes: Readonly<Record<string, string>>,
): Span {
  const parent = parseTraceParent(traceParent)
  const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
  return tracer.startSpan(name, { attributes }, context)
}

/** Ends a span with the stable code its call ended with; `OK` when all went well. */
export function endSpan(span: Span, code: string): void {
  span.setAttribute('code', code)
  span.setStatus({ code: code === 'OK' ? SpanStatusCode.OK : SpanStatusCode.ERROR })
  span.end()
}

/** The span as a W3C `traceparent`, for the next hop. */
export function formatTraceParent(span: Span): string {
  const { traceId, spanId } = span.spanContext()
  return `00-${traceId}-${spanId}-01`
}

const traceParentPattern = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/

function parseTraceParent(text: string | null | undefined) {
  const [, traceId, spanId] = traceParentPattern.exec(text ?? '') ?? []
  if (traceId === undefined || spanId === undefined) return null
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true }
}

function finish(span: ReadableSpan): FinishedSpan {
  const { traceId, spanId } = span.spanContext()
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    startedAt: milliseconds(span.startTime),
    durationMs: milliseconds(span.duration),
    ok: span.status.code !== SpanStatusCode.ERROR,
    attributes: Object.fromEntries(
      Object.entries(span.attributes).flatMap(([name, value]) =>
        typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
          ? [[name, value] as const]
          : [],
      ),
    ),
  }
}

function milliseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1_000_000
}
