import { boolean, index, integer, jsonb, primaryKey, snakeCase, text, uuid } from 'drizzle-orm/pg-core'
import { instant, syncedColumns, syncPolicies } from '../../platform/database/policy.ts'
import type { Import } from './contract.ts'
import { importStates } from './domain/import-state.ts'
import type { Template } from './domain/template.ts'

/** Fields, row checks and identity of a template, as in `domain/template.ts`. A draft may have no field yet. */
export type TemplateDefinition = Pick<Template, 'fields' | 'identity' | 'checks'>

/** A version of a template. Published ones never change; the name and version are unique by constraint. */
export const template = snakeCase.table(
  'template',
  {
    ...syncedColumns(),
    name: text().notNull(),
    version: integer().notNull(),
    state: text({ enum: ['draft', 'published', 'deprecated', 'archived'] }).notNull(),
    /** It came with TracSeq; its id follows from the laboratory, so that all workstations publish the same one. */
    builtIn: boolean().notNull().default(false),
    description: text().notNull(),
    definition: jsonb().$type<TemplateDefinition>().notNull(),
    /** Two workstations made this version at once; outside of the constraint until a person decides. */
    contested: boolean().notNull().default(false),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
    publishedAt: instant(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('template_name').on(table.laboratoryId, table.name, table.id),
    index('template_created').on(table.laboratoryId, table.createdAt, table.id),
  ],
)

/** What a person chose instead of what was found. Columns by letter: a field's key, or what to do with its values. */
export interface ImportChoices {
  readonly sheet: string | null
  readonly headerRow: number | null
  readonly fields: Readonly<Record<string, string | null>>
  readonly uses: Readonly<Record<string, 'extra' | 'left-out'>>
  readonly given: Readonly<Record<string, string>>
}

/** What was found in the file the last time it was looked at, for showing it without reading it again. */
export type ImportFacts = Pick<
  Import,
  'sheets' | 'sheet' | 'headerRow' | 'columns' | 'missingFields' | 'choices' | 'message' | 'notes'
>

/** A spreadsheet on its way in. The file itself is stored under its hash; here is what was decided about it. */
export const importTable = snakeCase.table(
  'import',
  {
    ...syncedColumns(),
    state: text({ enum: importStates }).notNull(),
    fileName: text().notNull(),
    fileSha256: text().notNull(),
    templateId: uuid().notNull(),
    choices: jsonb().$type<ImportChoices>().notNull(),
    facts: jsonb().$type<ImportFacts>().notNull(),
    /** Counts of the last check, kept right in the change sets that save rows. Saved rows are counted themselves. */
    rows: integer().notNull(),
    good: integer().notNull(),
    toConfirm: integer().notNull(),
    withErrors: integer().notNull(),
    skipped: integer().notNull(),
    leadingZerosKept: integer().notNull(),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('import_created').on(table.laboratoryId, table.createdAt, table.id),
  ],
)

/**
 * What a person decided about a cell or row of an import, in the order of `position`. The file is never touched:
 * decisions are laid over it each time it is looked at.
 */
export const importDecision = snakeCase.table(
  'import_decision',
  {
    ...syncedColumns(),
    importId: uuid().notNull(),
    position: integer().notNull(),
    kind: text({ enum: ['set', 'accept', 'skip', 'unskip'] }).notNull(),
    sheet: text().notNull(),
    row: integer().notNull(),
    /** 1 is A; null for the whole row, and for a field the file has no column for. */
    column: integer(),
    /** Of such a field. */
    fieldKey: text(),
    rule: text(),
    /** What the person saw, as JSON text: a file may hold characters that a database cannot. */
    expected: text(),
    value: text(),
    reason: text(),
    at: instant().notNull(),
    byId: text().notNull(),
    by: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('decision_of_import').on(table.laboratoryId, table.importId, table.position, table.id),
  ],
)

/** What became of a row that was saved, or tried. The id follows from import and row: a row has one outcome. */
export const importRow = snakeCase.table(
  'import_row',
  {
    ...syncedColumns(),
    importId: uuid().notNull(),
    row: integer().notNull(),
    state: text({ enum: ['saving', 'saved', 'failed', 'undoing', 'undone'] }).notNull(),
    sampleId: uuid(),
    code: text(),
    /** Why saving failed, or why it could not be taken back. */
    problem: text(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('row_of_import').on(table.laboratoryId, table.importId, table.row),
  ],
)

export const templatesTables = syncPolicies([
  [template, 'reconcile'],
  [importTable, 'field-merge', [importTable.fileSha256]],
  [importDecision, 'append-only'],
  [importRow, 'field-merge'],
])
