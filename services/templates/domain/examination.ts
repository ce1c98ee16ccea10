import type { CheckContext, ReferenceTables } from './check-context.ts'
import { checkInSteps, type CheckedRow, type IgnoredRow } from './checking.ts'
import { createCodeRule, type CodeFacts } from './code-rule.ts'
import { listExtras, planColumns, type PlannedColumn } from './column-plan.ts'
import { applyCorrections, type Correction } from './corrections.ts'
import type { Finding } from './finding.ts'
import { layGivenValues } from './given-values.ts'
import type { HeaderResult } from './header.ts'
import { buildReceiveRequest, listLostFormulas, type RowRequest } from './sample-request.ts'
import type { SelectOption, Template, TemplateField } from './template.ts'
import { findCell, type Sheet, type SheetRow } from './workbook.ts'

/** What an import is looked at with: the file's sheet, what was chosen and corrected, and what the laboratory knows. */
export interface ToExamine {
  readonly importId: string
  readonly sheet: Sheet
  readonly header: HeaderResult
  readonly template: Template
  readonly uses: Readonly<Record<string, 'extra' | 'left-out'>>
  readonly given: Readonly<Record<string, string>>
  readonly corrections: readonly Correction[]
  readonly knowledge: Knowledge
}

/** What the other parts of the laboratory know that rows are checked against. */
export interface Knowledge {
  /** The day of the check, `2026-11-21`, where the laboratory is. */
  readonly today: string
  /** Sample types by key. */
  readonly types: readonly { readonly key: string; readonly name: string }[]
  /** For a type, the zones it may be kept in; types that are not in it follow `other`. */
  readonly zones: Readonly<Record<string, readonly string[]>>
  /** Every code of the sheet, by its text without blanks around. */
  readonly codes: ReadonlyMap<string, CodeFacts>
}

export interface ExaminedRow extends CheckedRow {
  /** As corrected. */
  readonly source: SheetRow
  readonly findings: readonly Finding[]
}

export interface Examination {
  readonly importId: string
  readonly sheet: string
  readonly template: Template
  readonly header: HeaderResult
  readonly plan: readonly PlannedColumn[]
  readonly rows: readonly ExaminedRow[]
  readonly byNumber: ReadonlyMap<number, ExaminedRow>
  readonly findings: readonly Finding[]
  readonly ignored: readonly IgnoredRow[]
  readonly unchecked: readonly string[]
  readonly leadingZerosKept: number
  /** What is known of every code of the sheet, by its text without blanks around. */
  readonly codes: Knowledge['codes']
}

const ROWS_PER_STEP = 100

/** The fields whose texts are codes, and so are asked of the laboratory. */
export function listCodeFields(template: Pick<Template, 'fields'>): readonly string[] {
  return template.fields
    .filter(({ kind, rules }) => kind === 'barcode' || rules.some(isAboutCodes))
    .map(({ key }) => key)
}

/** Every code that stands in a sheet as corrected, each once and without blanks around it. */
export function listCodes(
  asked: Pick<ToExamine, 'sheet' | 'header' | 'template' | 'given' | 'corrections'>,
): readonly string[] {
  const given = layGivenValues(asked.sheet, asked.header, asked.template, asked.given)
  const { sheet } = applyCorrections(given.sheet, asked.corrections)
  const fields = new Set(listCodeFields(asked.template))
  const columns = given.header.columns.filter(({ field }) => fields.has(field)).map(({ column }) => column)
  const first = asked.header.headerRow ?? Infinity
  const texts = sheet.rows
    .filter(({ number }) => number > first)
    .flatMap((row) => columns.map((column) => findCell(row, column)?.text.trim() ?? ''))
  return [...new Set(texts)].filter((text) => text !== '')
}

/** What `reference` rules of templates call the codes that things of the laboratory have. */
export const codesReference = 'codes'

function isAboutCodes(rule: TemplateField['rules'][number]): boolean {
  return rule.rule === 'reference' && rule.to === codesReference
}

/**
 * Looks at a sheet as a whole: given values and corrections are laid over it, every row is checked, and good rows are
 * tried as requests to Receive, so that what is called good can be saved. Pauses in between for other work.
 */
