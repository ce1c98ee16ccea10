import type { SQL } from 'drizzle-orm'
import type { PgAsyncDatabase } from 'drizzle-orm/pg-core/async'
import type { PgQueryResultHKT } from 'drizzle-orm/pg-core'

/** A transaction on either engine. It is always a parameter: reaching for an outer handle deadlocks PGlite. */
export type Transaction = PgAsyncDatabase<PgQueryResultHKT>

/** What a query gets: it can select and nothing else; the database itself refuses writes as well. */
export type ReadTransaction = Pick<
  Transaction,
  'select' | 'selectDistinct' | 'selectDistinctOn' | 'with' | '$with' | '$count' | 'execute'
>

/**
 * Runs raw SQL and returns its rows. Cast numbers to `int` or `text` in the statement: the engines' drivers turn
 * `bigint` and `numeric` into different JavaScript values.
 */
export async function rowsOf<Row>(tx: Pick<Transaction, 'execute'>, statement: SQL): Promise<readonly Row[]> {
  const result: unknown = await tx.execute(statement)
  return (result as { readonly rows: readonly Row[] }).rows
}
