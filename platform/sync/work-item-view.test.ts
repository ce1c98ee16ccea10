import { describe, expect, it } from 'vitest'
import { addressOf } from './change-set.ts'
import type { HeldItem, StandingItem } from './work-item.ts'
import { viewOfItem } from './work-item-view.ts'

const openedAt = '2026-11-20T10:42:00.000Z'
const key = { laboratory_id: 'laboratory', id: 's1' }
const change = { table: 'sample', operation: 'update', key, replaces: 'r1', values: {}, before: {} } as const
const held: HeldItem = {
  kind: 'refused',
  id: 'item',
  domain: 'samples',
  words: 'It is refused.',
  conflicts: [],
  behind: [],
  set: {
    id: 'set',
    domain: 'samples',
    laboratoryId: 'laboratory',
    workstationId: 'one',
    actorId: 'ada',
    procedure: 'samples.update',
    hybridLogicalTime: '0',
    recordedAt: openedAt,
    reason: null,
    correlationId: 'call',
    causedBy: null,
    changes: [change, change, { ...change, key: { ...key, id: 's2' } }],
    events: [],
  },
}

describe('a work item as screens show it', () => {
  it('comes with the rows it is about as they are here, each once, and with the workstation by its name', () => {
    const here = { 'samples/sample/s1': { name: 'Plasma' }, 'samples/sample/other': { name: 'Not this one' } }
    const view = viewOfItem(held, openedAt, { here, nameOf: (id) => (id === 'one' ? 'Bench one' : null) })
    expect(view.rows).toEqual(['samples/sample/s1', 'samples/sample/s2'])
    expect(view.here).toEqual({ 'samples/sample/s1': { name: 'Plasma' } })
    expect(view.pushed).toMatchObject({ workstationId: 'one', workstationName: 'Bench one' })
  })

  it('keeps who claims it first among the rows of what is claimed twice', () => {
    const rows = ['p2', 'p1'].map((id) => addressOf('storage', 'placement', id))
    const standing: StandingItem = {
      ...{ kind: 'contested', id: 'item', domain: 'storage', set: null, words: 'Two claim it.' },
      ...{ subject: 'storage/placement/p2', rows },
    }
    const view = viewOfItem(standing, openedAt, { here: {}, nameOf: () => null })
    expect(view).toMatchObject({ pushed: null, rows, here: {} })
  })
})
