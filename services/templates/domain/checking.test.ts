import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CheckContext } from './check-context.ts'
import { checkRows, type CheckResult } from './checking.ts'
import { applyCorrections, type Correction } from './corrections.ts'
import { groupFindings } from './finding.ts'
import { findHeader } from './header.ts'
import { sampleManifest } from './sample-manifest.ts'
import { Template, type TemplateFieldInput } from './template.ts'
import type { Cell, Sheet } from './workbook.ts'

type CellInput = string | Omit<Cell, 'column'>

/** A sheet whose first line is row `from`, so that tests speak the row numbers of the screen they imitate. */
function sheetOf(grid: readonly (readonly CellInput[])[], from = 1): Sheet {
  const rows = grid.map((cells, index) => ({
    number: from + index,
    cells: cells.flatMap((cell, column): Cell[] => {
      const content = typeof cell === 'string' ? { text: cell, kind: 'text' as const } : cell
      return content.text === '' && content.kind === 'text' ? [] : [{ column: column + 1, ...content }]
    }),
  }))
  return { name: 'Manifest', hidden: false, merges: [], rows: rows.filter((row) => row.cells.length > 0) }
}

function check(sheet: Sheet, template: Template = sampleManifest, context: CheckContext = {}): CheckResult {
  return checkRows(sheet, findHeader(sheet, template), template, context)
}

const HEADER = ['Barcode', 'Client ID', 'Type', 'Volume µL', 'ng/µL', 'Collected', 'Zone', 'Donor']

/** The shipment of the Receive screen, rows 20 to 32. */
const shipment = sheetOf(
  [
    HEADER,
    ['EXT-40208', 'C3-0051', 'plasma', '480', '', '2026-11-17', '−80 °C', 'P-0220'],
    ['EXT-40209', 'C3-0052', 'plasma', '495,5', '', '2026-11-17', '−80 °C', 'P-0220'],
    ['EXT-40210', 'C3-0053', 'RNA', '40', '61.4', '2026-11-17', '4 °C', 'P-0221'],
    ['EXT-40211', 'C3-0054', 'plasma', '495', '', '2026-11-17', '−80 °C', 'P-0221'],
    ['EXT-40217', 'C3-0055', 'plasma', '510', '', '2026-11-18', '−80 °C', 'P-0221'],
    ['EXT-40213', 'C3-0056', 'plasma', '495', '', '2026-11-18', '−80 °C', '0222'],
    ['EXT-40214', 'C3-0057', 'plasmaa', '480', '', '2026-11-18', '−80 °C', 'P-0222'],
    ['EXT-40215', 'C3-0058', 'plasmaa', '480', '', '2026-11-18', '−80 °C', 'P-0222'],
    ['EXT-40216', 'C3-0059', 'plasma', '495', '', '2026-11-18', '−80 °C', 'P-0223'],
    ['ACGTTGCA', 'C3-0060', 'plasma', '495', '', '2026-11-18', '−80 °C', 'P-0223'],
    ['EXT-40218', 'C3-0061', 'RNA', '40', '34.7', '2026-11-18', '−80 °C', 'P-0223'],
    ['EXT-40217', 'C3-0062', 'plasma', '510', '', '2026-11-18', '−80 °C', 'P-0224'],
    ['EXT-40220', 'C3-0063', 'plasma', '495', '', '09/11/2026', '−80 °C', 'P-0224'],
  ],
  19,
)

