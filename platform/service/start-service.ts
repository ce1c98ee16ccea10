import type { MessagePort } from 'node:worker_threads'
import { ORPCError } from '@orpc/contract'
import { implement } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import { v7 as uuidv7 } from 'uuid'
import { Envelope, envelopeHeader } from '../contract/envelope.ts'
import type { ProcedureMeta } from '../contract/procedure.ts'
import { asContracted, Refusal } from '../contract/refusal.ts'
import { type ChangeRequest, hashRequest } from '../database/change.ts'
import type { DomainDatabase, Observe } from '../database/domain-database.ts'
import { isDamage } from '../database/errors.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import { domainSyncContract } from '../sync/domain-contract.ts'
import { openSagas, resumeSaga, type SagaRow } from '../saga/saga.ts'
import type { FromService } from './boot.ts'
import { HybridClock } from './hybrid-clock.ts'
import type { Contract, Orchestrates, Reads, ServiceDefinition, Writes } from './implementation.ts'
import type { CallScope, OrchestrationScope, WriteScope } from './scopes.ts'
import { createGatewayLink, createServiceClient } from './service-client.ts'
import { startSpan } from './span.ts'
import { syncProcedures } from './sync-procedures.ts'
import { runSubscriptions } from './subscriptions.ts'

/** What a service needs around it, however it is hosted. */
export interface Surroundings {
  readonly database: DomainDatabase
  readonly journal: JournalClient
  readonly servicePort: MessagePort
  readonly gatewayPort: MessagePort
  readonly workstation: { readonly id: string; readonly name: string }
  readonly home: string
  readonly resources: string
  /** Whether this instance reacts to events and takes up sagas; of several instances one does. */
  readonly follows: boolean
  /** Whether this is the Hub, which decides what workstations push, or a workstation, which follows it. */
  readonly isHub: boolean
  /** The machine's clock in milliseconds, which may be wrong by hours; that of this process when left out. */
  readonly wallClock?: () => number
  readonly report: (message: FromService) => void
  /** The database's pages are damaged: the call is answered, then the service must end and be opened anew. */
  readonly onDamage: (error: unknown) => void
}

export interface RunningService {
  readonly inFlight: () => { readonly calls: number; readonly long: number }
  /** Resolves when all events in the journal have been reacted to. */
  readonly caughtUp: () => Promise<void>
  /** Lets calls in hand finish, then stops reacting. The database is closed by whoever opened it. */
  readonly stop: () => Promise<void>
}

type AnyHandler = Reads<unknown, unknown> | Writes<unknown, unknown> | Orchestrates<unknown, unknown>

/** Longer than any call that runs a saga waits, so that a saga is rarely run twice at once; that would do no harm. */
const sagaPatienceMs = 35_000

/** Runs one call of a procedure; everything the handlers are given comes from here. */
interface Call {
  readonly envelope: Envelope
  readonly procedure: string
  readonly meta: ProcedureMeta
  readonly input: unknown
}

