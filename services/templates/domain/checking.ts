import type { CheckContext } from './check-context.ts'
import { checkField, checkRow, checkUniqueness } from './checks.ts'
import {
  emptyValue,
  findDateOrder,
  findPaddedLength,
  readFieldValue,
  type ColumnFacts,
  type FieldValue,
} from './field-value.ts'
import type { Finding, FindingColumn } from './finding.ts'
import { isGivenColumn } from './given-values.ts'
import type { ColumnMapping, HeaderResult } from './header.ts'
import type { Issue } from './issue.ts'
import type { Severity, Template, TemplateField } from './template.ts'
import { findCell, isFilled, type Cell, type Sheet, type SheetRow } from './workbook.ts'

export type RowStatus = 'good' | 'confirm' | 'error'

export interface CheckedRow {
  /** 1-based, as in the file. */
  readonly row: number
  /** The worst of its findings; notes leave a row good. */
  readonly status: RowStatus
  /** One entry per field of the template, also for those the file has no column for. */
  readonly values: Readonly<Record<string, FieldValue>>
}

export interface IgnoredRow {
  readonly row: number
  /** `beside`: filled only outside the table; `padding`: nothing that names a sample; `header`: the header again. */
  readonly reason: 'beside' | 'padding' | 'header'
}

export interface CheckResult {
  readonly rows: readonly CheckedRow[]
  readonly findings: readonly Finding[]
  readonly ignored: readonly IgnoredRow[]
  /** Rules that could not be checked for want of records to compare with, in plain words. */
  readonly unchecked: readonly string[]
  readonly summary: {
    readonly good: number
    readonly confirm: number
    readonly error: number
    /** Cells whose leading zeros were kept. */
    readonly leadingZeros: number
  }
}

/** A row while it is checked. */
interface OpenRow {
  readonly source: SheetRow
  readonly values: Record<string, FieldValue>
}

/**
 * Checks the rows below a header against a template. Good rows can be saved while the others wait: a row's status
 * depends on its own findings, except that every row of a repeated key carries one. Values are never altered.
 */
export function checkRows(
  sheet: Sheet,
  header: HeaderResult,
  template: Template,
  context: CheckContext = {},
): CheckResult {
  const steps = checkInSteps(sheet, header, template, context)
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value
}

/** How many rows are checked between two pauses: a few milliseconds of work. */
const ROWS_PER_STEP = 100

/** {@link checkRows} with pauses, in which whoever runs it can answer other calls. */
export function* checkInSteps(
  sheet: Sheet,
  header: HeaderResult,
  template: Template,
  context: CheckContext = {},
): Generator<undefined, CheckResult, undefined> {
  const findings: Finding[] = []
  const ignored: IgnoredRow[] = []
  const columns = new Map(header.columns.map((column) => [column.field, column]))
  const fields = template.fields.map((field) => ({ field, mapping: columns.get(field.key) }))
  const labels = new Map(template.fields.map((field) => [field.key, field.label]))

  function report(row: number, field: string | null, value: string, issue: Issue): void {
    findings.push(
      buildFinding(sheet.name, row, describeColumn(field, columns, labels), value, issue, context),
    )
  }

  const facts = collectFacts(sheet, header, fields)
  const open: OpenRow[] = []
  for (const [index, source] of sheet.rows.entries()) {
    if (index % ROWS_PER_STEP === 0) yield
    if (header.headerRow === null || source.number <= Math.max(header.headerRow, header.unitRow ?? 0))
      continue
    const reason = findReasonToIgnore(source, header, template)
    if (reason !== null) {
      ignored.push({ row: source.number, reason })
      const issue = explainIgnored(reason, source, header, template)
      if (issue !== null) report(source.number, null, '', issue)
      continue
    }
    const values: Record<string, FieldValue> = {}
    for (const issue of checkShape(source, header, sheet)) report(source.number, null, '', issue)
    for (const { field, mapping } of fields) {
      const cell = mapping === undefined ? undefined : findCell(source, mapping.column)
      const text = cell?.text
      if (!isFilled(cell)) {
        values[field.key] = emptyValue(text)
        continue
      }
      const read = readFieldValue(field, cell, facts.get(field.key) ?? NO_FACTS)
      values[field.key] = read.value
      for (const issue of read.issues) report(source.number, field.key, cell.text, issue)
    }
    open.push({ source, values })
  }

  const unchecked = new Set<string>()
  for (const [index, { source, values }] of open.entries()) {
    if (index % ROWS_PER_STEP === 0) yield
    for (const { field } of fields) {
      for (const issue of checkField(field, values, template, context, unchecked)) {
        report(source.number, field.key, values[field.key]?.text ?? '', issue)
      }
    }
    for (const check of template.checks) {
      for (const { field, issue } of checkRow(check, values, template, context.tables ?? {})) {
        report(source.number, field, values[field]?.text ?? '', issue)
      }
    }
    for (const { field, issue } of (context.rowRules ?? []).flatMap((rule) => rule(values))) {
      report(source.number, field, field === null ? '' : (values[field]?.text ?? ''), issue)
    }
  }
  yield
  for (const { row, field, value, issue } of checkUniqueness(
    template,
    open.map(({ source, values }) => ({ row: source.number, values })),
  )) {
    report(row, field, value, issue)
  }

  yield
  const worst = collectWorst(findings)
  const rows = open.map(({ source, values }) => ({
    row: source.number,
    status: worst.get(source.number) ?? ('good' as const),
    values,
  }))
  return {
    rows,
    findings: findings.toSorted((a, b) => a.row - b.row || (a.column?.number ?? 0) - (b.column?.number ?? 0)),
    ignored,
    unchecked: [...unchecked],
    summary: {
      good: rows.filter((row) => row.status === 'good').length,
      confirm: rows.filter((row) => row.status === 'confirm').length,
      error: rows.filter((row) => row.status === 'error').length,
      leadingZeros: countLeadingZeros(fields, open),
    },
  }
}

