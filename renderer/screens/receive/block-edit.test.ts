import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockBetween, eachSpot, parseClipboard, planFillDown, planPaste, toClipboard } from './block-edit.ts'

const grid = { rows: 10, columns: 4 }

describe('the clipboard', () => {
  it('keeps every character of cells that spreadsheets put there', () => {
    expect(parseClipboard('0012\t 5,5\r\nplasma\t\r\n')).toEqual([
      ['0012', ' 5,5'],
      ['plasma', ''],
    ])
    expect(parseClipboard('"two\nlines"\t"say ""ok"""')).toEqual([['two\nlines', 'say "ok"']])
  })

  it('takes a quotation mark that closes nowhere as a character', () => {
    expect(parseClipboard('5" tube\tx')).toEqual([['5" tube', 'x']])
    expect(parseClipboard('"open\tx')).toEqual([['"open', 'x']])
  })

  it('reads back what it wrote', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', '\t', '\n', ' ', '0') })
    const rows = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
      )
    fc.assert(
      fc.property(rows, (written) => {
        expect(parseClipboard(toClipboard(written))).toEqual(written)
      }),
    )
  })
})

describe('pasting', () => {
  it('fills the whole selection with one value', () => {
    const block = blockBetween({ index: 4, column: 2 }, { index: 2, column: 2 })
    expect(planPaste([['plasma']], block, grid)).toEqual({
      cells: [2, 3, 4].map((index) => ({ index, column: 2, value: 'plasma' })),
      outside: 0,
    })
  })

  it('says how many cells stand outside the grid', () => {
    const { cells, outside } = planPaste(
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      { top: 9, bottom: 9, left: 3, right: 3 },
      grid,
    )
    expect(cells).toEqual([{ index: 9, column: 3, value: 'a' }])
    expect(outside).toBe(3)
  })
})

describe('filling down', () => {
  it('takes the top row of a selection, or the row above a single one', () => {
    expect(planFillDown({ top: 2, bottom: 5, left: 1, right: 1 })).toEqual({
      source: 2,
      into: { top: 3, bottom: 5, left: 1, right: 1 },
    })
    expect(planFillDown({ top: 3, bottom: 3, left: 1, right: 2 })).toEqual({
      source: 2,
      into: { top: 3, bottom: 3, left: 1, right: 2 },
    })
    expect(planFillDown({ top: 0, bottom: 0, left: 1, right: 1 })).toBeNull()
  })

  it('reaches every cell of a block once', () => {
    const cells = eachSpot(
      { top: 1, bottom: 2, left: 0, right: 1 },
      ({ index, column }) => `${index}/${column}`,
    )
    expect(cells.map(({ value }) => value)).toEqual(['1/0', '1/1', '2/0', '2/1'])
  })
})
