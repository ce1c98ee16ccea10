import { and, eq, inArray, sql } from 'drizzle-orm'
import { v5 as uuidv5 } from 'uuid'
import { z } from 'zod'
import { Refusal } from '../../platform/contract/refusal.ts'
import { isFinal, type SagaDefinition } from '../../platform/saga/saga.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { ReceiveRequest, type SampleId, samples } from '../samples/contract.ts'
import { importDecision, importRow, importTable } from './schema.ts'

/** What one saga saves: some good rows of an import, as they were when `lastPosition` was its last decision. */
export const RowsToSave = z.object({
  importId: z.uuid(),
  lastPosition: z.number().int(),
  rows: z.array(z.object({ row: z.number().int(), request: ReceiveRequest })),
})
export type RowsToSave = z.infer<typeof RowsToSave>

/** What one saga takes back. */
export const RowsToUndo = z.object({
  importId: z.uuid(),
  reason: z.string(),
  rows: z.array(z.object({ row: z.number().int(), sampleId: z.uuid() })),
})
export type RowsToUndo = z.infer<typeof RowsToUndo>

const Claimed = z.object({ rows: z.array(z.number().int()) })

const SaveResults = z.array(
  z.object({
    row: z.number().int(),
    sampleId: z.uuid().nullable(),
    code: z.string().nullable(),
    problem: z.string().nullable(),
  }),
)

const UndoResults = z.array(z.object({ row: z.number().int(), problem: z.string().nullable() }))

/**
 * Saves rows: they are claimed, Receive is asked, its answer for each row is kept. Claimed rows belong to this saga
 * until it ends, also over a restart, and it always asks with the same key; so no row is saved twice and none is lost.
 */
export const saveRows: SagaDefinition = {
  name: 'templates.saveRows',
  async begin(write, input) {
    return { rows: await claimRows(write, RowsToSave.parse(input)) }
  },
  async undoBegin(write, input, outputs) {
    const { importId } = RowsToSave.parse(input)
    const { rows } = Claimed.parse(outputs['begin'])
    const problem = refusalIn(outputs)
    await writeOutcomes(
      write,
      importId,
      rows.map((row) => ({ row, state: 'failed', problem })),
    )
    await countMore(write, importId, { withErrors: rows.length })
  },
  steps: [
    {
      name: 'receive',
      async run(scope, input, outputs, key) {
        const wanted = new Set(Claimed.parse(outputs['begin']).rows)
        const rows = RowsToSave.parse(input).rows.filter(({ row }) => wanted.has(row))
        if (rows.length === 0) return []
        const answers = await scope
          .service('samples', samples)
          .receiveBatch({ rows: rows.map(({ request }) => request) }, { context: { key } })
        refuseUnfinished(answers)
        return answers.map((answer): z.infer<typeof SaveResults>[number] => {
          const row = rows[answer.row]?.row ?? 0
          if (!answer.ok) return { row, sampleId: null, code: null, problem: answer.error.message }
          return { row, sampleId: answer.value.sample.id, code: answer.value.code, problem: null }
        })
      },
      async undo(scope, input, outputs, key) {
        const saved = SaveResults.parse(outputs['receive']).flatMap(({ sampleId }) => sampleId ?? [])
        if (saved.length === 0) return
        const sampleIds = saved as z.infer<typeof SampleId>[]
        const reason = 'The import could not be finished'
        await scope.service('samples', samples).undoReceive({ sampleIds, reason }, { context: { key } })
      },
    },
  ],
  async end(write, input, outputs) {
    const { importId } = RowsToSave.parse(input)
    const results = SaveResults.parse(outputs['receive'])
    const answered = new Set(results.map(({ row }) => row))
    const silent = Claimed.parse(outputs['begin']).rows.filter((row) => !answered.has(row))
    await writeOutcomes(write, importId, [
      ...results.map((result) => ({
        ...result,
        state: result.problem === null ? ('saved' as const) : ('failed' as const),
      })),
      ...silent.map((row) => ({
        row,
        state: 'failed' as const,
        problem: 'Receive gave no answer for this row.',
      })),
    ])
    const failed = results.filter(({ problem }) => problem !== null).length + silent.length
    await countMore(write, importId, { withErrors: failed })
    return { saved: results.length - failed + silent.length }
  },
}

