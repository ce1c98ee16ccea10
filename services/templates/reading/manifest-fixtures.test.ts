import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CheckContext } from '../domain/check-context.ts'
import { checkRows, type CheckResult } from '../domain/checking.ts'
import { groupFindings } from '../domain/finding.ts'
import { findHeader, findTables, type HeaderResult } from '../domain/header.ts'
import { fixturePath, hasFixtures } from '../../testing/fixtures.ts'
import { sampleManifest } from '../domain/sample-manifest.ts'
import { Template, type TemplateFieldInput } from '../domain/template.ts'
import type { Sheet, Workbook } from '../domain/workbook.ts'
import { SpreadsheetError } from './spreadsheet-error.ts'
import { readWorkbook } from './workbook-reader.ts'

const sanger = fixturePath('manifests/sanger-sequencescape')
const freezeman = fixturePath('manifests/c3g-freezeman')
const tracseq = fixturePath('tracseq/poglesbyg-tracseq2.0')

async function read(folder: string, name: string): Promise<Workbook> {
  return readWorkbook(readFileSync(path.join(folder, name)), path.basename(name))
}

interface Imported {
  readonly sheet: Sheet
  readonly header: HeaderResult
  readonly result: CheckResult
}

async function importFile(
  folder: string,
  name: string,
  template: Template,
  context: CheckContext = {},
  sheetName?: string,
): Promise<Imported> {
  const workbook = await read(folder, name)
  const sheet = workbook.sheets.find((candidate) => sheetName === undefined || candidate.name === sheetName)
  if (sheet === undefined) throw new Error(`${name} has no sheet ${sheetName ?? 'at all'}`)
  const header = findHeader(sheet, template)
  return { sheet, header, result: checkRows(sheet, header, template, context) }
}

function valuesOf({ rows }: CheckResult, field: string): readonly (string | readonly string[] | null)[] {
  return rows.map((row) => row.values[field]?.value ?? null)
}

function problemsOf({ findings }: CheckResult): readonly string[] {
  return findings.filter((finding) => finding.severity !== 'note').map((finding) => finding.message)
}

const option = (value: string): { value: string; label: string } => ({ value, label: value })

/** What the plate form of the Wellcome Sanger Institute asks for, as far as its expected results speak of it. */
const plateFields: readonly TemplateFieldInput[] = [
  { kind: 'text', key: 'plate', label: 'Sanger plate id', rules: [{ rule: 'required' }] },
  {
    kind: 'text',
    key: 'well',
    label: 'Well',
    rules: [
      { rule: 'required' },
      { rule: 'pattern', pattern: '[A-P][0-9]{1,2}', means: 'a well such as A1' },
      { rule: 'unique', with: ['plate'] },
    ],
  },
  {
    kind: 'text',
    key: 'sample',
    label: 'Sanger sample id',
    rules: [
      { rule: 'required' },
      { rule: 'unique' },
      {
        rule: 'reference',
        to: 'samples',
        matching: [
          { field: 'well', property: 'well', message: 'Sample cannot be moved between wells' },
          {
            field: 'accession',
            property: 'accession',
            message: 'The accession number does not match the existing accession number',
          },
        ],
      },
    ],
  },
  {
    kind: 'text',
    key: 'name',
    label: 'Supplier sample name',
    rules: [{ rule: 'required', severity: 'note', message: 'sample absent' }],
  },
  { kind: 'number', key: 'volumeUl', label: 'Volume', unit: 'µL' },
  { kind: 'number', key: 'concentrationNgPerUl', label: 'Conc.', unit: 'ng/µL' },
  {
    kind: 'select',
    key: 'gender',
    label: 'Gender',
    options: ['Male', 'Female', 'Mixed', 'Hermaphrodite', 'Unknown', 'Not Applicable'].map(option),
  },
  {
    kind: 'select',
    key: 'dnaSource',
    label: 'DNA source',
    match: 'exact',
    options: [
      'Genomic',
      'Whole Genome Amplified',
      'Blood',
      'Cell Line',
      'Saliva',
      'Brain',
      'FFPE',
      'Amniocentesis Uncultured',
      'Amniocentesis Cultured',
      'CVS Uncultured',
      'CVS Cultured',
      'Fetal Blood',
      'Tissue',
    ].map(option),
  },
  {
    kind: 'date',
    key: 'collected',
    label: 'Date of sample collection',
    partial: true,
  },
  { kind: 'number', key: 'taxon', label: 'Taxon id', whole: true },
  { kind: 'text', key: 'accession', label: 'Sample accession number' },
  { kind: 'text', key: 'donor', label: 'Donor id' },
  { kind: 'text', key: 'cellType', label: 'Cell type' },
  { kind: 'text', key: 'country', label: 'Country of origin' },
]