export function* examineInSteps(asked: ToExamine): Generator<undefined, Examination, undefined> {
  const { importId, knowledge } = asked
  const template = withTypes(asked.template, knowledge.types)
  const given = layGivenValues(asked.sheet, asked.header, template, asked.given)
  const { sheet, acceptances } = applyCorrections(given.sheet, asked.corrections)
  const plan = planColumns(asked.sheet, given.header, asked.uses)
  yield
  const context: CheckContext = {
    today: knowledge.today,
    tables: { storageZone: withOwnTypes(knowledge) },
    references: listReferences(knowledge),
    rowRules: [createCodeRule('barcode', knowledge.codes)],
    acceptances,
  }
  const checked = yield* checkInSteps(sheet, given.header, template, context)
  const sources = new Map(sheet.rows.map((row) => [row.number, row]))
  const found = Map.groupBy(checked.findings, (finding) => finding.row)
  const rows: ExaminedRow[] = []
  let zeros = checked.summary.leadingZeros
  for (const [index, row] of checked.rows.entries()) {
    if (index % ROWS_PER_STEP === 0) yield
    const source = sources.get(row.row) ?? { number: row.row, cells: [] }
    const own = found.get(row.row) ?? []
    const more = findStorageProblems(sheet.name, importId, row, source, own, plan)
    const status = more.some(({ severity }) => severity === 'error') ? ('error' as const) : row.status
    zeros += listExtras(source, plan).filter(({ text }) => /^0\d/.test(text)).length
    rows.push({ ...row, source, status, findings: [...own, ...more] })
  }
  const ignored = new Set(checked.ignored.map(({ row }) => row))
  const ofNoRow = checked.findings.filter(({ row }) => ignored.has(row))
  return {
    importId,
    sheet: sheet.name,
    template,
    header: given.header,
    plan,
    rows,
    byNumber: new Map(rows.map((row) => [row.row, row])),
    findings: [...rows.flatMap((row) => row.findings), ...ofNoRow],
    ignored: checked.ignored,
    unchecked: checked.unchecked,
    leadingZerosKept: zeros,
    codes: knowledge.codes,
  }
}

/** What Receive is asked for a row. */
export function requestFor(
  row: Pick<ExaminedRow, 'source' | 'values' | 'findings'>,
  plan: readonly PlannedColumn[],
  importId: string,
): RowRequest {
  const codeConfirmed = row.findings.some(
    ({ rule, accepted, column }) => rule === 'index-sequence' && accepted && column?.field === 'barcode',
  )
  return buildReceiveRequest({ source: row.source, values: row.values, codeConfirmed }, plan, importId)
}

/** The laboratory's own sample types are as good as those the template names. */
function withTypes(template: Template, types: Knowledge['types']): Template {
  const fields = template.fields.map((field): TemplateField => {
    if (field.key !== 'sampleType' || field.kind !== 'select') return field
    const known = new Set(field.options.map(({ value }) => value))
    const more = types.filter(({ key }) => !known.has(key))
    const options = more.map(({ key, name }): SelectOption => ({ value: key, label: name, synonyms: [] }))
    return more.length === 0 ? field : { ...field, options: [...field.options, ...options] }
  })
  return { ...template, fields }
}

function withOwnTypes({ types, zones }: Knowledge): Readonly<Record<string, readonly string[]>> {
  const fallback = zones['other']
  if (fallback === undefined) return zones
  const own = types.filter(({ key }) => !Object.hasOwn(zones, key))
  return { ...zones, ...Object.fromEntries(own.map(({ key }) => [key, fallback])) }
}

function listReferences({ codes }: Knowledge): ReferenceTables {
  return {
    [codesReference]: (value) => {
      const owner = codes.get(value)?.owner ?? null
      return owner === null ? undefined : { owner }
    },
  }
}

function findStorageProblems(
  sheet: string,
  importId: string,
  row: CheckedRow,
  source: SheetRow,
  findings: readonly Finding[],
  plan: readonly PlannedColumn[],
): readonly Finding[] {
  const place = { sheet, row: row.row }
  const lost = listLostFormulas(source, plan).map((column) =>
    describe(place, source, column, {
      severity: 'note',
      rule: 'formula-without-value',
      title: 'Formula without a value',
      message: 'holds a formula whose result the file does not contain, so nothing is kept of it.',
    }),
  )
  if (row.status !== 'good') return lost
  const made = requestFor({ source, values: row.values, findings }, plan, importId)
  if (made.ok) return lost
  return [
    ...lost,
    ...made.problems.map(({ column, message }) =>
      describe(place, source, column, {
        severity: 'error',
        rule: 'cannot-be-kept',
        title: 'Cannot be kept as it is',
        message,
      }),
    ),
  ]
}

function describe(
  { sheet, row }: { readonly sheet: string; readonly row: number },
  source: SheetRow,
  column: PlannedColumn | null,
  said: Pick<Finding, 'severity' | 'rule' | 'title' | 'message'>,
): Finding {
  const heading =
    column === null || column.heading.trim() === '' ? '' : `, ${column.heading.trim().replace(/\s+/g, ' ')}:`
  return {
    ...said,
    sheet,
    row,
    column:
      column === null
        ? null
        : {
            field: column.mapping?.field ?? '',
            number: column.column,
            letter: column.letter,
            header: column.heading,
          },
    value: column === null ? '' : (findCell(source, column.column)?.text ?? ''),
    message: `Row ${row}${heading} ${said.message}`,
    proposals: [],
    acceptable: 'no',
    accepted: false,
    cause: [said.rule, column?.letter ?? '', said.message].join('/'),
  }
}
