import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { Pool } from 'pg'
import { RecordedCalls } from './recorded-calls.ts'

/**
 * The least that can answer over HTTP with the same rows: a Fastify route that runs recorded transactions, each on one
 * connection of a pool, and answers with what their statements gave. `node bare-route.ts FILE` prints its address.
 */
const [, , file = ''] = process.argv
const { url, connections, calls } = RecordedCalls.parse(JSON.parse(readFileSync(file, 'utf8')))
const pool = new Pool({
  connectionString: url,
  max: connections,
  options: '-c transaction_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC',
})
const app = Fastify({ logger: false })
app.get<{ Params: { number: string } }>('/calls/:number', async ({ params }) => {
  const answers: unknown[] = []
  for (const transaction of calls[Number(params.number)] ?? []) {
    const client = await pool.connect()
    try {
      for (const { text, values } of transaction) {
        const { rows } = await client.query({ text, values: [...values], rowMode: 'array' })
        if (rows.length > 0) answers.push(rows)
      }
    } finally {
      client.release()
    }
  }
  return answers
})
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ url: address })}\n`)
process.once('SIGTERM', () => process.exit(0))
