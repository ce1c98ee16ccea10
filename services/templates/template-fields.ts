import type { z } from 'zod'
import type { TemplateField as ShownField } from './contract.ts'
import type { FieldRule, TemplateField } from './domain/template.ts'

type RuleName = 'required' | 'unique' | 'length' | 'pattern' | 'range' | 'email'

/** A field as the contract shows it: plain rules in places of their own, all others in `rules`. */
export function showField(field: TemplateField): z.input<typeof ShownField> {
  const plain = new Map<RuleName, FieldRule>()
  const others: FieldRule[] = []
  for (const rule of field.rules) {
    if (rule.rule !== 'reference' && isPlain(rule) && !plain.has(rule.rule)) plain.set(rule.rule, rule)
    else others.push(rule)
  }
  const length = pick(plain.get('length'), 'length')
  const range = pick(plain.get('range'), 'range')
  const pattern = pick(plain.get('pattern'), 'pattern')
  const isList = field.kind === 'select' || field.kind === 'multiselect'
  return {
    key: field.key,
    label: field.label,
    kind: field.kind,
    synonyms: field.synonyms,
    unit: field.kind === 'number' ? field.unit : null,
    whole: field.kind === 'number' && field.whole,
    partial: field.kind === 'date' && field.partial,
    required: plain.has('required'),
    unique: plain.has('unique'),
    options: isList ? field.options : [],
    exactOptions: isList && field.match === 'exact',
    ...(field.kind === 'multiselect' ? { separator: field.separator } : {}),
    minimumLength: length?.min ?? null,
    maximumLength: length?.max ?? null,
    pattern: pattern?.pattern ?? null,
    patternMeans: pattern?.means ?? null,
    minimum: range?.min ?? null,
    maximum: range?.max ?? null,
    email: plain.has('email'),
    help: field.description ?? '',
    rules: others,
  }
}

/**
 * Back from what the contract shows, still to be judged by the domain's schema, which drops what other kinds of field
 * have.
 */
export function readField(shown: ShownField): { readonly key: string } & Readonly<Record<string, unknown>> {
  const { minimumLength, maximumLength, minimum, maximum } = shown
  const length = { rule: 'length', min: minimumLength ?? undefined, max: maximumLength ?? undefined }
  const pattern = { rule: 'pattern', pattern: shown.pattern, means: shown.patternMeans ?? undefined }
  const range = { rule: 'range', min: minimum ?? undefined, max: maximum ?? undefined }
  return {
    kind: shown.kind,
    key: shown.key,
    label: shown.label,
    description: shown.help === '' ? undefined : shown.help,
    synonyms: shown.synonyms,
    rules: [
      ...(shown.required ? [{ rule: 'required' }] : []),
      ...(minimumLength === null && maximumLength === null ? [] : [length]),
      ...(shown.pattern === null ? [] : [pattern]),
      ...(minimum === null && maximum === null ? [] : [range]),
      ...(shown.email ? [{ rule: 'email' }] : []),
      ...(shown.unique ? [{ rule: 'unique' }] : []),
      ...shown.rules,
    ],
    unit: shown.unit,
    whole: shown.whole,
    partial: shown.partial,
    options: shown.options.map(({ label, ...option }) => ({ ...option, label: label ?? option.value })),
    match: shown.exactOptions ? 'exact' : 'ignore-case',
    separator: shown.separator,
  }
}

function isPlain(rule: FieldRule): boolean {
  if (rule.severity !== undefined || rule.message !== undefined) return false
  if (rule.rule === 'required') return rule.when === undefined
  return rule.rule !== 'unique' || rule.with.length === 0
}

function pick<Name extends RuleName>(
  rule: FieldRule | undefined,
  name: Name,
): Extract<FieldRule, { rule: Name }> | undefined {
  return rule?.rule === name ? (rule as Extract<FieldRule, { rule: Name }>) : undefined
}
