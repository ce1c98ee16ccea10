import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Pool } from 'pg'
import type { Engine } from './engine.ts'
import { rowsOf, type Transaction } from './transaction.ts'

/** Opens a domain's database on a PostgreSQL server, as the Hub does. `onLost` is told of idle connections that broke. */
export function openPostgres(connectionString: string, onLost: (error: Error) => void): Engine {
  const pool = new Pool({
    connectionString,
    max: 4,
    options: '-c transaction_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC',
  })
  // An idle connection that breaks is replaced; whoever asks next is told if that does not work.
  pool.on('error', onLost)
  const database = drizzle({ client: pool })
  return {
    kind: 'postgres',
    // A lost connection is replaced by the pool; the server outlives it.
    stopped: new AbortController().signal,
    transact: (work) => database.transaction((tx) => work(tx as unknown as Transaction)),
    async execute(statements) {
      await pool.query(statements)
    },
    async sizeInBytes() {
      const [row] = await rowsOf<{ bytes: string }>(
        database,
        sql`select pg_database_size(current_database())::text as bytes`,
      )
      return Number(row?.bytes ?? 0)
    },
    close: () => pool.end(),
  }
}
