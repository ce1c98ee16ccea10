import { expect, it } from 'vitest'
import type { TimelineItem } from '../../../services/samples/contract.ts'
import { isInView, lanesOf } from './life.ts'

const words = {
  custody: 'Custody',
  storage: 'Storage',
  amount: 'Volume',
  noGap: 'no gap',
  gaps: (count: number) => `${count} gaps`,
}

function item(
  at: string,
  lane: TimelineItem['lane'],
  what: string,
  detail: TimelineItem['detail'],
): TimelineItem {
  return { id: at, at, lane, what, detail, by: 'RK', byId: '1', reason: null }
}

it('draws where it lay as stretches between being placed and taken out', () => {
  const lanes = lanesOf(
    [
      item('2026-11-04T00:00:00.000Z', 'storage', 'returned', { to: 'DNA stock 12, C4' }),
      item('2026-11-03T00:00:00.000Z', 'storage', 'checked_out', { from: 'DNA stock 12, C4', to: null }),
      item('2026-11-02T00:00:00.000Z', 'storage', 'placed', { to: 'DNA stock 12, C4' }),
    ],
    { events: [], problems: ['a gap'] },
    words,
  )
  expect(lanes[0]?.note).toEqual({ tone: 'bad', text: '1 gaps' })
  expect(lanes[1]?.spans).toEqual([
    { from: '2026-11-02T00:00:00.000Z', to: '2026-11-03T00:00:00.000Z', label: 'DNA stock 12, C4' },
    { from: '2026-11-04T00:00:00.000Z', to: null, label: 'DNA stock 12, C4' },
  ])
})

it('counts notes and relations as the record', () => {
  expect(isInView(item('x', 'note', 'noted', {}), 'record')).toBe(true)
  expect(isInView(item('x', 'custody', 'received', {}), 'record')).toBe(false)
  expect(isInView(item('x', 'custody', 'received', {}), 'all')).toBe(true)
})