describe('the shipment of the Receive screen', () => {
  const result = check(shipment, sampleManifest, { today: '2026-11-21' })

  it('separates good rows from those to confirm and those with errors', () => {
    expect(result.summary).toEqual({ good: 5, confirm: 2, error: 6, leadingZeros: 1 })
    expect(result.rows.filter((row) => row.status !== 'good').map((row) => [row.row, row.status])).toEqual([
      [21, 'confirm'],
      [22, 'error'],
      [24, 'error'],
      [26, 'error'],
      [27, 'error'],
      [29, 'error'],
      [31, 'error'],
      [32, 'confirm'],
    ])
  })

  it('groups findings by cause, with what puts each right', () => {
    expect(
      groupFindings(result.findings).map((group) => [
        group.severity,
        group.title,
        group.detail,
        group.proposals.map((proposal) => proposal.label),
        group.acceptable,
      ]),
    ).toEqual([
      [
        'error',
        'RNA may not be stored at 4 °C',
        'Zone, row 22: “4 °C”.',
        ['−80 °C', 'LN₂ vapour'],
        'with-reason',
      ],
      ['error', 'Barcode used twice', 'Barcode, rows 24 and 31: “EXT-40217”.', [], 'no'],
      [
        'error',
        'Type “plasmaa” is not known',
        'Type, rows 26 and 27: “plasmaa”.',
        ['Set all 2 to Plasma'],
        'no',
      ],
      ['error', 'Index sequence, not a tube', 'Barcode, row 29: “ACGTTGCA”.', [], 'yes'],
      ['confirm', 'Comma in a number', 'Volume µL, row 21: “495,5”.', ['495.5'], 'no'],
      [
        'confirm',
        'Date can be two days',
        'Collected, row 32: “09/11/2026”.',
        ['9 November 2026', '11 September 2026'],
        'no',
      ],
    ])
  })

  it('says in each message which row and column, what the value is and what is wrong', () => {
    expect(result.findings.find((finding) => finding.row === 26)).toEqual({
      severity: 'error',
      sheet: 'Manifest',
      row: 26,
      column: { field: 'sampleType', number: 3, letter: 'C', header: 'Type' },
      value: 'plasmaa',
      rule: 'select',
      message: 'Row 26, Type: “plasmaa” is not in the list. The nearest is Plasma.',
      proposals: [{ label: 'Plasma', value: 'Plasma', way: 'plasma' }],
      acceptable: 'no',
      accepted: false,
      cause: 'select/sampleType/plasmaa',
      title: 'Type “plasmaa” is not known',
    })
  })

  it('becomes good by the proposals and words of a person, and the file stays as it was', () => {
    const author = { by: 'rk', at: '2026-11-21T10:44:51Z', sheet: 'Manifest' }
    const set = (row: number, column: number, expected: string, value: string): Correction => ({
      kind: 'set', id: `${row}.${column}`, ...author, row, column, expected, value,
    }) // prettier-ignore
    const accept = (row: number, column: number, rule: string, expected: string, reason: string | null): Correction => ({
      kind: 'accept', id: `${row}.${column}`, ...author, row, column, rule, expected, reason,
    }) // prettier-ignore
    const proposed = groupFindings(result.findings).flatMap((group) =>
      group.findings[0]?.rule === 'select' || group.severity === 'confirm'
        ? (group.proposals[0]?.changes ?? [])
        : [],
    )
    const corrections = [
      ...proposed.map((change) => {
        const found = result.findings.find(
          (finding) => finding.row === change.row && finding.column?.number === change.column,
        )
        return set(change.row, change.column, found?.value ?? '', change.value)
      }),
      set(31, 1, 'EXT-40217', 'EXT-40219'),
      accept(29, 1, 'index-sequence', 'ACGTTGCA', null),
      accept(22, 7, 'allowed-by', '4 °C', 'Will be used today'),
      set(20, 1, 'something else', 'X'),
    ]
    const corrected = applyCorrections(shipment, corrections)
    expect(corrected.rejected.map(({ correction, found }) => [correction.row, found])).toEqual([
      [20, 'EXT-40208'],
    ])
    const again = check(corrected.sheet, sampleManifest, {
      today: '2026-11-21',
      acceptances: corrected.acceptances,
    })
    expect(again.summary).toEqual({ good: 13, confirm: 0, error: 0, leadingZeros: 1 })
    expect(again.findings.map((finding) => [finding.row, finding.severity, finding.accepted])).toEqual([
      [22, 'note', true],
      [29, 'note', true],
    ])
    const cell = corrected.sheet.rows
      .find((row) => row.number === 21)
      ?.cells.find(({ column }) => column === 4)
    expect(cell).toEqual({
      column: 4,
      text: '495.5',
      kind: 'text',
      original: { column: 4, text: '495,5', kind: 'text' },
    })
  })

  it('accepts an override only with a reason, and only for the value that was seen', () => {
    const base = {
      kind: 'accept' as const,
      id: 'x',
      by: 'rk',
      at: '2026-11-21T10:00:00Z',
      sheet: 'Manifest',
      row: 22,
      column: 7,
      rule: 'allowed-by',
    }
    const severity = (acceptance: Extract<Correction, { kind: 'accept' }>): string | undefined =>
      check(shipment, sampleManifest, { acceptances: [acceptance] }).findings.find(
        (finding) => finding.row === 22,
      )?.severity
    expect([
      severity({ ...base, expected: '4 °C', reason: ' ' }),
      severity({ ...base, expected: '-20', reason: 'why' }),
      severity({ ...base, expected: '4 °C', reason: 'why' }),
    ]).toEqual(['error', 'error', 'note'])
  })
})

