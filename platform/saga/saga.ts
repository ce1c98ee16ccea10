import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { ORPCError } from '@orpc/contract'
import { Refusal } from '../contract/refusal.ts'
import { hashRequest } from '../database/change.ts'
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

/**
 * One step. It is idempotent: `key` stays the same however often it is run, also after a restart; a call to another
 * domain passes it on as its context's key.
 */
export interface SagaStep {
  readonly name: string
  readonly run: (
    scope: OrchestrationScope,
    input: unknown,
    outputs: SagaOutputs,
    key: string,
  ) => Promise<unknown>
  /**
   * Undoes exactly what `run` did; it also gets the output of its own step. Null for a last step: none after it can be
   * refused.
   */
  readonly undo:
    ((scope: OrchestrationScope, input: unknown, outputs: SagaOutputs, key: string) => Promise<void>) | null
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
  /** The last change of the calling domain, in one transaction with the saga's end; what it gives is kept as `end`. */
  readonly end: (scope: WriteScope, input: unknown, outputs: SagaOutputs) => Promise<unknown>
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
  /** Of the call that started it. */
  readonly idempotency_key: string
  /** Of this saga among those of the call. */
  readonly key: string
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
const lastStep = 'end'

/**
 * Starts a saga, or finishes the one that was started with the same key. Throws the refusal that stopped it. `key`
 * tells the sagas of one call apart; a call that runs several gives each its own.
 */
export async function runSaga(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
): Promise<SagaResult> {
  let fresh = false
  const options = { requestHash: hashSaga(scope, definition, input) }
  const begun = await scope.change(
    `${key}/begin`,
    async (write) => {
      fresh = true
      const id = uuidv7()
      const first = await definition.begin(write, input)
      const outputs = { [firstStep]: first }
      await write.tx.execute(sql`insert into platform.saga
      (laboratory_id, id, revision, name, state, step, input, outputs, actor, correlation_id, idempotency_key, started_at, updated_at, workstation_id)
      values (${write.laboratoryId}::uuid, ${id}::uuid, ${write.changeSetId}::uuid, ${definition.name}, 'executing',
        ${definition.steps[0]?.name ?? null}, ${JSON.stringify({ input, key })}::jsonb, ${JSON.stringify(outputs)}::jsonb,
        ${JSON.stringify(write.actor)}::jsonb, ${scope.correlationId}, ${scope.idempotencyKey}, ${write.now}::timestamptz, ${write.now}::timestamptz,
        ${write.workstation.id})`)
      return { id, outputs }
    },
    options,
  )
  return once(begun.id, () =>
    fresh ? continueSaga(scope, definition, input, key, begun) : takeUp(scope, definition, begun.id),
  )
}

/** Sagas this process has in hand, so that a repeat and a restart's round join instead of racing each other. */
const inHand = new Map<string, Promise<SagaResult>>()

function once(id: string, work: () => Promise<SagaResult>): Promise<SagaResult> {
  const known = inHand.get(id)
  if (known !== undefined) return known
  const running = work().finally(() => inHand.delete(id))
  inHand.set(id, running)
  return running
}

/** Goes on from what the saga's row says: its outputs or its refusal once more, or the rest of the way. */
async function takeUp(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  id: string,
): Promise<SagaResult> {
  const [row] = await scope.read((tx) =>
    rowsOf<Pick<SagaRow, 'state' | 'step' | 'input' | 'key' | 'outputs' | 'error'>>(
      tx,
      sql`select state, step, input -> 'input' as input, input ->> 'key' as key, outputs, error
        from platform.saga where id = ${id}::uuid`,
    ),
  )
  if (row === undefined) throw new Error(`The saga ${id} is not here`)
  const { outputs, input, key } = row
  if (row.state === 'completed') return { id, outputs }
  if (row.state === 'failed') throw stuck(row.error ?? '')
  if (row.state !== 'compensating' && row.state !== 'compensated') {
    return continueSaga(scope, definition, input, key, { id, outputs })
  }
  if (row.state === 'compensating') {
    const failedAt = definition.steps.findIndex((step) => step.name === row.step)
    await finishCompensation(scope, definition, input, key, { id, outputs }, failedAt, row.error ?? '')
  }
  const refusal = StoredRefusal.parse(outputs['refusal'])
  throw new Refusal(refusal.code, refusal.message, refusal.data)
}

const StoredRefusal = z.object({ code: z.string(), message: z.string(), data: z.unknown() })

/** Runs the steps after the first; also what a restart does with a saga that was left in the middle. */
async function continueSaga(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
  begun: SagaResult,
): Promise<SagaResult> {
  let outputs = begun.outputs
  const options = { requestHash: hashSaga(scope, definition, input) }
  for (const [index, step] of definition.steps.entries()) {
    try {
      outputs = { ...outputs, [step.name]: await step.run(scope, input, outputs, `${key}/${step.name}`) }
    } catch (error) {
      if (!isFinal(error)) throw stillUnderWay(error)
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
  return scope.change(
    `${key}/end`,
    async (write) => {
      outputs = { ...outputs, [lastStep]: await definition.end(write, input, outputs) }
      await noteState(write, begun.id, 'executing', 'completed', null, null, outputs)
      return { id: begun.id, outputs }
    },
    options,
  )
}

/**
 * The same for the call that started a saga and for the restart that finishes it: each may find the other's changes
 * done already.
 */
function hashSaga(scope: OrchestrationScope, definition: SagaDefinition, input: unknown): string {
  return hashRequest(`saga.${definition.name}`, scope.actor?.userId ?? 'nobody', input)
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
  await scope.change(
    `${key}/compensating`,
    async (write) => {
      await noteState(write, saga.id, 'executing', 'compensating', failedStep, words, saga.outputs)
      return {}
    },
    { requestHash: hashSaga(scope, definition, input) },
  )
  await finishCompensation(scope, definition, input, key, saga, failedAt, words)
}

/** Undoes the steps before the failed one; a restart comes here with a saga that was being taken back. */
async function finishCompensation(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  input: unknown,
  key: string,
  saga: SagaResult,
  failedAt: number,
  words: string,
): Promise<void> {
  for (const step of definition.steps.slice(0, failedAt).reverse()) {
    try {
      if (step.undo === null) throw new Error(`The step ${step.name} of ${definition.name} cannot be undone`)
      await step.undo(scope, input, saga.outputs, `${key}/${step.name}/undo`)
    } catch (error) {
      if (!isFinal(error)) throw stillUnderWay(error)
      const both = `${words} It could not be taken back either: ${error.message}`
      await scope.change(`${key}/failed`, async (write) => {
        await noteState(write, saga.id, 'compensating', 'failed', step.name, both, saga.outputs)
        return {}
      })
      throw stuck(both)
    }
  }
  const failedStep = definition.steps[failedAt]?.name ?? null
  await scope.change(
    `${key}/compensated`,
    async (write) => {
      await definition.undoBegin(write, input, saga.outputs)
      await noteState(write, saga.id, 'compensating', 'compensated', failedStep, words, saga.outputs)
      return {}
    },
    { requestHash: hashSaga(scope, definition, input) },
  )
}

/** To the caller, "not started" of a later step is not "nothing was done". Defects stay what they are. */
function stillUnderWay(error: unknown): unknown {
  if (!(error instanceof ORPCError)) return error
  const words = `It is under way and goes on by itself, but not at this moment: ${error.message}`
  return new Refusal('OUTCOME_UNKNOWN', words, { why: 'saga' })
}

/** Neither done nor undone: only a person can settle it. */
function stuck(words: string): Refusal {
  return new Refusal('OUTCOME_UNKNOWN', `${words} A person must look at it.`, { why: 'saga' })
}

async function noteState(
  write: WriteScope,
  id: string,
  from: SagaState,
  to: SagaState,
  step: string | null,
  error: string | null,
  outputs: SagaOutputs,
): Promise<void> {
  const moved = await rowsOf(
    write.tx,
    sql`update platform.saga set state = ${to}, step = ${step}, error = ${error},
    outputs = ${JSON.stringify(outputs)}::jsonb, updated_at = ${write.now}::timestamptz
    where laboratory_id = ${write.laboratoryId}::uuid and id = ${id}::uuid and state = ${from} returning id`,
  )
  if (moved.length === 0)
    throw new Error(`The saga ${id} is not ${from} any more: somebody else goes on with it`)
}

/**
 * A refusal is final: repeating it gives the same. A service that is away, busy or silent is not: the saga stays where
 * it is and is run again.
 */
export function isFinal(error: unknown): error is ORPCError<string, unknown> {
  if (!(error instanceof ORPCError)) return false
  const transient = ['NOT_STARTED', 'OUTCOME_UNKNOWN', 'BUSY', 'TOO_MANY_REQUESTS', 'INTERNAL_SERVER_ERROR']
  return !transient.includes(String(error.code))
}

/**
 * Sagas begun here and left in the middle by a stop, a crash or a service that was away, and untouched for so long;
 * oldest first. Those of other machines come by sync and are gone on with there.
 */
export async function openSagas(
  scope: Pick<OrchestrationScope, 'asOwner' | 'workstation'>,
  untouchedForMs: number,
): Promise<readonly SagaRow[]> {
  const before = new Date(Date.now() - untouchedForMs).toISOString()
  return scope.asOwner((tx) =>
    rowsOf<SagaRow>(
      tx,
      sql`select id::text, laboratory_id::text, name, state, step, input -> 'input' as input, input ->> 'key' as key, outputs, actor,
        correlation_id, idempotency_key, error, started_at::text, updated_at::text from platform.saga
        where state in ('created', 'executing', 'compensating') and coalesce(workstation_id, ${scope.workstation.id}) = ${scope.workstation.id}
          and updated_at <= ${before}::timestamptz order by id`,
    ),
  )
}

/** Takes up one saga where it was left. */
export async function resumeSaga(
  scope: OrchestrationScope,
  definition: SagaDefinition,
  row: SagaRow,
): Promise<void> {
  try {
    await once(row.id, () => takeUp(scope, definition, row.id))
  } catch (error) {
    // A refusal has been compensated and is on the saga's own row; only what is not settled goes up.
    if (!isFinal(error)) throw error
  }
}
