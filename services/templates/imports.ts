import { asc, eq, inArray, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { notFound } from '../../platform/contract/refusal.ts'
import { toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import type { Import } from './contract.ts'
import type { Correction } from './domain/corrections.ts'
import { givenColumnOf } from './domain/given-values.ts'
import { Template } from './domain/template.ts'
import { importDecision, importRow, importTable, template } from './schema.ts'

export type ImportRecord = typeof importTable.$inferSelect
export type DecisionRecord = typeof importDecision.$inferSelect
export type OutcomeRecord = typeof importRow.$inferSelect
export type TemplateRecord = typeof template.$inferSelect

/** How many rows of an import have which outcome. */
export interface OutcomeCounts {
  readonly saving: number
  readonly saved: number
  readonly undone: number
}

const noOutcomes: OutcomeCounts = { saving: 0, saved: 0, undone: 0 }

/** An import with all that was decided and done about it. */
export interface LoadedImport {
  readonly record: ImportRecord
  readonly template: Template
  readonly corrections: readonly Correction[]
  /** The position of the last decision; 0 when there is none. */
  readonly lastPosition: number
  readonly skipped: ReadonlySet<number>
  readonly outcomes: ReadonlyMap<number, OutcomeRecord>
  readonly counts: OutcomeCounts
}

/** Reads an import whole. Refused with NOT_FOUND when it is not known here. */
export async function loadImport(scope: Pick<ReadScope, 'read'>, id: string): Promise<LoadedImport> {
  const { record, form, decisions, outcomes } = await scope.read(async (tx) => {
    const found = await findImport(tx, id)
    return {
      record: found,
      form: await findTemplate(tx, found.templateId),
      decisions: await tx
        .select()
        .from(importDecision)
        .where(eq(importDecision.importId, id))
        .orderBy(asc(importDecision.position), asc(importDecision.id)),
      outcomes: await tx.select().from(importRow).where(eq(importRow.importId, id)),
    }
  })
  const definition = toDefinition(form)
  return {
    record,
    template: definition,
    corrections: decisions.flatMap((decision) => toCorrection(decision, definition)),
    lastPosition: decisions.at(-1)?.position ?? 0,
    skipped: findSkipped(decisions, record.facts.sheet),
    outcomes: new Map(outcomes.map((row) => [row.row, row])),
    counts: countStates(outcomes.map(({ state }) => ({ state, count: 1 }))),
  }
}

export async function findImport(tx: ReadTransaction, id: string): Promise<ImportRecord> {
  const [record] = await tx.select().from(importTable).where(eq(importTable.id, id))
  if (record === undefined) throw notFound('import', id)
  return record
}

export async function findTemplate(tx: ReadTransaction, id: string): Promise<TemplateRecord> {
  const [record] = await tx.select().from(template).where(eq(template.id, id))
  if (record === undefined) throw notFound('template', id)
  return record
}

/** A stored template as the rules read it; it was judged when it was stored. */
export function toDefinition(record: TemplateRecord): Template {
  return Template.parse({ name: record.name, ...record.definition })
}

/** How many rows of some imports have which outcome. */
export async function countOutcomes(
  tx: ReadTransaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, OutcomeCounts>> {
  if (ids.length === 0) return new Map()
  const rows = await tx
    .select({ importId: importRow.importId, state: importRow.state, count: sql<number>`count(*)::int` })
    .from(importRow)
    .where(inArray(importRow.importId, [...ids]))
    .groupBy(importRow.importId, importRow.state)
  return new Map([...Map.groupBy(rows, (row) => row.importId)].map(([id, own]) => [id, countStates(own)]))
}

function countStates(
  rows: readonly { readonly state: OutcomeRecord['state']; readonly count: number }[],
): OutcomeCounts {
  const counts = { saving: 0, saved: 0, undone: 0 }
  for (const { state, count } of rows) {
    switch (state) {
      case 'saving':
      case 'undoing':
        counts.saving += count
        break
      case 'saved':
      case 'undone':
        counts[state] += count
        break
      case 'failed':
        break
    }
  }
  return counts
}

/** An import as the contract shows it. */
export function toImport(record: ImportRecord, counts: OutcomeCounts = noOutcomes): z.input<typeof Import> {
  const { facts } = record
  return {
    id: record.id,
    state: record.state,
    fileName: record.fileName,
    fileSha256: record.fileSha256,
    templateId: record.templateId,
    ...facts,
    summary: {
      rows: record.rows,
      good: record.good,
      toConfirm: record.toConfirm,
      withErrors: record.withErrors,
      skipped: record.skipped,
      ...counts,
      leadingZerosKept: record.leadingZerosKept,
    },
    createdAt: toInstant(record.createdAt),
    createdBy: record.createdBy,
    revision: record.revision,
  }
}

function toCorrection(decision: DecisionRecord, definition: Template): readonly Correction[] {
  const { id, by, sheet, row, kind } = decision
  const at = toInstant(decision.at)
  const expected = decision.expected === null ? '' : String(JSON.parse(decision.expected))
  const ofField = decision.fieldKey === null ? null : givenColumnOf(definition, decision.fieldKey)
  const column = decision.column ?? ofField
  if (kind === 'set') {
    if (column === null) return []
    return [{ kind, id, by, at, sheet, row, column, expected, value: decision.value ?? '' }]
  }
  if (kind !== 'accept') return []
  // Of a field that the template chosen meanwhile does not have.
  if (decision.fieldKey !== null && ofField === null) return []
  return [
    { kind, id, by, at, sheet, row, column, expected, rule: decision.rule ?? '', reason: decision.reason },
  ]
}

function findSkipped(decisions: readonly DecisionRecord[], sheet: string | null): ReadonlySet<number> {
  const skipped = new Set<number>()
  for (const decision of decisions) {
    if (decision.sheet !== sheet) continue
    if (decision.kind === 'skip') skipped.add(decision.row)
    if (decision.kind === 'unskip') skipped.delete(decision.row)
  }
  return skipped
}
