import { Decimal } from 'decimal.js'
import type { CheckContext } from './check-context.ts'
import type { FieldValue } from './field-value.ts'
import { listRows } from './finding.ts'
import type { Issue } from './issue.ts'
import { compilePattern, type SafePattern } from './safe-pattern.ts'
import type { Condition, FieldRule, RowCheck, Template, TemplateField } from './template.ts'

type Values = Readonly<Record<string, FieldValue>>

/** Runs the rules of one field on one row, uniqueness apart. Adds to `unchecked` what there were no records for. */
export function checkField(
  field: TemplateField,
  values: Values,
  template: Template,
  context: CheckContext,
  unchecked: Set<string>,
): readonly Issue[] {
  const own = values[field.key]
  if (own === undefined) return []
  return field.rules.flatMap((rule): readonly Issue[] => {
    if (rule.rule === 'required') return checkRequired(rule, field, own, values)
    if (own.text.trim() === '') return []
    switch (rule.rule) {
      case 'length':
        return checkLength(rule, own.text)
      case 'pattern':
        return checkPattern(rule, own.text)
      case 'range':
        return checkRange(rule, field, own, context.today)
      case 'email':
        return checkEmail(rule, own.text)
      case 'reference':
        return checkReference(rule, own, values, context, unchecked, template)
      case 'unique':
        return []
    }
  })
}

interface RuleWords {
  readonly severity?: Issue['severity'] | undefined
  readonly message?: string | undefined
}

/** An issue in the rule's own words and severity, where the template gives them; `{value}` is filled in. */
function word(
  rule: RuleWords,
  fallback: Omit<Issue, 'severity'>,
  fill: Readonly<Record<string, string>> = {},
): Issue {
  const severity = rule.severity ?? 'error'
  const acceptable = severity === 'confirm' ? 'yes' : (fallback.acceptable ?? 'no')
  if (rule.message === undefined) return { ...fallback, severity, acceptable }
  const message = rule.message.replace(/\{(\w+)\}/g, (whole, name: string) => fill[name] ?? whole)
  return {
    ...fallback,
    severity,
    acceptable,
    message,
    title: rule.message.includes('{') ? fallback.title : message,
  }
}

function checkRequired(
  rule: Extract<FieldRule, { rule: 'required' }>,
  field: TemplateField,
  own: FieldValue,
  values: Values,
): readonly Issue[] {
  if (own.text.trim() !== '' || own.value !== null) return []
  if (rule.when !== undefined && !holds(rule.when, values)) return []
  return [
    word(rule, { rule: 'required', title: `${field.label} is empty`, message: 'is empty but is needed.' }),
  ]
}

function holds(condition: Condition, values: Values): boolean {
  const other = values[condition.field]
  const said = other === undefined ? [] : [other.text.trim(), ...listValues(other)]
  return said.some((value) => condition.is.includes(value))
}

function listValues(value: FieldValue): readonly string[] {
  return value.value === null ? [] : typeof value.value === 'string' ? [value.value] : value.value
}

function checkLength(rule: Extract<FieldRule, { rule: 'length' }>, text: string): readonly Issue[] {
  const length = [...text].length
  if (rule.max !== undefined && length > rule.max) {
    const message = `has ${length} characters; ${rule.max} are the most.`
    return [
      word(rule, { rule: 'length', title: `Longer than ${rule.max} characters`, message }, { value: text }),
    ]
  }
  if (rule.min !== undefined && length < rule.min) {
    const message = `has ${length} characters; ${rule.min} are the least.`
    return [
      word(rule, { rule: 'length', title: `Shorter than ${rule.min} characters`, message }, { value: text }),
    ]
  }
  return []
}

const compiledPatterns = new WeakMap<FieldRule, SafePattern>()

