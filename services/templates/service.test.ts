import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csv, openTemplatesBench, type TemplatesBench, xlsx } from './testing/templates-bench.ts'

let on: TemplatesBench
beforeAll(async () => {
  on = await openTemplatesBench()
})
afterAll(() => on.bench.close())

const header = ['Barcode', 'Client ID', 'Type', 'Volume µL', 'ng/µL', 'Collected', 'Zone', 'Donor', 'Lot']
/** The rows of the screen that the design shows, with their faults. Row 2 of the sheet is the first. */
const shipment: readonly (readonly string[])[] = [
  header,
  ['SHP-0001', '0051', 'plasma', '480', '', '2026-11-17', '−80 °C', 'P-0220', '0007'],
  ['SHP-0002', '0052', 'plasma', '495,5', '', '2026-11-17', '−80 °C', 'P-0220', ''],
  ['SHP-0003', '0053', 'RNA', '40', '61.4', '2026-11-17', '4 °C', 'P-0221', ''],
  ['SHP-0004', '0054', 'plasma', '510', '', '2026-11-17', '-80', 'P-0221', ''],
  ['SHP-0005', '0055', 'plasmaa', '495', '', '2026-11-17', '-80', 'P-0222', ''],
  ['SHP-0006', '0056', 'plasmaa', '495', '', '2026-11-17', '-80', 'P-0222', ''],
  ['ACGTTGCA', '0057', 'plasma', '495', '', '2026-11-17', '-80', 'P-0222', ''],
  ['SHP-0004', '0058', 'plasma', '495', '', '2026-11-17', '-80', 'P-0223', ''],
]

const rowsOf = async (id: string) => (await on.templates.importRows({ id })).rows
const statesOf = async (id: string) =>
  Object.fromEntries((await rowsOf(id)).map(({ row, state }) => [row, state]))

