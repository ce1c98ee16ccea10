import type { ImportRow } from '../../../services/templates/contract.ts'

export interface Count {
  readonly name: string
  readonly count: number
}

/** What would be saved, in counts. */
export interface PreviewCounts {
  readonly samples: number
  /** By type as it is understood, most first. */
  readonly types: readonly Count[]
  readonly projects: readonly Count[]
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

/** The words of a sheet for a type, in the laboratory's own way of writing it: `plasma` is counted as `Plasma`. */
export function nameTypes(
  counts: readonly Count[],
  types: readonly { readonly key: string; readonly name: string }[],
): readonly Count[] {
  const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  return addUp(
    counts.map(({ name: word, count }) => {
      const type = types.find(({ key, name }) => isSame(key, word.replaceAll(' ', '_')) || isSame(name, word))
      return { name: type?.name ?? word, count }
    }),
  )
}

function tally(values: readonly string[]): readonly Count[] {
  return addUp(values.filter((value) => value !== '').map((name) => ({ name, count: 1 })))
}

function addUp(parts: readonly Count[]): readonly Count[] {
  const counts = new Map<string, number>()
  for (const { name, count } of parts) counts.set(name, (counts.get(name) ?? 0) + count)
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((a, b) => b.count - a.count || a.name.localeCompare(b.name))
}
