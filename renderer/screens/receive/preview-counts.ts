import type { ImportRow } from '../../../services/templates/contract.ts'

/** What would be saved, in counts. */
export interface PreviewCounts {
  readonly samples: number
  /** By type as it is understood, most first. */
  readonly types: readonly { readonly name: string; readonly count: number }[]
  readonly projects: readonly { readonly name: string; readonly count: number }[]
  readonly donors: number
  /** Tubes that come with a code; the others get one of ours. */
  readonly withCode: number
}

/** Counts the good rows. */
export function countPreview(rows: readonly ImportRow[]): PreviewCounts {
  const good = rows.filter(({ state }) => state === 'good')
  const valueOf = (row: ImportRow, field: string) => {
    const cell = row.cells[field]
    return (cell?.readAs ?? cell?.value ?? '').trim()
  }
  return {
    samples: good.length,
    types: tally(good.map((row) => valueOf(row, 'sampleType'))),
    projects: tally(good.map((row) => valueOf(row, 'project'))),
    donors: new Set(good.map((row) => valueOf(row, 'donorId')).filter((donor) => donor !== '')).size,
    withCode: good.filter((row) => valueOf(row, 'barcode') !== '').length,
  }
}

function tally(values: readonly string[]): readonly { readonly name: string; readonly count: number }[] {
  const counts = new Map<string, number>()
  for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((a, b) => b.count - a.count || a.name.localeCompare(b.name))
}
