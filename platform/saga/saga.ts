import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { ORPCError } from '@orpc/contract'
import { Refusal } from '../contract/refusal.ts'
import { rowsOf } from '../database/transaction.ts'
import type { OrchestrationScope, WriteScope } from '../service/scopes.ts'

export const sagaStates = [
  'created',
  'executing',
  'compensating',
  'completed',
  'compensated',
  'failed',
  'paused',
  'cancelled',
  'timed_out',
] as const
export type SagaState = (typeof sagaStates)[number]

/** What the steps before have given, by step name. */
export type SagaOutputs = Readonly<Record<string, unknown>>

/** One step. It is idempotent: `key` stays the same however often it is run. */
export interface SagaStep {
  readonly name: string
  readonly run: (
    scope: OrchestrationScope,
    input: unknown,
    outputs: SagaOutputs,
    key: string,
  ) => Promise<unknown>
  /** Undoes exactly what `run` did; it also gets the output of its own step. */
  readonly undo: (
    scope: OrchestrationScope,
    input: unknown,
    outputs: SagaOutputs,
    key: string,
  ) => Promise<void>
}

/**
 * Work across domains: its first step is a change of the calling domain, in one transaction with the saga's own row;
 * the others call other domains. After a crash it is run again from the start, with the same keys, so steps that were
 * done answer as before. A step that is refused makes the steps before it be undone, last first.
 */
export interface SagaDefinition {
  readonly name: string
  /** The first step: writes in the calling domain. */
  readonly begin: (scope: WriteScope, input: unknown) => Promise<unknown>
  readonly undoBegin: (scope: WriteScope, input: unknown, outputs: SagaOutputs) => Promise<void>
  readonly steps: readonly SagaStep[]
  /** The last change of the calling domain, in one transaction with the saga's end. */
  readonly end: (scope: WriteScope, input: unknown, outputs: SagaOutputs) => Promise<void>
}

export interface SagaRow {
  readonly id: string
  readonly name: string
  readonly state: SagaState
  readonly step: string | null
  readonly input: unknown
  readonly outputs: SagaOutputs
  readonly actor: unknown
  readonly correlation_id: string
  readonly idempotency_key: string
  readonly error: string | null
  readonly started_at: string
  readonly updated_at: string
  readonly laboratory_id: string
}

export interface SagaResult {
  readonly id: string
  readonly outputs: SagaOutputs
}

const firstStep = 'begin'

/** Starts a saga, or finishes the one that was started with the same key. Throws the refusal that stopped it. */
export async function runSaga(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
): Promise<SagaResult> {
  let fresh = false
  const begun = await scope.change(`${key}/begin`, async (write) => {
    fresh = true
    const id = uuidv7()
    const first = await definition.begin(write, input)
    const outputs = { [firstStep]: first }
    await write.tx.execute(sql`insert into platform.saga
      (laboratory_id, id, revision, name, state, step, input, outputs, actor, correlation_id, idempotency_key, started_at, updated_at)
      values (${write.laboratoryId}::uuid, ${id}::uuid, ${write.changeSetId}::uuid, ${definition.name}, 'executing',
        ${definition.steps[0]?.name ?? null}, ${JSON.stringify({ input })}::jsonb, ${JSON.stringify(outputs)}::jsonb,
        ${JSON.stringify(write.actor)}::jsonb, ${scope.correlationId}, ${key}, ${write.now}::timestamptz, ${write.now}::timestamptz)`)
    return { id, outputs }
  })
  if (!fresh) {
    const ended = await endOf(scope, begun.id)
    if (ended !== null) return ended
  }
  return continueSaga(scope, definition, input, key, begun)
}

/** How a saga that was asked for again ended: its outputs, its refusal once more, or null while it is under way. */
async function endOf(scope: OrchestrationScope, id: string): Promise<SagaResult | null> {
  const [row] = await scope.read((tx) =>
    rowsOf<Pick<SagaRow, 'state' | 'outputs'>>(
      tx,
      sql`select state, outputs from platform.saga where id = ${id}::uuid`,
    ),
  )
  if (row?.state === 'completed') return { id, outputs: row.outputs }
  if (row?.state !== 'compensated') return null
  const refusal = StoredRefusal.parse(row.outputs['refusal'])
  throw new Refusal(refusal.code, refusal.message, refusal.data)
}

const StoredRefusal = z.object({ code: z.string(), message: z.string(), data: z.unknown() })

