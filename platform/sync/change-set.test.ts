import { expect, it } from 'vitest'
import { describeIssue } from '../journal/entry.ts'
import { ChangeSetSchema, type RowImage } from './change-set.ts'

const key = {
  laboratory_id: '0190a0a0-0000-7000-8000-000000000001',
  id: '0190a0a0-0000-7000-8000-000000000002',
}

function setWith(cells: unknown): unknown {
  const values = typeof cells === 'object' && cells !== null ? { ...key, ...cells } : cells
  return {
    ...{ id: key.id, domain: 'samples', laboratoryId: key.laboratory_id, workstationId: 'w', actorId: 'a' },
    ...{ hybridLogicalTime: '', recordedAt: '2026-11-21T10:31:05.123Z', reason: null, correlationId: '' },
    ...{ procedure: 'samples.accession', causedBy: null, events: [] },
    changes: [{ table: 'sample', operation: 'insert', key, replaces: null, values, before: {} }],
  }
}

it('takes rows of texts and nulls as they are', () => {
  const cells: RowImage = { name: 'Größe 🧬 <b>', note: null, project: '' }
  expect(ChangeSetSchema.parse(setWith(cells)).changes[0]?.values).toEqual({ ...key, ...cells })
})

it.each([
  [{ Name: 'x' }, 'Name must be a name of a column'],
  [{ 'name" = 1; --': 'x' }, 'name" = 1; -- must be a name of a column'],
  [{ volume: 5 }, 'volume must be text or null'],
  [{ name: { first: 'x' } }, 'name must be text or null'],
  [{ name: 'x\0' }, 'name must not contain NUL or a lone surrogate'],
  [{ name: 'x\ud800' }, 'name must not contain NUL or a lone surrogate'],
  [{ name: 'x'.repeat(1_048_577) }, 'name must not be longer than 1048576 characters'],
  ['a row', 'must be a row'],
  [null, 'must be a row'],
])('refuses a row with %j by the place and the rule', (cells, words) => {
  const parsed = ChangeSetSchema.safeParse(setWith(cells))
  if (parsed.success) throw new Error('It was taken')
  expect(describeIssue(parsed.error)).toBe(`changes.0.values: ${words}`)
})
