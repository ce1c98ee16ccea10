import { setTimeout as wait } from 'node:timers/promises'
import { and, eq } from 'drizzle-orm'
import { hashRequest } from '../../platform/database/change.ts'
import { runSaga } from '../../platform/saga/saga.ts'
import { orchestrates } from '../../platform/service/implementation.ts'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { templatesEvents } from './contract.ts'
import { type Examination, requestFor } from './domain/examination.ts'
import { type ImportState, stateAfterApplying } from './domain/import-state.ts'
import { lookAt } from './examinations.ts'
import { refuseUnless, showImport } from './import-commands.ts'
import { countRows, stateOf } from './import-rows.ts'
import { type LoadedImport, loadImport } from './imports.ts'
import { saveRows, type RowsToSave, type RowsToUndo, undoRows } from './saving.ts'
import { importTable } from './schema.ts'
import { inTurn } from './turns.ts'

/** Rows saved in one go: enough that the way there costs little, few enough that progress is seen. */
const rowsPerSaga = 100
/** Far below the 4 MB of a change set; a saga keeps its input in one. */
const charactersPerSaga = 1_000_000
/** Before a call's deadline no further rows are begun; calling again goes on. */
const reserveMs = 20_000
/** Longer than the round in which interrupted work is taken up again. */
const patienceMs = 45_000

export const applyImport = orchestrates((scope: OrchestrationScope, input: { id: string }) =>
  inTurn(input.id, async () => {
    await waitForInterrupted(scope, input.id)
    const before = await loadImport(scope, input.id)
    // Calling again when all is done answers the same.
    if (before.record.state === 'applied') return showImport(scope, input.id)
    refuseUnless('apply', before)
    const { examination } = await lookAt(scope, before, { anew: true })
    const batches = examination === null ? [] : listBatches(examination, before)
    for (const batch of batches) {
      if (Date.now() > scope.deadlineAt - reserveMs) break
      await runSaga(scope, saveRows, batch, `save/${hashRequest('save', input.id, batch)}`)
    }
    await closeApplying(scope, input.id, before.counts.saved)
    return showImport(scope, input.id)
  }),
)

export const undoImport = orchestrates((scope: OrchestrationScope, input: { id: string; reason: string }) =>
  inTurn(input.id, async () => {
    await waitForInterrupted(scope, input.id)
    const before = await loadImport(scope, input.id)
    // Calling again when all is undone answers the same.
    if (before.record.state !== 'undone' || before.counts.saved > 0) refuseUnless('undo', before)
    await changeStateOf(scope, before, 'undone', 'undo')
    const saved = [...before.outcomes.values()]
      .filter(({ state }) => state === 'saved')
      .flatMap(({ row, sampleId }) => (sampleId === null ? [] : [{ row, sampleId }]))
      .toSorted((a, b) => a.row - b.row)
    for (let start = 0; start < saved.length; start += rowsPerSaga) {
      if (Date.now() > scope.deadlineAt - reserveMs) break
      const batch: RowsToUndo = {
        importId: input.id,
        reason: input.reason,
        rows: saved.slice(start, start + rowsPerSaga),
      }
      await runSaga(scope, undoRows, batch, `undo/${hashRequest('undo', input.id, batch)}`)
    }
    const after = await loadImport(scope, input.id)
    const kept = [...after.outcomes.values()]
      .filter(({ state }) => state === 'saved')
      .toSorted((a, b) => a.row - b.row)
      .map(({ row, problem }) => ({ row, why: problem ?? 'There was no time left for it: undo once more.' }))
    return { import: await showImport(scope, input.id), kept }
  }),
)

/**
 * Rows that were being saved or taken back when the service stopped are finished by itself; what comes after them must
 * not begin before that is done.
 */
async function waitForInterrupted(scope: OrchestrationScope, id: string): Promise<void> {
  const end = Math.min(Date.now() + patienceMs, scope.deadlineAt - reserveMs)
  for (;;) {
    const { counts } = await loadImport(scope, id)
    if (counts.saving === 0 || Date.now() > end) return
    await wait(100)
  }
}

/** The good rows that are not saved yet, as requests in batches of a size that one saga can take. */
function listBatches(examination: Examination, loaded: LoadedImport): readonly RowsToSave[] {
  const { lastPosition, record } = loaded
  const batches: { importId: string; lastPosition: number; rows: RowsToSave['rows'] }[] = []
  let characters = Infinity
  for (const row of examination.rows) {
    if (row.status !== 'good' || !['good', 'error'].includes(stateOf(row, loaded))) continue
    const made = requestFor(row, examination.plan, record.id)
    if (!made.ok) continue
    const size = JSON.stringify(made.request).length
    const batch = batches.at(-1)
    if (batch === undefined || batch.rows.length === rowsPerSaga || characters + size > charactersPerSaga) {
      batches.push({ importId: record.id, lastPosition, rows: [{ row: row.row, request: made.request }] })
      characters = size
    } else {
      batch.rows.push({ row: row.row, request: made.request })
      characters += size
    }
  }
  return batches
}

/** Counts anew once nothing is being saved, and says what was saved. */
async function closeApplying(scope: OrchestrationScope, id: string, savedBefore: number): Promise<void> {
  const after = await loadImport(scope, id)
  if (after.record.state !== 'applying' && after.record.state !== 'checking') return
  const { examination } = await lookAt(scope, after, { anew: false })
  const counts = countRows(examination, after)
  const state = stateAfterApplying({ ...counts, ...after.counts })
  const saved = after.counts.saved - savedBefore
  await scope.change(`close/${after.counts.saved}`, async (write) => {
    await write.tx
      .update(importTable)
      .set({ ...counts, state })
      .where(and(eq(importTable.laboratoryId, write.laboratoryId), eq(importTable.id, id)))
    if (saved > 0) {
      const { fileName } = after.record
      write.announce(templatesEvents.ImportApplied, { importId: id, fileName, saved })
    }
    return {}
  })
}

async function changeStateOf(
  scope: OrchestrationScope,
  { record }: LoadedImport,
  state: ImportState,
  key: string,
): Promise<void> {
  if (record.state === state) return
  await scope.change(key, async (write) => {
    await write.tx
      .update(importTable)
      .set({ state })
      .where(and(eq(importTable.laboratoryId, write.laboratoryId), eq(importTable.id, record.id)))
    return {}
  })
}
