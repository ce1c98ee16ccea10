import { expect, it } from 'vitest'
import { generationsOf } from './generations.ts'

it('puts each sample one column after its latest parent', () => {
  const edges = [
    { parentId: 'blood', childId: 'dna' },
    { parentId: 'dna', childId: 'aliquot' },
    { parentId: 'aliquot', childId: 'pool' },
    { parentId: 'dna', childId: 'pool' },
  ]
  expect(generationsOf('dna', edges)).toEqual([['blood'], ['dna'], ['aliquot'], ['pool']])
  expect(generationsOf('alone', [])).toEqual([['alone']])
})
