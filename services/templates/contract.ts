import { z } from 'zod'
import { event } from '../../platform/contract/event.ts'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import {
  id,
  Instant,
  listInput,
  page,
  Reason,
  requiredText,
  Revision,
  text,
  YesNo,
} from '../../platform/contract/values.ts'
import { importStates } from './domain/import-state.ts'
import { FieldKey, FieldRule, RowCheck, Severity } from './domain/template.ts'

export const TemplateId = id('TemplateId')
export const ImportId = id('ImportId')

export const TemplateState = z.enum(['draft', 'published', 'deprecated', 'archived'])

/**
 * A field of a template. The rules most fields have stand on their own (`required`, `unique`, lengths, limits);
 * `rules` holds those that depend on a condition, are softer than an error, or speak in their own words.
 */
export const TemplateField = z.object({
  key: FieldKey,
  label: requiredText(120),
  /** Other headings under which clients send this column. */
  synonyms: z.array(text(120)).max(40).default([]),
  kind: z.enum(['text', 'number', 'date', 'boolean', 'select', 'multiselect', 'barcode', 'file']),
  /** Numbers: the unit in which the value is kept; null for counts and ratios. */
  unit: z.string().max(20).nullable().default(null),
  /** Numbers: without a fraction. */
  whole: z.boolean().default(false),
  /** Dates: a month or a year alone is enough. */
  partial: z.boolean().default(false),
  required: z.boolean().default(false),
  unique: z.boolean().default(false),
  options: z
    .array(
      z.object({
        /** What is stored. */
        value: text(200),
        /** What is shown and proposed; the value itself where nothing is said. */
        label: text(200).optional(),
        synonyms: z.array(text(200)).default([]),
      }),
    )
    .max(2_000)
    .default([]),
  /** Options compared letter by letter, upper and lower case matter. */
  exactOptions: z.boolean().default(false),
  /** Multiselect: what stands between two values. */
  separator: z.string().length(1).default(';'),
  minimumLength: z.number().int().min(0).nullable().default(null),
  maximumLength: z.number().int().min(1).nullable().default(null),
  pattern: z.string().max(200).nullable().default(null),
  /** In words what the pattern asks for: "two letters and four digits". */
  patternMeans: text(200).nullable().default(null),
  /** Numbers, ISO days, or `today`. */
  minimum: z.string().max(40).nullable().default(null),
  maximum: z.string().max(40).nullable().default(null),
  email: z.boolean().default(false),
  help: text(1_000).default(''),
  rules: z.array(FieldRule).max(40).default([]),
})
export type TemplateField = z.infer<typeof TemplateField>

/** Fields that make a line a row, and rules over several fields; see `domain/template.ts`. */
const templateRules = {
  identity: z.array(FieldKey).max(20),
  checks: z.array(RowCheck).max(100),
}

export const Template = z.object({
  id: TemplateId,
  name: z.string(),
  version: z.number().int(),
  state: TemplateState,
  builtIn: z.boolean(),
  description: z.string(),
  fields: z.array(TemplateField),
  ...templateRules,
  createdAt: Instant,
  publishedAt: Instant.nullable(),
  revision: Revision,
})
export type Template = z.infer<typeof Template>

/**
 * `mapping`: somebody must look at sheet, header or columns first. `checking`: rows wait to be saved or repaired, some
 * may be saved already. `applying`: rows are being saved, or were when it was interrupted; applying again goes on.
 */
export const ImportState = z.enum(importStates)

const Proposal = z.object({
  label: z.string(),
  value: z.string(),
  /** How it was found, the same for all cells that can be put right in one go. */
  way: z.string(),
})

/** What may be done besides changing the cell: nothing, a plain word, or a word with a reason (and the permission). */
const Acceptable = z.enum(['no', 'yes', 'with-reason'])