describe('an import with faulty rows', () => {
  let id: string

  it('is opened with its rows checked, the form that comes with TracSeq being there', async () => {
    const opened = await on.open(await xlsx(shipment, { headerRow: 3 }), 'manifest-W47.xlsx')
    id = opened.id
    expect(opened).toMatchObject({
      state: 'checking',
      sheet: 'Manifest',
      headerRow: 3,
      missingFields: [],
      summary: {
        rows: 8,
        good: 1,
        toConfirm: 1,
        withErrors: 6,
        saved: 0,
        // Eight client ids and one lot.
        leadingZerosKept: 9,
      },
    })
    expect(opened.columns.slice(0, 3).concat(opened.columns.slice(8, 9))).toMatchObject([
      { column: 'A', heading: 'Barcode', fieldKey: 'barcode', use: 'field' },
      { column: 'B', heading: 'Client ID', fieldKey: 'clientSampleId', use: 'field' },
      { column: 'C', heading: 'Type', fieldKey: 'sampleType', use: 'field' },
      { column: 'I', heading: 'Lot', fieldKey: null, use: 'extra', examples: ['0007'] },
    ])
    expect(await on.templates.getImport({ id })).toEqual(opened)
  })

  it('names row, column, value and rule of each fault, and groups them by cause', async () => {
    const problems = await on.templates.importProblems({ id })
    expect(problems.map(({ title, rows, severity }) => [severity, title, rows])).toEqual([
      ['error', 'RNA may not be stored at 4 °C', [6]],
      ['error', 'Barcode used twice', [7, 11]],
      ['error', 'Type “plasmaa” is not known', [8, 9]],
      ['error', 'Index sequence, not a tube', [10]],
      ['confirm', 'Comma in a number', [5]],
    ])
    const [row] = (await rowsOf(id)).filter((each) => each.row === 8)
    expect(row).toMatchObject({
      state: 'error',
      cells: { sampleType: { value: 'plasmaa', original: null }, barcode: { value: 'SHP-0005' } },
      findings: [
        {
          row: 8,
          column: 'C',
          fieldKey: 'sampleType',
          heading: 'Type',
          value: 'plasmaa',
          rule: 'select',
          proposals: [{ label: 'Plasma', value: 'Plasma' }],
        },
      ],
    })
    const only = await on.templates.importRows({ id, onlyProblems: true, offset: 1, limit: 2 })
    expect([only.total, only.rows.map((each) => each.row)]).toEqual([7, [6, 7]])
  })

  it('saves the good rows and keeps the others', async () => {
    const applied = await on.templates.applyImport({ id })
    expect(applied).toMatchObject({
      state: 'checking',
      summary: { rows: 8, good: 0, saved: 1, saving: 0, toConfirm: 1, withErrors: 6 },
    })
    const [row] = await rowsOf(id)
    const sample = await on.samples.get({ id: row?.sampleId ?? '' })
    expect(sample).toMatchObject({
      name: '0051',
      clientId: '0051',
      code: 'SHP-0001',
      type: 'plasma',
      volumeUl: '480',
      collectedOn: '2026-11-17',
      donor: 'P-0220',
      importId: id,
      extra: { Lot: '0007', Zone: '−80 °C' },
    })
  })

  it('takes corrections beside the file, one by one and by cause', async () => {
    const [plasmaa, comma] = (await on.templates.importProblems({ id })).filter(({ title }) =>
      ['Type “plasmaa” is not known', 'Comma in a number'].includes(title),
    )
    const corrected = await on.templates.correctCells({
      id,
      corrections: [{ row: 11, fieldKey: 'barcode', value: 'SHP-0008', expected: 'SHP-0004' }],
      confirmations: [{ row: 10, fieldKey: 'barcode', rule: 'index-sequence' }],
      causes: [
        { cause: plasmaa?.cause ?? '', way: 'plasma' },
        { cause: comma?.cause ?? '', way: 'decimal-comma' },
      ],
    })
    expect(corrected.summary).toMatchObject({ good: 6, toConfirm: 0, withErrors: 1, saved: 1 })
    const [row] = (await rowsOf(id)).filter((each) => each.row === 11)
    expect(row?.cells['barcode']).toEqual({ value: 'SHP-0008', original: 'SHP-0004', readAs: null })
  })

  it('refuses what does not fit what is there', async () => {
    const { correctCells } = on.templates
    const refused = (
      input: Omit<Parameters<typeof correctCells>[0], 'id'>,
      data: object,
      code = 'RULE_BROKEN',
    ) => expect(correctCells({ id, ...input })).rejects.toMatchObject({ code, data })
    await refused({ corrections: [{ row: 4, fieldKey: 'donorId', value: 'x' }] }, { rule: 'row_saved' })
    await refused(
      { corrections: [{ row: 5, fieldKey: 'donorId', value: 'x', expected: 'y' }] },
      { rule: 'cell_changed' },
    )
    await refused({ corrections: [{ row: 99, fieldKey: 'donorId', value: 'x' }] }, { rule: 'row_of_import' })
    await refused({ corrections: [{ row: 5, fieldKey: 'moon', value: 'x' }] }, { rule: 'cell_of_import' })
    await refused(
      { confirmations: [{ row: 6, fieldKey: 'storageZone', rule: 'allowed-by' }] },
      { rule: 'reason_needed' },
    )
    await refused(
      { confirmations: [{ row: 6, fieldKey: 'storageZone', rule: 'allowed-by', reason: 'In transit' }] },
      { permission: 'storage:override' },
      'FORBIDDEN',
    )
    await refused({ causes: [{ cause: 'gone', way: 'x' }] }, { rule: 'cause_of_import' })
    await expect(on.templates.mapColumns({ id, columns: [] })).rejects.toMatchObject({
      code: 'RULE_BROKEN',
      data: { rule: 'import_state' },
    })
  })

  it('lets a manager keep the zone with a reason, and saves the rest', async () => {
    const manager = {
      ...on.bench.actor,
      userId: uuidv7(),
      permissions: [...on.bench.actor.permissions, 'storage:override'],
    }
    await on.templates.correctCells(
      {
        id,
        confirmations: [
          { row: 6, fieldKey: 'storageZone', rule: 'allowed-by', reason: 'In transit until noon' },
        ],
      },
      { context: { actor: manager } },
    )
    const applied = await on.templates.applyImport({ id })
    expect(applied).toMatchObject({
      state: 'applied',
      summary: { rows: 8, saved: 8, good: 0, withErrors: 0 },
    })
    expect((await on.samples.list({ importId: id })).items).toHaveLength(8)
    const [index] = (await rowsOf(id)).filter((each) => each.row === 10)
    expect(await on.samples.get({ id: index?.sampleId ?? '' })).toMatchObject({ code: 'ACGTTGCA' })
    expect(await on.templates.applyImport({ id })).toEqual(applied)
  })

  it('finds the row of a scanned code, however it is spelled', async () => {
    expect(await on.templates.findImportRow({ id, text: ']C0SHP-0008' })).toEqual([11])
    expect(await on.templates.findImportRow({ id, text: '0053' })).toEqual([6])
    expect(await on.templates.findImportRow({ id, text: 'SHP-9999' })).toEqual([])
  })

  it('says of codes that are here already whose they are', async () => {
    const again = await on.open(csv(shipment.slice(0, 2)), 'again.csv')
    const { rows } = await on.templates.importRows({ id: again.id })
    expect(rows[0]?.findings).toMatchObject([
      {
        rule: 'duplicate',
        column: 'A',
        message: 'Row 2, Barcode: “SHP-0001” is in the laboratory already: sample “0051”.',
      },
    ])
    await on.templates.abandonImport({ id: again.id })
    expect(await on.templates.getImport({ id: again.id })).toMatchObject({ state: 'abandoned' })
  })

  it('is undone but for what was used since, which says why it stays', async () => {
    const rows = await rowsOf(id)
    await on.samples.addNote({ id: rows[0]?.sampleId ?? '', note: 'Opened at the bench' })
    const { import: undone, kept } = await on.templates.undoImport({ id, reason: 'Wrong shipment' })
    expect(kept).toEqual([{ row: 4, why: expect.stringContaining('a note was written') as string }])
    expect(undone).toMatchObject({ state: 'undone', summary: { saved: 1, undone: 7 } })
    expect(await statesOf(id)).toMatchObject({ 4: 'saved', 5: 'undone', 11: 'undone' })
    expect((await on.samples.list({ importId: id })).items).toHaveLength(1)
    await expect(on.templates.applyImport({ id })).rejects.toMatchObject({ code: 'RULE_BROKEN' })
    // Its codes are free again.
    const again = await on.open(csv([header, ...shipment.slice(4, 5)]), 'again.csv')
    expect(again.summary).toMatchObject({ good: 1, withErrors: 0 })
  })
})

