import { expect, it } from 'vitest'
import type { TimelineItem } from '../../../services/samples/contract.ts'
import { itemsInView, lanesOf, wordsOfPlaces } from './life.ts'

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
      item('2026-11-04T00:00:00.000Z', 'storage', 'returned', { to: 'F1 › Shelf 2 › DNA stock 12, C4' }),
      item('2026-11-03T00:00:00.000Z', 'storage', 'checked_out', { from: 'DNA stock 12, C4', to: null }),
      item('2026-11-02T00:00:00.000Z', 'storage', 'placed', { to: 'DNA stock 12, C4' }),
    ],
    { events: [], problems: ['a gap'] },
    words,
  )
  expect(lanes[0]?.note).toEqual({ tone: 'bad', text: '1 gaps' })
  expect(lanes[1]?.spans).toEqual([
    {
      from: '2026-11-02T00:00:00.000Z',
      to: '2026-11-03T00:00:00.000Z',
      label: 'DNA stock 12, C4',
      short: 'C4',
    },
    { from: '2026-11-04T00:00:00.000Z', to: null, label: 'DNA stock 12, C4', short: 'C4' },
  ])
})

it('a sample that was shipped lies nowhere here any more', () => {
  const placed = item('2026-11-02T00:00:00.000Z', 'storage', 'placed', { to: 'Box 1, A1' })
  const shipped = item('2026-11-03T00:00:00.000Z', 'custody', 'shipped', { place: 'Osprey Labs' })
  const [, storage] = lanesOf([shipped, placed], { events: [], problems: [] }, words)
  expect(storage?.spans).toEqual([{ from: placed.at, to: shipped.at, label: 'Box 1, A1', short: 'A1' }])
})

it('counts notes and relations as the record', () => {
  const life = [item('1', 'note', 'noted', {}), item('2', 'custody', 'received', {})]
  expect(itemsInView(life, 'record')).toEqual([life[0]])
  expect(itemsInView(life, 'all')).toEqual(life)
})

it('tells an act once, though storage and custody both have it', () => {
  const life = [
    item('3', 'storage', 'checked_out', {}),
    item('3', 'custody', 'checked_out', {}),
    item('2', 'custody', 'stored', {}),
    item('1', 'custody', 'received', {}),
  ]
  expect(itemsInView(life, 'all')).toEqual([life[0], life[2], life[3]])
  expect(itemsInView(life, 'custody')).toEqual(life.slice(1))
})

it('says where it was moved without saying the way twice', () => {
  const a1 = 'F1 › Shelf 1 › Rack A › Box 1, A1'
  const path = 'F1 › Shelf 1 › Rack A'
  expect(wordsOfPlaces(null, a1)).toEqual({ short: 'Box 1, A1', path })
  expect(wordsOfPlaces(a1, null)).toEqual({ short: 'Box 1, A1', path })
  expect(wordsOfPlaces(a1, 'F1 › Shelf 1 › Rack A › Box 1, C4')).toEqual({ short: 'Box 1, A1 → C4', path })
  expect(wordsOfPlaces(a1, 'F2 › Shelf 9 › Box 1, A1')).toEqual({
    short: 'Box 1, A1 → Box 1, A1',
    path: 'F2 › Shelf 9',
  })
  expect(wordsOfPlaces(null, 'A1')).toEqual({ short: 'A1', path: '' })
  expect(wordsOfPlaces(null, null)).toEqual({ short: '', path: '' })
})