describe('which lines are rows', () => {
  it('leaves out padding, repeated headers and what stands beside the table, and says so', () => {
    const sheet = sheetOf([
      ['Barcode', 'Client ID', 'Type', '', 'Valid types'],
      ['A1-1', 'c1', 'DNA', '', 'plasma'],
      ['', '', '', '', 'serum'],
      ['', '', 'DNA', '', ''],
      ['Barcode', 'Client ID', 'Type'],
      ['A1-2', 'c2', 'DNA'],
    ])
    const result = check(sheet)
    expect(result.rows.map((row) => row.row)).toEqual([2, 6])
    expect(result.ignored).toEqual([
      { row: 3, reason: 'beside' },
      { row: 4, reason: 'padding' },
      { row: 5, reason: 'header' },
    ])
    expect(result.findings.map((finding) => [finding.severity, finding.message])).toEqual([
      ['note', 'Row 4 has nothing in Barcode, Client ID, only “DNA”. It is left out.'],
      ['note', 'Row 5 repeats the header and is left out.'],
    ])
  })

  it('asks about hidden rows', () => {
    const sheet = sheetOf([HEADER, ['X-1', 'c', 'DNA']])
    const hidden = {
      ...sheet,
      rows: sheet.rows.map((row) => (row.number === 2 ? { ...row, hidden: true as const } : row)),
    }
    expect(check(hidden).findings[0]).toMatchObject({
      severity: 'confirm',
      rule: 'hidden-row',
      acceptable: 'yes',
    })
  })
})

function checkOne(field: TemplateFieldInput, ...cells: readonly CellInput[]): readonly unknown[] {
  const template = Template.parse({ name: 'One field', fields: [field] })
  const result = check(sheetOf([[field.label], ...cells.map((cell) => [cell])]), template, {
    today: '2026-11-21',
    references: { plates: new Map([['P1', {}]]) },
  })
  return result.rows.map((row) => {
    const own = result.findings.filter((finding) => finding.row === row.row)
    const value = row.values[field.key]?.value ?? null
    return own.length === 0 ? value : [value, ...own.map((finding) => `${finding.severity} ${finding.rule}`)]
  })
}