export const Finding = z.object({
  severity: Severity,
  sheet: z.string(),
  /** Row as the file counts it, from 1. */
  row: z.number().int(),
  /** Column letter of the file; empty for the whole row, and for fields the file has no column for. */
  column: z.string(),
  /** Null for the whole row, and for columns that are no field. */
  fieldKey: z.string().nullable(),
  heading: z.string(),
  /** The value as it stands in the file, or as corrected. */
  value: z.string(),
  rule: z.string(),
  message: z.string(),
  title: z.string(),
  /** Findings with the same cause are one group of `importProblems`. */
  cause: z.string(),
  proposals: z.array(Proposal),
  acceptable: Acceptable,
  /** A person accepted it; it is only a note now. */
  accepted: z.boolean(),
})
export type Finding = z.infer<typeof Finding>

/** `field`: read as a field. `extra`: kept with the sample as it came. `left-out`: not part of the table. */
export const ColumnUse = z.enum(['field', 'extra', 'left-out'])

export const ImportColumn = z.object({
  /** Letter in the file; empty for a field the file has no column for. */
  column: z.string(),
  heading: z.string(),
  fieldKey: z.string().nullable(),
  use: ColumnUse,
  why: z.string(),
  /** 0 to 1; below 0.8 a person should look. Null where nothing was matched. */
  confidence: z.number().nullable(),
  /** The one value that all rows get, where a person gave it. */
  given: z.string().nullable(),
  examples: z.array(z.string()),
})

export const Import = z.object({
  id: ImportId,
  state: ImportState,
  fileName: z.string(),
  fileSha256: z.string(),
  templateId: TemplateId,
  sheets: z.array(z.object({ name: z.string(), rows: z.number().int(), usable: z.boolean() })),
  sheet: z.string().nullable(),
  headerRow: z.number().int().nullable(),
  columns: z.array(ImportColumn),
  /** Keys of fields that every row needs and the file has no column for. Give them a value or choose a column. */
  missingFields: z.array(z.string()),
  /** Fields for which several columns fit equally well; the first was taken. */
  choices: z.array(z.object({ fieldKey: z.string(), columns: z.array(z.string()) })),
  /** What was found, in one sentence. */
  message: z.string(),
  /** What else a person should know: how the file was read, what could not be checked, what is left out. */
  notes: z.array(z.string()),
  /** Every row is counted once: rows = good + toConfirm + withErrors + skipped + saving + saved + undone. */
  summary: z.object({
    rows: z.number().int(),
    good: z.number().int(),
    toConfirm: z.number().int(),
    /** With errors in the file, or refused when they were saved. */
    withErrors: z.number().int(),
    skipped: z.number().int(),
    /** Being saved or taken back at this moment, or when that was interrupted. */
    saving: z.number().int(),
    saved: z.number().int(),
    undone: z.number().int(),
    leadingZerosKept: z.number().int(),
  }),
  createdAt: Instant,
  createdBy: z.string(),
  revision: Revision,
})
export type Import = z.infer<typeof Import>

export const ImportRow = z.object({
  row: z.number().int(),
  state: z.enum(['good', 'confirm', 'error', 'saving', 'saved', 'skipped', 'undone']),
  /** By field key: the value in force, and the file's own where a person corrected it. */
  cells: z.record(
    z.string(),
    z.object({
      value: z.string(),
      original: z.string().nullable(),
      /** Set where it was understood in another form, such as `Whole Blood` as `blood`. */
      readAs: z.string().nullable(),
    }),
  ),
  /** What is kept with the sample as it came, by heading. */
  extra: z.record(z.string(), z.string()),
  findings: z.array(Finding),
  sampleId: z.uuid().nullable(),
  /** Why saving it failed, or why it could not be taken back. */
  saveError: z.string().nullable(),
})
export type ImportRow = z.infer<typeof ImportRow>

export const FindingGroup = z.object({
  cause: z.string(),
  rule: z.string(),
  severity: Severity,
  fieldKey: z.string().nullable(),
  heading: z.string(),
  title: z.string(),
  /** Where, and the first value: "Type, rows 26, 27 and 140: “plasmaa”." */
  detail: z.string(),
  value: z.string(),
  rows: z.array(z.number().int()),
  /** Ways that help every row of the group; `correctCells` takes them by cause. */
  proposals: z.array(Proposal),
  acceptable: Acceptable,
})
export type FindingGroup = z.infer<typeof FindingGroup>

