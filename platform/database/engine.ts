import type { Transaction } from './transaction.ts'

/** One open database, PGlite on a workstation or PostgreSQL on the Hub. Everything above speaks to this. */
export interface Engine {
  readonly kind: 'pglite' | 'postgres'
  /** Runs work in one transaction; a throw rolls back. Never call it inside itself. */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Runs statements outside of a transaction, as the owner: migrations, vacuum, checkpoints. */
  execute(statements: string): Promise<void>
  /** Copies a table out as text, one array of bytes. */
  sizeInBytes(): Promise<number>
  close(): Promise<void>
}

/** A database that cannot be opened or read any more: its content must come from the journal. */
export class DatabaseDamaged extends Error {
  override readonly name = 'DatabaseDamaged'
}
