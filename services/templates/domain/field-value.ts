import { Decimal } from 'decimal.js'
import { readDateText, readPartialDateText, spellDate, type DateReading } from './date-text.ts'
import type { Proposal } from './finding.ts'
import type { ColumnMapping } from './header.ts'
import type { Issue } from './issue.ts'
import { findNearest, foldOption } from './matching.ts'
import { readNumberText, type NumberReading } from './number-text.ts'
import { formatSerialDate } from './serial-date.ts'
import type { SelectOption, TemplateField } from './template.ts'
import { convertUnit } from './unit.ts'
import type { Cell } from './workbook.ts'

/**
 * What a cell means to its field. `value` is what may be stored: the exact text for texts and codes, plain decimal
 * digits in `unit` for numbers, ISO for dates, the option's value for lists. Null while nobody can know it yet.
 */
export interface FieldValue {
  readonly text: string
  readonly value: string | readonly string[] | null
  readonly unit: string | null
  /** Set where the value was understood in a form other than its text, such as `Whole Blood` as `blood`. */
  readonly readAs: string | null
}

export interface ReadValue {
  readonly value: FieldValue
  readonly issues: readonly Issue[]
}

/** Which order of day and month the clear dates of a column have; null when none or both occur. */
export type DateOrder = 'day-first' | 'month-first' | null

export interface ColumnFacts {
  readonly mapping: Pick<ColumnMapping, 'unit'>
  readonly dateOrder: DateOrder
  /** Length of the codes of a column whose clear cases all are digits of one length with zeros in front. */
  readonly paddedLength: number | null
}

/** Reads one filled cell for one field. Never changes the text; doubts become issues with proposals. */
export function readFieldValue(field: TemplateField, cell: Cell, facts: ColumnFacts): ReadValue {
  const broken = findBrokenCell(cell)
  if (broken !== null) return { value: emptyValue(cell.text), issues: [broken] }
  const lost: Issue[] = cell.text.includes('\ufffd')
    ? [
        {
          severity: 'confirm',
          rule: 'lost-characters',
          title: 'Letters were lost before',
          message: 'holds �, so letters were lost when the file was written.',
          acceptable: 'yes',
        },
      ]
    : []
  const read = readByKind(field, cell, facts)
  return { value: read.value, issues: [...lost, ...read.issues] }
}

function readByKind(field: TemplateField, cell: Cell, facts: ColumnFacts): ReadValue {
  switch (field.kind) {
    case 'text':
    case 'file':
      return readText(field, cell)
    case 'barcode':
      return readBarcode(cell, facts)
    case 'number':
      return readNumber(field, cell, facts)
    case 'date':
      return readDate(field, cell, facts)
    case 'boolean':
      return readBoolean(cell)
    case 'select':
      return readSelect(field, cell)
    case 'multiselect':
      return readMultiselect(field, cell)
  }
}

const EMPTY: FieldValue = { text: '', value: null, unit: null, readAs: null }

/** Nothing that can be stored. Most cells of a wide form are this one, so they share it. */
export function emptyValue(text = ''): FieldValue {
  return text === '' ? EMPTY : { ...EMPTY, text }
}

function keep(cell: Cell, value: string | readonly string[], more: Partial<FieldValue> = {}): FieldValue {
  return { ...emptyValue(cell.text), value, ...more }
}

const LEAVE_EMPTY: Proposal = { label: 'Leave empty', value: '', way: 'empty' }

/** What people write where there is nothing to write; in names these are ordinary words. */
function isPlaceholder(text: string): boolean {
  return /^(n\/?a|n\.a\.|none|null|nil|unknown|tbd|tba|not applicable|not available|-+|–|—|\?+|\.)$/i.test(
    text.trim(),
  )
}

function findBrokenCell(cell: Cell): Issue | null {
  if (cell.kind === 'error') {
    return {
      severity: 'error',
      rule: 'cell-error',
      title: `Spreadsheet error ${cell.text}`,
      message: `holds the spreadsheet's error ${cell.text} instead of a value.`,
      cause: cell.text,
      proposals: [LEAVE_EMPTY],
    }
  }
  if (cell.kind !== 'uncalculated') return null
  return {
    severity: 'error',
    rule: 'formula-without-value',
    title: 'Formula without a value',
    message:
      'holds a formula whose result the file does not contain. Open and save it in a spreadsheet program.',
  }
}

