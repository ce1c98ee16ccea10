import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixturePath, hasFixtures } from '../testing/fixtures.ts'
import { csv, openTemplatesBench, type TemplatesBench, xlsx } from './testing/templates-bench.ts'

const sanger = fixturePath('manifests/sanger-sequencescape')
const freezeman = fixturePath('manifests/c3g-freezeman')
const tracseq = fixturePath('tracseq/poglesbyg-tracseq2.0/lims-laboratory/lab_manager')

let on: TemplatesBench
beforeAll(async () => {
  on = await openTemplatesBench()
})
afterAll(() => on.bench.close())

const openFile = (folder: string, name: string) =>
  on.open(readFileSync(path.join(folder, name)), path.basename(name))

async function samplesOf(importId: string) {
  const all = []
  let cursor: string | undefined
  do {
    const page = await on.samples.list({ importId, limit: 500, ...(cursor === undefined ? {} : { cursor }) })
    all.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return all
}

/** Every sample by the row it came from. */
async function savedRows(importId: string) {
  const samples = new Map((await samplesOf(importId)).map((sample) => [sample.id as string, sample]))
  const { rows } = await on.templates.importRows({ id: importId, limit: 2_000 })
  return rows.map((row) => ({ row, sample: samples.get(row.sampleId ?? '') }))
}

async function causeOf(id: string, title: string): Promise<string> {
  const found = (await on.templates.importProblems({ id })).find((group) => group.title === title)
  if (found === undefined) throw new Error(`There is no problem “${title}”`)
  return found.cause
}

describe.runIf(hasFixtures)('the sample table of the original', () => {
  it('is saved after two decisions, with every column', async () => {
    const opened = await openFile(tracseq, 'sample_lab_template.csv')
    expect(opened).toMatchObject({ state: 'checking', summary: { rows: 20, toConfirm: 19, withErrors: 1 } })
    const { id } = opened
    const corrected = await on.templates.correctCells({
      id,
      causes: [
        { cause: await causeOf(id, 'mL instead of µL'), way: 'mL to µL' },
        { cause: await causeOf(id, 'Tissue may not be stored at 4 °C'), way: 'minus_80' },
      ],
    })
    expect(corrected.summary).toMatchObject({ good: 20, toConfirm: 0, withErrors: 0 })
    expect(await on.templates.applyImport({ id })).toMatchObject({ state: 'applied', summary: { saved: 20 } })
    const saved = await savedRows(id)
    expect(saved.map(({ sample }) => sample?.name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `LAB2024${String(index + 1).padStart(4, '0')}`),
    )
    expect(saved[0]?.sample).toMatchObject({
      clientId: 'LAB20240001',
      donor: 'P12345',
      type: 'blood',
      collectedOn: '2024-01-15',
      volumeUl: '2500',
      concentrationNgPerUl: '250.5',
      extra: {
        Submitter: 'Dr. Smith',
        Department: 'Oncology',
        Priority: 'High',
        Analysis_Type: 'WGS',
        Storage_Temp: '-80°C',
        Quality_Score: '8.2',
        Notes: 'Rush analysis needed',
      },
    })
    // The blank behind the last note, as it came.
    expect(saved[19]?.sample?.extra['Notes']).toBe('Handle with care ')
    expect(saved[0]?.row.cells['volumeUl']).toEqual({ value: '2500 µL', original: '2.5', readAs: '2500' })
  })
})

describe.runIf(hasFixtures)('manifests of the Sanger Institute', () => {
  it('are saved with all their columns once their type is given', async () => {
    const { id, ...opened } = await openFile(sanger, 'full_manifest.csv')
    expect(opened).toMatchObject({ state: 'checking', headerRow: 9, summary: { rows: 12, withErrors: 12 } })
    expect(opened.notes).toEqual(['Left out, because they stand beside the table: column BC.'])
    await on.templates.correctCells({
      id,
      causes: [{ cause: await causeOf(id, 'Type is empty'), value: 'DNA' }],
    })
    expect(await on.templates.applyImport({ id })).toMatchObject({ state: 'applied', summary: { saved: 12 } })
    const saved = await savedRows(id)
    expect(saved.map(({ row }) => row.row)).toEqual(Array.from({ length: 12 }, (_, index) => 10 + index))
    expect(saved.map(({ sample }) => sample?.name)).toEqual([...'abcdefghijkl'].map((one) => one.repeat(4)))
    for (const { sample } of saved) {
      expect(sample).toMatchObject({ taxonId: '9606', type: 'dna' })
      expect(sample?.extra).toMatchObject({ 'Cell Type': 'Epithelial', 'SANGER PLATE ID': 'SQPD-1234567' })
    }
  })

  it('keep Water, Blank, EMPTY and None as names, and the row without a name back', async () => {
    const { id } = await openFile(sanger, 'test_blank_wells.csv')
    await on.templates.correctCells({
      id,
      causes: [{ cause: await causeOf(id, 'Type is empty'), value: 'DNA' }],
    })
    expect(await on.templates.applyImport({ id })).toMatchObject({ summary: { saved: 11, withErrors: 1 } })
    const saved = await savedRows(id)
    expect(saved.map(({ row, sample }) => (row.state === 'saved' ? sample?.name : row.state))).toEqual([
      'aaaa', 'bbbb', 'Water', 'cccc', 'Blank', 'dddd', 'error', 'eeee', 'EMPTY', 'ffffff', 'None', 'gggg',
    ]) // prettier-ignore
  })

  it('wait for their columns where nothing fits', async () => {
    expect(await openFile(sanger, 'asset_audits/valid_data.csv')).toMatchObject({
      state: 'mapping',
      missingFields: ['sampleType'],
    })
  })
})

describe.runIf(hasFixtures)('a submission of several sheets', () => {
  it('is saved from the right one, plates told from tubes by a person', async () => {
    const { id, ...opened } = await openFile(freezeman, 'Sample_submission_v5_3_0.xlsx')
    expect(opened).toMatchObject({ state: 'checking', sheet: 'SampleSubmission', headerRow: 9 })
    const mapped = await on.templates.mapColumns({ id, columns: [{ column: 'M', fieldKey: 'plateBarcode' }] })
    expect(mapped.columns.filter(({ fieldKey }) => fieldKey === 'plateBarcode')).toMatchObject([
      { column: 'M' },
    ])
    expect(mapped.columns.find(({ column }) => column === 'N')).toMatchObject({ use: 'extra' })
    await on.templates.correctCells({
      id,
      causes: [
        { cause: await causeOf(id, 'Type “EXPECTORATION” is not known'), value: 'other' },
        { cause: await causeOf(id, 'Type “GARGLE” is not known'), value: 'other' },
      ],
    })
    const applied = await on.templates.applyImport({ id })
    expect(applied).toMatchObject({ state: 'applied', summary: { rows: 17, saved: 17 } })
    const undone = await on.templates.undoImport({ id, reason: 'Only looked at' })
    expect(undone).toMatchObject({ import: { state: 'undone', summary: { saved: 0, undone: 17 } }, kept: [] })
    expect(await samplesOf(id)).toEqual([])
  }, 120_000)
})

describe('what stands in a cell', () => {
  it('stays text, whatever it looks like', async () => {
    const nasty = [
      `'; DROP TABLE sample; --`,
      `Robert"); DELETE FROM "import"; --`,
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '=HYPERLINK("http://x","y")',
      '$' + '{7*7}{{7*7}}',
      '%s%n\\0\\x00',
      '__proto__',
      'constructor',
      '../../etc/passwd',
      'ﷺ🧬 e\u0301 \u202Eabc',
    ]
    const header = ['Client ID', 'Type', 'Donor', 'Project', ...nasty]
    const rows = nasty.map((text, index) => [`${text} #${index}`, 'DNA', text, text, ...nasty])
    const { id, summary } = await on.open(csv([header, ...rows]), `'; DROP TABLE import; --.csv`)
    expect(summary).toMatchObject({ rows: nasty.length, good: nasty.length })
    await on.templates.applyImport({ id })
    for (const [index, { sample }] of (await savedRows(id)).entries()) {
      const text = nasty[index] ?? ''
      expect(sample).toMatchObject({ name: `${text} #${index}`, donor: text, project: text })
      const extra = Object.entries(sample?.extra ?? {})
      expect(extra.map(([, value]) => value).toSorted()).toEqual(nasty.toSorted())
      expect(extra.every(([name, value]) => name === value || name === '__proto__ (L)')).toBe(true)
    }
  })

  it('is never altered on the way from the file to the sample', async () => {
    const Cell = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .map((text) => text.replaceAll('\u0000', '').replaceAll('\r', '').toWellFormed())
    const Row = fc.tuple(Cell, Cell, Cell, Cell, Cell)
    const Table = fc.array(Row, { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(Table, fc.boolean(), async (table, packed) => {
        const header = ['Client ID', 'Type', 'Donor', 'Project', 'Notes', 'Lot']
        const rows = table.map(([name, ...others], index) => [`${index}${name}`, 'DNA', ...others])
        const bytes = packed ? await xlsx([header, ...rows]) : csv([header, ...rows])
        const { id } = await on.open(bytes, packed ? 'any.xlsx' : 'any.csv')
        const problems = await on.templates.importProblems({ id })
        const open = problems.filter(({ severity }) => severity === 'confirm')
        await on.templates.correctCells({ id, causes: open.map(({ cause }) => ({ cause })) })
        const { rows: seen } = await on.templates.importRows({ id })
        expect(
          seen.flatMap(({ findings }) => findings.filter(({ severity }) => severity !== 'note')),
        ).toEqual([])
        await on.templates.applyImport({ id })
        const saved = await savedRows(id)
        expect(saved).toHaveLength(rows.length)
        for (const [index, { sample }] of saved.entries()) {
          const [name = '', , donor = '', project = '', notes = '', lot = ''] = rows[index] ?? []
          const optional = (text: string) => (text.trim() === '' ? null : text)
          expect(sample).toMatchObject({
            name,
            clientId: name,
            donor: optional(donor),
            project: optional(project),
            extra: {
              ...(notes === '' ? {} : { Notes: notes }),
              ...(lot === '' ? {} : { Lot: lot }),
            },
          })
        }
      }),
      { numRuns: 4 },
    )
  }, 120_000)

  it('is refused by row and column when it cannot be kept', async () => {
    const long = 'x'.repeat(4_001)
    const { id, summary } = await on.open(
      csv([
        ['Client ID', 'Type', 'Lot'],
        ['long-1', 'DNA', long],
        ['long-2', 'DNA', 'fine'],
      ]),
    )
    expect(summary).toMatchObject({ good: 1, withErrors: 1 })
    const { rows } = await on.templates.importRows({ id, onlyProblems: true })
    expect(rows.map(({ row, findings }) => [row, findings[0]?.column, findings[0]?.message])).toEqual([
      [2, 'C', 'Row 2, Lot: cannot be kept as it is: at most 4000 characters.'],
    ])
    const corrected = await on.templates.correctCells({
      id,
      corrections: [{ row: 2, column: 'C', value: 'shorter' }],
    })
    expect(corrected.summary).toMatchObject({ good: 2 })
    await on.templates.applyImport({ id })
    expect((await savedRows(id))[0]?.sample?.extra).toEqual({ Lot: 'shorter' })
  })
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
