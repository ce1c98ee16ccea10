import { and, eq } from 'drizzle-orm'
import type { z } from 'zod'
import { pageClauses, pageOf } from '../../platform/database/paging.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import { barcodes } from '../barcodes/contract.ts'
import type { ImportState } from './contract.ts'
import { listCodeFields } from './domain/examination.ts'
import { groupFindings } from './domain/finding.ts'
import { lookAt } from './examinations.ts'
import { showFailures, showGroup, showRow, stateOf } from './import-rows.ts'
import { countOutcomes, findImport, loadImport, toImport } from './imports.ts'
import { importTable } from './schema.ts'

export const listImports = reads(
  (
    scope: ReadScope,
    input: {
      limit: number
      cursor?: string | undefined
      state?: z.infer<typeof ImportState> | undefined
    },
  ) =>
    scope.read(async (tx) => {
      const request = { ...input, sort: '-createdAt' }
      const page = pageClauses(request, { createdAt: importTable.createdAt }, importTable.id)
      const rows = await tx
        .select()
        .from(importTable)
        .where(and(page.after, input.state === undefined ? undefined : eq(importTable.state, input.state)))
        .orderBy(...page.orderBy)
        .limit(page.limit)
      const counts = await countOutcomes(
        tx,
        rows.map(({ id }) => id),
      )
      return pageOf(
        rows,
        request,
        (row) => [row.createdAt, row.id],
        (row) => toImport(row, counts.get(row.id)),
      )
    }),
)

export const getImport = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => {
    const record = await findImport(tx, input.id)
    return toImport(record, (await countOutcomes(tx, [input.id])).get(input.id))
  }),
)

export const importRows = reads(
  async (scope: ReadScope, input: { id: string; offset: number; limit: number; onlyProblems: boolean }) => {
    const loaded = await loadImport(scope, input.id)
    const { examination } = await lookAt(scope, loaded, { anew: false })
    if (examination === null) return { total: 0, rows: [] }
    const wanted = input.onlyProblems
      ? examination.rows.filter((row) => ['confirm', 'error'].includes(stateOf(row, loaded)))
      : examination.rows
    const shown = wanted.slice(input.offset, input.offset + input.limit)
    return { total: wanted.length, rows: shown.map((row) => showRow(row, examination, loaded)) }
  },
)

export const importProblems = reads(async (scope: ReadScope, input: { id: string }) => {
  const loaded = await loadImport(scope, input.id)
  const { examination } = await lookAt(scope, loaded, { anew: false })
  if (examination === null) return []
  const settled = new Set(
    examination.rows
      .filter((row) => !['good', 'confirm', 'error'].includes(stateOf(row, loaded)))
      .map(({ row }) => row),
  )
  const groups = groupFindings(examination.findings.filter(({ row }) => !settled.has(row)))
  return [...showFailures(examination, loaded), ...groups.map(showGroup)]
})

export const findImportRow = reads(async (scope: ReadScope, input: { id: string; text: string }) => {
  const loaded = await loadImport(scope, input.id)
  const [{ examination }, meaning] = await Promise.all([
    lookAt(scope, loaded, { anew: false }),
    scope.service('barcodes', barcodes).validate({ text: input.text }),
  ])
  if (examination === null) return []
  const wanted = new Set(meaning.lookupKeys)
  const codeFields = listCodeFields(examination.template)
  const byCode = examination.rows.filter(({ values }) =>
    codeFields.some((field) => {
      const text = (values[field]?.text ?? '').trim()
      return text !== '' && (examination.codes.get(text)?.keys ?? []).some((key) => wanted.has(key))
    }),
  )
  if (byCode.length > 0) return byCode.map(({ row }) => row)
  // Labels of a client often carry its own id and no code.
  const readable = meaning.readable.trim()
  return examination.rows
    .filter(({ values }) =>
      examination.template.identity.some((field) => {
        const text = (values[field]?.text ?? '').trim()
        return text !== '' && (text === readable || text === input.text.trim())
      }),
    )
    .map(({ row }) => row)
})