const plateManifest = Template.parse({
  name: 'Plate manifest',
  fields: plateFields,
  identity: ['plate', 'well', 'sample'],
})

/** Samples as the setting of the expected results describes them: in column order, `sample_0` in A1. */
function knownSamples(
  properties: (index: number) => Readonly<Record<string, string>> = () => ({}),
): CheckContext {
  const wells = [1, 2].flatMap((column) => [...'ABCDEFGH'].map((row) => `${row}${column}`))
  const samples = wells.map((well, index) => [`sample_${index}`, { well, ...properties(index) }] as const)
  return { references: { samples: new Map(samples) } }
}

const audits = Template.parse({
  name: 'Asset audits',
  fields: [
    {
      kind: 'barcode',
      key: 'barcode',
      label: 'barcode',
      rules: [
        { rule: 'required' },
        { rule: 'reference', to: 'assets', message: 'Asset with barcode {value} not found.' },
      ],
    },
    {
      kind: 'select',
      key: 'message',
      label: 'message',
      match: 'exact',
      options: ['Destroying location', 'Destroying labware'].map(option),
      rules: [{ rule: 'required' }],
    },
    { kind: 'text', key: 'createdBy', label: 'created_by', rules: [{ rule: 'required' }] },
    { kind: 'date', key: 'createdAt', label: 'created_at', rules: [{ rule: 'required' }] },
  ],
  identity: ['barcode'],
})
const assets = (...codes: string[]): CheckContext => ({
  references: { assets: new Map(codes.map((code) => [code, {}])) },
})

