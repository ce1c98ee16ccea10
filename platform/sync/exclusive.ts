import type { RowImage } from './change-set.ts'
import type { ExclusiveRule } from './rules.ts'
import type { LookUp } from './view.ts'

/** All rows that claim the same as this one; null while it claims nothing. Like in SQL, null equals nothing. */
export function claimOf(domain: string, table: string, rule: ExclusiveRule, row: RowImage): LookUp | null {
  if (!rule.isLive(row)) return null
  const where: Record<string, string> = {}
  const lower: string[] = []
  for (const column of rule.columns) {
    const name = typeof column === 'string' ? column : column.lower
    const value = row[name] ?? null
    if (value === null) return null
    where[name] = typeof column === 'string' ? value : value.toLowerCase()
    if (typeof column !== 'string') lower.push(name)
  }
  return { domain, table, where, lower }
}

/** The rows among `rows` that hold what `row` claims. */
export function holdersAgainst(
  rule: ExclusiveRule,
  row: RowImage,
  rows: readonly RowImage[],
): readonly RowImage[] {
  return rows.filter((other) => other.id !== row.id && rule.isLive(other) && !isContested(other))
}

export function isContested(row: RowImage): boolean {
  return row.contested === 'true'
}
