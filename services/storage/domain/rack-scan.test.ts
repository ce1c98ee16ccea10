import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listPositions, padPosition } from './geometry.ts'
import { parseRackScan, type RackScan } from './rack-scan.ts'
import { fixturePath, hasFixtures } from '../../testing/fixtures.ts'

const plate = { rows: 8, columns: 12 }

/** What a person would compare by eye: position → barcode, empty positions as null. */
function tubes(scan: RackScan): Record<string, string | null> {
  return Object.fromEntries(scan.reads.map((read) => [read.position, read.barcode]))
}

function messages(scan: RackScan): readonly string[] {
  return scan.problems.map((problem) => problem.message)
}

describe('reading a rack scan', () => {
  const expected = { A1: 'XY1', B1: 'XY2', C1: null }

  it.each([
    ['comma', 'A1,XY1\nB1,XY2\nC1,NO READ\n'],
    ['no newline at the end', 'A1,XY1\nB1,XY2\nC1,NO READ'],
    ['CRLF and byte order mark', '\uFEFFA1,XY1\r\nB1,XY2\r\nC1,NO READ\r\n'],
    ['bare CR', 'A1,XY1\rB1,XY2\rC1,NO READ\r'],
    ['semicolon', 'A1;XY1\nB1;XY2\nC1;NOSCAN\n'],
    ['tab', 'A1\tXY1\nB1\tXY2\nC1\tno tube\n'],
    ['bar', 'A1|XY1\nB1|XY2\nC1|Empty\n'],
    ['quotes and blanks', '"A1", "XY1"\n B1 , xy2 \nC1,"No_Read"\n'],
    ['padded positions in lower case', 'a01,xy1\nb01,xy2\nc01,no-read\n'],
    ['empty columns behind', 'A1,XY1,,\nB1,XY2,,\nC1,EMPTY,,\n'],
    ['blank lines', '\nA1,XY1\n\nB1,XY2\n,\nC1,EMPTY\n\n'],
    ['a header', 'Position,Barcode\nA1,XY1\nB1,XY2\nC1,EMPTY\n'],
    [
      'a header in another order with more columns',
      'Tube ID;Time;Well\nXY1;9:00;A1\nXY2;9:00;B1\nEMPTY;9:00;C1\n',
    ],
    ['a rack column', 'R77,A1,XY1\nR77,B1,XY2\nR77,C1,EMPTY\n'],
    ['a rack code that looks like a position', 'R7,A1,XY1\nR7,B1,XY2\nR7,C1,EMPTY\n'],
    ['tube codes that look like positions', 'A1,XY1\nB1,XY2\nC1,EMPTY\n'],
    ['a header with rack', 'Rack ID,Tube position,Tube barcode\nR77,A1,XY1\nR77,B1,XY2\nR77,C1,EMPTY\n'],
  ])('copes with %s', (_, text) => {
    const scan = parseRackScan(text, plate)
    expect(messages(scan)).toEqual([])
    expect(tubes(scan)).toEqual(expected)
  })

  it('keeps row, rack and the words for no tube', () => {
    expect(parseRackScan('fx1,A1,xy1\n\nfx1,C1,No Tube\n', plate)).toEqual({
      rackBarcode: 'FX1',
      reads: [
        { row: 1, position: 'A1', barcode: 'XY1', noTubeWords: null },
        { row: 3, position: 'C1', barcode: null, noTubeWords: 'No Tube' },
      ],
      refusedPositions: [],
      problems: [],
    })
  })

  it('follows the size of the rack', () => {
    expect(messages(parseRackScan('I1,XY1\nP24,XY2', { rows: 16, columns: 24 }))).toEqual([])
    expect(messages(parseRackScan('D6,XY1\nE6,XY2', { rows: 4, columns: 6 }))).toEqual([
      'Tube rack scan tube position contains an invalid coordinate, in row 2 [E6]',
    ])
    expect(tubes(parseRackScan('AA1,XY1', { rows: 30, columns: 2 }))).toEqual({ AA1: 'XY1' })
  })

  it('reads any rack back, in either layout and any spelling', () => {
    const cell = fc.record({ code: fc.stringMatching(/^[A-Z]{3}[0-9]{7}$/), present: fc.boolean() })
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1, maxLength: 96 }),
        fc.constantFrom(',', ';', '\t'),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        (cells, delimiter, newline, withRack, padded) => {
          const filled = listPositions(plate, 'column-major').flatMap((position, index) => {
            const content = cells[index]
            return content === undefined
              ? []
              : [{ position, barcode: content.present ? `${content.code}${index}` : null }]
          })
          const text = filled
            .map(({ position, barcode }) => [
              ...(withRack ? ['RACK0001'] : []),
              padded ? padPosition(position) : position.label,
              barcode ?? 'NO READ',
            ])
            .map((row) => row.join(delimiter))
            .join(newline)
          const scan = parseRackScan(text, plate)
          expect(messages(scan)).toEqual([])
          expect(scan.rackBarcode).toBe(withRack ? 'RACK0001' : null)
          expect(tubes(scan)).toEqual(
            Object.fromEntries(filled.map(({ position, barcode }) => [position.label, barcode])),
          )
        },
      ),
    )
  })

  it('never throws and never reads a tube or a position twice', () => {
    const cell = fc.constantFrom(
      'A1',
      'a01',
      'B2',
      'Z99',
      'T1',
      'T2',
      'NO READ',
      '',
      ' ',
      '"',
      'é',
      'FX1',
      '\u0000',
    )
    const line = fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(','))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line).map((lines) => lines.join('\n')),
        ),
        (text) => {
          const scan = parseRackScan(text, plate)
          const barcodes = scan.reads.flatMap((read) => read.barcode ?? [])
          expect(new Set(barcodes).size).toBe(barcodes.length)
          expect(new Set(scan.reads.map((read) => read.position)).size).toBe(scan.reads.length)
          expect(scan.reads.some((read) => scan.refusedPositions.includes(read.position))).toBe(false)
          expect(scan.reads.length + scan.problems.length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('judging a rack scan', () => {
  it('reports everything together and keeps the good reads', () => {
    const text =
      'A1,XY1\nB1,\nJ1,XY3\nD1,XY4,more\nE1,XY5\nE1,XY6\nF1,XY7\nG1,XY7\nH1,NO READ\nA2,NO READ\nB2,XÉ8\n'
    const scan = parseRackScan(text, plate)
    expect(messages(scan)).toEqual([
      'Tube rack scan tube barcode cannot be empty, in row 2 [B1]',
      'Tube rack scan tube position contains an invalid coordinate, in row 3 [J1]',
      'Tube rack scan contains an unexpected number of columns (3 expecting 2) at row 4 [D1]',
      'Tube rack scan contains a character that is not plain ASCII, in row 11 [B2]',
      'Tube rack scan contains duplicate rack positions (E1)',
      'Tube rack scan contains duplicate tube barcodes (XY7)',
    ])
    expect(scan.problems[1]).toMatchObject({ problem: 'invalid_position', row: 3, position: 'J1' })
    expect(tubes(scan)).toEqual({ A1: 'XY1', H1: null, A2: null })
    expect(scan.refusedPositions).toEqual(['B1', 'D1', 'E1', 'F1', 'G1', 'B2'])
  })

  it('sees through spelling when it looks for repeats', () => {
    expect(messages(parseRackScan('A1,XY1\na01,XY2\nB1,xy3\nC1,XY3', plate))).toEqual([
      'Tube rack scan contains duplicate rack positions (A1)',
      'Tube rack scan contains duplicate tube barcodes (XY3)',
    ])
  })

  it('keeps the reads of the rack that most rows name', () => {
    const scan = parseRackScan('FX1,A1,XY1\nFX2,B1,XY2\nFX1,C1,XY3\n,D1,XY4', plate)
    expect(messages(scan)).toEqual([
      'Tube rack scan rack barcode cannot be empty, in row 4 [D1]',
      'Tube rack scan should not contain different rack barcodes (FX1,FX2)',
    ])
    expect(scan).toMatchObject({ rackBarcode: 'FX1', refusedPositions: ['B1', 'D1'] })
    expect(tubes(parseRackScan('FX1,A1,XY1\nFX2,B1,XY2', plate))).toEqual({})
  })

  it('takes the layout it is told', () => {
    expect(messages(parseRackScan('A1,XY1', plate, 'rack_position_barcode'))).toEqual([
      'Tube rack scan contains an unexpected number of columns (2 expecting 3) at row 1 [XY1]',
      'Tube rack scan tube position contains an invalid coordinate, in row 1 [XY1]',
      'Tube rack scan tube barcode cannot be empty, in row 1 [XY1]',
    ])
  })

  it.each([
    ['', 'Tube rack scan contains no rows'],
    ['\uFEFF\r\n\r\n', 'Tube rack scan contains no rows'],
    ['Position,Barcode\n', 'Tube rack scan contains no rows'],
    ['A1,"XY1\nB1,XY2', 'Tube rack scan could not be read: Quote Not Closed'],
  ])('says what is wrong with %j', (text, message) => {
    const scan = parseRackScan(text, plate)
    expect(scan.problems).toHaveLength(1)
    expect(messages(scan)[0]).toContain(message)
  })
})

const scans = fixturePath('rack-scans/sanger-limber')

describe.runIf(hasFixtures)('rack scans of a real laboratory', () => {
  const positions = listPositions(plate, 'column-major').slice(0, 16)
  const all = Object.fromEntries(
    positions.map(({ label }, index) => [label, `AB100000${String(index + 1).padStart(2, '0')}`]),
  )
  const withoutTubes = { ...all, C1: null, A2: null, G2: null }

  function without(...labels: readonly string[]) {
    return Object.fromEntries(Object.entries(all).filter(([label]) => !labels.includes(label)))
  }

  const twoColumns = 'common_file_handling/tube_rack/tube_rack_scan'
  const threeColumns = 'common_file_handling/tube_rack_with_rack_barcode/tube_rack_scan'
  const emptyC1 = ['Tube rack scan tube barcode cannot be empty, in row 3 [C1]']
  const invalidI1 = ['Tube rack scan tube position contains an invalid coordinate, in row 9 [I1]']

  it.each([
    [`${twoColumns}_valid.csv`, null, [], all],
    [`${twoColumns}_with_bom.csv`, null, [], all],
    [`${twoColumns}_with_missing_tubes.csv`, null, [], withoutTubes],
    [`${twoColumns}_with_missing_values.csv`, null, emptyC1, without('C1')],
    [`${twoColumns}_with_invalid_positions.csv`, null, invalidI1, all],
    [
      `${twoColumns}_with_duplicate_positions.csv`,
      null,
      ['Tube rack scan contains duplicate rack positions (A2,E2)'],
      without('A2', 'B2', 'E2', 'F2'),
    ],
    [
      `${twoColumns}_with_duplicate_tubes.csv`,
      null,
      ['Tube rack scan contains duplicate tube barcodes (AB10000009,AB10000011)'],
      { ...without('A2', 'B2', 'C2', 'D2'), E1: null, G2: null },
    ],
    [`${threeColumns}_valid.csv`, 'FX12345678', [], all],
    [`${threeColumns}_with_bom.csv`, 'FX12345678', [], all],
    [`${threeColumns}_with_missing_tubes.csv`, 'FX12345678', [], withoutTubes],
    [`${threeColumns}_with_missing_values.csv`, 'FX12345678', emptyC1, without('C1')],
    [`${threeColumns}_with_invalid_positions.csv`, 'FX12345678', invalidI1, all],
    [
      `${threeColumns}_with_different_rack_barcodes.csv`,
      'FX12345678',
      ['Tube rack scan should not contain different rack barcodes (FX12345678,FX23838838)'],
      without('A2'),
    ],
  ] as const)('%s', (file, rackBarcode, problems, expected) => {
    const scan = parseRackScan(readFileSync(join(scans, file), 'utf8'), plate)
    expect(messages(scan)).toEqual(problems)
    expect(scan.rackBarcode).toBe(rackBarcode)
    expect(tubes(scan)).toEqual(expected)
  })

  it('test_file.txt, which is no rack scan at all', () => {
    const scan = parseRackScan(readFileSync(join(scans, 'test_file.txt'), 'utf8'), plate)
    const rows = ['row 1 [This is an example file]', 'row 2 [It is used to test qc file upload]']
    expect(messages(scan)).toEqual(
      rows.flatMap((where) => [
        `Tube rack scan contains an unexpected number of columns (1 expecting 2) at ${where}`,
        `Tube rack scan tube position contains an invalid coordinate, in ${where}`,
        `Tube rack scan tube barcode cannot be empty, in ${where}`,
      ]),
    )
    expect(scan.reads).toEqual([])
  })
})
