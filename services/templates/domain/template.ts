import { z } from 'zod'
import { compilePattern } from './safe-pattern.ts'
import { readUnit } from './unit.ts'

/** How much a broken rule matters: it stops the row, a person confirms it, or it is only said. */
export const Severity = z.enum(['error', 'confirm', 'note'])
export type Severity = z.infer<typeof Severity>

export const FieldKey = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,59}$/, 'A key has letters, digits and _ only, such as volumeUl')

const Words = z.string().trim().min(1).max(200)
const DecimalNumber = z.string().regex(/^-?\d{1,20}(\.\d{1,10})?$/, 'Not a decimal number such as 12.5')

/** Every rule may be softened to a confirmation or a note, and may speak in the form's own words. */
const ruleOptions = { severity: Severity.optional(), message: z.string().max(500).optional() }

/** Holds for rows in which a field has one of these values (its text, or the value of its option). */
export const Condition = z.object({ field: FieldKey, is: z.array(z.string()).min(1) })
export type Condition = z.infer<typeof Condition>

const Pattern = z
  .string()
  .max(500)
  .superRefine((source, context) => {
    try {
      compilePattern(source)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    }
  })

/** A rule about the value of one field. */
export const FieldRule = z.discriminatedUnion('rule', [
  z.object({ rule: z.literal('required'), when: Condition.optional(), ...ruleOptions }),
  z.object({
    rule: z.literal('length'),
    min: z.number().int().min(0).optional(),
    max: z.number().int().min(1).optional(),
    ...ruleOptions,
  }),
  /** `means` says in words what the pattern asks for: "two letters and four digits". */
  z.object({
    rule: z.literal('pattern'),
    pattern: Pattern,
    means: Words.default('in the form that is asked for'),
    ...ruleOptions,
  }),
  /** For numbers in the field's unit, for dates as ISO days or `today`. Both limits are allowed values. */
  z.object({
    rule: z.literal('range'),
    min: z.union([DecimalNumber, z.iso.date(), z.literal('today')]).optional(),
    max: z.union([DecimalNumber, z.iso.date(), z.literal('today')]).optional(),
    ...ruleOptions,
  }),
  z.object({ rule: z.literal('email'), ...ruleOptions }),
  /** Within the file, together with the fields in `with`: a well is unique with its plate. */
  z.object({ rule: z.literal('unique'), with: z.array(FieldKey).default([]), ...ruleOptions }),
  /**
   * The value names a known record of `to`, or with `known: false` one that must not exist yet. `matching` asks that
   * a property of that record equals another field of the row: a sample stays in the well it is known in.
   */
  z.object({
    rule: z.literal('reference'),
    to: Words,
    known: z.boolean().default(true),
    matching: z
      .array(
        z.object({ field: FieldKey, property: z.string().min(1), message: z.string().max(500).optional() }),
      )
      .default([]),
    ...ruleOptions,
  }),
])
export type FieldRule = z.infer<typeof FieldRule>

/** A rule about several fields of one row. */
export const RowCheck = z.discriminatedUnion('rule', [
  /** All of them or none: a well needs its plate. */
  z.object({ rule: z.literal('together'), fields: z.array(FieldKey).min(2), ...ruleOptions }),
  z.object({ rule: z.literal('at-least-one'), fields: z.array(FieldKey).min(2), ...ruleOptions }),
  /** Numbers or dates: collected before received. Rows in which one of them is empty pass. */
  z.object({
    rule: z.literal('compare'),
    left: FieldKey,
    operator: z.enum(['<', '<=', '=', '!=', '>=', '>']),
    right: FieldKey,
    ...ruleOptions,
  }),
  /** What `field` may be depends on `by`: RNA is not stored at 4 °C. Values of `by` without a list allow everything. */
  z.object({
    rule: z.literal('allowed-by'),
    field: FieldKey,
    by: FieldKey,
    table: z.record(z.string(), z.array(z.string())),
    /** Whether a person with the permission may override it with a reason. */
    overridable: z.boolean().default(false),
    ...ruleOptions,
  }),
])
export type RowCheck = z.infer<typeof RowCheck>