describe.runIf(hasFixtures)('manifests of the Sanger Institute', () => {
  const letters = [...'abcdefghijkl'].map((letter) => letter.repeat(4))

  it('accepts the full manifest of 70 columns', async () => {
    const { header, result } = await importFile(sanger, 'full_manifest.csv', plateManifest, knownSamples())
    expect([header.status, header.headerRow, header.missing]).toEqual([
      'found',
      9,
      [{ field: 'donor', label: 'Donor id', required: false }],
    ])
    expect(problemsOf(result)).toEqual([])
    expect(valuesOf(result, 'name')).toEqual(letters)
    expect(valuesOf(result, 'taxon')).toEqual(letters.map(() => '9606'))
    expect(valuesOf(result, 'cellType')).toEqual(letters.map(() => 'Epithelial'))
    expect(result.rows.map((row) => row.row)).toEqual(letters.map((_, index) => 10 + index))
  })

  it('takes Water, Blank, EMPTY and None for names, and an empty name for an absent sample', async () => {
    const { result } = await importFile(sanger, 'test_blank_wells.csv', plateManifest, knownSamples())
    expect(valuesOf(result, 'name')).toEqual([
      'aaaa',
      'bbbb',
      'Water',
      'cccc',
      'Blank',
      'dddd',
      null,
      'eeee',
      'EMPTY',
      'ffffff',
      'None',
      'gggg',
    ])
    expect(valuesOf(result, 'taxon')).toEqual(letters.map((_, index) => String(9606 + index)))
    expect(result.summary).toMatchObject({ good: 12, confirm: 0, error: 0 })
    expect(result.findings.map((finding) => [finding.row, finding.message])).toEqual([
      [16, 'Row 16, SUPPLIER SAMPLE NAME: sample absent'],
    ])
    const second = await importFile(
      sanger,
      'test_blank_wells_with_no_blanks.csv',
      plateManifest,
      knownSamples(),
    )
    expect(valuesOf(second.result, 'name')[6]).toBe('xxxx')
    expect(second.result.summary.good).toBe(12)
  })

  it('refuses samples that moved between wells, every row of them', async () => {
    const { result } = await importFile(
      sanger,
      'manifests/mismatched_wells.csv',
      plateManifest,
      knownSamples(),
    )
    const [group] = groupFindings(result.findings)
    expect(group).toMatchObject({ severity: 'error', title: 'Sample cannot be moved between wells' })
    expect(group?.rows).toHaveLength(12)
    expect(group?.findings[0]?.message).toBe(
      'Row 10, SANGER SAMPLE ID: Sample cannot be moved between wells (Well of “sample_1” is “A1” here and “B1” in the record.)',
    )
    expect(result.summary.good).toBe(0)
  })

  it('compares DNA sources exactly and proposes what was meant', async () => {
    const { result } = await importFile(sanger, 'test_dna_sources_invalid.csv', plateManifest, knownSamples())
    expect(
      result.findings
        .filter((finding) => finding.rule === 'select')
        .map((finding) => [finding.row, finding.column?.letter, finding.value, finding.proposals[0]?.value]),
    ).toEqual([
      [10, 'L', 'Cell line', 'Cell Line'],
      [11, 'L', 'cell line', 'Cell Line'],
      [12, 'L', 'blood', 'Blood'],
      [13, 'L', 'genomic', 'Genomic'],
      [14, 'L', 'abcdefg', undefined],
      [15, 'L', 'whole genome amplified', 'Whole Genome Amplified'],
      [16, 'L', 'Whole genome amplified', 'Whole Genome Amplified'],
    ])
    expect(result.summary).toMatchObject({ good: 0, error: 7 })
  })

  it('accepts right DNA sources and leaves out lines that name no sample', async () => {
    const { result } = await importFile(sanger, 'test_dna_sources_valid.csv', plateManifest, knownSamples())
    expect(valuesOf(result, 'dnaSource')).toEqual([
      'Cell Line',
      'Blood',
      'Genomic',
      'Amniocentesis Cultured',
      null,
    ])
    expect(problemsOf(result)).toEqual([])
    expect(result.ignored.filter((row) => row.reason === 'padding')).toHaveLength(2)
  })

  it('accepts accession numbers once and refuses others for the same samples', async () => {
    const first = await importFile(sanger, 'sample_manifest_a_accessions.csv', plateManifest, knownSamples())
    expect(problemsOf(first.result)).toEqual([])
    const numbers = letters.map((_, index) => String(12345 + index))
    expect(valuesOf(first.result, 'accession')).toEqual(numbers)
    const known = knownSamples((index) => ({ accession: numbers[index - 1] ?? '' }))
    const second = await importFile(sanger, 'sample_manifest_b_accessions.csv', plateManifest, known)
    expect(
      groupFindings(second.result.findings).map((group) => [group.severity, group.title]),
    ).toContainEqual(['error', 'The accession number does not match the existing accession number'])
  })

  it('reads the library manifest of tubes', async () => {
    const template = Template.parse({
      name: 'Library manifest',
      fields: [
        {
          kind: 'barcode',
          key: 'tube',
          label: 'Sanger tube id',
          rules: [{ rule: 'required' }, { rule: 'unique' }],
        },
        { kind: 'text', key: 'sample', label: 'Sanger sample id', rules: [{ rule: 'required' }] },
        { kind: 'text', key: 'tagGroup', label: 'Tag group' },
        {
          kind: 'number',
          key: 'tag',
          label: 'Tag index',
          whole: true,
          rules: [{ rule: 'unique', with: ['tagGroup'] }],
        },
        { kind: 'number', key: 'tag2', label: 'Tag2 index', whole: true },
        { kind: 'text', key: 'libraryType', label: 'Library type' },
        { kind: 'number', key: 'from', label: 'Insert size from', whole: true },
        { kind: 'number', key: 'to', label: 'Insert size to', whole: true },
        { kind: 'text', key: 'name', label: 'Supplier sample name' },
        { kind: 'number', key: 'taxon', label: 'Taxon id', whole: true },
      ],
      identity: ['tube'],
      checks: [{ rule: 'compare', left: 'from', operator: '<', right: 'to' }],
    })
    const { header, result } = await importFile(sanger, 'multiplexed_library_manifest.csv', template)
    expect([header.status, header.headerRow]).toEqual(['found', 9])
    expect(problemsOf(result)).toEqual([])
    expect(valuesOf(result, 'tube')).toEqual(['NT81M', 'NT82N', 'NT83O', 'NT84P', 'NT85Q'])
    expect(valuesOf(result, 'tag')).toEqual(['1', '2', '3', '5', '7'])
    expect(valuesOf(result, 'tag2')).toEqual([null, null, null, null, null])
    expect(valuesOf(result, 'name')).toEqual(letters.slice(0, 5))
  })

  it('names row, column and value of a wrong entry in an older form', async () => {
    const { header, result } = await importFile(sanger, 'invalid_sample_manifest.csv', plateManifest)
    expect([header.headerRow, header.columns.length, result.rows.length]).toEqual([9, 12, 96])
    expect(result.summary).toMatchObject({ good: 94, error: 2 })
    expect(result.findings.filter((finding) => finding.severity === 'error')).toMatchObject([
      {
        row: 10,
        column: { letter: 'F', header: 'GENDER' },
        value: 'feeemale',
        message: 'Row 10, GENDER: “feeemale” is not in the list. The nearest is Female.',
        proposals: [{ value: 'Female' }],
      },
      { row: 29, column: { letter: 'M', header: 'DNA SOURCE' }, value: 'InvalidDnaSource' },
    ])
    expect(result.unchecked).toEqual(['There was no list of samples to compare with.'])
  })

  it('checks audits: known assets, known messages, whole rows, all columns', async () => {
    const audit = async (name: string, context: CheckContext): Promise<readonly string[]> =>
      problemsOf((await importFile(sanger, `asset_audits/${name}`, audits, context)).result)
    expect(await audit('valid_data.csv', assets('SQPD-1', 'SQPD-2'))).toEqual([])
    expect(await audit('valid_data.csv', assets('SQPD-1'))).toEqual([
      'Row 3, barcode: Asset with barcode SQPD-2 not found.',
    ])
    expect(await audit('invalid_message.csv', assets('SQPD-1'))).toEqual([
      'Row 2, message: “Destroying test” is not in the list (upper and lower case count). Known are: Destroying location, Destroying labware.',
    ])
    expect((await audit('missing_column.csv', assets('SQPD-1')))[0]).toBe(
      'Row 2 has 3 values, but the header has 4 columns.',
    )
    expect((await audit('bad_format.csv', assets('SQPD-9002')))[0]).toBe(
      'Row 2 has 2 values, but the header has 4 columns. It holds a quotation mark (") without its partner.',
    )
    const { header } = await importFile(sanger, 'asset_audits/missing_header.csv', audits)
    expect([header.status, header.missing.map((field) => field.label), header.message]).toEqual([
      'missing',
      ['message'],
      'Sheet “missing_header”: header on row 1, 3 of 4 columns known. Missing: “message”.',
    ])
  })
})

