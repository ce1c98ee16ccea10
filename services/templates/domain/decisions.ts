import type { ExaminedRow, Examination } from './examination.ts'
import { type Finding, groupFindings } from './finding.ts'
import { isGivenColumn } from './given-values.ts'
import { findCell } from './workbook.ts'

/** What a person decides about rows and cells, in one go. */
export interface Decisions {
  readonly corrections: readonly {
    readonly row: number
    readonly fieldKey?: string | undefined
    readonly column?: string | undefined
    readonly value: string
    readonly expected?: string | undefined
  }[]
  readonly confirmations: readonly {
    readonly row: number
    readonly fieldKey: string | null
    readonly rule: string
    readonly reason?: string | undefined
  }[]
  readonly causes: readonly {
    readonly cause: string
    readonly way?: string | undefined
    readonly value?: string | undefined
    readonly reason?: string | undefined
  }[]
  readonly skipRows: readonly number[]
  readonly unskipRows: readonly number[]
}

/** One decision as it is kept. */
export interface Decision {
  readonly kind: 'set' | 'accept' | 'skip' | 'unskip'
  readonly row: number
  /** 1 is A; null for a whole row, and for a field the file has no column for. */
  readonly column: number | null
  /** Of such a field. */
  readonly fieldKey: string | null
  readonly rule: string | null
  readonly expected: string | null
  readonly value: string | null
  readonly reason: string | null
  /** It stands against a rule of storage, which not everybody may do. */
  readonly override: boolean
}

export type Planned =
  | { readonly ok: true; readonly value: readonly Decision[] }
  | {
      readonly ok: false
      readonly refusal: { readonly rule: string; readonly message: string; readonly field: string }
    }

class Unplannable extends Error {
  readonly refusal: { readonly rule: string; readonly message: string; readonly field: string }

  constructor(rule: string, message: string, field: string) {
    super(message)
    this.refusal = { rule, message, field }
  }
}

/**
 * Turns what a person asked into decisions on the rows as they are now; what is so already is left out. Nothing is
 * planned when one of them is not possible. Rows in `fixed` are saved.
 */
export function planDecisions(
  examination: Examination,
  asked: Decisions,
  rows: { readonly fixed: ReadonlySet<number>; readonly skipped: ReadonlySet<number> },
): Planned {
  try {
    return {
      ok: true,
      value: [
        ...asked.corrections.flatMap((correction) => planCorrection(examination, correction, rows.fixed)),
        ...asked.confirmations.flatMap((confirmation) =>
          planConfirmation(examination, confirmation, rows.fixed),
        ),
        ...asked.causes.flatMap((cause) => planCause(examination, cause, rows.fixed)),
        ...[...new Set(asked.skipRows)]
          .filter((row) => !rows.skipped.has(findRow(examination, row, rows.fixed).row))
          .map((row) => decide('skip', row)),
        ...[...new Set(asked.unskipRows)]
          .filter((row) => rows.skipped.has(findRow(examination, row, rows.fixed).row))
          .map((row) => decide('unskip', row)),
      ],
    }
  } catch (error) {
    if (error instanceof Unplannable) return { ok: false, refusal: error.refusal }
    throw error
  }
}

function decide(kind: Decision['kind'], row: number, more: Partial<Decision> = {}): Decision {
  return {
    kind,
    row,
    column: null,
    fieldKey: null,
    rule: null,
    expected: null,
    value: null,
    reason: null,
    override: false,
    ...more,
  }
}

function findRow(examination: Examination, number: number, fixed: ReadonlySet<number>): ExaminedRow {
  const row = examination.byNumber.get(number)
  if (row === undefined)
    throw new Unplannable('row_of_import', `Row ${number} of the sheet holds no sample.`, 'row')
  if (fixed.has(number)) {
    throw new Unplannable(
      'row_saved',
      `Row ${number} is saved, so it stays as it is. Nothing was changed.`,
      'row',
    )
  }
  return row
}