function readText(field: TemplateField, cell: Cell): ReadValue {
  const identifies = field.rules.some((rule) => rule.rule === 'unique' || rule.rule === 'reference')
  const issues = [...findBlanks(cell, identifies ? 'confirm' : 'note'), ...findDateInText(cell)]
  return { value: keep(cell, cell.text), issues }
}

function findBlanks(cell: Cell, severity: 'confirm' | 'note'): readonly Issue[] {
  const trimmed = cell.text.trim()
  if (trimmed === cell.text) return []
  return [
    {
      severity,
      rule: 'surrounding-blanks',
      title: 'Blanks around a value',
      message: `has blanks before or after “${trimmed}”. They are kept unless taken out here.`,
      proposals: [{ label: `“${trimmed}” without blanks`, value: trimmed, way: 'without-blanks' }],
      acceptable: 'yes',
    },
  ]
}

/** Spreadsheets turn `1-2` and `MARCH1` into dates by themselves; only the person knows what was typed. */
function findDateInText(cell: Cell): readonly Issue[] {
  if (cell.kind !== 'date') return []
  return [
    {
      severity: 'confirm',
      rule: 'became-a-date',
      title: 'A date where a text is expected',
      message: `is a date in the sheet (${cell.text}). Spreadsheets make dates of texts such as 1-2 on their own.`,
      acceptable: 'yes',
    },
  ]
}

/** Whether a scanner or a person said with this text that there was no code. */
export function saysNoCode(text: string): boolean {
  return /^(no[ _-]?(read|tube|scan|code)|empty|error)$/i.test(text) || isPlaceholder(text)
}

function readBarcode(cell: Cell, facts: ColumnFacts): ReadValue {
  const text = cell.text.trim()
  const issues: Issue[] = [...findBlanks(cell, 'confirm'), ...findDateInText(cell)]
  if (/^[ACGTN]{6,12}$/i.test(text)) {
    issues.push({
      severity: 'error',
      rule: 'index-sequence',
      title: 'Index sequence, not a tube',
      message: `“${text}” has only the letters A, C, G, T (and N): an index sequence, not the code of a tube.`,
      acceptable: 'yes',
    })
  }
  if (saysNoCode(text)) {
    issues.push({
      severity: 'error',
      rule: 'no-barcode',
      title: 'No code was read',
      message: `“${text}” means that there was no code to read.`,
      cause: text,
      proposals: [LEAVE_EMPTY],
    })
  }
  if (/^\d(\.\d+)?E\+?\d+$/i.test(text)) {
    issues.push({
      severity: 'error',
      rule: 'scientific-notation',
      title: 'A code shortened to a number',
      message: `“${text}” is a long number that a spreadsheet shortened; the digits that are gone are not in the file.`,
      acceptable: 'yes',
    })
  }
  if (cell.kind === 'number' && /^\d{16,}$/.test(cell.stored ?? text)) {
    issues.push({
      severity: 'confirm',
      rule: 'long-number',
      title: 'More digits than a spreadsheet keeps',
      message: `“${text}” was entered as a number, of which spreadsheets keep 15 digits. Compare it with the tube.`,
      acceptable: 'yes',
    })
  }
  const visible = text
    .replace(/[\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff\p{Cc}]/gu, '')
    .replaceAll('\u00a0', ' ')
  if (visible !== text) {
    issues.push({
      severity: 'confirm',
      rule: 'hidden-characters',
      title: 'Characters that cannot be seen',
      message: `“${visible}” holds characters that cannot be seen, so a scan would not find it.`,
      proposals: [{ label: visible, value: visible, way: 'visible-only' }],
      acceptable: 'yes',
    })
  }
  if (facts.paddedLength !== null && /^\d+$/.test(text) && text.length < facts.paddedLength) {
    const padded = text.padStart(facts.paddedLength, '0')
    issues.push({
      severity: 'confirm',
      rule: 'leading-zeros',
      title: 'Leading zeros may be lost',
      message: `“${text}” is shorter than the other codes, which begin with zeros.`,
      proposals: [{ label: padded, value: padded, way: 'leading-zeros' }],
      acceptable: 'yes',
    })
  }
  return { value: keep(cell, cell.text), issues }
}