const RowNumber = z.number().int().min(1)
const ColumnLetter = z.string().regex(/^[A-Z]{1,3}$/, 'A column letter such as C or AA')

/** What other parts of the system may ask of the templates domain: forms, and spreadsheets checked against them. */
export const templates = domainContract('templates', {
  list: query({ permission: 'templates:read', path: '/', summary: 'Templates' })
    .input(
      z.object({
        ...listInput,
        sort: z.enum(['name', '-name', 'createdAt', '-createdAt']).default('name'),
        state: TemplateState.optional(),
      }),
    )
    .output(page(Template)),
  get: query({ permission: 'templates:read', path: '/{id}', summary: 'One version of a template' })
    .input(z.object({ id: TemplateId }))
    .output(Template),
  createDraft: command({
    permission: 'templates:manage',
    summary: 'Start a template, or the next version of one',
  })
    .input(
      z.object({
        name: requiredText(120),
        description: text(2_000).default(''),
        /** Copies this version's fields and continues its numbering when the name is the same. */
        fromId: TemplateId.optional(),
        fields: z.array(TemplateField).max(300).optional(),
        identity: templateRules.identity.optional(),
        checks: templateRules.checks.optional(),
      }),
    )
    .output(Template),
  updateDraft: command({
    permission: 'templates:manage',
    summary: 'Change a draft; published versions never change',
  })
    .input(
      z.object({
        id: TemplateId,
        revision: Revision,
        name: requiredText(120).optional(),
        description: text(2_000).optional(),
        fields: z.array(TemplateField).max(300).optional(),
        identity: templateRules.identity.optional(),
        checks: templateRules.checks.optional(),
      }),
    )
    .output(Template),
  changeState: command({ permission: 'templates:manage', summary: 'Publish, deprecate or archive a version' })
    .input(z.object({ id: TemplateId, to: TemplateState.exclude(['draft']), reason: Reason.optional() }))
    .output(Template),

  openImport: command({
    permission: 'imports:create',
    summary: 'Read a stored spreadsheet, find its header and map its columns',
    deadlineMs: 120_000,
    long: true,
  })
    .errors({
      NOT_READABLE: {
        status: 422,
        message: 'The file cannot be read',
        /** `row` is the line of a text file, where the trouble has one. */
        data: z.object({ why: z.string(), row: z.number().int().nullable(), code: z.string() }),
      },
    })
    .input(
      z.object({
        fileSha256: z.string().regex(/^[0-9a-f]{64}$/),
        fileName: requiredText(300),
        /** Without it, the published template that knows most of the columns. */
        templateId: TemplateId.optional(),
        sheet: z.string().max(200).optional(),
      }),
    )
    .output(Import),
  listImports: query({ permission: 'imports:read', path: '/imports', summary: 'Imports, newest first' })
    .input(z.object({ ...listInput, state: ImportState.optional() }))
    .output(page(Import)),
  getImport: query({ permission: 'imports:read', path: '/imports/{id}', summary: 'One import' })
    .input(z.object({ id: ImportId }))
    .output(Import),
  importRows: query({
    permission: 'imports:read',
    path: '/imports/{id}/rows',
    summary: 'Rows of an import, with findings',
    deadlineMs: 60_000,
  })
    .input(
      z.object({
        id: ImportId,
        offset: z.number().int().min(0).default(0),
        limit: z.number().int().min(1).max(2_000).default(500),
        onlyProblems: YesNo.default(false),
      }),
    )
    .output(z.object({ total: z.number().int(), rows: z.array(ImportRow) })),
  importProblems: query({
    permission: 'imports:read',
    path: '/imports/{id}/problems',
    summary: 'Findings of an import grouped by cause',
    deadlineMs: 60_000,
  })
    .input(z.object({ id: ImportId }))
    .output(z.array(FindingGroup)),
  findImportRow: query({
    permission: 'imports:read',
    scan: true,
    summary: 'The rows of an import that carry a code',
  })
    .input(z.object({ id: ImportId, text: z.string().min(1).max(1_000) }))
    .output(z.array(z.number().int())),
  mapColumns: command({
    permission: 'imports:create',
    summary: 'Choose template, sheet, header row and what each column is',
    deadlineMs: 60_000,
    long: true,
  })
    .input(
      z.object({
        id: ImportId,
        templateId: TemplateId.optional(),
        sheet: z.string().max(200).optional(),
        headerRow: RowNumber.optional(),
        /** Without a field, the column is kept as it came, unless `use` leaves it out. */
        columns: z
          .array(
            z.object({
              column: ColumnLetter,
              fieldKey: z.string().nullable(),
              use: ColumnUse.exclude(['field']).optional(),
            }),
          )
          .max(500)
          .optional(),
        /** One value for all rows, for fields the file has no column for; null takes it away. */
        given: z.record(FieldKey, text(200).nullable()).optional(),
      }),
    )
    .output(Import),
  correctCells: command({
    permission: 'imports:create',
    summary: 'Correct or confirm cells; the file stays as it is',
    deadlineMs: 60_000,
    long: true,
  })
    .input(
      z.object({
        id: ImportId,
        /** Each names its field, or the letter of a column that is no field. */
        corrections: z
          .array(
            z.object({
              row: RowNumber,
              fieldKey: z.string().optional(),
              column: ColumnLetter.optional(),
              value: text(4_000),
              /** What the person saw; when the cell says something else by now, nothing is changed. */
              expected: z.string().optional(),
            }),
          )
          .max(10_000)
          .default([]),
        /** "Yes, it is right as it stands": takes away a finding that asks for confirmation. */
        confirmations: z
          .array(
            z.object({
              row: RowNumber,
              /** Null for findings about the whole row. */
              fieldKey: z.string().nullable(),
              rule: z.string(),
              /** Needed where the finding is acceptable `with-reason`. */
              reason: Reason.optional(),
            }),
          )
          .max(10_000)
          .default([]),
        /**
         * A whole group of `importProblems`: put right in one of its ways, or set to one value, or accepted as it
         * stands when neither is given.
         */
        causes: z
          .array(
            z.object({
              cause: z.string(),
              way: z.string().optional(),
              value: text(4_000).optional(),
              reason: Reason.optional(),
            }),
          )
          .max(200)
          .default([]),
        skipRows: z.array(RowNumber).max(10_000).default([]),
        unskipRows: z.array(RowNumber).max(10_000).default([]),
      }),
    )
    .output(Import),
  applyImport: command({
    permission: 'imports:apply',
    summary: 'Save the good rows as received samples; the others stay for repair',
    deadlineMs: 600_000,
    long: true,
  })
    .input(z.object({ id: ImportId }))
    .output(Import),
  undoImport: command({
    permission: 'imports:apply',
    summary: 'Take back what an import saved and nothing has happened to since',
    deadlineMs: 600_000,
    long: true,
  })
    .input(z.object({ id: ImportId, reason: Reason }))
    .output(
      z.object({ import: Import, kept: z.array(z.object({ row: z.number().int(), why: z.string() })) }),
    ),
  abandonImport: command({ permission: 'imports:create', summary: 'Put an unfinished import away' })
    .input(z.object({ id: ImportId, reason: Reason.optional() }))
    .output(Import),
})

/** What happened in the templates domain. */
export const templatesEvents = {
  TemplatePublished: event(
    'TemplatePublished',
    z.object({ templateId: z.string(), name: z.string(), version: z.number() }),
  ),
  ImportApplied: event(
    'ImportApplied',
    z.object({ importId: z.string(), fileName: z.string(), saved: z.number() }),
  ),
}
