import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitSymbologyIdentifier, symbologies } from './aim.ts'

describe('symbology identifiers', () => {
  test.each([
    [']C0ABC', 'Code 128', false],
    [']C1ABC', 'Code 128', true],
    [']d1ABC', 'Data Matrix', false],
    [']d2ABC', 'Data Matrix', true],
    [']Q1ABC', 'QR Code', false],
    [']Q3ABC', 'QR Code', true],
    [']A0ABC', 'Code 39', false],
    [']e0ABC', 'GS1 DataBar or composite', true],
    [']z1ABC', 'Aztec', true],
  ])('%s is %s', (text, symbology, isGs1) => {
    expect(splitSymbologyIdentifier(text)).toEqual({
      identifier: text.slice(0, 3),
      symbology,
      isGs1,
      data: 'ABC',
    })
  })

  test.each(['', ']', ']C', ']XYabc', ']?1abc', ']C9abc', 'ABC', ' ]C1abc'])('%j has none', (text) => {
    expect(splitSymbologyIdentifier(text)).toEqual({
      identifier: null,
      symbology: null,
      isGs1: false,
      data: text,
    })
  })

  test('nothing of the text is lost', () => {
    fc.assert(
      fc.property(fc.constantFrom(...symbologies), fc.string(), (row, data) => {
        const text = `]${row.letter}${row.modifiers.charAt(0)}${data}`
        const split = splitSymbologyIdentifier(text)
        expect((split.identifier ?? '') + split.data).toBe(text)
        expect(split.data).toBe(data)
      }),
    )
  })

  test('every letter has one row, and GS1 modifiers are among its modifiers', () => {
    expect(new Set(symbologies.map((row) => row.letter)).size).toBe(symbologies.length)
    expect(
      symbologies.filter((row) => [...row.gs1Modifiers].some((digit) => !row.modifiers.includes(digit))),
    ).toEqual([])
  })
})
