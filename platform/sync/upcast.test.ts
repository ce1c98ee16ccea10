import { expect, it } from 'vitest'
import type { ChangeSet, RowChange } from './change-set.ts'
import { findUnknownShape, Upcast, upcastItem, upcastSet } from './upcast.ts'
import type { HeldItem } from './work-item.ts'

const key = {
  laboratory_id: '0190a0a0-0000-7000-8000-000000000001',
  id: '0190a0a0-0000-7000-8000-000000000002',
}
const renamed = Upcast.parse({
  tube: { renamed: { kind: 'form' }, values: { kind: { vial: 'cryovial' } }, dropped: ['shelf'] },
})
const renamedAgain = Upcast.parse({ tube: { renamed: { form: 'shape' } } })
const upcasts = new Map([
  ['1_form', renamed],
  ['2_shape', renamedAgain],
])

const insert: RowChange = {
  ...{ table: 'tube', operation: 'insert', key, replaces: null, before: {} },
  values: { ...key, kind: 'vial', shelf: 'A', note: 'vial' },
}
const update: RowChange = {
  ...{ table: 'tube', operation: 'update', key, replaces: key.id },
  values: { kind: 'tube', shelf: null },
  before: { kind: 'vial', shelf: 'A' },
}

function setOf(changes: readonly RowChange[], shapedBy?: readonly string[]): ChangeSet {
  return {
    ...{ id: key.id, domain: 'tubes', laboratoryId: key.laboratory_id, workstationId: 'w', actorId: 'a' },
    ...{ hybridLogicalTime: '', recordedAt: '', reason: null, correlationId: '', procedure: 'tubes.do' },
    ...{ causedBy: null, changes, events: [], ...(shapedBy === undefined ? {} : { shapedBy }) },
  }
}

it('reads a set in the columns and values of now, through every migration since it was made', () => {
  const read = upcastSet(setOf([insert, update]), upcasts)
  expect(read.changes).toEqual([
    { ...insert, values: { ...key, shape: 'cryovial', note: 'vial' } },
    { ...update, values: { shape: 'tube' }, before: { shape: 'cryovial' } },
  ])
  expect(read.shapedBy).toEqual(['1_form', '2_shape'])
})

it('reads a work item so too; what it said of a column that is gone goes with the column', () => {
  const point = { table: 'tube', id: key.id, words: '' }
  const item: HeldItem = {
    ...{ kind: 'conflict', id: key.id, domain: 'tubes', words: '', behind: [], set: setOf([update]) },
    conflicts: [
      { ...point, column: 'kind', base: 'vial', hub: 'vial', pushed: 'tube' },
      { ...point, column: 'shelf', base: 'A', hub: 'B', pushed: null },
    ],
  }
  const read = upcastItem(item, upcasts)
  expect(read.conflicts).toEqual([
    { ...point, column: 'shape', base: 'cryovial', hub: 'cryovial', pushed: 'tube' },
  ])
  expect(read.set).toEqual(upcastSet(item.set, upcasts))
})

it('leaves alone what was written under them, and other tables', () => {
  const after = upcastSet(
    setOf([{ ...update, values: { form: 'tube' }, before: { form: 'x' } }], ['1_form']),
    upcasts,
  )
  expect(after.changes).toMatchObject([{ values: { shape: 'tube' }, before: { shape: 'x' } }])
  expect(upcastSet(after, upcasts)).toBe(after)
  const other = { ...insert, table: 'rack' }
  expect(upcastSet(setOf([other]), upcasts).changes).toEqual([other])
})

it('takes names that every object has for what they are', () => {
  const odd = { ...insert, table: 'constructor', values: { constructor: 'toString' } }
  expect(upcastSet(setOf([odd]), upcasts).changes).toEqual([odd])
  const inside = { ...insert, values: { kind: 'constructor', valueOf: 'x' } }
  expect(upcastSet(setOf([inside]), upcasts).changes[0]?.values).toEqual({
    shape: 'constructor',
    valueOf: 'x',
  })
})

it('names a migration that this version does not have', () => {
  expect(findUnknownShape(upcastSet(setOf([], ['3_later']), upcasts), upcasts)).toBe('3_later')
  expect(findUnknownShape(setOf([], ['1_form', '3_later']), upcasts)).toBe('3_later')
  expect(findUnknownShape(setOf([], ['1_form']), upcasts)).toBeNull()
  expect(findUnknownShape(setOf([]), upcasts)).toBeNull()
})

it.each([
  { tube: { renamed: { 'a b': 'c' } } },
  { tube: { renamed: { a: 'B' } } },
  { tube: { moved: { a: 'b' } } },
  { tube: { dropped: 'a' } },
])('%j is no upcast', (text) => {
  expect(Upcast.safeParse(text).success).toBe(false)
})