/** Runs the steps after the first; also what a restart does with a saga that was left in the middle. */
export async function continueSaga(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
  begun: SagaResult,
): Promise<SagaResult> {
  let outputs = begun.outputs
  for (const [index, step] of definition.steps.entries()) {
    try {
      outputs = { ...outputs, [step.name]: await step.run(scope, input, outputs, `${key}/${step.name}`) }
    } catch (error) {
      if (!isFinal(error)) throw error
      const refusal = { code: error.code, message: error.message, data: error.data }
      await compensate(
        scope,
        definition,
        input,
        key,
        { id: begun.id, outputs: { ...outputs, refusal } },
        index,
        error,
      )
      throw error
    }
  }
  await scope.change(`${key}/end`, async (write) => {
    await definition.end(write, input, outputs)
    await noteState(write, begun.id, 'completed', null, null, outputs)
    return {}
  })
  return { id: begun.id, outputs }
}

async function compensate(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
  saga: SagaResult,
  failedAt: number,
  error: Error,
): Promise<void> {
  const words = error.message
  const failedStep = definition.steps[failedAt]?.name ?? firstStep
  await scope.change(`${key}/compensating`, async (write) => {
    await noteState(write, saga.id, 'compensating', failedStep, words, saga.outputs)
    return {}
  })
  await finishCompensation(scope, definition, input, key, saga, failedAt, words)
}

/** Undoes the steps before the failed one; a restart comes here with a saga that was being taken back. */
export async function finishCompensation(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
  saga: SagaResult,
  failedAt: number,
  words: string,
): Promise<void> {
  for (const step of definition.steps.slice(0, failedAt).reverse()) {
    await step.undo(scope, input, saga.outputs, `${key}/${step.name}/undo`)
  }
  await scope.change(`${key}/compensated`, async (write) => {
    await definition.undoBegin(write, input, saga.outputs)
    await noteState(
      write,
      saga.id,
      'compensated',
      definition.steps[failedAt]?.name ?? null,
      words,
      saga.outputs,
    )
    return {}
  })
}

async function noteState(
  write: WriteScope,
  id: string,
  state: SagaState,
  step: string | null,
  error: string | null,
  outputs: SagaOutputs,
): Promise<void> {
  await write.tx.execute(sql`update platform.saga set state = ${state}, step = ${step}, error = ${error},
    outputs = ${JSON.stringify(outputs)}::jsonb, updated_at = ${write.now}::timestamptz
    where laboratory_id = ${write.laboratoryId}::uuid and id = ${id}::uuid`)
}

/**
 * A refusal is final: repeating it gives the same. A service that is away, busy or silent is not: the saga stays where
 * it is and is run again.
 */
function isFinal(error: unknown): error is ORPCError<string, unknown> {
  if (!(error instanceof ORPCError)) return false
  const transient = ['NOT_STARTED', 'OUTCOME_UNKNOWN', 'BUSY', 'TOO_MANY_REQUESTS', 'INTERNAL_SERVER_ERROR']
  return !transient.includes(error.code)
}

/** Sagas that a stop or crash left in the middle, oldest first. */
export async function openSagas(scope: Pick<OrchestrationScope, 'asOwner'>): Promise<readonly SagaRow[]> {
  return scope.asOwner((tx) =>
    rowsOf<SagaRow>(
      tx,
      sql`select id::text, laboratory_id::text, name, state, step, input -> 'input' as input, outputs, actor, correlation_id,
        idempotency_key, error, started_at::text, updated_at::text from platform.saga
        where state in ('created', 'executing', 'compensating') order by id`,
    ),
  )
}

/** Takes up one saga where it was left. */
export async function resumeSaga(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  row: SagaRow,
): Promise<void> {
  const begun = { id: row.id, outputs: row.outputs }
  if (row.state === 'compensating') {
    const failedAt = definition.steps.findIndex((step) => step.name === row.step)
    await finishCompensation(
      scope,
      definition,
      row.input,
      row.idempotency_key,
      begun,
      failedAt,
      row.error ?? '',
    )
    return
  }
  try {
    await continueSaga(scope, definition, row.input, row.idempotency_key, begun)
  } catch (error) {
    // A refusal has been compensated and is on the saga's own row; only what is not settled goes up.
    if (!(error instanceof Refusal) && !isFinal(error)) throw error
  }
}
