import type { ImportRow } from '../../../services/templates/contract.ts'

const header = ['File', 'Sheet', 'Row', 'Column', 'Heading', 'Value', 'Problem', 'Proposals'] as const

/**
 * The rows that need repair, one line for each finding, for the sender of the sheet: UTF-8 with a byte order mark,
 * CRLF, and no cell that a spreadsheet would run.
 */
export function problemsAsCsv(fileName: string, rows: readonly ImportRow[]): string {
  const lines = rows.flatMap((row) => [
    ...row.findings
      .filter(({ severity, accepted }) => severity !== 'note' && !accepted)
      .map((finding) => [
        fileName,
        finding.sheet,
        String(row.row),
        finding.column,
        finding.heading,
        finding.value,
        finding.message,
        finding.proposals.map(({ label }) => label).join('; '),
      ]),
    ...(row.saveError === null ? [] : [[fileName, '', String(row.row), '', '', '', row.saveError, '']]),
  ])
  return `\uFEFF${[header, ...lines].map((line) => line.map(quote).join(',')).join('\r\n')}\r\n`
}

function quote(value: string): string {
  const text = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
