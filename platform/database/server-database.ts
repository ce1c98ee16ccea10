import { createHash } from 'node:crypto'
import { Client } from 'pg'
import { DomainDatabase, type DomainDatabaseOptions } from './domain-database.ts'
import { openPostgres } from './postgres-engine.ts'

/**
 * Opens a domain's database on a server. Several instances of a service may do so at once: migrations and recovery are
 * made by one after the other.
 */
export async function openServerDatabase(
  options: DomainDatabaseOptions & { readonly url: string },
): Promise<{ readonly database: DomainDatabase; readonly recovery: readonly string[] }> {
  const turn = new Client({ connectionString: options.url })
  await turn.connect()
  try {
    await turn.query('select pg_advisory_lock($1)', [lockOf(options.domain)])
    const engine = openPostgres(options.url, (error) =>
      options.onTrouble?.(`${options.domain}: a connection to the database was lost`, error),
    )
    try {
      return await DomainDatabase.open(engine, options)
    } catch (error) {
      await engine.close()
      throw error
    }
  } finally {
    await turn.end()
  }
}

function lockOf(domain: string): number {
  return createHash('sha256').update(`open ${domain}`).digest().readInt32BE()
}
