import { describe, expect, it } from 'vitest'
import { chooseColumns, findHeader, findTables } from './header.ts'
import { sampleManifest } from './sample-manifest.ts'
import { Template } from './template.ts'
import { nameColumn, type Sheet } from './workbook.ts'

function sheetOf(grid: readonly (readonly string[])[], more: Partial<Sheet> = {}): Sheet {
  const rows = grid.map((texts, index) => ({
    number: index + 1,
    width: texts.length,
    cells: texts.flatMap((text, column) =>
      text === '' ? [] : [{ column: column + 1, text, kind: 'text' as const }],
    ),
  }))
  return {
    name: 'Manifest',
    hidden: false,
    merges: [],
    rows: rows.filter((row) => row.cells.length > 0),
    ...more,
  }
}

function summarise(sheet: Sheet): unknown {
  const header = findHeader(sheet, sampleManifest)
  return [
    header.status,
    header.headerRow,
    ...header.columns.map((column) => `${column.letter} ${column.field}`),
  ]
}

describe('finding the header', () => {
  it('looks below titles and beside unrelated tables', () => {
    const sheet = sheetOf([
      ['Sample collections form', '', '', '', '', 'Valid entries'],
      ['Study:', 'STDY_1', '', '', '', 'Type', 'Zone'],
      ['', '', '', '', '', 'plasma', '-80'],
      ['Barcode', 'Client ID', 'Type', 'Volume (μl)', '', 'Type', 'Notes'],
      ['EXT-1', 'C1', 'plasma', '5', '', 'serum', '-20'],
    ])
    expect(summarise(sheet)).toEqual([
      'found',
      4,
      'A barcode',
      'B clientSampleId',
      'C sampleType',
      'D volumeUl',
      'G notes',
    ])
  })

  it('understands units, remarks, marks and other spellings in headers, and says how sure it is', () => {
    const header = findHeader(
      sheetOf([
        ['Tube_ID*', 'Sample Name (required)', 'Sampel Type', 'Volume_mL', 'CONC. [ng/uL]', 'Storage Temp:'],
      ]),
      sampleManifest,
    )
    expect(
      header.columns.map(({ field, reason, unit, confidence }) => [field, reason, unit, confidence]),
    ).toEqual([
      ['barcode', 'synonym', null, 0.95],
      ['clientSampleId', 'synonym', null, 0.9299999999999999],
      ['sampleType', 'nearly-label', null, 0.72],
      ['volumeUl', 'label', 'mL', 0.98],
      ['concentrationNgPerUl', 'synonym', 'ng/µL', 0.9299999999999999],
      ['storageZone', 'synonym', null, 0.95],
    ])
    expect(header.columns[2]?.explanation).toBe('“Sampel Type” is nearly a name of Type. Please look.')
  })

  it('does not take similar words for the same', () => {
    expect(summarise(sheetOf([['Barcode', 'Type', 'Collection Site', 'Sample Prep', 'Taxes']]))).toEqual([
      'found',
      1,
      'A barcode',
      'B sampleType',
    ])
  })

  it('reads groups above columns and a row of units below them', () => {
    const template = Template.parse({
      name: 'Parents',
      fields: [
        { kind: 'barcode', key: 'mother', label: 'Mother barcode' },
        { kind: 'barcode', key: 'father', label: 'Father barcode' },
        { kind: 'number', key: 'volumeUl', label: 'Volume', unit: 'µL' },
      ],
    })
    const sheet = sheetOf(
      [
        ['Mother', '', 'Father', ''],
        ['Barcode', 'Name', 'Barcode', 'Volume'],
        ['', '', '', '(mL)'],
        ['A', 'a', 'B', '2'],
      ],
      { merges: [{ top: 1, left: 1, bottom: 1, right: 2 }] },
    )
    const header = findHeader(sheet, template)
    expect([header.headerRow, header.unitRow]).toEqual([2, 3])
    expect(header.columns.map(({ field, letter, reason, unit }) => [field, letter, reason, unit])).toEqual([
      ['mother', 'A', 'group-and-label', null],
      ['father', 'C', 'group-and-label', null],
      ['volumeUl', 'D', 'label', 'mL'],
    ])
  })

  it('says what is missing and what is ambiguous', () => {
    expect(findHeader(sheetOf([['Barcode', 'Volume']]), sampleManifest)).toMatchObject({
      status: 'missing',
      message: 'Sheet “Manifest”: header on row 1, 2 of 13 columns known. Missing: “Type”.',
    })
    expect(findHeader(sheetOf([['Barcode', 'Type', 'Notes', 'Notes']]), sampleManifest)).toMatchObject({
      status: 'ambiguous',
      choices: [{ field: 'notes', columns: [{ letter: 'C' }, { letter: 'D' }] }],
    })
    expect(findHeader(sheetOf([['hello', 'world']]), sampleManifest)).toMatchObject({
      status: 'missing',
      headerRow: null,
    })
  })

  it('prefers, of two columns of one name, the one whose values are in the list', () => {
    const sheet = sheetOf([
      ['Sample Type', 'Sample Kind', 'Barcode'],
      ['Library', 'DNA', 'X1'],
      ['Sample', 'RNA', 'X2'],
    ])
    expect(summarise(sheet)).toEqual(['found', 1, 'B sampleType', 'C barcode'])
  })

  it('lets a person choose the columns', () => {
    const sheet = sheetOf([
      ['Kennung', 'Barcode', 'Stoff'],
      ['1', '2', 'DNA'],
    ])
    const header = chooseColumns(sheet, sampleManifest, 1, { barcode: 1, sampleType: 3 })
    expect(header.columns.map(({ field, column, reason }) => [field, column, reason])).toEqual([
      ['barcode', 1, 'chosen'],
      ['sampleType', 3, 'chosen'],
    ])
    expect(header.status).toBe('found')
  })

  it('offers the sheets of a workbook, the fitting and filled ones first', () => {
    const grid = [
      ['Barcode', 'Type', 'Volume'],
      ['A', 'DNA', '5'],
    ]
    const sheets = [
      sheetOf([['Type', 'Barcode']], { name: 'Lists' }),
      sheetOf(grid, { name: 'Example' }),
      sheetOf(grid, { name: 'Old', hidden: true }),
      sheetOf(grid, { name: 'Tubes' }),
      sheetOf([['Read me first']], { name: 'Info' }),
    ]
    const workbook = { fileName: 'x.xlsx', format: { type: 'xlsx' as const }, sheets, notes: [] }
    expect(findTables(workbook, sampleManifest).map((table) => table.sheet)).toEqual([
      'Tubes',
      'Example',
      'Old',
      'Lists',
    ])
  })
})

it('names columns as spreadsheets do', () => {
  expect([1, 26, 27, 52, 53, 702, 703, 16_384].map(nameColumn)).toEqual([
    'A',
    'Z',
    'AA',
    'AZ',
    'BA',
    'ZZ',
    'AAA',
    'XFD',
  ])
})
