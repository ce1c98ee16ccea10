import type { MessagePort } from 'node:worker_threads'

/** Where a domain's database is: in files of the workstation's own, or on the Hub's server. */
export type DatabasePlace =
  | {
      readonly kind: 'pglite'
      readonly directory: string
      /** A prepared empty database to copy on first run; null makes one with initdb (slow). */
      readonly template: string | null
      /** PGlite's compiled module, shared by all workers. */
      readonly wasmModule: WebAssembly.Module
    }
  | { readonly kind: 'postgres'; readonly url: string }

/** What the host hands a service worker at its start, as `workerData`. */
export interface ServiceBoot {
  readonly domain: string
  /** TRACSEQ_HOME, absolute. */
  readonly home: string
  readonly database: DatabasePlace
  /**
   * Whether this instance reacts to events and takes up sagas. Of several instances of a service one does, so that
   * events are reacted to in their order.
   */
  readonly follows: boolean
  /** Folder that holds one folder of migrations per domain, and `platform` for the tables all share. */
  readonly migrations: string
  readonly resources: string
  readonly workstation: { readonly id: string; readonly name: string }
  /** The gateway calls this service here. */
  readonly servicePort: MessagePort
  /** This service calls others here, through the gateway. */
  readonly gatewayPort: MessagePort
  readonly journalPort: MessagePort
  readonly logLevel: string
}

/** Control messages from the supervisor, on the worker's own channel. */
export type ToService = { readonly type: 'ping'; readonly ping: number } | { readonly type: 'close' }

/** What a service tells while it works, of no interest to its supervisor. */
export type ServiceNotice = Extract<FromService, { readonly type: 'log' | 'span' | 'changed' }>

/** What a service tells its supervisor. */
export type FromService =
  /** It still opens and does this: a sign of life. A long part may be silent for as long as it takes. */
  | { readonly type: 'opening'; readonly words: string; readonly long: boolean }
  | { readonly type: 'ready'; readonly openedInMs: number; readonly recovery: readonly string[] }
  /** It may not open (a fork, a failed migration): do not restart, show the words. */
  | { readonly type: 'refused'; readonly code: string; readonly words: string }
  | {
      readonly type: 'pong'
      readonly ping: number
      readonly inFlight: number
      readonly longRunning: number
      readonly heapUsedBytes: number
      readonly databaseBytes: number
      /** Its last change set that the journal confirmed; null while the journal lags behind. */
      readonly confirmedSequence: number | null
    }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>>
    }
  | { readonly type: 'span'; readonly span: FinishedSpan }
  /** A change set of this laboratory was committed: who shows the domain reads it again. */
  | { readonly type: 'changed'; readonly laboratoryId: string }
  | { readonly type: 'closed' }

/** A finished span in a form that survives a port. Times are milliseconds since the epoch. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  readonly startedAt: number
  readonly durationMs: number
  readonly ok: boolean
  readonly attributes: Readonly<Record<string, string | number | boolean>>
}
