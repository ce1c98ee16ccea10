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
} from '../../platform/contract/values.ts'

export const TemplateId = id('TemplateId')
export const ImportId = id('ImportId')

export const TemplateState = z.enum(['draft', 'published', 'deprecated', 'archived'])

/** A field of a template. The rules' exact meaning is in `domain/`. */
export const TemplateField = z.object({
  key: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,59}$/, 'Letters, digits and _ only'),
  label: requiredText(120),
  /** Other headings under which clients send this column. */
  synonyms: z.array(text(120)).max(40).default([]),
  kind: z.enum(['text', 'number', 'date', 'boolean', 'select', 'multiselect', 'barcode', 'file']),
  unit: z.string().max(20).nullable().default(null),
  required: z.boolean().default(false),
  unique: z.boolean().default(false),
  options: z
    .array(z.object({ value: text(200), synonyms: z.array(text(200)).default([]) }))
    .max(2_000)
    .default([]),
  /** Options compared letter by letter, upper and lower case matter. */
  exactOptions: z.boolean().default(false),
  minimumLength: z.number().int().min(0).nullable().default(null),
  maximumLength: z.number().int().min(1).nullable().default(null),
  pattern: z.string().max(200).nullable().default(null),
  minimum: z.string().max(40).nullable().default(null),
  maximum: z.string().max(40).nullable().default(null),
  email: z.boolean().default(false),
  help: text(1_000).default(''),
})
export type TemplateField = z.infer<typeof TemplateField>

export const Template = z.object({
  id: TemplateId,
  name: z.string(),
  version: z.number().int(),
  state: TemplateState,
  builtIn: z.boolean(),
  description: z.string(),
  fields: z.array(TemplateField),
  createdAt: Instant,
  publishedAt: Instant.nullable(),
  revision: Revision,
})
export type Template = z.infer<typeof Template>

export const ImportState = z.enum([
  'reading',
  'mapping',
  'checking',
  'applying',
  'applied',
  'undone',
  'abandoned',
])

export const Finding = z.object({
  severity: z.enum(['error', 'confirm', 'note']),
  sheet: z.string(),
  /** Row as the file counts it, from 1. */
  row: z.number().int(),
  /** Column letter of the file, and the template's field. */
  column: z.string(),
  fieldKey: z.string().nullable(),
  heading: z.string(),
  /** The value as it stands in the file. */
  value: z.string(),
  rule: z.string(),
  message: z.string(),
  proposals: z.array(z.object({ label: z.string(), value: z.string() })),
})
export type Finding = z.infer<typeof Finding>

export const ImportColumn = z.object({
  column: z.string(),
  heading: z.string(),
  fieldKey: z.string().nullable(),
  why: z.string(),
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
  missingFields: z.array(z.string()),
  summary: z.object({
    rows: z.number().int(),
    good: z.number().int(),
    toConfirm: z.number().int(),
    withErrors: z.number().int(),
    saved: z.number().int(),
    leadingZerosKept: z.number().int(),
  }),
  createdAt: Instant,
  createdBy: z.string(),
  revision: Revision,
})
export type Import = z.infer<typeof Import>

export const ImportRow = z.object({
  row: z.number().int(),
  state: z.enum(['good', 'confirm', 'error', 'saved', 'skipped']),
  /** By field key: the value in force, and the file's own where a person corrected it. */
  cells: z.record(z.string(), z.object({ value: z.string(), original: z.string().nullable() })),
  findings: z.array(Finding),
  sampleId: z.uuid().nullable(),
  /** Why saving it failed, if it did. */
  saveError: z.string().nullable(),
})
export type ImportRow = z.infer<typeof ImportRow>

export const FindingGroup = z.object({
  rule: z.string(),
  severity: z.enum(['error', 'confirm', 'note']),
  fieldKey: z.string().nullable(),
  heading: z.string(),
  title: z.string(),
  value: z.string(),
  rows: z.array(z.number().int()),
  proposals: z.array(z.object({ label: z.string(), value: z.string() })),
})

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
        data: z.object({ why: z.string(), row: z.number().int().nullable() }),
      },
    })
    .input(
      z.object({
        fileSha256: z.string().regex(/^[0-9a-f]{64}$/),
        fileName: requiredText(300),
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
  })
    .input(
      z.object({
        id: ImportId,
        offset: z.coerce.number().int().min(0).default(0),
        limit: z.coerce.number().int().min(1).max(2_000).default(500),
        onlyProblems: z.coerce.boolean().default(false),
      }),
    )
    .output(z.object({ total: z.number().int(), rows: z.array(ImportRow) })),
  importProblems: query({
    permission: 'imports:read',
    path: '/imports/{id}/problems',
    summary: 'Findings of an import grouped by cause',
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
    summary: 'Choose sheet, header row and what each column is',
  })
    .input(
      z.object({
        id: ImportId,
        sheet: z.string().max(200).optional(),
        headerRow: z.number().int().min(1).optional(),
        columns: z.array(z.object({ column: z.string().max(5), fieldKey: z.string().nullable() })).optional(),
      }),
    )
    .output(Import),
  correctCells: command({
    permission: 'imports:create',
    summary: 'Correct or confirm cells; the file stays as it is',
  })
    .input(
      z.object({
        id: ImportId,
        corrections: z
          .array(z.object({ row: z.number().int(), fieldKey: z.string(), value: text(4_000) }))
          .max(10_000)
          .default([]),
        /** "Yes, it is right as it stands": takes away a finding that asks for confirmation. */
        confirmations: z
          .array(z.object({ row: z.number().int(), fieldKey: z.string(), rule: z.string() }))
          .max(10_000)
          .default([]),
        skipRows: z.array(z.number().int()).max(10_000).default([]),
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