type NumberField = Extract<TemplateField, { kind: 'number' }>

function readNumber(field: NumberField, cell: Cell, facts: ColumnFacts): ReadValue {
  const number = cell.kind === 'date' ? null : readNumberText(cell.text)
  if (number === null) {
    const placeholder = isPlaceholder(cell.text)
    const issue: Issue = {
      severity: 'error',
      rule: 'number',
      title: placeholder ? `“${cell.text.trim()}” is no number` : 'Not a number',
      message: `“${cell.text.trim()}” is not a number.`,
      cause: placeholder ? cell.text.trim() : '',
      proposals: placeholder ? [LEAVE_EMPTY] : [],
    }
    return { value: emptyValue(cell.text), issues: [issue] }
  }
  const wanted = field.unit
  const unit = number.unit ?? facts.mapping.unit ?? wanted
  const odd = number.unknownUnit ?? (wanted === null ? number.unit : null)
  if (odd !== null) {
    const issue: Issue = {
      severity: 'error',
      rule: 'unit',
      title: `“${odd}” behind a number`,
      message: `“${odd}” behind the number is ${wanted === null ? 'not expected here' : `no unit that can be read as ${wanted}`}.`,
      cause: odd,
    }
    return { value: emptyValue(cell.text), issues: [issue] }
  }
  const [reading] = number.readings
  if (reading === undefined || number.readings.length > 1 || reading.way !== 'as-written') {
    return { value: emptyValue(cell.text), issues: [askForReading(cell.text, number.readings, number.unit)] }
  }
  if (wanted !== null && unit !== null && unit !== wanted) {
    return { value: emptyValue(cell.text), issues: [askForConversion(reading.value, unit, wanted)] }
  }
  return finishNumber(field, cell, reading.value)
}

function finishNumber(field: NumberField, cell: Cell, written: string): ReadValue {
  const value = /[eE]/.test(written) ? new Decimal(written).toFixed() : written
  const issues: Issue[] = []
  const [whole = '', fraction = ''] = value.replace('-', '').split('.')
  if (whole.length > 20 || fraction.length > 10) {
    issues.push({
      severity: 'error',
      rule: 'number',
      title: 'Too many digits',
      message: `“${cell.text.trim()}” has more than 20 digits before or 10 after the decimal point.`,
    })
  }
  if (field.whole && !new Decimal(value).isInteger()) {
    issues.push({
      severity: 'error',
      rule: 'number',
      title: 'Not a whole number',
      message: `“${cell.text.trim()}” is not a whole number.`,
    })
  }
  const readAs = value === cell.text ? null : value
  return { value: keep(cell, value, { unit: field.unit, readAs }), issues }
}

function askForReading(text: string, readings: readonly NumberReading[], unit: string | null): Issue {
  const suffix = unit === null ? '' : ` ${unit}`
  const proposals = readings.map(({ value, way }) => ({ label: value + suffix, value: value + suffix, way }))
  const comma = text.includes(',')
  const choice = proposals.map((proposal) => proposal.label).join(' or ')
  return {
    severity: 'confirm',
    rule: 'number-format',
    title: comma ? 'Comma in a number' : 'Number in groups of three',
    message: `“${text.trim()}” has a ${comma ? 'comma' : 'separator'}: is it ${choice}?`,
    cause: readings.map((reading) => reading.way).join('|'),
    proposals,
  }
}

function askForConversion(amount: string, unit: string, wanted: string): Issue {
  const converted = convertUnit(amount, unit, wanted)
  if (converted === null) {
    return {
      severity: 'error',
      rule: 'unit',
      title: `${unit} instead of ${wanted}`,
      message: `${amount} is given in ${unit}, which cannot be converted to ${wanted}.`,
      cause: unit,
    }
  }
  return {
    severity: 'confirm',
    rule: 'unit',
    title: `${unit} instead of ${wanted}`,
    message: `${amount} is given in ${unit}, which would be ${converted} ${wanted}.`,
    cause: unit,
    proposals: [
      { label: `${converted} ${wanted}`, value: `${converted} ${wanted}`, way: `${unit} to ${wanted}` },
    ],
  }
}

