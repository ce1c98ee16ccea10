import { describe, expect, it } from 'vitest'
import type { Finding, ImportRow } from '../../../services/templates/contract.ts'
import { problemsAsCsv } from './problems-csv.ts'

const finding: Finding = {
  severity: 'error',
  sheet: 'Manifest',
  row: 26,
  column: 'C',
  fieldKey: 'sampleType',
  heading: 'Type',
  value: '=plasmaa',
  rule: 'option',
  message: 'Row 26, Type: “=plasmaa”, is no type',
  title: '',
  cause: '',
  proposals: [{ label: 'plasma', value: 'plasma', way: 'nearest' }],
  acceptable: 'no',
  accepted: false,
}
const row: ImportRow = {
  row: 26,
  state: 'error',
  cells: {},
  extra: {},
  findings: [finding, { ...finding, severity: 'note' }, { ...finding, accepted: true }],
  sampleId: null,
  saveError: 'The code is taken',
}

describe('problems for the sender', () => {
  it('lists what is open, quoted, and with nothing that a spreadsheet would run', () => {
    expect(problemsAsCsv('week "47".xlsx', [row]).split('\r\n')).toEqual([
      '\uFEFFFile,Sheet,Row,Column,Heading,Value,Problem,Proposals',
      `"week ""47"".xlsx",Manifest,26,C,Type,'=plasmaa,"Row 26, Type: “=plasmaa”, is no type",plasma`,
      '"week ""47"".xlsx",,26,,,,The code is taken,',
      '',
    ])
  })
})
