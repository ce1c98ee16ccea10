import type { EpochRequest } from './announcement.ts'
import type { AuditWindow, AuditWindowRequest } from './audit-search.ts'
import type { JournalEntry, NewJournalEntry } from './entry.ts'
import type { JournalErrorCode, JournalErrorData } from './journal-error.ts'
import type {
  AppendResult,
  DomainHead,
  JournalCheckpoint,
  JournalEpoch,
  JournalHead,
  ReadDomainRequest,
  ReadRequest,
} from './journal-store.ts'
import type { NewScan, Scan, ScanSettlement } from './scan-intake.ts'
import type { VerifyRequest, VerifyResult } from './verify-journal.ts'

/** Whether new work may be accepted, and if not, why, in words for the person at the bench. */
export interface JournalState {
  readonly writable: boolean
  readonly why: string | null
}

export interface JournalStatistics {
  /** Entries appended since start. */
  readonly appended: number
  /** Transactions committed since start; each is one fsync of the log. */
  readonly commits: number
}

/** Everything that can be asked over a journal port: one line per method. */
export interface JournalMethods {
  append: { input: NewJournalEntry; output: AppendResult }
  startEpoch: { input: EpochRequest; output: JournalEpoch }
  signCheckpoint: { input: null; output: JournalCheckpoint | null }
  removePayload: { input: number; output: boolean }
  recordScan: { input: NewScan; output: Scan }
  settleScan: { input: ScanSettlement; output: Scan }

  head: { input: null; output: JournalHead | null }
  domainHead: { input: string; output: DomainHead | null }
  domains: { input: null; output: readonly string[] }
  entry: { input: number; output: JournalEntry | null }
  entryAt: { input: { domain: string; domainSequence: number }; output: JournalEntry | null }
  read: { input: ReadRequest; output: readonly JournalEntry[] }
  readDomain: { input: ReadDomainRequest; output: readonly JournalEntry[] }
  searchWindow: { input: AuditWindowRequest; output: AuditWindow }
  epochs: { input: null; output: readonly JournalEpoch[] }
  epochDue: { input: null; output: string | null }
  checkpoints: { input: number; output: readonly JournalCheckpoint[] }
  waitingScans: { input: null; output: readonly Scan[] }
  recentScans: { input: number; output: readonly Scan[] }
  statistics: { input: null; output: JournalStatistics }
  verify: { input: VerifyRequest; output: VerifyResult }
}
export type JournalMethod = keyof JournalMethods

export type JournalRequest = {
  [Method in JournalMethod]: {
    readonly id: number
    readonly method: Method
    readonly input: JournalMethods[Method]['input']
  }
}[JournalMethod]

type WriteMethod = 'append' | 'startEpoch' | 'signCheckpoint' | 'removePayload' | 'recordScan' | 'settleScan'
export type WriteRequest = Extract<JournalRequest, { method: WriteMethod }>
export type VerifyCall = Extract<JournalRequest, { method: 'verify' }>
export type ReadingRequest = Exclude<JournalRequest, WriteRequest | VerifyCall>

export type PortToWorker =
  | { readonly type: 'call'; readonly request: JournalRequest }
  /** From now on, tell this port about every new end of the journal. */
  | { readonly type: 'watch' }

export type JournalAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly code: JournalErrorCode
      readonly message: string
      readonly data: JournalErrorData
    }

export type PortFromWorker =
  | { readonly type: 'answer'; readonly id: number; readonly answer: JournalAnswer }
  | { readonly type: 'state'; readonly state: JournalState }
  | { readonly type: 'appended'; readonly head: number }
