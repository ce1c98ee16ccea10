import type { AnyContractRouter } from '@orpc/contract'
import type { Actor } from '../contract/envelope.ts'
import type { ChangeScope } from '../database/change.ts'
import type { ReadTransaction, Transaction } from '../database/transaction.ts'
import type { ServiceClient } from './service-client.ts'

/** What every handler knows of its call. */
export interface CallScope {
  /** Null only for procedures that are public. */
  readonly actor: Actor | null
  /** The actor's laboratory; empty before anybody has signed in. */
  readonly laboratoryId: string
  readonly correlationId: string
  readonly workstation: { readonly id: string; readonly name: string }
  /** TRACSEQ_HOME, for files by content hash. */
  readonly home: string
  readonly resources: string
  /** The instant of the call, ISO 8601 UTC. */
  readonly now: string
  /** Calls another domain as the same actor, through the gateway. Never from inside a transaction. */
  service<Contract extends AnyContractRouter>(name: string, contract: Contract): ServiceClient<Contract>
}

/** A query's scope. */
export interface ReadScope extends CallScope {
  read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T>
  /** Reads before a laboratory is known (sign-in, sessions), read-only. The caller names the laboratory in each query. */
  readAcrossLaboratories<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T>
}

/** The scope of one change set: everything in it becomes true at once, or nothing does. */
export interface WriteScope extends ChangeScope {
  readonly actor: Actor | null
  readonly laboratoryId: string
  readonly workstation: { readonly id: string; readonly name: string }
}

/**
 * The scope of a command that makes several change sets, or asks other domains first. Each change has a key of its own
 * below the command's, so that a repeat finds what was done already.
 */
export interface OrchestrationScope extends ReadScope {
  readonly idempotencyKey: string
  readonly deadlineAt: number
  change<T>(key: string, work: (scope: WriteScope) => Promise<T>, options?: ChangeOptions): Promise<T>
  /** Writes to tables outside of capture: secrets and sessions. */
  changeLocal<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Reads and writes before a laboratory is known (sign-in), as the database's owner. */
  asOwner<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

export interface ChangeOptions {
  readonly reason?: string | null
  /** Before anybody has signed in: for whom the change is made. */
  readonly laboratoryId?: string
  readonly actorId?: string
  /** What was asked, when that is not the call's own input: for changes that more than one call may make. */
  readonly requestHash?: string
}
