import type { Sample } from '../../../services/samples/contract.ts'

const columns = [
  'code',
  'name',
  'type',
  'state',
  'clientId',
  'donor',
  'project',
  'collectedOn',
  'volumeUl',
  'concentrationNgPerUl',
  'amountNg',
  'location',
  'createdAt',
] as const satisfies readonly (keyof Sample)[]

/** Samples as CSV for a spreadsheet: UTF-8 with a byte order mark, CRLF, and no cell that a spreadsheet would run. */
export function samplesAsCsv(samples: readonly Sample[]): string {
  const lines = [
    columns.join(','),
    ...samples.map((sample) => columns.map((key) => cell(sample[key])).join(',')),
  ]
  return `\uFEFF${lines.join('\r\n')}\r\n`
}

/** A text that begins like a formula gets an apostrophe in front; numbers (also negative ones) stay numbers. */
function cell(value: string | null): string {
  if (value === null) return ''
  const formula = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value)
  const text = formula ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
