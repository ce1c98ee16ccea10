import { sql } from 'drizzle-orm'
import { expect, inject, it, vi } from 'vitest'
import { openPostgres } from './postgres-engine.ts'
import { onServer } from './testing/on-server.ts'
import { rowsOf } from './transaction.ts'

it('tells of a connection that was lost while nobody used it, and takes another one', async () => {
  const lost: Error[] = []
  const engine = openPostgres(inject('postgresUrl'), (error) => lost.push(error))
  const pidOf = () =>
    engine.transact((tx) => rowsOf<{ pid: number }>(tx, sql`select pg_backend_pid() as pid`))
  const [before] = await pidOf()
  await onServer(inject('postgresUrl'), (other) =>
    other.query('select pg_terminate_backend($1)', [before?.pid]),
  )
  await vi.waitFor(() =>
    expect(lost.map(({ message }) => message)).toEqual([
      'terminating connection due to administrator command',
    ]),
  )
  const [after] = await pidOf()
  expect(after?.pid).not.toBe(before?.pid)
  await engine.close()
})