const containers = Template.parse({
  name: 'Containers',
  fields: [
    { kind: 'text', key: 'kind', label: 'Container kind', rules: [{ rule: 'required' }] },
    { kind: 'text', key: 'name', label: 'Container name', rules: [{ rule: 'required' }, { rule: 'unique' }] },
    {
      kind: 'barcode',
      key: 'barcode',
      label: 'Container barcode',
      rules: [{ rule: 'required' }, { rule: 'unique' }],
    },
    { kind: 'barcode', key: 'parent', label: 'Parent container barcode' },
    { kind: 'text', key: 'coordinates', label: 'Parent container coordinates' },
    { kind: 'text', key: 'comment', label: 'Comment' },
  ],
  identity: ['barcode'],
})

const renames = Template.parse({
  name: 'Container renames',
  fields: [
    {
      kind: 'barcode',
      key: 'old',
      label: 'Old container barcode',
      rules: [
        { rule: 'required' },
        { rule: 'unique', message: '“{value}” is renamed in {rows}; once is enough.' },
      ],
    },
    { kind: 'barcode', key: 'new', label: 'New container barcode', rules: [{ rule: 'unique' }] },
    { kind: 'text', key: 'name', label: 'New container name' },
    { kind: 'text', key: 'comment', label: 'Update comment' },
  ],
  identity: ['old'],
  checks: [{ rule: 'at-least-one', fields: ['new', 'name'] }],
})

