import { describe, expect, test } from 'vitest'
import { readEmptyCell, readNoTube } from './rack-read.ts'

describe('rack reads without a code', () => {
  test.each([
    ['NO TUBE', false],
    ['No Tube', false],
    ['NOTUBE', false],
    ['EMPTY', false],
    ['<empty>', false],
    ['NO READ', true],
    ['NOREAD', true],
    ['NO_READ', true],
    ['no-read', true],
    ['[NOREAD]', true],
    ['NOSCAN', true],
    ['No Code', true],
    ['N/A', true],
    ['???', true],
    ['--', true],
  ])('%s is no tube', (said, tubeMayBePresent) => {
    expect(readNoTube(said)).toEqual({ said, tubeMayBePresent })
    expect(readNoTube(`  ${said}\r`)).toEqual({ said, tubeMayBePresent })
  })

  test.each(['', '0123456789', 'NOREAD1', 'BLANK', 'EMPTY-1', 'TUBE', 'NA'])(
    '%j is not such a word',
    (text) => {
      expect(readNoTube(text)).toBeNull()
    },
  )

  test('a blank cell is an empty position', () => {
    expect(readEmptyCell(' ')).toEqual({ said: '', tubeMayBePresent: false })
    expect(readEmptyCell('NO READ')).toEqual({ said: 'NO READ', tubeMayBePresent: true })
    expect(readEmptyCell('0123456789')).toBeNull()
  })
})
