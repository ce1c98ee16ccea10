import fc from 'fast-check'
import { parse } from 'csv-parse/sync'
import { expect, it } from 'vitest'
import { escapeCell } from './csv-cell.ts'

it.each([
  ['=SUM(A1)', "'=SUM(A1)"],
  ['+cmd|/C calc', "'+cmd|/C calc"],
  ['-2+3', "'-2+3"],
  ['@here', "'@here"],
  ['\t=1', "'\t=1"],
  ['-0.5', '-0.5'],
  ['+12e-3', '+12e-3'],
  ['a, "b"', '"a, ""b"""'],
  ['', ''],
])('%j becomes %j', (text, cell) => {
  expect(escapeCell(text)).toBe(cell)
})

it('gives back every text that is no formula, and never one that begins like a formula', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const [[cell] = []] = parse(`${escapeCell(text)},end\r\n`, { bom: false, relaxColumnCount: true })
      expect(String(cell)).toMatch(/^(?![=@\t\r])/)
      expect([text, `'${text}`]).toContain(cell)
    }),
  )
})
