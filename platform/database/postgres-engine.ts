import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Pool } from 'pg'
import type { Engine } from './engine.ts'
import { rowsOf, type Transaction } from './transaction.ts'

/** Opens a domain's database on a PostgreSQL server, as the Hub does. */
export function openPostgres(connectionString: string): Engine {
  const pool = new Pool({
    connectionString,
    max: 4,
    options: '-c transaction_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC',
  })
  const database = drizzle({ client: pool })
  return {
    kind: 'postgres',
    transact: (work) => database.transaction((tx) => work(tx as unknown as Transaction)),
    async execute(statements) {
      await pool.query(statements)
    },
    async sizeInBytes() {
      const [row] = await rowsOf<{ bytes: string }>(
        database as unknown as Transaction,
        sql`select pg_database_size(current_database())::text as bytes`,
      )
      return Number(row?.bytes ?? 0)
    },
    close: () => pool.end(),
  }
}
