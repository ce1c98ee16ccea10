import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRackScan, type ExpectedTube, type KnownTube } from './rack-comparison.ts'
import { parseRackScan } from './rack-scan.ts'

const plate = { rows: 8, columns: 12 }

function known(code: string, place: string | null = null): [string, KnownTube] {
  return [code, { containerId: `id-${code}`, label: code, place }]
}

function expectedAt(position: string, code: string): ExpectedTube {
  return { position, containerId: `id-${code}`, label: code }
}

function compare(text: string, expected: readonly ExpectedTube[], tubes: readonly [string, KnownTube][]) {
  const { positions, missing } = compareRackScan(parseRackScan(text, plate), expected, new Map(tubes))
  return {
    said: positions.map(({ position, outcome, message }) => [position, outcome, message]),
    missing: missing.map(({ label }) => label),
  }
}

describe('a rack compared with the books', () => {
  it('names every difference in a sentence', () => {
    const text = 'A1,T1\nB1,T3\nC1,NO READ\nD1,T4\nE1,T5\nF1,T6\nG1,EMPTY\nH1,T7\nA2,\n'
    const expected = [
      expectedAt('A1', 'T1'),
      expectedAt('B1', 'T2'),
      expectedAt('C1', 'T3'),
      expectedAt('H1', 'T8'),
      expectedAt('A2', 'T9'),
      expectedAt('B2', 'T10'),
    ]
    const tubes = [
      known('T1', 'Rack 7, A1'),
      known('T3', 'Rack 7, C1'),
      known('T4'),
      known('T5', 'Rack 2, H12'),
      known('T7'),
    ]
    expect(compare(text, expected, tubes)).toEqual({
      said: [
        ['A1', 'as_expected', 'A1 holds T1 as expected.'],
        ['B1', 'moved_here', 'T3 is at B1 instead of T2, the books say C1.'],
        ['C1', 'empty', 'C1 is empty: T3 is at B1.'],
        ['D1', 'new_here', 'T4 is new at D1.'],
        ['E1', 'moved_here', 'T5 is at E1, the books say Rack 2, H12.'],
        ['F1', 'unknown_code', 'F1 holds T6, which is not known here.'],
        ['G1', 'empty', 'G1 is empty as expected.'],
        ['H1', 'new_here', 'T7 is new at H1 instead of T8.'],
        ['A2', 'unreadable', 'The read of A2 cannot be relied on; T9 should be here.'],
        ['B2', 'missing', 'T10 is missing at B2: nothing was read.'],
      ],
      missing: ['T2', 'T8', 'T10'],
    })
  })

  it('says what the scanner said where a tube is missing, and what stands in its place', () => {
    expect(compare('A1,No Tube\nB1,T9', [expectedAt('A1', 'T1'), expectedAt('B1', 'T2')], [])).toEqual({
      said: [
        ['A1', 'missing', 'T1 is missing at A1: the scanner says No Tube.'],
        ['B1', 'unknown_code', 'B1 holds T9, which is not known here, instead of T2.'],
      ],
      missing: ['T1', 'T2'],
    })
  })

  it('does not let one tube be in two places by two of its codes', () => {
    const tube: KnownTube = { containerId: 'id', label: 'T1', place: null }
    expect(
      compare(
        'A1,INNER\nB1,OUTER',
        [],
        [
          ['INNER', tube],
          ['OUTER', tube],
        ],
      ).said,
    ).toEqual([
      ['A1', 'unreadable', 'T1 was read at A1 and B1: scan these positions again.'],
      ['B1', 'unreadable', 'T1 was read at A1 and B1: scan these positions again.'],
    ])
  })

  it('sees two tubes that changed places as two moves and nothing missing', () => {
    const tubes = [known('T1', 'here'), known('T2', 'here')]
    const { said, missing } = compare('A1,T2\nA2,T1', [expectedAt('A1', 'T1'), expectedAt('A2', 'T2')], tubes)
    expect(said.map(([position, outcome]) => [position, outcome])).toEqual([
      ['A1', 'moved_here'],
      ['A2', 'moved_here'],
    ])
    expect(missing).toEqual([])
  })

  it('finds nothing wrong in a rack that is as the books say, and every tube that is gone', () => {
    const column = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1 })
    fc.assert(
      fc.property(column, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (columns, gone) => {
        const expected = columns.map((number) => expectedAt(`A${number}`, `T${number}`))
        const tubes = new Map(columns.map((number) => known(`T${number}`, 'here')))
        const lost = columns.filter((number) => gone[number - 1])
        const text = columns
          .map((number) => `A${number},${lost.includes(number) ? 'NO READ' : `T${number}`}`)
          .join('\n')
        const { positions, missing } = compareRackScan(parseRackScan(text, plate), expected, tubes)
        expect(positions.map(({ outcome }) => outcome)).toEqual(
          columns.map((number) => (lost.includes(number) ? 'missing' : 'as_expected')),
        )
        expect(missing.map(({ label }) => label)).toEqual(lost.map((number) => `T${number}`))
      }),
    )
  })
})