const submission = Template.parse({
  name: 'Sample submission',
  fields: [
    {
      kind: 'select',
      key: 'type',
      label: 'Sample type',
      options: ['Sample', 'Library', 'Library in pool'].map(option),
      rules: [{ rule: 'required' }],
    },
    { kind: 'text', key: 'kind', label: 'Sample kind', rules: [{ rule: 'required' }] },
    {
      kind: 'text',
      key: 'name',
      label: 'Sample name',
      rules: [{ rule: 'required', when: { field: 'type', is: ['Sample', 'Library'] } }, { rule: 'unique' }],
    },
    {
      kind: 'text',
      key: 'pool',
      label: 'Pool name',
      rules: [{ rule: 'required', when: { field: 'type', is: ['Library in pool'] } }],
    },
    { kind: 'number', key: 'volumeUl', label: 'Volume', unit: 'µL' },
    { kind: 'number', key: 'concentrationNgPerUl', label: 'Conc.', unit: 'ng/µL' },
    { kind: 'barcode', key: 'container', label: 'Container barcode', synonyms: ['Container name'] },
    {
      kind: 'text',
      key: 'coordinate',
      label: 'Sample coord',
      rules: [{ rule: 'unique', with: ['container'] }],
    },
    { kind: 'text', key: 'indexSet', label: 'Index set' },
    { kind: 'text', key: 'index', label: 'Index' },
    { kind: 'text', key: 'comment', label: 'Comment' },
  ],
  identity: ['name', 'pool', 'container'],
  checks: [{ rule: 'together', fields: ['indexSet', 'index'] }],
})

