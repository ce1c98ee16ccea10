import { and, eq, inArray, max, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { changedMeanwhile, Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { hashRequest } from '../../platform/database/change.ts'
import { decidePermission } from '../../platform/gateway/permission.ts'
import { orchestrates } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { describeFacts, lookAt, needsMapping, tablesOf } from './examinations.ts'
import { planDecisions, type Decision, type Decisions } from './domain/decisions.ts'
import { explainRefusal, type ImportAct } from './domain/import-state.ts'
import { countRows } from './import-rows.ts'
import {
  countOutcomes,
  findImport,
  findTemplate,
  type ImportRecord,
  type LoadedImport,
  loadImport,
  type TemplateRecord,
  toDefinition,
  toImport,
} from './imports.ts'
import { type ImportChoices, importDecision, importRow, importTable, template } from './schema.ts'
import { readStoredWorkbook } from './stored-file.ts'
import { builtInId, publishBuiltIn } from './template-records.ts'
import { inTurn } from './turns.ts'

const noChoices: ImportChoices = { sheet: null, headerRow: null, fields: {}, uses: {}, given: {} }

/** Far below the 1,000 rows a change set may hold. */
const decisionsPerChange = 400

export const openImport = orchestrates(
  async (
    scope: OrchestrationScope,
    input: {
      fileSha256: string
      fileName: string
      templateId?: string | undefined
      sheet?: string | undefined
    },
  ) => {
    await scope.change('template', async (write) => {
      await publishBuiltIn(write)
      return {}
    })
    const form = await chooseTemplate(scope, input)
    const definition = toDefinition(form)
    const choices = { ...noChoices, sheet: input.sheet ?? null }
    await refuseUnknownSheet(scope, input, choices.sheet)
    const record = { ...input, id: uuidv7(), templateId: form.id, choices }
    const looked = await lookAt(
      scope,
      { record, template: definition, corrections: [], lastPosition: 0 },
      { anew: true },
    )
    const counts = countRows(looked.examination, { outcomes: new Map(), skipped: new Set() })
    const { id } = await scope.change('open', async (write) => {
      await write.tx.insert(importTable).values({
        laboratoryId: write.laboratoryId,
        id: record.id,
        state: needsMapping(looked, choices, false) ? 'mapping' : 'checking',
        fileName: input.fileName,
        fileSha256: input.fileSha256,
        templateId: form.id,
        choices,
        facts: describeFacts(looked, definition, choices),
        ...counts,
        createdAt: write.now,
        createdBy: write.actor?.name ?? 'nobody',
      })
      return { id: record.id }
    })
    return showImport(scope, id)
  },
)

export const mapColumns = orchestrates(
  (
    scope: OrchestrationScope,
    input: {
      id: string
      templateId?: string | undefined
      sheet?: string | undefined
      headerRow?: number | undefined
      columns?:
        { column: string; fieldKey: string | null; use?: 'extra' | 'left-out' | undefined }[] | undefined
      given?: Record<string, string | null> | undefined
    },
  ) =>
    inTurn(input.id, async () => {
      const before = await loadImport(scope, input.id)
      refuseUnless('map', before)
      const form =
        input.templateId === undefined || input.templateId === before.record.templateId
          ? before.template
          : toDefinition(await publishedTemplate(scope, input.templateId))
      for (const { fieldKey } of input.columns ?? []) refuseUnknownField(form.fields, fieldKey)
      for (const fieldKey of Object.keys(input.given ?? {})) refuseUnknownField(form.fields, fieldKey)
      const choices = mergeChoices(before.record.choices, input)
      await refuseUnknownSheet(scope, before.record, choices.sheet)
      const templateId = input.templateId ?? before.record.templateId
      const loaded = { ...before, template: form, record: { ...before.record, templateId, choices } }
      const looked = await lookAt(scope, loaded, { anew: false })
      const state = needsMapping(looked, choices, true) ? ('mapping' as const) : ('checking' as const)
      await scope.change('map', async (write) => {
        await updateImport(write, before.record, {
          state,
          templateId,
          choices,
          facts: describeFacts(looked, form, choices),
          ...countRows(looked.examination, loaded),
        })
        return {}
      })
      return showImport(scope, input.id)
    }),
)

export const correctCells = orchestrates((scope: OrchestrationScope, input: Decisions & { id: string }) =>
  inTurn(input.id, async () => {
    const loaded = await loadImport(scope, input.id)
    refuseUnless('correct', loaded)
    const { examination } = await lookAt(scope, loaded, { anew: false })
    if (examination === null)
      throw ruleBroken('import_state', 'Choose the sheet, the header and the columns first.')
    const fixed = new Set(
      [...loaded.outcomes.values()].filter(({ state }) => state !== 'failed').map(({ row }) => row),
    )
    const planned = planDecisions(examination, input, { fixed, skipped: loaded.skipped })
    if (!planned.ok) throw ruleBroken(planned.refusal.rule, planned.refusal.message, planned.refusal.field)
    if (planned.value.some(({ override }) => override)) requireOverride(scope)
    let last = loaded.lastPosition
    for (let start = 0; start < planned.value.length; start += decisionsPerChange) {
      const part = planned.value.slice(start, start + decisionsPerChange)
      // A repeat after an interruption plans only what is still to do, so each part is known by what is in it.
      const key = `decide/${hashRequest('decide', input.id, part)}`
      const kept = await scope.change(key, (write) =>
        storeDecisions(write, input.id, examination.sheet, part, last),
      )
      last = kept.last
    }
    const corrected = await loadImport(scope, input.id)
    const looked = await lookAt(scope, corrected, { anew: false })
    await scope.change(`count/${corrected.lastPosition}`, async (write) => {
      const counts = countRows(looked.examination, corrected)
      const open = counts.good + counts.toConfirm + counts.withErrors > 0
      await updateCounts(write, corrected.record, {
        ...counts,
        ...(open && corrected.record.state === 'applied' ? { state: 'checking' } : {}),
      })
      return {}
    })
    return showImport(scope, input.id)
  }),
)

export const abandonImport = orchestrates(
  (scope: OrchestrationScope, input: { id: string; reason?: string | undefined }) =>
    inTurn(input.id, async () => {
      const loaded = await loadImport(scope, input.id)
      if (loaded.record.state !== 'abandoned') {
        refuseUnless('abandon', loaded)
        await scope.change('abandon', async (write) => {
          await updateImport(write, loaded.record, { state: 'abandoned' })
          return {}
        })
      }
      return showImport(scope, input.id)
    }),
)

/** The import as it stands in the database now. */
export function showImport(scope: Pick<ReadScope, 'read'>, id: string): Promise<ReturnType<typeof toImport>> {
  return scope.read(async (tx) => toImport(await findImport(tx, id), (await countOutcomes(tx, [id])).get(id)))
}

/** Refuses what is not right for an import in its state. */
export function refuseUnless(
  act: ImportAct,
  { record, counts }: Pick<LoadedImport, 'record' | 'counts'>,
): void {
  const sentence = explainRefusal(act, record.state, counts)
  if (sentence !== null) throw ruleBroken('import_state', `${record.fileName}: ${sentence}`)
}

/** Writes an import that nobody else has changed since it was read. */
async function updateImport(
  write: WriteScope,
  before: ImportRecord,
  change: Partial<ImportRecord>,
): Promise<void> {
  const changed = await write.tx
    .update(importTable)
    .set(change)
    .where(
      and(
        eq(importTable.laboratoryId, write.laboratoryId),
        eq(importTable.id, before.id),
        eq(importTable.revision, before.revision),
      ),
    )
    .returning({ id: importTable.id })
  if (changed.length === 0) throw changedMeanwhile(`The import of ${before.fileName}`)
}

/** Counts are not worth a conflict: whoever saves rows meanwhile counts anew when it has ended. */
async function updateCounts(
  write: WriteScope,
  { id }: ImportRecord,
  counts: ReturnType<typeof countRows> & { readonly state?: 'checking' },
): Promise<void> {
  await write.tx
    .update(importTable)
    .set(counts)
    .where(and(eq(importTable.laboratoryId, write.laboratoryId), eq(importTable.id, id)))
}

async function storeDecisions(
  write: WriteScope,
  importId: string,
  sheet: string,
  decisions: readonly Decision[],
  seen: number,
): Promise<{ readonly last: number }> {
  const [known] = await write.tx
    .select({ last: max(importDecision.position) })
    .from(importDecision)
    .where(eq(importDecision.importId, importId))
  const first = (known?.last ?? 0) + 1
  if (first !== seen + 1) throw changedMeanwhile('This import')
  const rows = [...new Set(decisions.map(({ row }) => row))]
  const taken = await write.tx
    .select({ row: importRow.row })
    .from(importRow)
    .where(
      and(
        eq(importRow.importId, importId),
        inArray(importRow.row, rows),
        sql`${importRow.state} <> 'failed'`,
      ),
    )
  const [one] = taken
  if (one !== undefined)
    throw ruleBroken('row_saved', `Row ${one.row} is saved by now, so it stays as it is.`)
  await write.tx.insert(importDecision).values(
    decisions.map(({ kind, row, column, fieldKey, rule, expected, value, reason }, index) => ({
      laboratoryId: write.laboratoryId,
      id: uuidv7(),
      importId,
      position: first + index,
      kind,
      sheet,
      row,
      column,
      fieldKey,
      rule,
      expected: expected === null ? null : JSON.stringify(expected),
      value,
      reason,
      at: write.now,
      byId: write.actor?.userId ?? 'nobody',
      by: write.actor?.name ?? 'nobody',
    })),
  )
  return { last: first + decisions.length - 1 }
}

/** Accepting against a rule of storage is storage's override, so it needs the same permission. */
function requireOverride(scope: OrchestrationScope): void {
  const permission = 'storage:override'
  if (decidePermission({ permission }, scope.actor).allowed) return
  throw new Refusal('FORBIDDEN', 'Nothing was changed: your role may not override storage rules.', {
    permission,
  })
}

function mergeChoices(
  before: ImportChoices,
  input: {
    readonly templateId?: string | undefined
    readonly sheet?: string | undefined
    readonly headerRow?: number | undefined
    readonly columns?:
      | readonly {
          readonly column: string
          readonly fieldKey: string | null
          readonly use?: 'extra' | 'left-out' | undefined
        }[]
      | undefined
    readonly given?: Readonly<Record<string, string | null>> | undefined
  },
): ImportChoices {
  // Columns of another sheet, header or template are other columns.
  const kept =
    input.sheet !== undefined || input.headerRow !== undefined || input.templateId !== undefined
      ? { ...before, fields: {}, uses: {} }
      : before
  const fields = new Map(Object.entries(kept.fields))
  const uses = new Map(Object.entries(kept.uses))
  for (const { column, fieldKey, use } of input.columns ?? []) {
    // A field has one column: choosing another takes it away from the first.
    for (const [other, field] of fields) if (fieldKey !== null && field === fieldKey) fields.delete(other)
    fields.set(column, fieldKey)
    if (fieldKey !== null || use === undefined) uses.delete(column)
    else uses.set(column, use)
  }
  const given = new Map(Object.entries(kept.given))
  for (const [field, value] of Object.entries(input.given ?? {})) {
    if (value === null) given.delete(field)
    else given.set(field, value)
  }
  return {
    sheet: input.sheet ?? kept.sheet,
    headerRow: input.headerRow ?? (input.sheet === undefined ? kept.headerRow : null),
    fields: Object.fromEntries(fields),
    uses: Object.fromEntries(uses),
    given: Object.fromEntries(given),
  }
}

function refuseUnknownField(fields: readonly { readonly key: string }[], fieldKey: string | null): void {
  if (fieldKey === null || fields.some(({ key }) => key === fieldKey)) return
  throw ruleBroken('field_of_template', `The template has no field ${fieldKey}.`, 'fieldKey')
}

async function refuseUnknownSheet(
  scope: OrchestrationScope,
  { fileSha256, fileName }: { readonly fileSha256: string; readonly fileName: string },
  sheet: string | null,
): Promise<void> {
  const { sheets } = await readStoredWorkbook(scope, fileSha256, fileName)
  if (sheet === null || sheets.some(({ name }) => name === sheet)) return
  const names = sheets.map(({ name }) => `“${name}”`).join(', ')
  throw ruleBroken('sheet_of_file', `${fileName} has no sheet “${sheet}”. It has ${names}.`, 'sheet')
}

async function publishedTemplate(scope: ReadScope, id: string): Promise<TemplateRecord> {
  const form = await scope.read((tx) => findTemplate(tx, id))
  if (form.state === 'published') return form
  throw ruleBroken(
    'template_state',
    `${form.name}, version ${form.version}, is ${form.state}. Imports take a published version.`,
    'templateId',
  )
}

/** The template asked for, or the published one that knows most columns of the file; in doubt the one of TracSeq. */
async function chooseTemplate(
  scope: OrchestrationScope,
  input: { readonly fileSha256: string; readonly fileName: string; readonly templateId?: string | undefined },
): Promise<TemplateRecord> {
  if (input.templateId !== undefined) return publishedTemplate(scope, input.templateId)
  const published = await scope.read((tx) =>
    tx
      .select()
      .from(template)
      .where(eq(template.state, 'published'))
      .orderBy(template.name, template.version),
  )
  const workbook = await readStoredWorkbook(scope, input.fileSha256, input.fileName)
  const ranked = published
    .map((form) => {
      const [best] = tablesOf(workbook, toDefinition(form))
      const whole = best !== undefined && best.header.status !== 'missing' ? 1 : 0
      const own = form.id === builtInId(scope.laboratoryId) ? 1 : 0
      return { form, rank: [whole, best?.header.columns.length ?? 0, own, form.version] }
    })
    .toSorted(
      (a, b) => b.rank.map((value, index) => value - (a.rank[index] ?? 0)).find((value) => value !== 0) ?? 0,
    )
  const [first] = ranked
  if (first === undefined) {
    throw ruleBroken(
      'template_state',
      'No template is published. Publish one, then open the file again.',
      'templateId',
    )
  }
  return first.form
}