describe('files that are no manifest', () => {
  it.each([
    ['an empty file', '', 'empty-file'],
    ['a PDF', '%PDF-1.7\n', 'not-a-spreadsheet'],
    ['a web page', '<html><table></table></html>', 'unsupported-format'],
  ])('refuses %s and says why', async (_name, bytes, code) => {
    await expect(on.open(bytes, 'manifest.xlsx')).rejects.toMatchObject({
      code: 'NOT_READABLE',
      status: 422,
      data: { code },
    })
  })

  it('refuses a file that was not stored', async () => {
    await expect(
      on.templates.openImport({ fileSha256: 'ab'.repeat(32), fileName: 'gone.csv' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('asks for the columns where no header is found, and takes a person’s choice', async () => {
    const opened = await on.open('007,liver,x\n008,lung,y\n', 'plain.csv')
    expect(opened).toMatchObject({ state: 'mapping', headerRow: null, summary: { rows: 0 } })
    await expect(on.templates.applyImport({ id: opened.id })).rejects.toMatchObject({
      data: { rule: 'import_state' },
    })
    const mapped = await on.templates.mapColumns({
      id: opened.id,
      headerRow: 1,
      columns: [
        { column: 'A', fieldKey: 'clientSampleId' },
        { column: 'C', fieldKey: null, use: 'left-out' },
      ],
      given: { sampleType: 'Tissue' },
    })
    expect(mapped).toMatchObject({ state: 'checking', missingFields: [], summary: { rows: 1, good: 1 } })
    const { rows } = await on.templates.importRows({ id: opened.id })
    expect(rows).toMatchObject([
      {
        row: 2,
        cells: { clientSampleId: { value: '008' }, sampleType: { value: 'Tissue' } },
        extra: { liver: 'lung' },
      },
    ])
    const one = await on.templates.correctCells({
      id: opened.id,
      corrections: [{ row: 2, fieldKey: 'sampleType', value: 'Blood' }],
    })
    expect(one.summary).toMatchObject({ good: 1 })
    await on.templates.applyImport({ id: opened.id })
    const { items } = await on.samples.list({ importId: opened.id })
    expect(items).toMatchObject([{ name: '008', type: 'blood', extra: { liver: 'lung' } }])
  })

  it('lets rows be left out and taken up again', async () => {
    const opened = await on.open(
      csv([
        ['Client ID', 'Type'],
        ['skip-1', 'DNA'],
        ['skip-2', 'DNA'],
      ]),
      'skip.csv',
    )
    const skipped = await on.templates.correctCells({ id: opened.id, skipRows: [3] })
    expect(skipped.summary).toMatchObject({ good: 1, skipped: 1 })
    expect(await on.templates.applyImport({ id: opened.id })).toMatchObject({ state: 'applied' })
    const back = await on.templates.correctCells({ id: opened.id, unskipRows: [3] })
    expect(back).toMatchObject({ state: 'checking', summary: { good: 1, saved: 1, skipped: 0 } })
    expect(await on.templates.applyImport({ id: opened.id })).toMatchObject({
      state: 'applied',
      summary: { saved: 2 },
    })
  })
})

it('lists imports newest first, each laboratory its own', async () => {
  const { items, nextCursor } = await on.templates.listImports({ limit: 2 })
  expect([items.map(({ fileName }) => fileName), nextCursor === null]).toEqual([
    ['skip.csv', 'plain.csv'],
    false,
  ])
  const next = await on.templates.listImports({ limit: 2, cursor: nextCursor ?? '' })
  expect(next.items[0]?.fileName).toBe('again.csv')
  expect((await on.templates.listImports({ state: 'undone' })).items).toHaveLength(1)
  const stranger = { ...on.bench.actor, laboratoryId: uuidv7() }
  const context = { context: { actor: stranger } }
  expect((await on.templates.listImports({}, context)).items).toEqual([])
  await expect(on.templates.getImport({ id: items[0]?.id ?? '' }, context)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
