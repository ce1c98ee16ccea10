import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareSheets, mergeSheets, type ComparedSheet, type MergedTable } from './sheet-comparison.ts'

function versionOf(grid: readonly (readonly string[])[], key: readonly string[] = ['id']): ComparedSheet {
  const rows = grid.map((texts, index) => ({
    number: index + 1,
    cells: texts.map((text, column) => ({ column: column + 1, text, kind: 'text' as const })),
  }))
  return { sheet: { name: 'Tubes', hidden: false, merges: [], rows }, headerRow: 1, key }
}

const base = versionOf([
  ['id', 'type', 'volume'],
  ['1', 'DNA', '10'],
  ['2', 'RNA', '20'],
  ['3', 'DNA', '30'],
])

describe('comparing two versions of a sheet', () => {
  it('tells added, removed and changed rows, columns and cells, whatever their order', () => {
    const after = versionOf([
      ['type', 'id', 'note', 'volume'],
      ['RNA', '4', '', '1'],
      ['DNA', '3', 'new', '30.0'],
      ['DNA', '1', '', '10'],
    ])
    expect(compareSheets(base, after)).toEqual({
      addedColumns: ['note'],
      removedColumns: [],
      unchangedRows: 1,
      rows: [
        { kind: 'removed', key: '2', beforeRow: 3 },
        {
          kind: 'changed',
          key: '3',
          beforeRow: 4,
          afterRow: 3,
          cells: [
            { column: 'volume', before: '30', after: '30.0' },
            { column: 'note', before: '', after: 'new' },
          ],
        },
        { kind: 'added', key: '4', afterRow: 2 },
      ],
    })
  })

  it('compares by position without a key, and repeated keys one by one', () => {
    expect(
      compareSheets(versionOf([['a'], ['x'], ['y']], []), versionOf([['a'], ['x'], ['z']], [])).rows,
    ).toEqual([
      {
        kind: 'changed',
        key: '2',
        beforeRow: 3,
        afterRow: 3,
        cells: [{ column: 'a', before: 'y', after: 'z' }],
      },
    ])
    const twice = versionOf([['id', 'v'], ['1', 'a'], ['1', 'b']]) // prettier-ignore
    expect(compareSheets(twice, twice)).toMatchObject({ rows: [], unchangedRows: 2 })
  })
})

describe('merging two versions with one origin', () => {
  it('takes what one side changed and asks about what both changed', () => {
    const left = versionOf([
      ['id', 'type', 'volume'],
      ['1', 'DNA', '11'],
      ['2', 'RNA', '25'],
      ['5', 'DNA', '50'],
    ])
    const right = versionOf([
      ['id', 'type', 'volume', 'note'],
      ['1', 'gDNA', '10', ''],
      ['2', 'RNA', '26', 'spilled'],
      ['3', 'DNA', '33', ''],
    ])
    expect(mergeSheets(base, left, right)).toEqual({
      columns: ['id', 'type', 'volume', 'note'],
      rows: [
        { key: '1', values: { id: '1', type: 'gDNA', volume: '11', note: '' } },
        { key: '2', values: { id: '2', type: 'RNA', volume: '20', note: 'spilled' } },
        { key: '3', values: { id: '3', type: 'DNA', volume: '30', note: '' } },
        { key: '5', values: { id: '5', type: 'DNA', volume: '50', note: '' } },
      ],
      conflicts: [
        { key: '2', column: 'volume', base: '20', left: '25', right: '26' },
        { key: '3', column: null, base: '3 | DNA | 30 | ', left: null, right: '3 | DNA | 33 | ' },
      ],
    })
  })

  const grid = fc
    .uniqueArray(fc.constantFrom('1', '2', '3', '4'), { maxLength: 4 })
    .chain((ids) =>
      fc.tuple(
        ...ids.map((id) =>
          fc.tuple(fc.constant(id), fc.constantFrom('a', 'b', ''), fc.constantFrom('x', 'y')),
        ),
      ),
    )
    .map((rows) => versionOf([['id', 'p', 'q'], ...rows]))
  const contentOf = (table: MergedTable): unknown =>
    Object.fromEntries(table.rows.map((row) => [row.key, row.values]))

  it('leaves one side as it is when the other changed nothing or the same', () => {
    fc.assert(
      fc.property(grid, grid, (origin, changed) => {
        const wanted = contentOf(mergeSheets(changed, changed, changed))
        for (const merged of [
          mergeSheets(origin, changed, origin),
          mergeSheets(origin, origin, changed),
          mergeSheets(origin, changed, changed),
        ]) {
          expect(merged.conflicts).toEqual([])
          expect(contentOf(merged)).toEqual(wanted)
        }
      }),
    )
  })

  it('does not depend on who is left and who is right', () => {
    fc.assert(
      fc.property(grid, grid, grid, (origin, one, other) => {
        const merged = mergeSheets(origin, one, other)
        const mirrored = mergeSheets(origin, other, one)
        expect(contentOf(mirrored)).toEqual(contentOf(merged))
        const swapped = mirrored.conflicts.map(({ left, right, ...rest }) => ({
          ...rest,
          left: right,
          right: left,
        }))
        const order = (
          a: { key: string; column: string | null },
          b: { key: string; column: string | null },
        ): number => `${a.key}${a.column ?? ''}`.localeCompare(`${b.key}${b.column ?? ''}`)
        expect(swapped.toSorted(order)).toEqual(merged.conflicts.toSorted(order))
      }),
    )
  })
})
