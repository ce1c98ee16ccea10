import { expect, it } from 'vitest'
import type { Sample } from '../../../services/samples/contract.ts'
import { samplesAsCsv } from './sample-csv.ts'

it('escapes quotes, line ends and formulas, and leaves numbers alone', () => {
  const sample = {
    code: 'TS-7K2M-0004-X',
    name: '=HYPERLINK("x")',
    type: 'dna',
    state: 'pending',
    clientId: '00123',
    donor: null,
    project: 'a, "b"\nc',
    collectedOn: null,
    volumeUl: '-0.5',
    concentrationNgPerUl: null,
    amountNg: null,
    location: '@home',
    createdAt: '2026-11-21T10:00:00.000Z',
  } as unknown as Sample
  const [, row] = samplesAsCsv([sample]).split(/\r\n/)
  expect(row).toBe(
    `TS-7K2M-0004-X,"'=HYPERLINK(""x"")",dna,pending,00123,,"a, ""b""\nc",,-0.5,,,'@home,2026-11-21T10:00:00.000Z`,
  )
})
