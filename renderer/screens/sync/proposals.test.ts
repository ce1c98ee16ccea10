import { describe, expect, it } from 'vitest'
import type { WorkItemView } from '../../../platform/sync/contract.ts'
import { aboutRow, choicesOf, compareProposals, inOrder, inSeniority, valuesOf } from './proposals.ts'

const pushed: NonNullable<WorkItemView['pushed']> = {
  changeSetId: 'set-1',
  actorId: 'ada',
  workstationId: 'one',
  workstationName: 'Bench one',
  procedure: 'samples.update',
  recordedAt: '2026-11-20T10:40:00.000Z',
  reason: null,
  changes: [
    {
      table: 'sample',
      id: 's1',
      operation: 'update',
      values: { donor: 'P-02', project: 'Pushed', updated_at: 'later' },
      before: { donor: null, project: 'Before', updated_at: 'then' },
    },
  ],
}
const item: WorkItemView = {
  id: '0190a000-0000-7000-8000-000000000001',
  domain: 'samples',
  kind: 'conflict',
  words: 'It does not go together with what is at the Hub.',
  openedAt: '2026-11-20T10:42:00.000Z',
  pushed,
  conflicts: [
    {
      table: 'sample',
      id: 's1',
      column: 'project',
      base: 'Before',
      hub: 'Hub',
      pushed: 'Pushed',
      words: 'Both sides changed it.',
    },
  ],
  behind: [],
  rows: ['samples/sample/s1'],
  here: {
    'samples/sample/s1': { id: 's1', name: 'Plasma', code: 'TS-7K2M-0004-X', project: 'Hub', donor: null },
  },
}

describe('two proposals side by side', () => {
  it('begin with where they do not go together, and leave out what only the database needs', () => {
    const [row] = compareProposals(item)
    expect(row?.isNew).toBe(false)
    expect(row?.fields).toEqual([
      {
        column: 'project',
        before: 'Before',
        hub: 'Hub',
        pushed: 'Pushed',
        conflict: 'Both sides changed it.',
      },
      { column: 'donor', before: null, hub: null, pushed: 'P-02', conflict: null },
    ])
  })

  it('say of a row that the Hub does not have that it is new, and of it only what is filled in', () => {
    const changes = [
      { table: 'sample', id: 's2', operation: 'insert', values: { name: 'New', donor: null }, before: {} },
    ]
    const refused = { ...item, kind: 'refused', conflicts: [], pushed: { ...pushed, changes } }
    expect(compareProposals(refused)).toMatchObject([
      { isNew: true, fields: [{ column: 'name', pushed: 'New' }] },
    ])
  })

  it('take what was there before from the first change of a row, what is wanted from its last', () => {
    const change = { table: 'sample', id: 's1', operation: 'update' }
    const changes = [
      { ...change, values: { donor: 'A' }, before: { donor: 'old' } },
      { ...change, values: { donor: 'B' }, before: { donor: 'A' } },
    ]
    const [row] = compareProposals({ ...item, conflicts: [], pushed: { ...pushed, changes } })
    expect(row?.fields).toMatchObject([{ before: 'old', pushed: 'B' }])
  })
})

describe('what can be decided', () => {
  it('is nothing but giving up where nothing else is possible', () => {
    expect(choicesOf({ kind: 'conflict' })).toEqual(['hub', 'pushed'])
    expect(choicesOf({ kind: 'refused' })).toEqual(['hub'])
    expect(choicesOf({ kind: 'custody-fork' })).toEqual(['hub'])
  })

  it('comes before what waits for it', () => {
    const parked = { ...item, id: 'p', kind: 'parked', openedAt: '2026-11-19T00:00:00.000Z' }
    expect(inOrder([parked, item]).map(({ id }) => id)).toEqual([item.id, 'p'])
  })
})

describe('who claims what is claimed twice', () => {
  it('stands after who has it', () => {
    expect(inSeniority({ kind: 'contested', rows: ['claimant', 'holder'] })).toEqual(['holder', 'claimant'])
    expect(inSeniority({ kind: 'conflict', rows: ['one', 'two'] })).toEqual(['one', 'two'])
  })
})

describe('what a row is about', () => {
  it('is found by the row itself or by the column that names it', () => {
    expect(aboutRow('sample', 's1', {})).toEqual({ kind: 'sample', id: 's1' })
    expect(aboutRow('placement', 'p1', { container_id: 'c1' })).toEqual({ kind: 'container', id: 'c1' })
    expect(aboutRow('code', 'k', { thing_kind: 'node', thing_id: 'n1' })).toEqual({ kind: 'place', id: 'n1' })
    expect(aboutRow('template', 't1', {})).toBeNull()
  })

  it('knows its values with what was pushed over what is here', () => {
    expect(valuesOf(item, 'samples/sample/s1')).toMatchObject({ name: 'Plasma', project: 'Pushed' })
  })
})