/** One entry of a select list. `value` is stored, `label` shown and proposed, synonyms are understood. */
export const SelectOption = z.object({
  value: z.string().min(1).max(200),
  label: Words,
  synonyms: z.array(Words).default([]),
})
export type SelectOption = z.infer<typeof SelectOption>

const fieldBase = {
  key: FieldKey,
  label: Words,
  description: z.string().max(1_000).optional(),
  /** Other headers under which the column comes. */
  synonyms: z.array(Words).default([]),
  rules: z.array(FieldRule).default([]),
}

const selectBase = {
  options: z.array(SelectOption).min(1),
  /** `exact`: case matters and synonyms are only proposed. `ignore-case`: labels and synonyms count as the option. */
  match: z.enum(['exact', 'ignore-case']).default('ignore-case'),
}

export const TemplateField = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), ...fieldBase }),
  z.object({
    kind: z.literal('number'),
    /** The unit in which the value is kept, in our spelling; null for counts and ratios. */
    unit: z
      .string()
      .refine((unit) => readUnit(unit) === unit, 'Not a known unit such as µL')
      .nullable()
      .default(null),
    whole: z.boolean().default(false),
    ...fieldBase,
  }),
  /** `partial`: a month or a year alone is enough. */
  z.object({ kind: z.literal('date'), partial: z.boolean().default(false), ...fieldBase }),
  z.object({ kind: z.literal('boolean'), ...fieldBase }),
  z.object({ kind: z.literal('select'), ...selectBase, ...fieldBase }),
  z.object({
    kind: z.literal('multiselect'),
    separator: z.string().length(1).default(';'),
    ...selectBase,
    ...fieldBase,
  }),
  z.object({ kind: z.literal('barcode'), ...fieldBase }),
  /** The name of a file that travels beside the sheet. */
  z.object({ kind: z.literal('file'), ...fieldBase }),
])
export type TemplateField = z.infer<typeof TemplateField>
export type TemplateFieldInput = z.input<typeof TemplateField>

/** What a spreadsheet form asks for. Published versions never change, so an import can always be explained again. */
export const Template = z
  .object({
    name: Words,
    description: z.string().max(2_000).optional(),
    fields: z.array(TemplateField).min(1).max(500),
    /** Fields that make a row a row: a line in which all of them are empty is padding. Empty: any filled field does. */
    identity: z.array(FieldKey).default([]),
    checks: z.array(RowCheck).default([]),
  })
  .superRefine((template, context) => {
    const keys = new Set<string>()
    for (const { key } of template.fields) {
      if (keys.has(key)) context.addIssue({ code: 'custom', message: `Two fields have the key ${key}.` })
      keys.add(key)
    }
    for (const key of listReferredKeys(template)) {
      if (!keys.has(key)) context.addIssue({ code: 'custom', message: `No field has the key ${key}.` })
    }
  })
export type Template = z.infer<typeof Template>

function listReferredKeys(template: {
  readonly fields: readonly TemplateField[]
  readonly identity: readonly string[]
  readonly checks: readonly RowCheck[]
}): readonly string[] {
  return [
    ...template.identity,
    ...template.checks.flatMap((check) => listCheckedKeys(check)),
    ...template.fields.flatMap((field) =>
      field.rules.flatMap((rule) => {
        if (rule.rule === 'required') return rule.when === undefined ? [] : [rule.when.field]
        if (rule.rule === 'unique') return rule.with
        return rule.rule === 'reference' ? rule.matching.map((match) => match.field) : []
      }),
    ),
  ]
}

/** The fields a row check reads, the one that carries its finding first. */
export function listCheckedKeys(check: RowCheck): readonly string[] {
  switch (check.rule) {
    case 'together':
    case 'at-least-one':
      return check.fields
    case 'compare':
      return [check.left, check.right]
    case 'allowed-by':
      return [check.field, check.by]
  }
}

/** Whether a template cannot do without the column: it is required in every row, or tells rows apart. */
export function isColumnRequired(field: TemplateField, template: Pick<Template, 'identity'>): boolean {
  const always = field.rules.some(
    (rule) => rule.rule === 'required' && rule.when === undefined && (rule.severity ?? 'error') === 'error',
  )
  return always || (template.identity.length === 1 && template.identity[0] === field.key)
}
