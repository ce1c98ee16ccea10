import type { MessagePort } from 'node:worker_threads'
import type { JournalErrorCode } from './journal-error.ts'
import type { OpenResult } from './open-journal.ts'
import type { VerifyRequest } from './verify-journal.ts'

/** What the journal's thread is started with. */
export type WorkerSetup =
  | {
      readonly role: 'journal'
      readonly home: string
      /** PEM; null signs nothing. */
      readonly privateKey: string | null
      readonly reserveBytes: number
      readonly checkpointEvery: number
    }
  | { readonly role: 'verify'; readonly path: string; readonly request: VerifyRequest }

/** From the host to the thread. */
export type HostMessage = { readonly type: 'attach'; readonly port: MessagePort } | { readonly type: 'close' }

/** From the thread to the host. */
export type WorkerMessage =
  | { readonly type: 'opened'; readonly result: OpenResult; readonly epochDue: string | null }
  | { readonly type: 'failed'; readonly code: JournalErrorCode; readonly message: string }
  | { readonly type: 'closed'; readonly problem: string | null }