type DateField = Extract<TemplateField, { kind: 'date' }>

function readDate(field: DateField, cell: Cell, facts: ColumnFacts): ReadValue {
  const full = readDateText(cell.text)
  const readings = full.length > 0 || !field.partial ? full : readPartialDateText(cell.text)
  const [reading] = readings
  if (reading === undefined) return { value: emptyValue(cell.text), issues: [explainNoDate(cell)] }
  if (readings.length === 1 && reading.way === 'as-written') {
    return {
      value: keep(cell, reading.value, { readAs: reading.value === cell.text ? null : reading.value }),
      issues: [],
    }
  }
  return { value: emptyValue(cell.text), issues: [askForDate(cell.text, readings, facts.dateOrder)] }
}

function askForDate(text: string, readings: readonly DateReading[], order: DateOrder): Issue {
  const sorted = readings.toSorted((a, b) => Number(b.way === order) - Number(a.way === order))
  const shortYear = readings.some((reading) => reading.way === 'two-digit-year')
  const proposals = sorted.map(({ value, way }) => ({
    label: spellDate(value),
    value,
    way: shortYear ? value : way,
  }))
  const evidence =
    order === null || shortYear
      ? ''
      : ` Other dates in this column have the ${order === 'day-first' ? 'day' : 'month'} first.`
  return {
    severity: 'confirm',
    rule: 'date-order',
    title: readings.length > 1 ? 'Date can be two days' : 'Year with two digits',
    message: `“${text.trim()}” ${readings.length > 1 ? 'can be' : 'is read as'} ${proposals.map((proposal) => proposal.label).join(' or ')}.${evidence}`,
    cause: shortYear ? 'two-digit-year' : 'order',
    proposals,
  }
}

function explainNoDate(cell: Cell): Issue {
  const text = cell.text.trim()
  const serial = /^\d{5}(\.\d+)?$/.test(text)
    ? formatSerialDate(Number(text), { base1904: false, time: false })
    : null
  if (serial !== null) {
    return {
      severity: 'error',
      rule: 'date',
      title: 'A day number instead of a date',
      message: `“${text}” is no date. As a spreadsheet's day number it would be ${spellDate(serial)}.`,
      proposals: [{ label: spellDate(serial), value: serial, way: 'day-number' }],
    }
  }
  return {
    severity: 'error',
    rule: 'date',
    title: isPlaceholder(text) ? `“${text}” is no date` : 'Not a date',
    message: `“${text}” is not a date such as 2026-11-17.`,
    cause: isPlaceholder(text) ? text : '',
    proposals: isPlaceholder(text) ? [LEAVE_EMPTY] : [],
  }
}

/** The order of day and month in the dates of a column that leave no doubt. */
export function findDateOrder(texts: readonly string[]): DateOrder {
  const orders = new Set<DateOrder>()
  for (const text of texts) {
    const match = /^\s*(\d{1,2})[-/](\d{1,2})[-/]\d{2,4}/.exec(text)
    if (Number(match?.[1]) > 12) orders.add('day-first')
    if (Number(match?.[2]) > 12) orders.add('month-first')
  }
  return orders.size === 1 ? ([...orders][0] ?? null) : null
}

/** The length of digit codes in a column where all longest ones begin with a zero; null when that says nothing. */
export function findPaddedLength(texts: readonly string[]): number | null {
  const codes = texts.map((text) => text.trim()).filter((text) => text !== '')
  if (!codes.every((code) => /^\d+$/.test(code))) return null
  const longest = Math.max(...codes.map((code) => code.length), 0)
  const padded = codes.filter((code) => code.length === longest && code.startsWith('0'))
  return longest > 1 && padded.length >= 2 && padded.length * 2 >= codes.length ? longest : null
}

const YES: ReadonlySet<string> = new Set(['yes', 'y', 'true', '1', 'x', '✓', '✔'])
const NO: ReadonlySet<string> = new Set(['no', 'n', 'false', '0'])

