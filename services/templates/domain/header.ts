import { foldName, foldOption, isOneSlip } from './matching.ts'
import { isColumnRequired, type Template, type TemplateField } from './template.ts'
import { readUnit } from './unit.ts'
import {
  findCell,
  isFilled,
  nameColumn,
  type Cell,
  type Sheet,
  type SheetRow,
  type Workbook,
} from './workbook.ts'

/** Why a column was taken for a field. */
export type MatchReason = 'label' | 'synonym' | 'group-and-label' | 'nearly-label' | 'chosen' | 'given'

export interface ColumnMapping {
  readonly field: string
  /** 1 is column A; `letter` is the same as people read it. */
  readonly column: number
  readonly letter: string
  /** The header exactly as in the file. */
  readonly header: string
  /** 0 to 1. Below 0.8 a person should look at it. */
  readonly confidence: number
  readonly reason: MatchReason
  /** In plain words, for the columns step. */
  readonly explanation: string
  /** The unit the header names, in our spelling. */
  readonly unit: string | null
}

export interface UnmappedColumn {
  readonly column: number
  readonly letter: string
  readonly header: string
}

export interface ColumnChoice {
  readonly field: string
  /** Columns that fit equally well; the first one was taken. */
  readonly columns: readonly UnmappedColumn[]
}

/**
 * What was found out about a sheet's columns. `found`: ready to check. `ambiguous`: usable, but a person must look
 * at `choices`. `missing`: columns the template cannot do without are absent, or no header was found at all.
 */
export interface HeaderResult {
  readonly status: 'found' | 'ambiguous' | 'missing'
  /** 1-based; null when no row looks like a header. */
  readonly headerRow: number | null
  readonly columns: readonly ColumnMapping[]
  readonly unmapped: readonly UnmappedColumn[]
  readonly choices: readonly ColumnChoice[]
  readonly missing: readonly { readonly field: string; readonly label: string; readonly required: boolean }[]
  /** Rows below the header that hold units or hints instead of data. */
  readonly unitRow: number | null
  /** Text files: how many columns the header names, counted from column A; rows must reach as far. */
  readonly width: number | null
  readonly message: string
}

/** Headers stand near the top; titles and rules above them rarely fill more rows than this. */
const SEARCHED_ROWS = 200
/** A column matching less surely than this is left to the person. */
const LEAST_CONFIDENCE = 0.7

/**
 * Finds the row that names the columns of a template, wherever it stands: titles and rules may be above it, groups
 * of columns over it, unrelated tables beside it. The row that names most required, then most known columns wins.
 */
export function findHeader(sheet: Sheet, template: Pick<Template, 'fields' | 'identity'>): HeaderResult {
  const names = template.fields.map((field) => listNames(field))
  let best: { row: SheetRow; matches: readonly Match[]; required: number; score: number } | null = null
  for (const row of sheet.rows.slice(0, SEARCHED_ROWS)) {
    const matches = matchRow(row, groupsAbove(row, sheet), names)
    const fields = new Map<string, number>()
    for (const match of matches) {
      fields.set(match.field.key, Math.max(fields.get(match.field.key) ?? 0, match.confidence))
    }
    const required = [...fields.keys()].filter((key) => isRequired(key, template)).length
    const score = [...fields.values()].reduce((sum, confidence) => sum + confidence, 0)
    if (
      best === null ||
      required > best.required ||
      (required === best.required && score > best.score + 0.01)
    ) {
      if (score > 0) best = { row, matches, required, score }
    }
  }
  const enough = Math.min(2, template.fields.length)
  if (best === null || (best.score < enough - 0.35 && best.required === 0)) {
    return describeNothing(sheet, template)
  }
  return describeHeader(sheet, template, best.row, best.matches)
}

function isRequired(key: string, template: Pick<Template, 'fields' | 'identity'>): boolean {
  return template.fields.some((field) => field.key === key && isColumnRequired(field, template))
}

interface FieldNames {
  readonly field: TemplateField
  readonly label: string
  readonly all: readonly string[]
}

function listNames(field: TemplateField): FieldNames {
  const all = [field.label, field.key, ...field.synonyms].map(foldName)
  return { field, label: foldName(field.label), all: [...new Set(all)] }
}

interface Match {
  readonly cell: Cell
  readonly field: TemplateField
  readonly confidence: number
  readonly reason: MatchReason
  readonly unit: string | null
  /** Share of the first values below that are in the field's list; 0 for fields without one. */
  readonly fit?: number
}

