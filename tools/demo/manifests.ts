import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Workbook } from '@cj-tech-master/excelts'
import { parse } from 'csv-parse/sync'
import { addRows } from './workbook-rows.ts'

/** A sheet as a client sends it, faulty rows among the good ones, and what a technician says about it. */
export interface DemoManifest {
  readonly path: string
  /** Where it comes from, for the report. */
  readonly origin: string
  /** Columns which a person names: heading in the file, and the field it is. */
  readonly columns: readonly { readonly heading: string; readonly field: string }[]
  /** What every row is, where the file has no column for it. */
  readonly given: readonly { readonly field: string; readonly value: string }[]
  /** Words of the file that a person puts right in one go. */
  readonly repairs: readonly { readonly word: string; readonly value: string }[]
  /** Rows with a mistake, each with the heading it stands under: they must be listed, and not be saved. */
  readonly faulty: readonly { readonly row: number; readonly heading: string }[]
}

const root = resolve(import.meta.dirname, '../..')

/** Real manifests where the workspace has them, else our own of the same kind; copies in a folder of the demo. */
export async function prepareManifests(folder: string): Promise<readonly DemoManifest[]> {
  const fixtures = join(process.env['TRACSEQ_FIXTURES'] ?? resolve(root, '../shared/fixtures'), 'manifests')
  return existsSync(fixtures) ? prepareRealOnes(fixtures, folder) : prepareOurOwn(folder)
}

async function prepareRealOnes(fixtures: string, folder: string): Promise<readonly DemoManifest[]> {
  const submission = readFileSync(join(fixtures, 'c3g-freezeman/Sample_submission_v5_3_0.xlsx'))
  const plate = { A: 'Sample', L: '96-well plate', M: 'test_demo9', N: 'test_demo9' }
  const xlsx = join(folder, 'sample-submission.xlsx')
  writeFileSync(
    xlsx,
    await addRows(submission, 'SampleSubmission', {
      30: { ...plate, C: 'STARDUST', D: 'Sample_dust1', H: '10', O: 'A01' },
      31: { ...plate, C: 'DNA', D: 'Sample_DNA9', H: 'plenty', O: 'A02' },
      32: { ...plate, C: 'DNA', D: 'Sample_DNA10', H: '10', O: '99Z' },
    }),
  )
  // Column heads are on row 9; the twelve samples stand on rows 10 to 21 and a line of padding on row 22.
  const manifest = readFileSync(join(fixtures, 'sanger-sequencescape/full_manifest.csv'), 'latin1')
  const added = [
    'SQPD-1234567,F2,sample_13,mmmm,,ten,20',
    'SQPD-1234567,G2,sample_14,nnnn,,-5,20',
    'SQPD-1234567,99Z,sample_15,oooo,,10,20',
    'SQPD-1234567,E2,sample_16,pppp,,10,20',
  ]
  const width = manifest.split(/\r?\n/)[8]?.split(',').length ?? 0
  const lines = added.map((line) => line + ','.repeat(width - line.split(',').length))
  const csv = join(folder, 'full-manifest.csv')
  writeFileSync(csv, `${manifest.trimEnd()}\r\n${lines.join('\r\n')}\r\n`, 'latin1')
  return [
    {
      path: xlsx,
      origin: 'c3g-freezeman/Sample_submission_v5_3_0.xlsx with three faulty rows added',
      columns: [{ heading: 'Container Barcode', field: 'Plate' }],
      given: [],
      repairs: [{ word: 'GARGLE', value: 'other' }],
      faulty: [
        { row: 13, heading: 'Sample Kind' },
        { row: 30, heading: 'Sample Kind' },
        { row: 31, heading: 'Volume (uL)' },
        { row: 32, heading: 'Sample Coord' },
      ],
    },
    {
      path: csv,
      origin: 'sanger-sequencescape/full_manifest.csv with four faulty rows added',
      columns: [],
      given: [],
      // Its column for the type is there, and empty in every row.
      repairs: [{ word: 'Type is empty', value: 'DNA' }],
      faulty: [
        { row: 21, heading: 'WELL' },
        { row: 23, heading: 'VOLUME (ul)' },
        { row: 24, heading: 'VOLUME (ul)' },
        { row: 25, heading: 'WELL' },
        { row: 26, heading: 'WELL' },
      ],
    },
  ]
}

async function prepareOurOwn(folder: string): Promise<readonly DemoManifest[]> {
  const demo = join(root, 'resources/demo')
  const rows = parse(readFileSync(join(demo, 'clinic-visit-9.csv'), 'utf8')) as readonly (readonly string[])[]
  const workbook = new Workbook()
  const sheet = workbook.addWorksheet('Visit 9')
  sheet.getCell('A1').value = 'Clinic visit 9, tubes sent to the sequencing laboratory'
  for (const [down, row] of rows.entries())
    for (const [across, value] of row.entries())
      if (value !== '') sheet.getRow(3 + down).getCell(1 + across).value = value
  const xlsx = join(folder, 'clinic-visit-9.xlsx')
  writeFileSync(xlsx, new Uint8Array(await workbook.xlsx.writeBuffer()))
  const csv = join(folder, 'tissue-bank.csv')
  writeFileSync(csv, readFileSync(join(demo, 'tissue-bank.csv')))
  return [
    {
      path: xlsx,
      origin: 'resources/demo/clinic-visit-9.csv as a workbook',
      columns: [],
      given: [],
      repairs: [{ word: 'MOUTHWASH', value: 'other' }],
      faulty: [
        { row: 19, heading: 'Material' },
        { row: 20, heading: 'Volume (µL)' },
        { row: 21, heading: 'Collected' },
      ],
    },
    {
      path: csv,
      origin: 'resources/demo/tissue-bank.csv',
      columns: [],
      given: [{ field: 'Type', value: 'DNA' }],
      repairs: [],
      faulty: [
        { row: 17, heading: 'Well' },
        { row: 18, heading: 'Volume (ul)' },
        { row: 19, heading: 'Volume (ul)' },
        { row: 20, heading: 'Well' },
        { row: 21, heading: 'Well' },
      ],
    },
  ]
}
