import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { KnownProcedure } from './catalogue.ts'
import type { ServiceStatus } from './registry.ts'

const windowLength = 512
/** Seconds. A call over a port takes a fraction of a millisecond, a long one some seconds. */
const callBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const shareBuckets = [0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.0025, 0.005, 0.01]

/** The outcome of a query whose caller stopped waiting; it is no error. */
export const givenUpCode = 'GIVEN_UP'

/** How one call ended. */
export interface FinishedCall {
  /** `OK`, the error's code, or {@link givenUpCode}. */
  readonly code: string
  readonly durationMs: number
  /** Of the duration, what was spent outside the gateway: in the service, or waiting for its start. */
  readonly elsewhereMs: number
}

interface ServiceTotals {
  calls: number
  errors: number
  readonly latenciesMs: number[]
  next: number
}

/** Latencies of the latest calls of a service, and its totals since the host started. */
export interface ServiceFigures {
  readonly calls: number
  readonly errors: number
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}

/** What the gateway counts, in Prometheus' terms, plus the short summary people see. */
export class Metrics {
  readonly registry = new Registry()
  readonly #calls: Counter<'service' | 'procedure' | 'code'>
  readonly #duration: Histogram<'service' | 'procedure'>
  readonly #share: Histogram
  readonly #totals = new Map<string, ServiceTotals>()

  /** `statuses` is asked when someone reads the metrics. */
  constructor(statuses: () => readonly ServiceStatus[]) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#calls = new Counter({
      name: 'tracseq_calls_total',
      help: 'Calls by procedure and outcome',
      labelNames: ['service', 'procedure', 'code'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'tracseq_call_seconds',
      help: 'Time from the front door to the answer',
      labelNames: ['service', 'procedure'],
      buckets: callBuckets,
      registers,
    })
    this.#share = new Histogram({
      name: 'tracseq_gateway_share_seconds',
      help: "The gateway's own share of a call",
      buckets: shareBuckets,
      registers,
    })
    this.#addGauges(statuses)
  }

  count(procedure: KnownProcedure, call: FinishedCall): void {
    const labels = { service: procedure.domain, procedure: procedure.name }
    this.#calls.inc({ ...labels, code: call.code })
    this.#duration.observe(labels, call.durationMs / 1_000)
    this.#share.observe(Math.max(0, call.durationMs - call.elsewhereMs) / 1_000)
    const totals = this.#totalsOf(procedure.domain)
    totals.calls += 1
    if (call.code !== 'OK' && call.code !== givenUpCode) totals.errors += 1
    totals.latenciesMs[totals.next] = call.durationMs
    totals.next = (totals.next + 1) % windowLength
  }

  figures(service: string): ServiceFigures {
    const { calls, errors, latenciesMs } = this.#totalsOf(service)
    const sorted = latenciesMs.toSorted((left, right) => left - right)
    return { calls, errors, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) }
  }

  #totalsOf(service: string): ServiceTotals {
    let totals = this.#totals.get(service)
    if (totals === undefined) {
      totals = { calls: 0, errors: 0, latenciesMs: [], next: 0 }
      this.#totals.set(service, totals)
    }
    return totals
  }

  #addGauges(statuses: () => readonly ServiceStatus[]): void {
    const gauge = (name: string, help: string, read: (status: ServiceStatus) => number | null) =>
      new Gauge({
        name,
        help,
        labelNames: ['service'],
        registers: [this.registry],
        collect() {
          this.reset()
          for (const status of statuses()) {
            const value = read(status)
            if (value !== null) this.set({ service: status.name }, value)
          }
        },
      })
    gauge('tracseq_in_flight', 'Calls that wait for an answer', (status) => status.inFlight)
    gauge('tracseq_breaker', 'Circuit breaker: 0 closed, 1 half open, 2 open', (status) =>
      ['closed', 'half-open', 'open'].indexOf(status.breaker),
    )
    gauge('tracseq_restarts', 'Restarts after a crash or a hang', (status) => status.restarts)
    gauge('tracseq_service_ready', '1 when the service is ready', (status) =>
      status.state === 'ready' ? 1 : 0,
    )
    gauge('tracseq_service_heap_bytes', 'JavaScript heap of the service', (status) => status.heapUsedBytes)
    gauge('tracseq_database_bytes', 'Size of the database', (status) => status.databaseBytes)
  }
}

function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null
}
