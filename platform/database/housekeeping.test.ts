import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { Housekeeping } from './housekeeping.ts'
import { openPglite } from './pglite-engine.ts'
import { emptyDatabase } from './testing/empty-database.ts'
import { makeTestFolder } from './testing/test-folder.ts'

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
      create table platform.outbox (sequence bigint, payload text)`)
    await housekeeping.noteAcknowledged(1_001)
    await housekeeping.close()
    expect(failures).toHaveLength(1)
  } finally {
    await engine.close()
  }
})
