import type { FinishedSpan } from '../service/boot.ts'

export interface OtlpSettings {
  /** Where traces go, with `/v1/traces` at its end when the general endpoint was given. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
}

export interface SpanExporter {
  /** Takes a finished span; never waits and never throws. */
  readonly add: (span: FinishedSpan) => void
  /** Sends what is left, once. */
  readonly close: () => Promise<void>
}

const sendEveryMs = 2_000
const spansPerRequest = 512
/** A collector that is away for long costs spans, never memory. */
const waitingAtMost = 8_192
const answerWithinMs = 10_000

/**
 * Reads the settings that OpenTelemetry gives names to: `OTEL_EXPORTER_OTLP_ENDPOINT` or `…_TRACES_ENDPOINT`, `…_HEADERS`,
 * `OTEL_SERVICE_NAME`, `OTEL_SDK_DISABLED`. Null when no collector is named. Throws for an address that is none.
 */
export function readOtlpSettings(
  environment: Readonly<Record<string, string | undefined>>,
  defaultServiceName: string,
): OtlpSettings | null {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null
  const own = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  const general = environment['OTEL_EXPORTER_OTLP_ENDPOINT']
  const address = own ?? (general === undefined ? undefined : `${general.replace(/\/$/, '')}/v1/traces`)
  if (address === undefined || address === '') return null
  if (!URL.canParse(address)) throw new Error(`The OTLP endpoint ${address} is no address`)
  return {
    url: address,
    headers: readHeaders(
      environment['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? environment['OTEL_EXPORTER_OTLP_HEADERS'] ?? '',
    ),
    serviceName: environment['OTEL_SERVICE_NAME'] ?? defaultServiceName,
  }
}

/**
 * Sends spans to a collector as OTLP over HTTP in JSON, some thousands at most waiting. A collector that does not answer
 * is said in the log once, and again when it is back.
 */
export function startOtlpExport(
  settings: OtlpSettings,
  options: { readonly version: string; readonly log: (words: string) => void },
): SpanExporter {
  const waiting: FinishedSpan[] = []
  let lost = 0
  let away = false
  let sending: Promise<void> = Promise.resolve()

  async function sendWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, spansPerRequest)
      const refused = await send(batch)
      if (refused === null) {
        if (away) options.log(`Traces are sent again; ${lost} spans were lost meanwhile`)
        away = false
        lost = 0
        continue
      }
      // Put back: the next round tries them again, as far as there is room.
      waiting.unshift(...batch)
      lost += waiting.splice(0, Math.max(0, waiting.length - waitingAtMost)).length
      if (!away) options.log(`Traces cannot be sent to ${settings.url}: ${refused}`)
      away = true
      return
    }
  }

  /** Null when the collector took them, else why not. */
  async function send(spans: readonly FinishedSpan[]): Promise<string | null> {
    try {
      const answer = await fetch(settings.url, {
        method: 'POST',
        headers: { ...settings.headers, 'content-type': 'application/json' },
        body: JSON.stringify(encodeSpans(spans, settings.serviceName, options.version)),
        signal: AbortSignal.timeout(answerWithinMs),
      })
      await answer.arrayBuffer()
      return answer.ok ? null : `it answers ${answer.status}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  const timer = setInterval(() => {
    sending = sending.then(sendWaiting)
  }, sendEveryMs)
  timer.unref()
  return {
    add(span) {
      if (waiting.length >= waitingAtMost) lost += 1
      else waiting.push(span)
    },
    async close() {
      clearInterval(timer)
      await sending
      await sendWaiting()
    },
  }
}

/** The body of a request, as OTLP 1 has it in JSON: ids in hex, times in nanoseconds as text. */
export function encodeSpans(spans: readonly FinishedSpan[], serviceName: string, version: string) {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: [attribute('service.name', serviceName), attribute('service.version', version)],
        },
        scopeSpans: [{ scope: { name: 'tracseq', version }, spans: spans.map(encodeSpan) }],
      },
    ],
  }
}

const kindInternal = 1
const kindServer = 2
const statusOk = 1
const statusError = 2

function encodeSpan(span: FinishedSpan) {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    // What comes through a front door; the rest are its steps.
    kind: span.attributes['from'] === 'door' ? kindServer : kindInternal,
    startTimeUnixNano: nanoseconds(span.startedAt),
    endTimeUnixNano: nanoseconds(span.startedAt + span.durationMs),
    attributes: Object.entries(span.attributes).map(([key, value]) => attribute(key, value)),
    status: { code: span.ok ? statusOk : statusError },
  }
}

function attribute(key: string, value: string | number | boolean) {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  return { key, value: { doubleValue: value } }
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1_000)) * 1_000n)
}

/** `name=value` pairs, percent-encoded, with commas between. */
function readHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const at = pair.indexOf('=')
      return at < 1
        ? []
        : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const]
    }),
  )
}