/** The text of the row above each column, carried along merged cells, for headers in two rows. */
function groupsAbove(row: SheetRow, sheet: Sheet): ReadonlyMap<number, string> {
  const above = sheet.rows.find((candidate) => candidate.number === row.number - 1)
  const groups = new Map<number, string>()
  for (const cell of above?.cells ?? []) {
    const merge = sheet.merges.find((range) => range.top === above?.number && range.left === cell.column)
    for (
      let column = cell.column;
      column <= Math.min(merge?.right ?? cell.column, cell.column + 500);
      column += 1
    ) {
      groups.set(column, cell.text)
    }
  }
  return groups
}

function matchRow(
  row: SheetRow,
  groups: ReadonlyMap<number, string>,
  names: readonly FieldNames[],
): readonly Match[] {
  return row.cells
    .filter((cell) => isFilled(cell) && cell.text.length <= 200)
    .flatMap((cell) => matchCell(cell, groups.get(cell.column), names))
}

/** How a header cell can be read: as it stands, and without its unit or remark. */
interface HeaderReading {
  readonly name: string
  readonly unit: string | null
  readonly loss: number
}

function readHeaderText(text: string): readonly HeaderReading[] {
  const plain = text.replace(/[*:†‡]+\s*$|^\s*[*†‡]+/g, '')
  const bracket = /[([]([^()[\]]*)[)\]]\s*$/.exec(plain)
  const bracketUnit = bracket === null ? null : readUnit(bracket[1] ?? '')
  const readings: HeaderReading[] = [{ name: foldName(plain), unit: bracketUnit, loss: 0 }]
  if (bracket !== null) {
    readings.push({ name: foldName(plain.slice(0, bracket.index)), unit: bracketUnit, loss: 0.02 })
  }
  const words = plain.trim().split(/[\s_,]+/)
  for (const count of [1, 2]) {
    const unit = words.length > count ? readUnit(words.slice(-count).join('/')) : null
    if (unit !== null) readings.push({ name: foldName(words.slice(0, -count).join(' ')), unit, loss: 0.02 })
  }
  const whole = readUnit(plain)
  return whole === null ? readings : readings.map((reading) => ({ ...reading, unit: reading.unit ?? whole }))
}

function matchCell(cell: Cell, group: string | undefined, names: readonly FieldNames[]): readonly Match[] {
  const matches: Match[] = []
  const own = readHeaderText(cell.text)
  const grouped = group === undefined ? [] : readHeaderText(`${group} ${cell.text}`)
  for (const { field, label, all } of names) {
    const found =
      own
        .map((reading) => judge(reading, label, all))
        .filter((match) => match !== null)
        .toSorted((a, b) => b.confidence - a.confidence)[0] ??
      grouped
        .filter((reading) => all.includes(reading.name))
        .map((reading) => ({ confidence: 0.85, reason: 'group-and-label' as const, unit: reading.unit }))[0]
    if (found !== undefined && found.confidence >= LEAST_CONFIDENCE) matches.push({ cell, field, ...found })
  }
  return matches
}

function judge(
  reading: HeaderReading,
  label: string,
  all: readonly string[],
): { confidence: number; reason: MatchReason; unit: string | null } | null {
  const { name, unit, loss } = reading
  if (name === '') return null
  if (name === label) return { confidence: 1 - loss, reason: 'label', unit }
  if (all.includes(name)) return { confidence: 0.95 - loss, reason: 'synonym', unit }
  // One slip only: two would already make “collection site” a “collection date”.
  const near = name.length >= 5 && all.some((one) => one.length >= 5 && isOneSlip(name, one))
  return near ? { confidence: 0.72 - loss, reason: 'nearly-label', unit } : null
}

