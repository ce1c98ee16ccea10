import { expect, test } from 'vitest'
import { type BoxContents, type BoxPosition, colourBox, type ColourRules } from './box-colours.ts'

const now = Date.parse('2026-11-20T12:00:00Z')

function position(label: string, material: string | null, change: Partial<BoxPosition> = {}): BoxPosition {
  return {
    label,
    row: 1,
    column: 1,
    state: 'occupied',
    reservedUntil: null,
    reservedFor: null,
    reason: null,
    container: {
      id: `c-${label}` as NonNullable<BoxPosition['container']>['id'],
      kind: 'tube',
      sampleId: `s-${label}`,
      material,
      label: `T-${label}`,
      state: 'placed',
      placedAt: '2026-11-20T08:00:00Z',
    },
    ...change,
  }
}

function box(positions: readonly BoxPosition[]): BoxContents {
  return { positions: [...positions], contested: [], nextFree: null, path: [] } as unknown as BoxContents
}

const rules: ColourRules = {
  by: 'type',
  now,
  typeOf: (material) => (material === 'dna' ? { name: 'DNA', letter: 'D' } : null),
  sampleOf: (id) => ({
    state: id === 's-A1' ? 'in_storage' : 'pending',
    project: id === 's-A2' ? null : 'ONC-14',
  }),
  words: {
    unknown: 'Not said',
    state: (state) => state.replace('_', ' '),
    age: { day: 'Today', week: 'This week', month: 'This month', year: 'This year', older: 'Older' },
  },
}

test('by type: own colours for the built-in materials, a neutral cap with its letter for any other', () => {
  const looks = colourBox(
    box([position('A1', 'dna'), position('A2', 'cfdna'), position('A3', null), position('A4', 'dna')]),
    rules,
  )
  expect(looks.legend).toEqual([
    { key: 'dna', word: 'DNA', letter: 'D', colour: 'c-dna', count: 2 },
    { key: 'cfdna', word: 'cfdna', letter: 'C', colour: '', count: 1 },
    { key: '', word: 'Not said', letter: '·', colour: '', count: 1 },
  ])
})

test('a kept place has its cap, but is not counted as filled; empty places have none', () => {
  const looks = colourBox(
    box([
      position('A1', 'dna', { state: 'reserved' }),
      { ...position('A2', 'dna'), container: null, state: 'available' },
    ]),
    rules,
  )
  expect([...looks.caps.keys()]).toEqual(['A1'])
  expect(looks.legend).toEqual([])
})

test('by age, state and project', () => {
  const old = position('A3', 'dna')
  const contents = box([
    position('A1', 'dna'),
    position('A2', 'dna'),
    {
      ...old,
      container: old.container === null ? null : { ...old.container, placedAt: '2024-01-01T00:00:00Z' },
    },
  ])
  const words = (by: ColourRules['by']) =>
    colourBox(contents, { ...rules, by }).legend.map(({ word, count }) => `${word} ${String(count)}`)
  expect(words('age')).toEqual(['Today 2', 'Older 1'])
  expect(words('state')).toEqual(['pending 2', 'in storage 1'])
  expect(words('project')).toEqual(['ONC-14 2', 'Not said 1'])
})