describe.runIf(hasFixtures)('workbooks of the C3G laboratory', () => {
  it('reads a submission of nine sheets and 20 MB of XML in seconds, its filled rows only', async () => {
    const started = performance.now()
    const workbook = await read(freezeman, 'Sample_submission_v5_3_0.xlsx')
    expect(performance.now() - started).toBeLessThan(15_000)
    expect(workbook.sheets.map((sheet) => [sheet.name, sheet.rows.length])).toContainEqual([
      'SampleSubmission',
      26,
    ])

    const tables = findTables(workbook, submission).filter((table) => table.header.status === 'found')
    expect(tables.slice(0, 3).map((table) => [table.sheet, table.header.headerRow, table.rows])).toEqual([
      ['SampleSubmission', 9, 19],
      ['UserSampleSubmission', 9, 19],
      ['UserSampleSubmission_Example', 9, 16],
    ])
    const sheet = workbook.sheets.find((candidate) => candidate.name === 'SampleSubmission')
    const header = tables[0]?.header
    if (sheet === undefined || header === undefined) throw new Error('No table was found.')
    const result = checkRows(sheet, header, submission)
    expect(problemsOf(result)).toEqual([])
    expect(result.rows).toHaveLength(19)
    expect(result.rows[0]).toMatchObject({
      row: 10,
      values: {
        name: { value: 'Sample_DNA1' },
        volumeUl: { value: '10', unit: 'µL' },
        concentrationNgPerUl: { value: '1', unit: 'ng/µL' },
        container: { value: 'test_abc1' },
        coordinate: { value: 'A01' },
      },
    })
    expect(valuesOf(result, 'volumeUl').slice(0, 8)).toEqual([
      '10',
      '20',
      '300',
      '400',
      '500',
      '600',
      '70',
      '200',
    ])
  })

  it('accepts new containers with their parents', async () => {
    const { header, result } = await importFile(freezeman, 'Container_creation_v4_2_0.xlsx', containers)
    expect([header.headerRow, problemsOf(result)]).toEqual([7, []])
    expect(valuesOf(result, 'barcode')).toEqual(['TubeBox_1', 'Room_1', 'Freezer_1', 'TubeRack_1'])
    expect(valuesOf(result, 'coordinates')).toEqual([null, null, null, 'A01'])
    expect(result.rows.map((row) => row.row)).toEqual([8, 9, 10, 12])
  })

  it('refuses to rename one container twice', async () => {
    const { result } = await importFile(freezeman, 'Container_rename_v3_5_0_double_rename.xlsx', renames)
    expect(problemsOf(result)).toEqual([
      'Row 8, Old Container Barcode: “CONTAINER4RENAME” is renamed in rows 8 and 9; once is enough.',
      'Row 9, Old Container Barcode: “CONTAINER4RENAME” is renamed in rows 8 and 9; once is enough.',
    ])
    expect(result.summary).toEqual({ good: 0, confirm: 0, error: 2, leadingZeros: 0 })
  })
})

describe.runIf(hasFixtures)('submissions of the original', () => {
  it('reads the sample table with the built-in template; millilitres are only proposed as microlitres', async () => {
    const { header, result } = await importFile(
      tracseq,
      'lims-laboratory/lab_manager/sample_lab_template.csv',
      sampleManifest,
      { today: '2026-11-21' },
    )
    expect([header.status, header.headerRow, result.rows.length]).toEqual(['found', 1, 20])
    expect(valuesOf(result, 'clientSampleId')[19]).toBe('LAB20240020')
    expect(valuesOf(result, 'donorId')[9]).toBe('P01234')
    expect(valuesOf(result, 'notes')[19]).toBe('Handle with care ')
    expect(valuesOf(result, 'volumeUl')[0]).toBeNull()
    const zones = valuesOf(result, 'storageZone')
    expect(
      ['minus_80', 'minus_20', 'plus_4'].map((zone) => zones.filter((one) => one === zone).length),
    ).toEqual([17, 2, 1])
    expect(
      groupFindings(result.findings).map((group) => [
        group.severity,
        group.title,
        group.rows.length,
        group.acceptable,
      ]),
    ).toEqual([
      ['error', 'Tissue may not be stored at 4 °C', 1, 'with-reason'],
      ['confirm', 'mL instead of µL', 20, 'no'],
      ['note', 'Blanks around a value', 1, 'yes'],
    ])
    const unit = groupFindings(result.findings)[1]
    expect(unit?.proposals[0]?.changes[0]).toEqual({ row: 2, column: 10, value: '2500 µL' })
  })

  it('says of text forms that they are no tables', async () => {
    for (const name of [
      'lims-laboratory/lab_manager/simple_lab_submission.txt',
      'lims-laboratory/lab_manager/example_lab_submission.txt',
      'lims-ai/lab_submission_rag/demo/demo_submission.txt',
    ]) {
      await expect(read(tracseq, name)).rejects.toThrow(SpreadsheetError)
      await expect(read(tracseq, name)).rejects.toMatchObject({ code: 'not-a-spreadsheet' })
    }
  })
})