function checkPattern(rule: Extract<FieldRule, { rule: 'pattern' }>, text: string): readonly Issue[] {
  const pattern = compiledPatterns.get(rule) ?? compilePattern(rule.pattern)
  compiledPatterns.set(rule, pattern)
  const value = text.trim()
  if (pattern.matches(value)) return []
  const message = `“${value}” is not ${rule.means}.`
  return [word(rule, { rule: 'pattern', title: `Not ${rule.means}`, message }, { value })]
}

function checkRange(
  rule: Extract<FieldRule, { rule: 'range' }>,
  field: TemplateField,
  own: FieldValue,
  today: string | undefined,
): readonly Issue[] {
  if (typeof own.value !== 'string') return []
  const unit = own.unit === null ? '' : ` ${own.unit}`
  const min = rule.min === 'today' ? today : rule.min
  const max = rule.max === 'today' ? today : rule.max
  const name = (limit: string): string =>
    limit + unit + (limit === today && field.kind === 'date' ? ' (today)' : '')
  if (min !== undefined && compareValues(own.value, min, field) < 0) {
    const message = `“${own.text.trim()}” is below ${name(min)}.`
    return [word(rule, { rule: 'range', title: `Below ${name(min)}`, message }, { value: own.text })]
  }
  if (max !== undefined && compareValues(own.value, max, field) > 0) {
    const message = `“${own.text.trim()}” is ${field.kind === 'date' ? 'after' : 'above'} ${name(max)}.`
    const title = `${field.kind === 'date' ? 'After' : 'Above'} ${name(max)}`
    return [word(rule, { rule: 'range', title, message }, { value: own.text })]
  }
  return []
}

/** Numbers by amount, dates by as much of day, month and year as both say, other texts by their characters. */
function compareValues(left: string, right: string, field: TemplateField): number {
  if (field.kind === 'number') return new Decimal(left).comparedTo(right)
  const length = field.kind === 'date' ? Math.min(10, left.length, right.length) : undefined
  const [a, b] = [left.slice(0, length), right.slice(0, length)]
  return a < b ? -1 : a > b ? 1 : 0
}