describe('fields', () => {
  it('text: kept exactly, whatever it says', () => {
    const field: TemplateFieldInput = { kind: 'text', key: 'name', label: 'Sample name' }
    const names = ['Water', 'Blank', 'EMPTY', 'None', 'NA', '007', 'null', '0', '=1+1', 'ACGTTGCA']
    expect(checkOne(field, ...names)).toEqual(names)
    expect(
      checkOne(
        field,
        ' x ',
        { text: '2026-03-01', kind: 'date' },
        { text: '#REF!', kind: 'error' },
        { text: '', kind: 'uncalculated' },
      ),
    ).toEqual([
      [' x ', 'note surrounding-blanks'],
      ['2026-03-01', 'confirm became-a-date'],
      [null, 'error cell-error'],
      [null, 'error formula-without-value'],
    ])
  })

  it('barcode: doubts about what is no code of a tube', () => {
    const field: TemplateFieldInput = { kind: 'barcode', key: 'code', label: 'Barcode' }
    expect(
      checkOne(field, 'EXT-1', 'ACGTNA', 'ACGTA', 'NO READ', 'none', '4.00123E+11', 'A\u200bB', 'X1 ', {
        text: '1234567890123456',
        kind: 'number',
      }),
    ).toEqual([
      'EXT-1',
      ['ACGTNA', 'error index-sequence'],
      'ACGTA',
      ['NO READ', 'error no-barcode'],
      ['none', 'error no-barcode'],
      ['4.00123E+11', 'error scientific-notation'],
      ['A\u200bB', 'confirm hidden-characters'],
      ['X1 ', 'confirm surrounding-blanks'],
      ['1234567890123456', 'confirm long-number'],
    ])
    expect(checkOne(field, '000123', '004567', '89', '001000')).toEqual([
      '000123',
      '004567',
      ['89', 'confirm leading-zeros'],
      '001000',
    ])
  })

  it('number: as written, in the unit of the field', () => {
    const field: TemplateFieldInput = {
      kind: 'number',
      key: 'volumeUl',
      label: 'Volume',
      unit: 'µL',
      rules: [{ rule: 'range', min: '0.5', max: '1000' }],
    }
    expect(
      checkOne(
        field,
        '15.0',
        '20 ul',
        '2 mL',
        '5 ng',
        '5 drops',
        '0.4',
        '1000.1',
        'n/a',
        '1E2',
        '0.12345678901',
        { text: '2026-01-01', kind: 'date' },
      ),
    ).toEqual([
      '15.0',
      '20',
      [null, 'confirm unit'],
      [null, 'error unit'],
      [null, 'error unit'],
      ['0.4', 'error range'],
      ['1000.1', 'error range'],
      [null, 'error number'],
      '100',
      ['0.12345678901', 'error number', 'error range'],
      [null, 'error number'],
    ])
    expect(
      checkOne({ kind: 'number', key: 'taxon', label: 'Taxon', whole: true }, '9606', '9606.5', '9606 bp'),
    ).toEqual(['9606', ['9606.5', 'error number'], [null, 'error unit']])
  })

  it('date: one day or a question', () => {
    const field: TemplateFieldInput = {
      kind: 'date',
      key: 'on',
      label: 'Collected',
      rules: [{ rule: 'range', max: 'today' }],
    }
    expect(
      checkOne(
        field,
        '2026-11-21',
        '2026-11-22',
        '17.11.2026',
        '03/04/2026',
        '03/04/26',
        '45978',
        'unknown',
        '2022',
      ),
    ).toEqual([
      '2026-11-21',
      ['2026-11-22', 'error range'],
      '2026-11-17',
      [null, 'confirm date-order'],
      [null, 'confirm date-order'],
      [null, 'error date'],
      [null, 'error date'],
      [null, 'error date'],
    ])
    expect(checkOne({ ...field, partial: true }, '2022', '12/2022', '12/22')).toEqual([
      '2022',
      '2022-12',
      [null, 'confirm date-order'],
    ])
  })

  it('lists: exact or not, one or several', () => {
    const options = [
      { value: 'wb', label: 'Whole Blood', synonyms: ['EDTA blood'] },
      { value: 'pl', label: 'Plasma' },
    ]
    expect(
      checkOne(
        { kind: 'select', key: 'type', label: 'Type', options },
        'whole  blood',
        'edta blood',
        'pl',
        'plasmo',
      ),
    ).toEqual(['wb', 'wb', 'pl', [null, 'error select']])
    expect(
      checkOne(
        { kind: 'select', key: 'type', label: 'Type', options, match: 'exact' },
        'Whole Blood',
        'whole blood',
        'EDTA blood',
      ),
    ).toEqual(['wb', [null, 'error select'], [null, 'error select']])
    expect(
      checkOne(
        { kind: 'multiselect', key: 'types', label: 'Types', options },
        'plasma; whole blood;',
        'plasma;plasmo',
      ),
    ).toEqual([
      ['pl', 'wb'],
      [null, 'error select'],
    ])
  })

  it('booleans, files and the other rules', () => {
    expect(
      checkOne(
        { kind: 'boolean', key: 'control', label: 'Control' },
        'Yes',
        'n',
        { text: 'TRUE', kind: 'boolean' },
        'maybe',
      ),
    ).toEqual(['true', 'false', 'true', [null, 'error boolean']])
    expect(checkOne({ kind: 'file', key: 'file', label: 'Gel image' }, 'gel 1.png')).toEqual(['gel 1.png'])
    expect(
      checkOne(
        { kind: 'text', key: 'mail', label: 'Contact', rules: [{ rule: 'email' }] },
        'a.b@lab.org',
        'a@b',
        'a b@lab.org',
      ),
    ).toEqual(['a.b@lab.org', ['a@b', 'error email'], ['a b@lab.org', 'error email']])
    expect(
      checkOne(
        { kind: 'text', key: 'code', label: 'Code', rules: [{ rule: 'length', min: 2, max: 3 }, { rule: 'pattern', pattern: '[A-Z]+', means: 'capitals', severity: 'confirm' }] },
        'AB', 'A', 'ABCD', 'ab',
      ), // prettier-ignore
    ).toEqual(['AB', ['A', 'error length'], ['ABCD', 'error length'], ['ab', 'confirm pattern']])
    expect(
      checkOne(
        { kind: 'text', key: 'plate', label: 'Plate', rules: [{ rule: 'reference', to: 'plates' }] },
        'P1',
        'P2',
      ),
    ).toEqual(['P1', ['P2', 'error reference']])
    expect(
      checkOne(
        {
          kind: 'text',
          key: 'plate',
          label: 'Plate',
          rules: [{ rule: 'reference', to: 'plates', known: false }],
        },
        'P1',
        'P2',
      ),
    ).toEqual([['P1', 'error reference'], 'P2'])
    expect(
      checkOne(
        { kind: 'text', key: 'code', label: 'Code', rules: [{ rule: 'unique' }] },
        'x1',
        'X1',
        'y',
        'y ',
      ),
    ).toEqual([
      ['x1', 'confirm unique-but-for-case'],
      ['X1', 'confirm unique-but-for-case'],
      ['y', 'error unique'],
      ['y ', 'confirm surrounding-blanks', 'error unique'],
    ])
  })
})

