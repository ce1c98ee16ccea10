import { applyChange, type RowChange, type RowImage } from './change-set.ts'
import {
  type BothChanged,
  type ColumnRule,
  compareTexts,
  isWrittenOnce,
  takesPart,
  type TableRules,
} from './rules.ts'
import type { ConflictPoint } from './work-item.ts'

/** What a pushed change makes of the Hub's row, or why a person must decide. */
export type MergedRow =
  | { readonly after: RowImage; readonly conflicts: readonly [] }
  | { readonly after: null; readonly conflicts: readonly ConflictPoint[] }

/** A change on a row that is at the Hub as its author saw it: what the author wrote holds. */
export function applyAsPushed(rules: TableRules, change: RowChange, hub: RowImage | null): RowImage {
  const values = Object.entries(change.values).filter(
    ([column]) => column !== 'contested' || !isExclusive(rules) || hub === null,
  )
  const row = applyChange(hub, { ...change, values: Object.fromEntries(values) }, '') ?? {}
  // Whether a row is contested is decided here; its author may have written what the screen showed.
  return hub === null && isExclusive(rules) ? { ...row, contested: 'false' } : row
}

/** A change on a row that became another since its author looked at it, column by column. */
export function mergeChange(rules: TableRules, change: RowChange, hub: RowImage, mergeId: string): MergedRow {
  const point = (column: string | null, words: string): ConflictPoint => ({
    table: change.table,
    id: change.key.id,
    column,
    base: column === null ? null : (change.before[column] ?? null),
    hub: column === null ? null : (hub[column] ?? null),
    pushed: column === null ? null : (change.values[column] ?? null),
    words,
  })
  const after: Record<string, string | null> = { ...hub }
  const conflicts: ConflictPoint[] = []
  for (const [column, pushed] of Object.entries(change.values)) {
    if (!takesPart(rules, column)) continue
    const both: BothChanged = { base: change.before[column], hub: hub[column] ?? null, pushed, mergeId }
    const verdict = judgeColumn(rules, column, both)
    if ('value' in verdict) after[column] = verdict.value
    else conflicts.push(point(column, verdict.conflict))
  }
  if (conflicts.length > 0) return { after: null, conflicts }
  if (rules.policy !== 'reconcile' || rules.reconcile === undefined) return { after, conflicts: [] }
  const whole = rules.reconcile({ hub, pushed: change.values, before: change.before, merged: after })
  if ('conflict' in whole) return { after: null, conflicts: [point(null, whole.conflict)] }
  return { after: whole.values, conflicts: [] }
}

function judgeColumn(
  rules: TableRules,
  column: string,
  both: BothChanged,
): { readonly value: string | null } | { readonly conflict: string } {
  const { base, hub, pushed } = both
  if (hub === pushed) return { value: hub }
  if (isWrittenOnce(rules.policy)) return { conflict: 'Two different records have the same id.' }
  if (base !== undefined && hub === base) return { value: pushed }
  const rule: ColumnRule | undefined = rules.columns?.[column]
  switch (rule) {
    case undefined:
      return { conflict: 'Both sides changed it.' }
    case 'hub':
      return { value: hub }
    case 'pushed':
      return { value: pushed }
    case 'greatest':
      return { value: compareTexts(hub, pushed) >= 0 ? hub : pushed }
    default:
      return rule(both)
  }
}

function isExclusive(rules: TableRules): boolean {
  return rules.exclusive !== undefined
}