function planCorrection(
  examination: Examination,
  asked: Decisions['corrections'][number],
  fixed: ReadonlySet<number>,
): readonly Decision[] {
  const row = findRow(examination, asked.row, fixed)
  const column = examination.plan.find(({ mapping, letter, use }) =>
    asked.fieldKey === undefined
      ? letter === asked.column && letter !== '' && use !== 'left-out'
      : mapping?.field === asked.fieldKey,
  )
  if (column === undefined) {
    const what =
      asked.fieldKey ?? (asked.column === undefined ? 'without field and column' : `column ${asked.column}`)
    throw new Unplannable(
      'cell_of_import',
      `Row ${asked.row} has no cell ${what} that could be corrected.`,
      'fieldKey',
    )
  }
  const found = findCell(row.source, column.column)?.text ?? ''
  if (asked.expected !== undefined && asked.expected !== found) {
    throw new Unplannable(
      'cell_changed',
      `Row ${asked.row}, ${column.heading.trim()}: it says “${found}” by now, not “${asked.expected}”. Nothing was changed.`,
      'expected',
    )
  }
  return planSet(asked.row, column.column, column.mapping?.field ?? null, found, asked.value)
}

function planSet(
  row: number,
  column: number,
  field: string | null,
  expected: string,
  value: string,
): readonly Decision[] {
  if (expected === value) return []
  return [decide('set', row, { ...placeOf(column, field), expected, value })]
}

function placeOf(column: number, field: string | null): Pick<Decision, 'column' | 'fieldKey'> {
  return isGivenColumn(column) ? { column: null, fieldKey: field } : { column, fieldKey: null }
}

function planConfirmation(
  examination: Examination,
  asked: Decisions['confirmations'][number],
  fixed: ReadonlySet<number>,
): readonly Decision[] {
  const row = findRow(examination, asked.row, fixed)
  const finding = row.findings.find(
    ({ rule, column }) => rule === asked.rule && (column?.field ?? null) === asked.fieldKey,
  )
  if (finding === undefined) {
    throw new Unplannable(
      'finding_of_row',
      `Row ${asked.row} has nothing of this kind to confirm. Look at it again.`,
      'rule',
    )
  }
  return planAcceptance(finding, asked.reason)
}

function planAcceptance(finding: Finding, reason: string | undefined): readonly Decision[] {
  if (finding.accepted) return []
  if (finding.acceptable === 'no') {
    throw new Unplannable(
      'not_acceptable',
      `${finding.message} It must be corrected and cannot be confirmed.`,
      'rule',
    )
  }
  if (finding.acceptable === 'with-reason' && (reason ?? '').trim() === '') {
    throw new Unplannable(
      'reason_needed',
      `${finding.message} To keep it all the same, give a reason.`,
      'reason',
    )
  }
  const place =
    finding.column === null
      ? { column: null, fieldKey: null }
      : placeOf(finding.column.number, finding.column.field)
  return [
    decide('accept', finding.row, {
      ...place,
      rule: finding.rule,
      expected: finding.value,
      reason: reason ?? null,
      override: finding.acceptable === 'with-reason',
    }),
  ]
}

function planCause(
  examination: Examination,
  asked: Decisions['causes'][number],
  fixed: ReadonlySet<number>,
): readonly Decision[] {
  const open = examination.findings.filter(
    ({ cause, row, accepted }) =>
      cause === asked.cause && !accepted && !fixed.has(row) && examination.byNumber.has(row),
  )
  if (open.length === 0) {
    throw new Unplannable(
      'cause_of_import',
      'This problem is not there any more. Look at the list again.',
      'cause',
    )
  }
  if (asked.way === undefined && asked.value === undefined) {
    return open.flatMap((finding) => planAcceptance(finding, asked.reason))
  }
  const changes = listChanges(open, asked)
  if (changes.length === 0) {
    throw new Unplannable(
      'way_of_cause',
      'This cannot be put right in that way. Look at the list again.',
      'way',
    )
  }
  return changes.flatMap(({ row, column, value }) => {
    const source = examination.byNumber.get(row)?.source
    const found = source === undefined ? '' : (findCell(source, column)?.text ?? '')
    const field = examination.plan.find((each) => each.column === column)?.mapping?.field ?? null
    return planSet(row, column, field, found, value)
  })
}

function listChanges(
  findings: readonly Finding[],
  { way, value }: Pick<Decisions['causes'][number], 'way' | 'value'>,
): readonly { readonly row: number; readonly column: number; readonly value: string }[] {
  if (value !== undefined) {
    return findings.flatMap(({ row, column }) =>
      column === null ? [] : [{ row, column: column.number, value }],
    )
  }
  return groupFindings(findings).flatMap(
    ({ proposals }) => proposals.find((proposal) => proposal.way === way)?.changes ?? [],
  )
}