function checkEmail(rule: Extract<FieldRule, { rule: 'email' }>, text: string): readonly Issue[] {
  const value = text.trim()
  const [local = '', domain = '', ...more] = value.split('@')
  const labels = domain.split('.')
  const good =
    more.length === 0 &&
    /^[^\s"(),:;<>[\]\\]{1,64}$/.test(local) &&
    labels.length > 1 &&
    labels.every((label) => /^[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u.test(label))
  if (good) return []
  const message = `“${value}” is not an e-mail address.`
  return [word(rule, { rule: 'email', title: 'Not an e-mail address', message }, { value })]
}

function checkReference(
  rule: Extract<FieldRule, { rule: 'reference' }>,
  own: FieldValue,
  values: Values,
  context: CheckContext,
  unchecked: Set<string>,
  template: Template,
): readonly Issue[] {
  const table = context.references?.[rule.to]
  if (table === undefined) {
    unchecked.add(`There was no list of ${rule.to} to compare with.`)
    return []
  }
  const value = typeof own.value === 'string' ? own.value.trim() : own.text.trim()
  const record = typeof table === 'function' ? table(value) : table.get(value)
  if (!rule.known) {
    if (record === undefined) return []
    const message = `“${value}” is already among ${rule.to}.`
    return [word(rule, { rule: 'reference', title: `Already among ${rule.to}`, message }, { value })]
  }
  if (record === undefined) {
    const message = `“${value}” is not among ${rule.to}.`
    return [word(rule, { rule: 'reference', title: `Not among ${rule.to}`, message }, { value })]
  }
  return rule.matching.flatMap((match): readonly Issue[] => {
    const expected = record[match.property]
    const other = values[match.field]
    const said = other === undefined ? '' : (listValues(other)[0] ?? other.text).trim()
    if (expected === undefined || expected === '' || said === '' || said === expected) return []
    const label = template.fields.find((field) => field.key === match.field)?.label ?? match.field
    const fallback = {
      rule: 'reference',
      title: `${label} differs from the record`,
      message: `${label} of “${value}” is “${said}” here and “${expected}” in the record.`,
    }
    const issue = word({ severity: rule.severity, message: match.message }, fallback, {
      value,
      said,
      expected,
    })
    return [
      match.message === undefined ? issue : { ...issue, message: `${issue.message} (${fallback.message})` },
    ]
  })
}

/** Runs a check over several fields of one row. The finding stands on the field that should change. */
export function checkRow(
  check: RowCheck,
  values: Values,
  template: Template,
  tables: NonNullable<CheckContext['tables']>,
): readonly { readonly field: string; readonly issue: Issue }[] {
  const find = (key: string): TemplateField | undefined => template.fields.find((field) => field.key === key)
  const label = (key: string): string => find(key)?.label ?? key
  const isEmpty = (key: string): boolean => (values[key]?.text ?? '').trim() === ''
  switch (check.rule) {
    case 'together': {
      const empty = check.fields.filter(isEmpty)
      if (empty.length === 0 || empty.length === check.fields.length) return []
      const given = check.fields.filter((key) => !isEmpty(key)).map(label)
      return empty.map((field) => {
        const message = `is empty although ${given.join(' and ')} is given.`
        return {
          field,
          issue: word(check, { rule: 'together', title: `${label(field)} is missing`, message }),
        }
      })
    }
    case 'at-least-one': {
      const [first] = check.fields
      if (first === undefined || !check.fields.every(isEmpty)) return []
      const names = check.fields.map(label).join(' or ')
      const fallback = {
        rule: 'at-least-one',
        title: `${names} is needed`,
        message: `one of ${names} is needed.`,
      }
      return [{ field: first, issue: word(check, fallback) }]
    }
    case 'compare': {
      const left = values[check.left]?.value
      const right = values[check.right]?.value
      const field = find(check.left)
      if (typeof left !== 'string' || typeof right !== 'string' || field === undefined) return []
      if (isTrueFor(check.operator, compareValues(left, right, field))) return []
      const relation = COMPARISON_WORDS[check.operator]
      const message = `must be ${relation} ${label(check.right)}: “${left}” and “${right}”.`
      const title = `${label(check.left)} must be ${relation} ${label(check.right)}`
      return [{ field: check.left, issue: word(check, { rule: 'compare', title, message }, { value: left }) }]
    }
    case 'allowed-by':
      return checkAllowed(check, values, find, tables[check.field] ?? check.table)
  }
}

type Comparison = Extract<RowCheck, { rule: 'compare' }>['operator']

const COMPARISON_WORDS: Readonly<Record<Comparison, string>> = {
  '<': 'less than',
  '<=': 'at most',
  '=': 'equal to',
  '!=': 'other than',
  '>=': 'at least',
  '>': 'more than',
}

function isTrueFor(operator: Comparison, order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '>=':
      return order >= 0
    case '>':
      return order > 0
  }
}

function checkAllowed(
  check: Extract<RowCheck, { rule: 'allowed-by' }>,
  values: Values,
  find: (key: string) => TemplateField | undefined,
  table: Readonly<Record<string, readonly string[]>>,
): readonly { readonly field: string; readonly issue: Issue }[] {
  const value = values[check.field]?.value
  const by = values[check.by]?.value
  if (typeof value !== 'string' || typeof by !== 'string' || !Object.hasOwn(table, by)) return []
  const allowed = table[by] ?? []
  if (allowed.includes(value)) return []
  const field = find(check.field)
  const show = (key: string, of: TemplateField | undefined): string =>
    of?.kind === 'select' ? (of.options.find((option) => option.value === key)?.label ?? key) : key
  const names = { value: show(value, field), by: show(by, find(check.by)) }
  const labels = allowed.map((key) => show(key, field))
  const fallback = {
    rule: 'allowed-by',
    title: `${names.value} does not go with ${names.by}`,
    message: `“${names.value}” does not go with “${names.by}”.`,
    cause: `${by}|${value}`,
    proposals: labels.map((label, index) => ({ label, value: label, way: allowed[index] ?? label })),
    acceptable: check.overridable ? ('with-reason' as const) : ('no' as const),
  }
  const issue = word(check, fallback, names)
  const said = check.message === undefined ? issue.title : issue.message.replace(/\.$/, '')
  const title = said.charAt(0).toUpperCase() + said.slice(1)
  const message = `${issue.message} Allowed: ${labels.join(', ') || 'none'}.`
  return [{ field: check.field, issue: { ...issue, title, message } }]
}

interface RowValues {
  readonly row: number
  readonly values: Values
}

/** Finds values that should be unique in the file and are not; every row that has one gets its finding. */
export function checkUniqueness(
  template: Template,
  rows: readonly RowValues[],
): readonly {
  readonly row: number
  readonly field: string
  readonly value: string
  readonly issue: Issue
}[] {
  return template.fields.flatMap((field) =>
    field.rules
      .filter((rule) => rule.rule === 'unique')
      .flatMap((rule) => findRepeats(field, rule, rows, template)),
  )
}

function findRepeats(
  field: TemplateField,
  rule: Extract<FieldRule, { rule: 'unique' }>,
  rows: readonly RowValues[],
  template: Template,
): ReturnType<typeof checkUniqueness> {
  const keys = new Map<RowValues, string>()
  for (const row of rows) {
    if ((row.values[field.key]?.text ?? '').trim() === '') continue
    keys.set(row, [field.key, ...rule.with].map((part) => listKey(row.values[part])).join('\u0000'))
  }
  const key = (row: RowValues): string => keys.get(row) ?? ''
  const exact = findGroups(keys, (text) => text)
  const repeated = new Set(exact.flat())
  const loose = findGroups(keys, (text) => text.toLowerCase()).filter(
    (group) => new Set(group.map(key)).size > 1 && !group.every((row) => repeated.has(row)),
  )
  const companions = rule.with.map(
    (part) => template.fields.find((other) => other.key === part)?.label ?? part,
  )
  const scope = companions.length === 0 ? '' : ` with the same ${companions.join(' and ')}`
  return [
    ...exact.flatMap((group) => {
      const numbers = group.map((member) => member.row)
      return group.map((row) => {
        const value = row.values[field.key]?.text ?? ''
        const issue = word(
          rule,
          {
            rule: 'unique',
            title: `${field.label} used ${group.length === 2 ? 'twice' : `${group.length} times`}`,
            message: `“${value.trim()}” is in ${listRows(numbers)}${scope}.`,
            cause: key(row),
          },
          { value: value.trim(), rows: listRows(numbers) },
        )
        return { row: row.row, field: field.key, value, issue }
      })
    }),
    ...loose.flatMap((group) => {
      const numbers = listRows(group.map((member) => member.row))
      return group.map((row) => {
        const value = row.values[field.key]?.text ?? ''
        const issue: Issue = {
          severity: 'confirm',
          rule: 'unique-but-for-case',
          title: `${field.label} differs only in upper and lower case`,
          message: `“${value.trim()}” differs only in upper and lower case in ${numbers}.`,
          cause: key(row).toLowerCase(),
          acceptable: 'yes',
        }
        return { row: row.row, field: field.key, value, issue }
      })
    }),
  ]
}

/** Rows whose keys are equal once folded, where there are at least two. */
function findGroups(
  keys: ReadonlyMap<RowValues, string>,
  fold: (key: string) => string,
): readonly (readonly RowValues[])[] {
  const first = new Map<string, RowValues>()
  const groups = new Map<string, RowValues[]>()
  for (const [row, key] of keys) {
    const folded = fold(key)
    const before = first.get(folded)
    const group = groups.get(folded)
    if (before === undefined) first.set(folded, row)
    else if (group === undefined) groups.set(folded, [before, row])
    else group.push(row)
  }
  return [...groups.values()]
}

/** Blanks around a code do not make it another code. */
function listKey(value: FieldValue | undefined): string {
  return (typeof value?.value === 'string' ? value.value : (value?.text ?? '')).trim()
}