describe('rules over several fields', () => {
  const template = Template.parse({
    name: 'Plates',
    fields: [
      { kind: 'text', key: 'plate', label: 'Plate' },
      { kind: 'text', key: 'well', label: 'Well', rules: [{ rule: 'unique', with: ['plate'] }] },
      {
        kind: 'number',
        key: 'from',
        label: 'Size from',
        rules: [{ rule: 'required', when: { field: 'plate', is: ['P9'] } }],
      },
      { kind: 'number', key: 'to', label: 'Size to' },
    ],
    checks: [
      { rule: 'together', fields: ['plate', 'well'] },
      { rule: 'compare', left: 'from', operator: '<=', right: 'to' },
    ],
  })

  it('find what is missing, double or the wrong way round', () => {
    const sheet = sheetOf([
      ['Plate', 'Well', 'Size from', 'Size to'],
      ['P1', 'A1', '9', '10'],
      ['P2', 'A1', '10', '9'],
      ['P1', 'A1', '', ''],
      ['P3', '', '', ''],
      ['P9', 'A2', '', '5'],
    ])
    const result = check(sheet, template, {
      rowRules: [
        (values) =>
          values['plate']?.value === 'P2'
            ? [
                {
                  field: null,
                  issue: {
                    severity: 'note',
                    rule: 'own',
                    title: 'Own',
                    message: 'is checked by a rule of the caller.',
                  },
                },
              ]
            : [],
      ],
    })
    expect(result.findings.map((finding) => finding.message)).toEqual([
      'Row 2, Well: “A1” is in rows 2 and 4 with the same Plate.',
      'Row 3 is checked by a rule of the caller.',
      'Row 3, Size from: must be at most Size to: “10” and “9”.',
      'Row 4, Well: “A1” is in rows 2 and 4 with the same Plate.',
      'Row 5, Well: is empty although Plate is given.',
      'Row 6, Size from: is empty but is needed.',
    ])
  })

  it('refuse templates that speak of fields they do not have, or twice of one', () => {
    const field: TemplateFieldInput = { kind: 'text', key: 'a', label: 'A' }
    expect(Template.safeParse({ name: 'x', fields: [field, field] }).error?.issues[0]?.message).toBe(
      'Two fields have the key a.',
    )
    expect(
      Template.safeParse({ name: 'x', fields: [field], identity: ['b'] }).error?.issues[0]?.message,
    ).toBe('No field has the key b.')
    const pattern: TemplateFieldInput = { ...field, rules: [{ rule: 'pattern', pattern: '(a', means: 'x' }] }
    expect(Template.safeParse({ name: 'x', fields: [pattern] }).success).toBe(false)
  })
})

it('never alters a text, and never calls a row good whose required value it could not read', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 10 }),
    fc.constantFrom('plasma', '5', '1,5', '2026-01-01', '−80 °C', '007'),
  )
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 8, maxLength: 8 }), { maxLength: 6 }), (grid) => {
      const sheet = sheetOf([HEADER, ...grid])
      const result = check(sheet, sampleManifest, { today: '2026-11-21' })
      for (const row of result.rows) {
        const texts = Object.entries(row.values).filter(
          ([key]) => !['project', 'taxon', 'plateBarcode', 'well', 'notes'].includes(key),
        )
        expect(texts.map(([, value]) => value.text)).toEqual(grid[row.row - 2])
        const read = texts.every(([, value]) => value.text.trim() === '' || value.value !== null)
        if (row.status === 'good') expect([read, row.values['sampleType']?.value]).not.toContain(null)
        if (row.status === 'good') expect(read).toBe(true)
      }
      expect(result.rows.length + result.ignored.length).toBe(sheet.rows.length - 1)
    }),
    { numRuns: 300 },
  )
})