function describeHeader(
  sheet: Sheet,
  template: Pick<Template, 'fields' | 'identity'>,
  row: SheetRow,
  matches: readonly Match[],
): HeaderResult {
  const block = findMainBlock(row, matches)
  const below = sheet.rows.filter((candidate) => candidate.number > row.number).slice(0, 50)
  const taken = new Map<number, Match>()
  const choices: ColumnChoice[] = []
  const done = new Set<string>()
  const ordered = matches
    .map((match) => ({ ...match, fit: measureFit(match, below) }))
    .toSorted(
      (a, b) =>
        b.confidence - a.confidence ||
        b.fit - a.fit ||
        Number(block.has(b.cell.column)) - Number(block.has(a.cell.column)) ||
        a.cell.column - b.cell.column,
    )
  for (const match of ordered) {
    const { field, cell } = match
    if (done.has(field.key) || taken.has(cell.column)) continue
    taken.set(cell.column, match)
    done.add(field.key)
    const rivals = ordered.filter(
      (other) =>
        other.field.key === field.key &&
        other.cell.column !== cell.column &&
        other.confidence === match.confidence &&
        other.fit * 2 >= match.fit &&
        block.has(other.cell.column) === block.has(cell.column),
    )
    if (rivals.length > 0) {
      choices.push({
        field: field.key,
        columns: [match, ...rivals].map((rival) => describeColumn(rival.cell)),
      })
    }
  }
  const unitRow = findUnitRow(sheet, row, [...taken.keys()])
  const columns = [...taken.values()]
    .toSorted((a, b) => a.cell.column - b.cell.column)
    .map((match) => describeMapping(match, unitRow))
  const missing = template.fields
    .filter((field) => !done.has(field.key))
    .map((field) => ({ field: field.key, label: field.label, required: isColumnRequired(field, template) }))
  const unmapped = row.cells.filter((cell) => isFilled(cell) && !taken.has(cell.column)).map(describeColumn)
  const lost = missing.filter((field) => field.required)
  const status = lost.length > 0 ? 'missing' : choices.length > 0 ? 'ambiguous' : 'found'
  return {
    status,
    headerRow: row.number,
    columns,
    unmapped,
    choices,
    missing,
    unitRow: unitRow?.number ?? null,
    width:
      row.width === undefined ? null : Math.max(...row.cells.filter(isFilled).map((cell) => cell.column)),
    message: describeResult(sheet, row, template, columns.length, lost, choices),
  }
}

/** Two columns may both be called a type; the one whose values are types is meant. */
function measureFit({ cell, field }: Match, below: readonly SheetRow[]): number {
  if (field.kind !== 'select' && field.kind !== 'multiselect') return 0
  const known = new Set(
    field.options.flatMap((option) => [option.value, option.label, ...option.synonyms].map(foldOption)),
  )
  const values = below.map((row) => findCell(row, cell.column)).filter(isFilled)
  return values.length === 0
    ? 0
    : values.filter((value) => known.has(foldOption(value.text))).length / values.length
}

/** The run of neighbouring headers with most matches. A table beside it, behind an empty column, is another one. */
function findMainBlock(row: SheetRow, matches: readonly Match[]): ReadonlySet<number> {
  const matched = new Set(matches.map((match) => match.cell.column))
  let best: readonly number[] = []
  let run: number[] = []
  const count = (columns: readonly number[]): number => columns.filter((column) => matched.has(column)).length
  for (const cell of row.cells.filter(isFilled)) {
    run = run.at(-1) === cell.column - 1 ? [...run, cell.column] : [cell.column]
    if (count(run) > count(best)) best = run
  }
  return new Set(best)
}

/** A row of units right below the header: at least one, and nothing else in the columns that were found. */
function findUnitRow(sheet: Sheet, header: SheetRow, columns: readonly number[]): SheetRow | null {
  const row = sheet.rows.find((candidate) => candidate.number === header.number + 1)
  const cells = (row?.cells ?? []).filter((cell) => isFilled(cell) && columns.includes(cell.column))
  const units = cells.every((cell) => readUnit(cell.text.replace(/^\s*[([]|[)\]]\s*$/g, '')) !== null)
  return row !== undefined && cells.length > 0 && units ? row : null
}

function describeColumn(cell: Cell): UnmappedColumn {
  return { column: cell.column, letter: nameColumn(cell.column), header: cell.text }
}

function describeMapping(
  { cell, field, confidence, reason, unit }: Match,
  unitRow: SheetRow | null,
): ColumnMapping {
  const below = unitRow?.cells.find((candidate) => candidate.column === cell.column)?.text
  return {
    field: field.key,
    ...describeColumn(cell),
    confidence,
    reason,
    explanation: explainMatch(cell.text.trim(), field.label, reason),
    unit: unit ?? (below === undefined ? null : readUnit(below.replace(/[()[\]]/g, ''))),
  }
}

function explainMatch(header: string, label: string, reason: MatchReason): string {
  switch (reason) {
    case 'label':
      return `“${header}” is the name of ${label}.`
    case 'synonym':
      return `“${header}” is another name for ${label}.`
    case 'group-and-label':
      return `“${header}” with the group above it is ${label}.`
    case 'nearly-label':
      return `“${header}” is nearly a name of ${label}. Please look.`
    case 'chosen':
      return `“${header}” was chosen for ${label}.`
    case 'given':
      return `The file has no column for ${label}.`
  }
}