function readBoolean(cell: Cell): ReadValue {
  const folded = foldOption(cell.text)
  const value = YES.has(folded) ? 'true' : NO.has(folded) ? 'false' : null
  if (value !== null)
    return { value: keep(cell, value, { readAs: value === 'true' ? 'yes' : 'no' }), issues: [] }
  const issue: Issue = {
    severity: 'error',
    rule: 'boolean',
    title: `“${cell.text.trim()}” is neither yes nor no`,
    message: `“${cell.text.trim()}” is neither yes nor no.`,
    cause: cell.text.trim(),
    proposals: ['yes', 'no'].map((word) => ({ label: word, value: word, way: word })),
  }
  return { value: emptyValue(cell.text), issues: [issue] }
}

type ListField = Extract<TemplateField, { kind: 'select' | 'multiselect' }>

function readSelect(field: ListField, cell: Cell): ReadValue {
  const option = findOption(field, cell.text)
  if (option === null)
    return { value: emptyValue(cell.text), issues: [explainNoOption(field, cell.text, '')] }
  const readAs = cell.text === option.label ? null : option.label
  return { value: keep(cell, option.value, { readAs }), issues: [] }
}

function readMultiselect(field: Extract<TemplateField, { kind: 'multiselect' }>, cell: Cell): ReadValue {
  const parts = cell.text.split(field.separator).filter((part) => part.trim() !== '')
  const options = parts.map((part) => findOption(field, part))
  const issues = parts
    .filter((_, index) => options[index] === null)
    .map((part) => explainNoOption(field, part, cell.text))
  if (issues.length > 0) return { value: emptyValue(cell.text), issues }
  const values = options.filter((option) => option !== null).map((option) => option.value)
  return { value: keep(cell, [...new Set(values)]), issues: [] }
}

/** What each entry of a list may be called, made once per template: sheets ask it for every cell. */
const optionIndexes = new WeakMap<ListField, ReadonlyMap<string, SelectOption>>()

/** The option a text stands for; in exact lists only blanks around it are overlooked. */
function findOption(field: ListField, text: string): SelectOption | null {
  const index = optionIndexes.get(field) ?? indexOptions(field)
  optionIndexes.set(field, index)
  return index.get(field.match === 'exact' ? text.trim() : foldOption(text)) ?? null
}

function indexOptions(field: ListField): ReadonlyMap<string, SelectOption> {
  const index = new Map<string, SelectOption>()
  for (const option of field.options) {
    const exact = [option.label.trim(), option.value]
    const names = field.match === 'exact' ? exact : listOptionNames(option).map(foldOption)
    for (const name of names) if (!index.has(name)) index.set(name, option)
  }
  return index
}

function listOptionNames(option: SelectOption): readonly string[] {
  return [option.label, option.value, ...option.synonyms]
}

const nearOptions = new WeakMap<ListField, Map<string, readonly SelectOption[]>>()

/** The same slip often fills a column, and comparing with every entry is slow, so answers are remembered. */
function findNearOptions(field: ListField, text: string): readonly SelectOption[] {
  const known = nearOptions.get(field) ?? new Map<string, readonly SelectOption[]>()
  nearOptions.set(field, known)
  const found = known.get(text) ?? findNearest(text, field.options, listOptionNames)
  if (known.size < 10_000) known.set(text, found)
  return found
}

function explainNoOption(field: ListField, part: string, whole: string): Issue {
  const text = part.trim()
  const near = findNearOptions(field, text)
  const listed = field.options.slice(0, 8).map((option) => option.label)
  const more = field.options.length > listed.length ? ` and ${field.options.length - listed.length} more` : ''
  const [nearest] = near
  const help =
    nearest === undefined ? `Known are: ${listed.join(', ')}${more}.` : `The nearest is ${nearest.label}.`
  return {
    severity: 'error',
    rule: 'select',
    title: `${field.label} “${text}” is not known`,
    message: `“${text}” is not in the list${field.match === 'exact' ? ' (upper and lower case count)' : ''}. ${help}`,
    cause: text,
    proposals: near.map((option) => {
      const value = whole === '' ? option.label : whole.replace(text, option.label)
      return { label: option.label, value, way: option.value }
    }),
  }
}
