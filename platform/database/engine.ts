import type { Transaction } from './transaction.ts'

/** One open database, PGlite on a workstation or PostgreSQL on the Hub. Everything above speaks to this. */
export interface Engine {
  readonly kind: 'pglite' | 'postgres'
  /** Aborted with a {@link DatabaseStopped} when it can do nothing any more until it is opened anew. */
  readonly stopped: AbortSignal
  /** Runs work in one transaction; a throw rolls back. Never call it inside itself. */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Runs statements outside of a transaction, as the owner: migrations, vacuum, checkpoints. */
  execute(statements: string): Promise<void>
  /** How much room the database takes on disk. */
  sizeInBytes(): Promise<number>
  close(): Promise<void>
}

/** A database that cannot be opened or read any more: its content must come from the journal. */
export class DatabaseDamaged extends Error {
  override readonly name = 'DatabaseDamaged'
}

/**
 * The disk refused what a database cannot do without, or the database's program broke down. Its files are as sound as
 * after a crash: opening it again recovers.
 */
export class DatabaseStopped extends Error {
  override readonly name = 'DatabaseStopped'
}