function describeResult(
  sheet: Sheet,
  row: SheetRow,
  template: Pick<Template, 'fields'>,
  columns: number,
  lost: readonly { readonly label: string }[],
  choices: readonly ColumnChoice[],
): string {
  const found = `Sheet “${sheet.name}”: header on row ${row.number}, ${columns} of ${template.fields.length} columns known.`
  const labels = lost.map((field) => `“${field.label}”`).join(', ')
  const missing = lost.length === 0 ? '' : ` Missing: ${labels}.`
  const doubtful = choices.map((choice) => {
    const label = template.fields.find((field) => field.key === choice.field)?.label ?? choice.field
    return ` ${label} could be column ${choice.columns.map((column) => column.letter).join(' or ')}.`
  })
  return found + missing + doubtful.join('')
}

function describeNothing(sheet: Sheet, template: Pick<Template, 'fields' | 'identity'>): HeaderResult {
  const missing = template.fields.map((field) => ({
    field: field.key,
    label: field.label,
    required: isColumnRequired(field, template),
  }))
  const wanted = missing.filter((field) => field.required)
  const labels = (wanted.length > 0 ? wanted : missing).slice(0, 6).map((field) => `“${field.label}”`)
  return {
    status: 'missing',
    headerRow: null,
    columns: [],
    unmapped: [],
    choices: [],
    missing,
    unitRow: null,
    width: null,
    message: `Sheet “${sheet.name}”: no row names the columns. Looked for ${labels.join(', ')}.`,
  }
}

/**
 * A person's own assignment of columns: fields to columns, taking the place of what was found for them. Columns in
 * `without` are no field's.
 */
export function chooseColumns(
  sheet: Sheet,
  template: Pick<Template, 'fields' | 'identity'>,
  headerRow: number,
  chosen: Readonly<Record<string, number | null>>,
  without: ReadonlySet<number> = new Set(),
): HeaderResult {
  const row = sheet.rows.find((candidate) => candidate.number === headerRow)
  if (row === undefined) return describeNothing(sheet, template)
  const names = template.fields.map((field) => listNames(field))
  const chosenColumns = new Set(Object.values(chosen))
  const kept = matchRow(row, groupsAbove(row, sheet), names).filter(
    ({ field, cell }) =>
      !Object.hasOwn(chosen, field.key) && !chosenColumns.has(cell.column) && !without.has(cell.column),
  )
  const own = template.fields.flatMap((field): Match[] => {
    const column = chosen[field.key]
    if (column === undefined || column === null) return []
    const cell = row.cells.find((candidate) => candidate.column === column) ?? {
      column,
      text: '',
      kind: 'text',
    }
    const unit = readHeaderText(cell.text).find((reading) => reading.unit !== null)?.unit ?? null
    return [{ cell, field, confidence: 1, reason: 'chosen', unit }]
  })
  return describeHeader(sheet, template, row, [...own, ...kept])
}

export interface TableCandidate {
  readonly sheet: string
  readonly header: HeaderResult
  /** Filled rows below the header. */
  readonly rows: number
}

/**
 * Looks through all sheets of a workbook for tables of the template, the best first: complete before incomplete,
 * with rows before empty, shown before hidden, more known columns before fewer, then in the order of the file.
 */
export function findTables(
  workbook: Workbook,
  template: Pick<Template, 'fields' | 'identity'>,
): readonly TableCandidate[] {
  const candidates = workbook.sheets.map((sheet) => {
    const header = findHeader(sheet, template)
    const rows = header.headerRow === null ? 0 : countRows(sheet, header)
    const rank = [
      header.status === 'missing' ? 0 : 1,
      rows > 0 ? 1 : 0,
      sheet.hidden || /example|sample data|beispiel|exemple/i.test(sheet.name) ? 0 : 1,
      header.columns.reduce((sum, column) => sum + column.confidence, 0),
    ]
    return { candidate: { sheet: sheet.name, header, rows }, rank }
  })
  return candidates
    .filter(({ candidate }) => candidate.header.headerRow !== null)
    .toSorted(
      (a, b) => b.rank.map((value, index) => value - (a.rank[index] ?? 0)).find((value) => value !== 0) ?? 0,
    )
    .map(({ candidate }) => candidate)
}

function countRows(sheet: Sheet, header: HeaderResult): number {
  const columns = new Set(header.columns.map((column) => column.column))
  return sheet.rows.filter(
    (row) =>
      row.number > Math.max(header.headerRow ?? 0, header.unitRow ?? 0) &&
      row.cells.some((cell) => columns.has(cell.column) && isFilled(cell)),
  ).length
}
