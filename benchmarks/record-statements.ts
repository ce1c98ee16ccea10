import { appendFileSync } from 'node:fs'
import pg from 'pg'

/**
 * Preloaded into a program and its workers (`--import`): notes every statement that goes to a PostgreSQL server, with its
 * values and the connection it goes by, as a line of the file that `TRACSEQ_RECORD_STATEMENTS` names.
 */
const file = process.env['TRACSEQ_RECORD_STATEMENTS'] ?? ''
const original = Reflect.get(pg.Client.prototype, 'query') as (
  this: pg.Client,
  ...given: unknown[]
) => unknown
const connections = new WeakMap<pg.Client, string>()

function query(this: pg.Client, ...given: unknown[]): unknown {
  const [first, second] = given
  const { text, values } = (typeof first === 'object' ? first : { text: first }) as {
    readonly text?: unknown
    readonly values?: unknown
  }
  const connection = connections.get(this) ?? `${process.pid} ${Math.random()}`
  connections.set(this, connection)
  const line = {
    connection,
    database: this.database,
    text,
    values: values ?? (Array.isArray(second) ? second : []),
  }
  appendFileSync(file, `${JSON.stringify(line)}\n`)
  return original.apply(this, given)
}

pg.Client.prototype.query = query as typeof pg.Client.prototype.query
