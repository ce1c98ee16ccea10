import { expect, test } from 'vitest'
import { arrivals, countResults, differences, type RackRead } from './rack-results.ts'

function read(position: string, result: RackRead['result'], expected: string | null = null): RackRead {
  return { position, result, expected, code: null, containerId: null, label: null, sentence: '' }
}

const reads = [
  read('A1', 'as_expected', 'T1'),
  read('A2', 'new_here'),
  read('A3', 'empty'),
  read('A4', 'empty', 'T4'),
  read('A5', 'unreadable'),
  read('A6', 'moved_here'),
  read('A7', 'as_expected', 'T7'),
]

test('counts lead with what is wrong', () => {
  expect(countResults(reads).map(({ result, count }) => [result, count])).toEqual([
    ['unreadable', 1],
    ['moved_here', 1],
    ['new_here', 1],
    ['as_expected', 2],
    ['empty', 2],
  ])
})

test('a place that is empty as expected is no difference, a tube that left its place is', () => {
  expect(differences(reads).map(({ position }) => position)).toEqual(['A5', 'A6', 'A2', 'A4'])
})

test('only known tubes in a new place are put away', () => {
  expect(arrivals(reads).map(({ position }) => position)).toEqual(['A2', 'A6'])
})
