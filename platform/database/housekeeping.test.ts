import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, it, vi } from 'vitest'
import { Housekeeping } from './housekeeping.ts'
import { openPglite } from './pglite-engine.ts'
import { emptyDatabase } from './testing/empty-database.ts'
import { makeTestFolder } from './testing/test-folder.ts'
import { rowsOf } from './transaction.ts'

it('says when it could not tidy up, and tries again', async () => {
  const directory = join(makeTestFolder('tracseq-housekeeping-'), 'db')
  const engine = await openPglite({ directory, template: await emptyDatabase() })
  const failures: unknown[] = []
  const housekeeping = new Housekeeping(engine, { onFailure: (error) => failures.push(error) })
  try {
    // So many change sets make a note of what the journal has due, and there is no table for it yet.
    housekeeping.noteChange(1_000)
    await vi.waitFor(() => expect(failures).toHaveLength(1))
    await engine.execute(`create schema platform;
      create table platform.journal_position as select 0::bigint as acknowledged_sequence, '' as acknowledged_hash;
      create table platform.outbox (sequence bigint, payload text);
      create table platform.pending_change (domain_sequence bigint)`)
    await housekeeping.noteAcknowledged(1_001)
    await housekeeping.close()
    expect(failures).toHaveLength(1)
  } finally {
    await engine.close()
  }
})

it('keeps the last 2,000 of the outbox, and all from the oldest on that waits for the Hub', async () => {
  const directory = join(makeTestFolder('tracseq-housekeeping-'), 'db')
  const engine = await openPglite({ directory, template: await emptyDatabase() })
  const firstKept = async () => {
    const [row] = await engine.transact((tx) =>
      rowsOf<{ first: number }>(tx, sql`select min(sequence)::integer as first from platform.outbox`),
    )
    return row?.first
  }
  const housekeeping = new Housekeeping(engine)
  try {
    await engine.execute(`create schema platform;
      create table platform.journal_position as select 0::bigint as acknowledged_sequence, '' as acknowledged_hash;
      create table platform.outbox as select each::bigint as sequence, '' as payload from generate_series(1, 5000) each;
      create table platform.pending_change as select 501::bigint as domain_sequence union select 4000`)
    await housekeeping.noteAcknowledged(4_500)
    expect(await firstKept()).toBe(501)
    await engine.execute('delete from platform.pending_change where domain_sequence = 501')
    await housekeeping.noteAcknowledged(5_000)
    expect(await firstKept()).toBe(3_001)
  } finally {
    await housekeeping.close()
    await engine.close()
  }
})
