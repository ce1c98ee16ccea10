import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { changedMeanwhile, ruleBroken } from '../../platform/contract/refusal.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { doEach } from './batch.ts'
import type { SampleChanges, TimelineItem } from './contract.ts'
import { isTerminal, type SampleState } from './domain/lifecycle.ts'
import { line, tell } from './history.ts'
import { occasionOf } from './people.ts'
import { checkConcentration } from './record-sample.ts'
import {
  holdSample,
  readSample,
  requireKept,
  type SampleItem,
  type SampleRow,
  showSample,
  updateSample,
} from './sample-rows.ts'
import { sampleNote } from './schema.ts'
import { changeStateOf } from './state-change.ts'
import { requireType } from './types.ts'

interface Update {
  readonly id: string
  readonly revision: string
  readonly fields: SampleChanges
  readonly reason?: string | undefined
}

export const update = writes((scope: WriteScope, input: Update) => updateOne(scope, input))

export const updateBatch = orchestrates(
  (scope: OrchestrationScope, input: { rows: Omit<Update, 'reason'>[]; reason?: string | undefined }) =>
    doEach(input.rows, (row, index) =>
      scope.change(String(index), (write) => updateOne(write, { ...row, reason: input.reason })),
    ),
)

export const changeState = writes(
  async (scope: WriteScope, input: { id: string; to: SampleState; reason?: string | undefined }) =>
    showSample(scope.tx, await changeStateOf(scope, input.id, input.to, input.reason ?? null)),
)

export const changeStateBatch = orchestrates(
  (scope: OrchestrationScope, input: { ids: string[]; to: SampleState; reason?: string | undefined }) =>
    doEach(input.ids, (id, index) =>
      scope.change(String(index), async (write) =>
        showSample(write.tx, await changeStateOf(write, id, input.to, input.reason ?? null)),
      ),
    ),
)

export const remove = writes(async (scope: WriteScope, input: { id: string; reason: string }) =>
  showSample(scope.tx, await changeStateOf(scope, input.id, 'deleted', input.reason)),
)

export const addNote = writes(
  async (scope: WriteScope, input: { id: string; note: string }): Promise<z.input<typeof TimelineItem>> => {
    const row = await readSample(scope.tx, input.id)
    requireKept(row)
    const occasion = occasionOf(scope)
    const id = uuidv7()
    await scope.tx.insert(sampleNote).values({
      laboratoryId: scope.laboratoryId,
      id,
      sampleId: row.id,
      note: input.note,
      ...occasion,
    })
    return { id, lane: 'note', what: 'noted', detail: { note: input.note }, reason: null, ...occasion }
  },
)

async function updateOne(scope: WriteScope, input: Update): Promise<SampleItem> {
  const before = await holdSample(scope.tx, input.id)
  requireKept(before)
  if (isTerminal(before.state)) {
    throw ruleBroken(
      'sample_is_final',
      `${before.name} is ${before.state}: nothing is written to it any more.`,
    )
  }
  if (before.writtenRevision !== input.revision) throw changedMeanwhile(before.name)
  const changes = await readChanges(scope, before, input.fields)
  if (Object.keys(changes).length === 0) return showSample(scope.tx, before)
  const occasion = occasionOf(scope)
  await tell(scope, [
    line(scope, before.id, occasion, {
      lane: 'record',
      what: 'updated',
      detail: describeChanges(before, changes),
      reason: input.reason ?? null,
    }),
  ])
  const after = await updateSample(scope, before.id, {
    ...changes,
    updatedAt: occasion.at,
    writtenRevision: scope.changeSetId,
  })
  return showSample(scope.tx, after)
}

type Changes = Partial<
  Pick<
    SampleRow,
    | 'name'
    | 'type'
    | 'clientId'
    | 'donor'
    | 'project'
    | 'collectedOn'
    | 'concentrationNgPerUl'
    | 'taxonId'
    | 'priority'
  >
>

/** What is really different, checked. */
async function readChanges(scope: WriteScope, before: SampleRow, fields: SampleChanges): Promise<Changes> {
  const { type, concentrationNgPerUl, ...others } = fields
  const wanted = {
    ...others,
    ...(type === undefined ? {} : { type: await requireType(scope.tx, type) }),
    ...(concentrationNgPerUl === undefined
      ? {}
      : { concentrationNgPerUl: checkConcentration(concentrationNgPerUl) }),
  }
  const different = Object.entries(wanted).filter(
    ([name, value]) => value !== undefined && value !== before[name as keyof Changes],
  )
  return Object.fromEntries(different)
}

/** `name` as it is now and `name.before` as it was, for each field that changed. */
function describeChanges(before: SampleRow, changes: Changes): Record<string, string | null> {
  const names = Object.keys(changes) as (keyof Changes)[]
  return Object.fromEntries(
    names.flatMap((name) => [
      [name, changes[name] ?? null],
      [`${name}.before`, before[name]],
    ]),
  )
}
