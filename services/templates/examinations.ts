import { setImmediate } from 'node:timers/promises'
import type { ReadScope } from '../../platform/service/scopes.ts'
import type { Import } from './contract.ts'
import type { PlannedColumn } from './domain/column-plan.ts'
import { type Examination, examineInSteps, listCodes } from './domain/examination.ts'
import { isGivenColumn } from './domain/given-values.ts'
import { chooseColumns, findHeader, findTables, type HeaderResult } from './domain/header.ts'
import { isColumnRequired, type Template } from './domain/template.ts'
import type { Sheet, Workbook } from './domain/workbook.ts'
import type { ImportRecord, LoadedImport } from './imports.ts'
import { askLaboratory, localDay } from './knowledge.ts'
import { RecentlyUsed } from './recently-used.ts'
import type { ImportChoices, ImportFacts } from './schema.ts'
import { readStoredWorkbook } from './stored-file.ts'

/** An import looked at: the table in its file, and every row checked. Null when no header is known. */
export interface Looked {
  readonly workbook: Workbook
  readonly table: Table
  readonly examination: Examination | null
}

interface Table {
  readonly sheet: Sheet
  readonly header: HeaderResult
}

interface KeptLook {
  readonly key: string
  readonly at: number
  readonly looking: Promise<Looked>
}

/** Checking many rows takes a second, and a person pages through them. */
const looks = new RecentlyUsed<string, KeptLook>({ most: 4, idleMs: 10 * 60_000 })
const freshMs = 60_000

/** Longest stretch of checking after which other calls of the service get their turn. */
const sliceMs = 25

/** What of an import decides how its rows look. */
type ToLookAt = Pick<LoadedImport, 'template' | 'corrections' | 'lastPosition'> & {
  readonly record: Pick<ImportRecord, 'id' | 'fileSha256' | 'fileName' | 'templateId' | 'choices'>
}

/**
 * Looks at an import: reads its file, finds the table, checks the rows. Answers from memory what nothing has changed
 * about for a minute; `anew` asks the other domains again, as before rows are saved.
 */
export function lookAt(
  scope: ReadScope,
  asked: ToLookAt,
  options: { readonly anew: boolean },
): Promise<Looked> {
  const { record } = asked
  const now = Date.parse(scope.now)
  const key = JSON.stringify([record.templateId, record.choices, asked.lastPosition, localDay(scope.now)])
  const kept = looks.get(record.id)
  if (kept?.key === key && !options.anew && now - kept.at < freshMs) return kept.looking
  const looking = lookOnce(scope, asked, options.anew)
  looks.set(record.id, { key, at: now, looking })
  looking.catch(() => {
    if (looks.get(record.id)?.looking === looking) looks.delete(record.id)
  })
  return looking
}

async function lookOnce(scope: ReadScope, asked: ToLookAt, anew: boolean): Promise<Looked> {
  const { record, template, corrections } = asked
  const workbook = await readStoredWorkbook(scope, record.fileSha256, record.fileName)
  const table = findTable(workbook, template, record.choices)
  if (table.header.headerRow === null) return { workbook, table, examination: null }
  const { given, uses } = record.choices
  const codes = listCodes({ ...table, template, given, corrections })
  const knowledge = await askLaboratory(scope, record.id, codes, anew)
  const asking = { importId: record.id, ...table, template, uses, given, corrections, knowledge }
  return { workbook, table, examination: await runInSlices(examineInSteps(asking)) }
}

async function runInSlices<Result>(steps: Generator<undefined, Result, undefined>): Promise<Result> {
  for (;;) {
    const end = performance.now() + sliceMs
    while (performance.now() < end) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
    await setImmediate()
  }
}

/** Looking through all sheets of a large workbook takes long, and neither they nor the template change. */
const tablesOfWorkbooks = new WeakMap<Workbook, Map<string, ReturnType<typeof findTables>>>()

/** The tables of a template in a workbook, the best first. */
export function tablesOf(
  workbook: Workbook,
  { fields, identity }: Pick<Template, 'fields' | 'identity'>,
): ReturnType<typeof findTables> {
  const known = tablesOfWorkbooks.get(workbook) ?? new Map<string, ReturnType<typeof findTables>>()
  tablesOfWorkbooks.set(workbook, known)
  const key = JSON.stringify([fields, identity])
  const tables = known.get(key) ?? findTables(workbook, { fields, identity })
  known.set(key, tables)
  return tables
}