/** Codes and texts only: the zero of 0.5 or of 09/11/2026 was never in danger. */
function countLeadingZeros(
  fields: readonly { readonly field: TemplateField }[],
  rows: readonly OpenRow[],
): number {
  const keys = fields
    .filter(({ field }) => field.kind === 'text' || field.kind === 'barcode')
    .map(({ field }) => field.key)
  return rows
    .flatMap(({ values }) => keys.map((key) => values[key]?.text ?? ''))
    .filter((text) => /^0\d/.test(text)).length
}

const NO_FACTS: ColumnFacts = { mapping: { unit: null }, dateOrder: null, paddedLength: null }

function collectFacts(
  sheet: Sheet,
  header: HeaderResult,
  fields: readonly { readonly field: TemplateField; readonly mapping: ColumnMapping | undefined }[],
): ReadonlyMap<string, ColumnFacts> {
  const below = sheet.rows.filter((row) => row.number > (header.headerRow ?? Infinity))
  const facts = new Map<string, ColumnFacts>()
  for (const { field, mapping } of fields) {
    if (mapping === undefined) continue
    const compared = field.kind === 'date' || field.kind === 'barcode'
    const texts = compared ? below.map((row) => findCell(row, mapping.column)?.text ?? '') : []
    facts.set(field.key, {
      mapping,
      dateOrder: field.kind === 'date' ? findDateOrder(texts) : null,
      paddedLength: field.kind === 'barcode' ? findPaddedLength(texts) : null,
    })
  }
  return facts
}

function findReasonToIgnore(
  row: SheetRow,
  header: HeaderResult,
  template: Template,
): IgnoredRow['reason'] | null {
  const columns = header.columns.filter(({ column }) => !isGivenColumn(column))
  const filled = columns
    .map((mapping) => ({ mapping, cell: findCell(row, mapping.column) }))
    .filter((pair): pair is { mapping: ColumnMapping; cell: Cell } => isFilled(pair.cell))
  if (filled.length === 0) return 'beside'
  if (filled.length > 1 && filled.every(({ mapping, cell }) => cell.text.trim() === mapping.header.trim())) {
    return 'header'
  }
  const identity = columns.filter((column) => template.identity.includes(column.field))
  const named = identity.length === 0 || filled.some(({ mapping }) => identity.includes(mapping))
  return named ? null : 'padding'
}

