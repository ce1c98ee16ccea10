import type { Severity } from './template.ts'

/** A value that would put a finding right. It is only ever proposed; the person applies it. */
export interface Proposal {
  /** As on the button: `plasma`, `9 November 2026`. */
  readonly label: string
  /** What would stand in the cell. */
  readonly value: string
  /** How the value was found, the same for all cells that can be put right in one go. */
  readonly way: string
}

export interface FindingColumn {
  readonly field: string
  readonly number: number
  readonly letter: string
  /** The header as in the file; for a column the file lacks, the template's label. */
  readonly header: string
}

/**
 * What may be done about a finding besides changing the cell: `no` for errors that cannot stand, `yes` for a
 * person's plain word ("it is a tube id"), `with-reason` for overrides that need a permission.
 */
export type Acceptable = 'no' | 'yes' | 'with-reason'

/** One thing about one cell (or, without column, one row) that somebody should know. */
export interface Finding {
  readonly severity: Severity
  readonly sheet: string
  /** 1-based, as in the file. */
  readonly row: number
  readonly column: FindingColumn | null
  /** The value as in the file, or as corrected. */
  readonly value: string
  /** The rule's name, stable for programs. */
  readonly rule: string
  /** In plain words, with row and column. */
  readonly message: string
  readonly proposals: readonly Proposal[]
  readonly acceptable: Acceptable
  /** True where a person accepted it; the finding then is only a note. */
  readonly accepted: boolean
  /** Findings with the same cause belong together on the side panel, under `title`. */
  readonly cause: string
  readonly title: string
}

/** All findings with one cause, with what would put all of them right at once. */
export interface FindingGroup {
  readonly cause: string
  readonly severity: Severity
  readonly title: string
  /** Where, and what else helps: "Type, rows 26, 27, 140. Nearest: plasma." */
  readonly detail: string
  readonly rows: readonly number[]
  readonly findings: readonly Finding[]
  /** One entry per way that helps every finding of the group. */
  readonly proposals: readonly GroupProposal[]
  readonly acceptable: Acceptable
}

export interface GroupProposal {
  readonly label: string
  readonly way: string
  readonly changes: readonly { readonly row: number; readonly column: number; readonly value: string }[]
}

const SEVERITY_ORDER: readonly Severity[] = ['error', 'confirm', 'note']

const WAY_LABELS: Readonly<Record<string, string>> = {
  'decimal-comma': 'Read as decimal point',
  'thousands-separators': 'Read as thousands',
  'day-first': 'Day first',
  'month-first': 'Month first',
  'without-blanks': 'Without the blanks',
  'visible-only': 'Without hidden characters',
  'leading-zeros': 'With leading zeros',
  empty: 'Leave empty',
}

/** Gathers findings by cause: errors first, then confirmations, then notes; within them by first row. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  return [...Map.groupBy(findings, (finding) => `${finding.severity} ${finding.cause}`).values()]
    .map((group) => describeGroup(group))
    .filter((group) => group !== null)
    .toSorted(
      (a, b) =>
        SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
        (a.rows[0] ?? 0) - (b.rows[0] ?? 0),
    )
}

function describeGroup(findings: readonly Finding[]): FindingGroup | null {
  const [first] = findings
  if (first === undefined) return null
  const rows = [...new Set(findings.map((finding) => finding.row))].toSorted((a, b) => a - b)
  const place =
    first.column === null ? listRows(rows, true) : `${first.column.header.trim()}, ${listRows(rows)}`
  const values = new Set(findings.map((finding) => finding.value))
  const shown = first.value === '' ? '' : values.size > 1 ? `: first “${first.value}”` : `: “${first.value}”`
  return {
    cause: first.cause,
    severity: first.severity,
    title: first.title,
    detail: `${place}${shown}.`,
    rows,
    findings,
    proposals: shareProposals(findings),
    acceptable: findings.every((finding) => finding.acceptable === first.acceptable)
      ? first.acceptable
      : 'no',
  }
}

function shareProposals(findings: readonly Finding[]): readonly GroupProposal[] {
  const [first] = findings
  return (first?.proposals ?? []).flatMap((proposal): GroupProposal[] => {
    const changes = findings.flatMap((finding) => {
      const same = finding.proposals.find((other) => other.way === proposal.way)
      if (same === undefined || finding.column === null) return []
      return [{ row: finding.row, column: finding.column.number, value: same.value }]
    })
    if (changes.length !== findings.length) return []
    const oneValue = changes.every((change) => change.value === proposal.value)
    const label =
      findings.length === 1 || !oneValue
        ? findings.length === 1
          ? proposal.label
          : (WAY_LABELS[proposal.way] ?? proposal.label)
        : `Set all ${findings.length} to ${proposal.label}`
    return [{ label, way: proposal.way, changes }]
  })
}

/** "row 7", "rows 24 and 31", "rows 3, 4, 5 and 12 more". */
export function listRows(rows: readonly number[], capital = false): string {
  const word = (rows.length === 1 ? 'row' : 'rows').replace('r', capital ? 'R' : 'r')
  if (rows.length <= 2) return `${word} ${rows.join(' and ')}`
  if (rows.length <= 6) return `${word} ${rows.slice(0, -1).join(', ')} and ${rows.at(-1) ?? ''}`
  return `${word} ${rows.slice(0, 5).join(', ')} and ${rows.length - 5} more`
}