/** The sheet and header that were chosen, or else the best there is. */
function findTable(workbook: Workbook, template: Template, choices: ImportChoices): Table {
  const name =
    choices.sheet ??
    tablesOf(workbook, template)[0]?.sheet ??
    workbook.sheets.find((sheet) => sheet.rows.length > 0)?.name
  const sheet = workbook.sheets.find((each) => each.name === name) ?? workbook.sheets[0]
  if (sheet === undefined) throw new Error(`${workbook.fileName} was read without any sheet`)
  const found = findHeader(sheet, template)
  const headerRow = choices.headerRow ?? found.headerRow
  const chosen = Object.entries(choices.fields)
  if (headerRow === null || (choices.headerRow === null && chosen.length === 0))
    return { sheet, header: found }
  const fields = chosen.flatMap(([letter, field]) =>
    field === null ? [] : [[field, readLetter(letter)] as const],
  )
  const without = chosen.flatMap(([letter, field]) => (field === null ? [readLetter(letter)] : []))
  const header = chooseColumns(sheet, template, headerRow, Object.fromEntries(fields), new Set(without))
  return { sheet, header }
}

/** The number of a column: `A` is 1, `AA` is 27. */
export function readLetter(letter: string): number {
  return [...letter].reduce((number, one) => number * 26 + one.charCodeAt(0) - 64, 0)
}

/** Keys of fields that every row needs, without a column and without a value for all rows. */
function listMissing(header: HeaderResult, choices: ImportChoices): readonly string[] {
  return header.missing
    .filter(({ field, required }) => required && !Object.hasOwn(choices.given, field))
    .map(({ field }) => field)
}

/** Whether a person must look at sheet, header and columns before rows can be saved. */
export function needsMapping({ table }: Looked, choices: ImportChoices, wasLookedAt: boolean): boolean {
  if (table.header.headerRow === null || listMissing(table.header, choices).length > 0) return true
  return table.header.status === 'ambiguous' && !wasLookedAt
}

/** What is shown of the file without reading it again. */
export function describeFacts(looked: Looked, template: Template, choices: ImportChoices): ImportFacts {
  const { workbook, table, examination } = looked
  const candidates = new Map(tablesOf(workbook, template).map((candidate) => [candidate.sheet, candidate]))
  const required = template.fields.filter((field) => isColumnRequired(field, template)).map(({ key }) => key)
  return {
    sheets: workbook.sheets.map(({ name, rows }) => ({
      name: toStorable(name),
      rows: candidates.get(name)?.rows ?? rows.length,
      usable: candidates.has(name),
    })),
    sheet: toStorable(table.sheet.name),
    headerRow: table.header.headerRow,
    columns: (examination?.plan ?? []).map((column) => describeColumn(column, choices, required)),
    missingFields: [...listMissing(table.header, choices)],
    choices: table.header.choices.map(({ field, columns }) => ({
      fieldKey: field,
      columns: columns.map(({ letter }) => letter),
    })),
    message: toStorable(table.header.message),
    notes: [...workbook.notes, ...(examination?.unchecked ?? []), ...describeLeftOut(examination)].map(
      toStorable,
    ),
  }
}

function describeColumn(
  { column, letter, heading, use, mapping, why, examples }: PlannedColumn,
  choices: ImportChoices,
  required: readonly string[],
): Import['columns'][number] {
  const fieldKey = mapping?.field ?? null
  const given = fieldKey === null || !isGivenColumn(column) ? null : (choices.given[fieldKey] ?? null)
  const needed = isGivenColumn(column) && given === null && fieldKey !== null && required.includes(fieldKey)
  return {
    column: letter,
    heading: toStorable(heading),
    fieldKey,
    use,
    why: toStorable(needed ? `${why} Every row needs it.` : why),
    confidence: mapping === null || isGivenColumn(column) ? null : mapping.confidence,
    given,
    examples: examples.map((text) => toStorable(text.slice(0, 200))),
  }
}

function describeLeftOut(examination: Examination | null): readonly string[] {
  const letters = (examination?.plan ?? [])
    .filter(({ use }) => use === 'left-out')
    .map(({ letter }) => letter)
  if (letters.length === 0) return []
  const named =
    letters.length <= 6
      ? letters.join(', ')
      : `${letters.slice(0, 5).join(', ')} and ${letters.length - 5} more`
  return [
    `Left out, because they stand beside the table: ${letters.length === 1 ? 'column' : 'columns'} ${named}.`,
  ]
}

/** For showing only: what the database cannot hold becomes visible instead. */
function toStorable(text: string): string {
  return text.replaceAll('\u0000', '␀').toWellFormed()
}