/** Takes saved rows back; what has been used since stays, with the reason. */
export const undoRows: SagaDefinition = {
  name: 'templates.undoRows',
  async begin(write, input) {
    const { importId, rows } = RowsToUndo.parse(input)
    const claimed = await write.tx
      .update(importRow)
      .set({ state: 'undoing', problem: null })
      .where(
        and(
          ...ofRows(
            write,
            importId,
            rows.map(({ row }) => row),
          ),
          eq(importRow.state, 'saved'),
        ),
      )
      .returning({ row: importRow.row })
    return { rows: claimed.map(({ row }) => row) }
  },
  async undoBegin(write, input, outputs) {
    const { importId } = RowsToUndo.parse(input)
    const problem = refusalIn(outputs)
    const { rows } = Claimed.parse(outputs['begin'])
    await writeOutcomes(
      write,
      importId,
      rows.map((row) => ({ row, state: 'saved', problem })),
    )
  },
  steps: [
    {
      name: 'undo',
      async run(scope, input, outputs, key) {
        const { reason, ...asked } = RowsToUndo.parse(input)
        const wanted = new Set(Claimed.parse(outputs['begin']).rows)
        const rows = asked.rows.filter(({ row }) => wanted.has(row))
        if (rows.length === 0) return []
        const sampleIds = rows.map(({ sampleId }) => sampleId) as z.infer<typeof SampleId>[]
        const answers = await scope
          .service('samples', samples)
          .undoReceive({ sampleIds, reason }, { context: { key } })
        refuseUnfinished(answers)
        return answers.map((answer): z.infer<typeof UndoResults>[number] => ({
          row: rows[answer.row]?.row ?? 0,
          problem: answer.ok ? null : answer.error.message,
        }))
      },
      // Nothing comes after it that could fail, and what was taken back cannot be given again.
      undo: () => Promise.resolve(),
    },
  ],
  async end(write, input, outputs) {
    const { importId } = RowsToUndo.parse(input)
    const results = UndoResults.parse(outputs['undo'])
    await writeOutcomes(
      write,
      importId,
      results.map(({ row, problem }) => ({ row, problem, state: problem === null ? 'undone' : 'saved' })),
    )
    return {}
  },
}

/**
 * A row of which nobody knows yet what becomes of it is neither saved nor failed. The saga stays where it is and asks
 * once more with the same key, which gives the rows that are done their answers again.
 */
function refuseUnfinished(
  answers: readonly (
    | { readonly ok: true }
    | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }
  )[],
): void {
  for (const answer of answers) {
    if (answer.ok || isFinal(new Refusal(answer.error.code, answer.error.message))) continue
    throw new Refusal('OUTCOME_UNKNOWN', answer.error.message, { why: 'saga' })
  }
}

/** Takes those rows that nobody else saves, nobody has saved and nobody has decided about since. */
async function claimRows(write: WriteScope, input: RowsToSave): Promise<number[]> {
  const { importId } = input
  const [record] = await write.tx
    .select({ state: importTable.state })
    .from(importTable)
    .where(eq(importTable.id, importId))
  if (record?.state !== 'checking' && record?.state !== 'applying') return []
  const rows = input.rows.map(({ row }) => row)
  const decided = await write.tx
    .select({ row: importDecision.row })
    .from(importDecision)
    .where(
      and(
        eq(importDecision.importId, importId),
        inArray(importDecision.row, rows),
        sql`${importDecision.position} > ${input.lastPosition}`,
      ),
    )
  const known = await write.tx
    .select({ row: importRow.row, state: importRow.state })
    .from(importRow)
    .where(and(...ofRows(write, importId, rows)))
  const states = new Map(known.map(({ row, state }) => [row, state]))
  const later = new Set(decided.map(({ row }) => row))
  const free = rows.filter((row) => !later.has(row) && (states.get(row) ?? 'failed') === 'failed')
  await writeOutcomes(
    write,
    importId,
    free.map((row) => ({ row, state: 'saving', problem: null })),
  )
  const again = free.filter((row) => states.has(row)).length
  await countMore(write, importId, { good: again - free.length, withErrors: -again }, 'applying')
  return free
}

function ofRows(write: WriteScope, importId: string, rows: readonly number[]) {
  return [
    eq(importRow.laboratoryId, write.laboratoryId),
    eq(importRow.importId, importId),
    inArray(importRow.row, [...rows]),
  ]
}

interface Outcome {
  readonly row: number
  readonly state: (typeof importRow.$inferSelect)['state']
  readonly problem: string | null
  readonly sampleId?: string | null
  readonly code?: string | null
}

async function writeOutcomes(
  write: WriteScope,
  importId: string,
  outcomes: readonly Outcome[],
): Promise<void> {
  if (outcomes.length === 0) return
  await write.tx
    .insert(importRow)
    .values(
      outcomes.map(({ row, state, problem, sampleId, code }) => ({
        laboratoryId: write.laboratoryId,
        id: uuidv5(String(row), importId),
        importId,
        row,
        state,
        problem,
        sampleId: sampleId ?? null,
        code: code ?? null,
      })),
    )
    .onConflictDoUpdate({
      target: [importRow.laboratoryId, importRow.id],
      set: {
        state: sql`excluded.state`,
        problem: sql`excluded.problem`,
        // What a row was saved as stays known when it is taken back.
        sampleId: sql`coalesce(excluded.sample_id, ${importRow.sampleId})`,
        code: sql`coalesce(excluded.code, ${importRow.code})`,
      },
    })
}

/** Moves an import's counts by so many rows, in the change set that moves the rows. */
async function countMore(
  write: WriteScope,
  importId: string,
  more: { readonly good?: number; readonly withErrors?: number },
  state?: 'applying',
): Promise<void> {
  await write.tx
    .update(importTable)
    .set({
      good: sql`${importTable.good} + ${more.good ?? 0}`,
      withErrors: sql`${importTable.withErrors} + ${more.withErrors ?? 0}`,
      ...(state === undefined ? {} : { state }),
    })
    .where(and(eq(importTable.laboratoryId, write.laboratoryId), eq(importTable.id, importId)))
}

function refusalIn(outputs: Readonly<Record<string, unknown>>): string {
  const refusal = z.object({ message: z.string() }).safeParse(outputs['refusal'])
  return refusal.success ? refusal.data.message : 'It was refused.'
}