function explainIgnored(
  reason: IgnoredRow['reason'],
  row: SheetRow,
  header: HeaderResult,
  template: Template,
): Issue | null {
  if (reason === 'beside') return null
  if (reason === 'header') {
    return {
      severity: 'note',
      rule: 'repeated-header',
      title: 'Header repeated',
      message: 'repeats the header and is left out.',
    }
  }
  const columns = header.columns.filter(({ column }) => !isGivenColumn(column))
  const identity = columns.filter((column) => template.identity.includes(column.field))
  const names = identity.map((column) => column.header.trim()).join(', ')
  const filled = columns.map((column) => findCell(row, column.column)).filter(isFilled)
  return {
    severity: 'note',
    rule: 'padding',
    title: 'Lines without any id',
    message: `has nothing in ${names}, only “${filled[0]?.text.trim() ?? ''}”${filled.length > 1 ? ` and ${filled.length - 1} more` : ''}. It is left out.`,
  }
}

/** A row of a text file with too few or too many values has lost or gained a delimiter, so its columns are in doubt. */
function checkShape(row: SheetRow, header: HeaderResult, sheet: Sheet): readonly Issue[] {
  const issues: Issue[] = []
  if (row.hidden) {
    issues.push({
      severity: 'confirm',
      rule: 'hidden-row',
      title: 'Hidden in the sheet',
      message: 'is hidden in the sheet, by hand or by a filter.',
      acceptable: 'yes',
    })
  }
  if (header.width === null || row.width === undefined) return issues
  const headerWidth =
    sheet.rows.find((candidate) => candidate.number === header.headerRow)?.width ?? header.width
  const own = row.cells.filter((cell) => isFilled(cell) && !isGivenColumn(cell.column))
  const reach = Math.max(...own.map((cell) => cell.column))
  if (row.width < header.width || reach > headerWidth) {
    const line = row.line === undefined ? '' : ` (line ${row.line} of the file)`
    const quotes = row.cells.some((cell) => (cell.text.match(/"/g)?.length ?? 0) % 2 === 1)
    const hint = quotes ? ' It holds a quotation mark (") without its partner.' : ''
    const columns = row.width < header.width ? header.width : headerWidth
    issues.push({
      severity: 'error',
      rule: 'column-count',
      title: 'Wrong number of columns',
      message: `has ${row.width} values${line}, but the header has ${columns} columns.${hint}`,
      acceptable: 'yes',
    })
  }
  return issues
}

function describeColumn(
  field: string | null,
  columns: ReadonlyMap<string, ColumnMapping>,
  labels: ReadonlyMap<string, string>,
): FindingColumn | null {
  if (field === null) return null
  const mapping = columns.get(field)
  if (mapping === undefined) return { field, number: 0, letter: '', header: labels.get(field) ?? field }
  return { field, number: mapping.column, letter: mapping.letter, header: mapping.header }
}

function buildFinding(
  sheet: string,
  row: number,
  column: FindingColumn | null,
  value: string,
  issue: Issue,
  context: CheckContext,
): Finding {
  const acceptable = issue.acceptable ?? 'no'
  const accepted =
    acceptable !== 'no' &&
    (context.acceptances ?? []).some(
      (acceptance) =>
        acceptance.sheet === sheet &&
        acceptance.row === row &&
        acceptance.column === (column?.number ?? null) &&
        acceptance.rule === issue.rule &&
        acceptance.expected === value &&
        (acceptable === 'yes' || (acceptance.reason ?? '').trim() !== ''),
    )
  const place = column === null ? `Row ${row}` : `Row ${row}, ${column.header.trim().replace(/\s+/g, ' ')}:`
  // A field without a column cannot be put right in a cell of this file.
  const proposals = column !== null && column.number === 0 ? [] : (issue.proposals ?? [])
  return {
    severity: accepted ? 'note' : issue.severity,
    sheet,
    row,
    column,
    value,
    rule: issue.rule,
    message: `${place} ${issue.message}`,
    proposals,
    acceptable,
    accepted,
    cause: [issue.rule, column?.field ?? '', issue.cause ?? ''].join('/'),
    title: issue.title,
  }
}

function collectWorst(findings: readonly Finding[]): ReadonlyMap<number, RowStatus> {
  const worst = new Map<number, RowStatus>()
  const weigh = (severity: Severity | RowStatus): number => ['confirm', 'error'].indexOf(severity)
  for (const { row, severity } of findings) {
    if (severity !== 'note' && weigh(severity) > weigh(worst.get(row) ?? 'good')) worst.set(row, severity)
  }
  return worst
}
