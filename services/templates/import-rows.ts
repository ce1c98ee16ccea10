import type { z } from 'zod'
import type { Finding as ShownFinding, FindingGroup as ShownGroup, ImportRow } from './contract.ts'
import { listExtras } from './domain/column-plan.ts'
import type { ExaminedRow, Examination } from './domain/examination.ts'
import { type Finding, type FindingGroup, listRows } from './domain/finding.ts'
import { isGivenColumn } from './domain/given-values.ts'
import { findCell } from './domain/workbook.ts'
import type { LoadedImport } from './imports.ts'

type State = z.infer<typeof ImportRow>['state']

/** Where a row stands: what became of it, or else what the check says of it. */
export function stateOf(
  row: Pick<ExaminedRow, 'row' | 'status'>,
  { outcomes, skipped }: Pick<LoadedImport, 'outcomes' | 'skipped'>,
): State {
  const outcome = outcomes.get(row.row)
  switch (outcome?.state) {
    case 'saved':
    case 'undone':
      return outcome.state
    case 'saving':
    case 'undoing':
      return 'saving'
    case 'failed':
    case undefined:
      break
  }
  if (skipped.has(row.row)) return 'skipped'
  return outcome?.state === 'failed' && row.status === 'good' ? 'error' : row.status
}

/** How many rows are in the states that an import keeps counts of. */
export function countRows(
  examination: Examination | null,
  loaded: Pick<LoadedImport, 'outcomes' | 'skipped'>,
): {
  readonly rows: number
  readonly good: number
  readonly toConfirm: number
  readonly withErrors: number
  readonly skipped: number
  readonly leadingZerosKept: number
} {
  const states = (examination?.rows ?? []).map((row) => stateOf(row, loaded))
  const count = (state: State) => states.filter((each) => each === state).length
  return {
    rows: states.length,
    good: count('good'),
    toConfirm: count('confirm'),
    withErrors: count('error'),
    skipped: count('skipped'),
    leadingZerosKept: examination?.leadingZerosKept ?? 0,
  }
}

/** A row as the contract shows it. */
export function showRow(
  row: ExaminedRow,
  { plan }: Examination,
  loaded: Pick<LoadedImport, 'outcomes' | 'skipped'>,
): z.input<typeof ImportRow> {
  const state = stateOf(row, loaded)
  const outcome = loaded.outcomes.get(row.row)
  const settled = state === 'saved' || state === 'undone' || state === 'saving'
  const cells = plan.flatMap(({ column, mapping }) => {
    if (mapping === null) return []
    const cell = findCell(row.source, column)
    const corrected = cell?.original !== undefined && !isGivenColumn(column)
    const original = corrected ? (cell.original?.text ?? '') : null
    const readAs = row.values[mapping.field]?.readAs ?? null
    return [[mapping.field, { value: cell?.text ?? '', original, readAs }] as const]
  })
  return {
    row: row.row,
    state,
    cells: Object.fromEntries(cells),
    extra: Object.fromEntries(listExtras(row.source, plan).map(({ name, text }) => [name, text])),
    findings: settled ? [] : row.findings.map(showFinding),
    sampleId: state === 'saved' ? (outcome?.sampleId ?? null) : null,
    saveError: outcome?.problem ?? null,
  }
}

function showFinding(finding: Finding): z.input<typeof ShownFinding> {
  const { column } = finding
  return {
    severity: finding.severity,
    sheet: finding.sheet,
    row: finding.row,
    column: column?.letter ?? '',
    fieldKey: fieldKeyOf(finding),
    heading: column?.header ?? '',
    value: finding.value,
    rule: finding.rule,
    message: finding.message,
    title: finding.title,
    cause: finding.cause,
    proposals: [...finding.proposals],
    acceptable: finding.acceptable,
    accepted: finding.accepted,
  }
}

/** The field a finding is about; null when it is about a whole row, or a column that is no field. */
export function fieldKeyOf({ column }: Pick<Finding, 'column'>): string | null {
  return column === null || column.field === '' ? null : column.field
}

/** A group of findings as the contract shows it. Its changes are made here, by cause and way. */
export function showGroup(group: FindingGroup): z.input<typeof ShownGroup> {
  const [first] = group.findings
  return {
    cause: group.cause,
    rule: first?.rule ?? '',
    severity: group.severity,
    fieldKey: first === undefined ? null : fieldKeyOf(first),
    heading: first?.column?.header ?? '',
    title: group.title,
    detail: group.detail,
    value: first?.value ?? '',
    rows: [...group.rows],
    proposals: group.proposals.map(({ label, way, changes }) => ({
      label,
      way,
      value: changes[0]?.value ?? '',
    })),
    acceptable: group.acceptable,
  }
}

/** Rows that were good and yet could not be saved, by what was said about them. */
export function showFailures(
  examination: Examination,
  loaded: Pick<LoadedImport, 'outcomes' | 'skipped'>,
): readonly z.input<typeof ShownGroup>[] {
  const failed = examination.rows.filter((row) => row.status === 'good' && stateOf(row, loaded) === 'error')
  const problems = Map.groupBy(failed, ({ row }) => loaded.outcomes.get(row)?.problem ?? '')
  return [...problems].map(([problem, own]) => {
    const rows = own.map(({ row }) => row)
    return {
      cause: `not-saved//${problem}`,
      rule: 'not-saved',
      severity: 'error',
      fieldKey: null,
      heading: '',
      title: problem,
      detail: `${listRows(rows, true)}.`,
      value: '',
      rows,
      proposals: [],
      acceptable: 'no',
    }
  })
}