/** Serves a domain on its port, takes up sagas that were left in the middle, and follows the events it subscribes to. */
export async function startService(
  definition: ServiceDefinition,
  around: Surroundings,
): Promise<RunningService> {
  const clock = new HybridClock(around.workstation.id, around.wallClock)
  const link = createGatewayLink(around.gatewayPort)
  around.gatewayPort.start()
  const inFlight = { calls: 0, long: 0 }
  let orchestrations = 0
  const requestHashes = new WeakMap<Call, { readonly actorId: string; readonly hash: string }>()

  const own = internalCall(definition.name)
  await definition.onOpen?.(orchestrationScope(own, 'open'))

  const contract: Contract = { ...definition.contract, ...domainSyncContract(definition.name) }
  const implementation: Readonly<Record<string, unknown>> = {
    ...definition.implementation,
    ...syncProcedures(definition, around, clock),
  }
  const router = Object.fromEntries(
    Object.entries(contract).map(([name, one]) => {
      const meta = one['~orpc'].meta as ProcedureMeta
      const handler = implementation[name] as AnyHandler
      const procedure = `${definition.name}.${name}`
      const served = implement(one)
        .$context<{ readonly envelope: Envelope }>()
        .handler(({ input, context }) =>
          serve({ envelope: context.envelope, procedure, meta, input }, handler),
        )
      return [name, served]
    }),
  )

  async function serve(call: Call, handler: AnyHandler): Promise<unknown> {
    inFlight.calls += 1
    if (call.meta.long) inFlight.long += 1
    const span = startSpan(call.procedure, call.envelope, around.report)
    try {
      const answer = await span.within(() => runHandler(call, handler, span.observe))
      span.end(true)
      return answer
    } catch (error) {
      span.end(false)
      throw explain(call, error)
    } finally {
      inFlight.calls -= 1
      if (call.meta.long) inFlight.long -= 1
    }
  }

  async function runHandler(call: Call, handler: AnyHandler, observe: Observe): Promise<unknown> {
    if (Date.now() > call.envelope.deadlineAt) {
      throw new Refusal('NOT_STARTED', 'The deadline passed before the call began', { why: 'deadline' })
    }
    switch (handler.does) {
      case 'reads':
        return handler.run(readScope(call), call.input)
      case 'writes':
        return change(call, call.envelope.idempotencyKey, (scope) => handler.run(scope, call.input), observe)
      case 'orchestrates':
        orchestrations += 1
        try {
          return await handler.run(
            orchestrationScope(call, call.envelope.idempotencyKey ?? uuidv7(), observe),
            call.input,
          )
        } finally {
          orchestrations -= 1
        }
    }
  }

  /** Errors of the contract go out with their status; anything else is a defect and is logged with its correlation id. */
  function explain(call: Call, error: unknown): unknown {
    const refusal = asContracted(contract[call.procedure.slice(definition.name.length + 1)], error)
    if (refusal !== null) return refusal
    if (isDamage(error)) around.onDamage(error)
    if (error instanceof ORPCError && error.code === 'BAD_REQUEST') return error
    around.report({
      type: 'log',
      level: 'error',
      message: `${call.procedure} failed`,
      fields: { correlationId: call.envelope.correlationId, error: fullWords(error) },
    })
    return error
  }

  function callScope(call: Call): CallScope {
    const { envelope } = call
    return {
      actor: envelope.actor,
      laboratoryId: envelope.actor?.laboratoryId ?? '',
      correlationId: envelope.correlationId,
      workstation: around.workstation,
      home: around.home,
      resources: around.resources,
      now: clock.now(),
      service: (name) => createServiceClient(link, name, envelope),
    }
  }

  function readScope(call: Call) {
    const scope = callScope(call)
    return {
      ...scope,
      read: <T>(work: Parameters<DomainDatabase['read']>[1]) =>
        around.database.read(scope.laboratoryId, work) as Promise<T>,
      readAcrossLaboratories: <T>(work: Parameters<DomainDatabase['readAsOwner']>[0]) =>
        around.database.readAsOwner(work) as Promise<T>,
    }
  }

  function orchestrationScope(call: Call, key: string, observe?: Observe): OrchestrationScope {
    const scope = callScope(call)
    const { database } = around
    return {
      ...scope,
      idempotencyKey: key,
      deadlineAt: call.envelope.deadlineAt,
      read: (work) => database.read(scope.laboratoryId, work),
      readAcrossLaboratories: (work) => database.readAsOwner(work),
      change: (subKey, work, options = {}) => change(call, `${key}/${subKey}`, work, observe, options),
      changeLocal: (work) => database.changeLocal(scope.laboratoryId, work),
      asOwner: (work) => database.asOwner(work),
    }
  }

  /** What was asked and by whom. The parts of a long list are changes of one call, which is not hashed for each of them. */
  function requestHashOf(call: Call, actorId: string): string {
    const known = requestHashes.get(call)
    if (known?.actorId === actorId) return known.hash
    // A plain hash over a password or PIN would let whoever reads the journal guess it.
    const hash = hashRequest(call.procedure, actorId, call.meta.secretAnswer ? null : call.input)
    requestHashes.set(call, { actorId, hash })
    return hash
  }

  async function change<T>(
    call: Call,
    idempotencyKey: string | null,
    work: (scope: WriteScope) => Promise<T>,
    observe?: Observe,
    options: Parameters<OrchestrationScope['change']>[2] & {
      readonly reaction?: ChangeRequest['reaction']
      readonly causedBy?: string
    } = {},
  ): Promise<T> {
    const { envelope, procedure, meta, input } = call
    const actorId = options.actorId ?? envelope.actor?.userId ?? 'nobody'
    const laboratoryId = options.laboratoryId ?? envelope.actor?.laboratoryId ?? ''
    const request: ChangeRequest = {
      laboratoryId,
      actorId,
      origin: 'local',
      workstationId: around.workstation.id,
      hybridLogicalTime: clock.tick(),
      now: clock.now(),
      reason: options.reason ?? reasonOf(input),
      correlationId: envelope.correlationId,
      procedure,
      idempotencyKey,
      requestHash: options.requestHash ?? requestHashOf(call, actorId),
      secretAnswer: meta.secretAnswer,
      deadlineAt: envelope.deadlineAt,
      reaction: options.reaction ?? null,
      causedBy: options.causedBy ?? null,
    }
    const answer = await around.database.change(
      request,
      (scope) => work({ ...scope, actor: envelope.actor, laboratoryId, workstation: around.workstation }),
      observe,
    )
    around.report({ type: 'changed', laboratoryId })
    return answer
  }

  const subscriptions = runSubscriptions({
    subscriber: definition.name,
    subscriptions: around.follows ? definition.subscriptions : [],
    database: around.database,
    journal: around.journal,
    isHub: around.isHub,
    workstationId: around.workstation.id,
    isBusy: () => orchestrations > 0,
    react: async (reaction, work) => {
      const call = internalCall(definition.name, reaction)
      await change(
        call,
        reaction.idempotencyKey,
        async (scope) => {
          await work(scope)
          return null
        },
        undefined,
        {
          laboratoryId: reaction.laboratoryId,
          actorId: reaction.actorId,
          reason: reaction.reason,
          reaction: reaction.cursor,
          causedBy: reaction.causedBy,
        },
      )
    },
    onFailure: (entry, error) =>
      around.report({
        type: 'log',
        level: 'error',
        message: `${definition.name} could not react to journal entry ${entry.sequence}`,
        fields: { correlationId: entry.correlationId, error: fullWords(error) },
      }),
  })

  const handler = new RPCHandler<{ envelope: Envelope }>(router, {
    rootInterceptors: [
      (options) => {
        const header = options.request.headers[envelopeHeader]
        const envelope = Envelope.parse(JSON.parse(typeof header === 'string' ? header : '{}'))
        return options.next({ ...options, context: { envelope } })
      },
    ],
  })
  handler.upgrade(around.servicePort, { context: { envelope: own.envelope } })
  around.servicePort.start()

  // In the background: sign-in and finding must not wait for other domains to wake.
  let resuming = resumeSagas(0)
  const resumeTimer =
    definition.sagas.length === 0 || !around.follows
      ? null
      : setInterval(() => {
          resuming = resuming.then(() => resumeSagas(sagaPatienceMs))
        }, sagaPatienceMs)
  resumeTimer?.unref()

  /** Takes up sagas that nobody has touched for so long; what still cannot be finished waits for the next round. */
  async function resumeSagas(untouchedForMs: number): Promise<void> {
    if (definition.sagas.length === 0 || !around.follows) return
    const unfinished: { readonly row: SagaRow; readonly error: unknown }[] = []
    for (const row of await openSagas(orchestrationScope(own, 'resume'), untouchedForMs)) {
      const saga = definition.sagas.find((each) => each.name === row.name)
      if (saga === undefined) continue
      const call = internalCall(definition.name, {
        laboratoryId: row.laboratory_id,
        correlationId: row.correlation_id,
      })
      const key = row.idempotency_key
      const envelope = {
        ...call.envelope,
        actor: Envelope.shape.actor.parse(row.actor),
        idempotencyKey: key,
      }
      try {
        await resumeSaga(orchestrationScope({ ...call, envelope }, key), saga, row)
      } catch (error) {
        unfinished.push({ row, error })
      }
    }
    const [first] = unfinished
    if (first === undefined) return
    around.report({
      type: 'log',
      level: 'warn',
      message: `${unfinished.length} pieces of work across domains could not be finished yet; they are tried again, ${first.row.name} ${first.row.id} first`,
      fields: { correlationId: first.row.correlation_id, error: fullWords(first.error) },
    })
  }

  return {
    inFlight: () => inFlight,
    caughtUp: subscriptions.caughtUp,
    async stop() {
      for (let waitedMs = 0; inFlight.calls > 0 && waitedMs < 10_000; waitedMs += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await subscriptions.stop()
      if (resumeTimer !== null) clearInterval(resumeTimer)
      await resuming
      around.gatewayPort.close()
      around.servicePort.close()
    },
  }
}

/** A call nobody outside made: reactions, sagas taken up again, opening. */
function internalCall(
  domain: string,
  cause?: { readonly laboratoryId: string; readonly correlationId: string },
): Call {
  const correlationId = cause?.correlationId ?? uuidv7()
  return {
    envelope: {
      actor: {
        userId: `service:${domain}`,
        name: domain,
        sessionId: null,
        laboratoryId: cause?.laboratoryId ?? '',
        permissions: [],
        service: domain,
      },
      correlationId,
      idempotencyKey: null,
      deadlineAt: Date.now() + 10 * 60_000,
      traceParent: null,
    },
    procedure: `${domain}.internal`,
    meta: {
      kind: 'command',
      permission: 'public',
      deadlineMs: 600_000,
      long: true,
      scan: false,
      internal: true,
      guessable: false,
      secretAnswer: false,
    },
    input: {},
  }
}

function reasonOf(input: unknown): string | null {
  const reason: unknown =
    typeof input === 'object' && input !== null && 'reason' in input ? input.reason : null
  return typeof reason === 'string' ? reason : null
}

/** An error with its causes and stack, for the log. */
export function fullWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${fullWords(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
