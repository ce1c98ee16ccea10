import { setTimeout as delay } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import type { ORPCError } from '@orpc/client'
import type { AnyContractRouter } from '@orpc/contract'
import { v7 as newId } from 'uuid'
import type { Actor, Envelope } from '../contract/envelope.ts'
import type { ProcedureMeta } from '../contract/procedure.ts'
import type { FinishedSpan, ServiceNotice } from '../service/boot.ts'
import { Breaker, type BreakerOptions } from './breaker.ts'
import { type CallOrigin, decideDeadline, givenIdempotencyKey } from './call-origin.ts'
import { Catalogue } from './catalogue.ts'
import { ChangeFeed } from './change-feed.ts'
import { withDeadline } from './deadline.ts'
import { commonError, describeError, lost, notStarted } from './faults.ts'
import type { Log } from './log.ts'
import type { Metrics, ServiceFigures } from './metrics.ts'
import { decidePermission } from './permission.ts'
import { DoorLimits, type RateLimitOptions } from './rate-limit.ts'
import { type Instance, Registry, type ServiceDefinition, type ServiceStatus, summarise } from './registry.ts'
import { serveServicePort } from './service-door.ts'
import type { ServiceCall } from './service-link.ts'
import { type ResolveSession, SessionCache } from './session.ts'
import { domainSyncContract } from '../sync/domain-contract.ts'
import { defaultTiming, Supervisor, type SupervisorTiming } from './supervisor.ts'
import { Telemetry, type Trip } from './telemetry.ts'
import { formatTraceParent, type TraceStore } from './trace.ts'
import { Traffic } from './traffic.ts'
import { type BootData, prepareLaunch } from './worker-launch.ts'

/** A domain that runs in the host itself, through the same pipeline. */
export interface LocalService {
  readonly name: string
  readonly contract: AnyContractRouter
  /** Parses the input and answers; throws the contract's errors. */
  readonly call: (
    procedure: string,
    input: unknown,
    envelope: Envelope,
    signal?: AbortSignal,
  ) => Promise<unknown>
}

export interface GatewayCall {
  /** Domain, then procedure. */
  readonly path: readonly string[]
  readonly input: unknown
  readonly origin: CallOrigin
  /** Made when left out; a service's envelope brings its own. */
  readonly correlationId?: string
  readonly signal?: AbortSignal
}

export interface GatewayOptions {
  readonly services: readonly ServiceDefinition[]
  /** What a worker is told at its start, beside its ports. */
  readonly bootData: (domain: string) => BootData
  readonly openJournalPort: (domain: string) => MessagePort
  readonly resolveSession: ResolveSession
  readonly log: Log
  readonly timing?: Partial<SupervisorTiming>
  readonly breaker?: Partial<BreakerOptions>
  readonly rateLimit?: Partial<RateLimitOptions>
  /** For doors that a network reaches; see {@link DoorLimits}. */
  readonly addressLimit?: RateLimitOptions
  readonly guessLimit?: RateLimitOptions
  /** Hears of every finished span, of the host and of its services. */
  readonly onSpan?: (span: FinishedSpan) => void
  readonly sessionRememberedMs?: number
  /** The domain that keeps sessions: each of its commands may end or lock one, so none is remembered beyond it. */
  readonly sessionDomain?: string
  readonly maximumInFlight?: number
}

const defaultBreaker: BreakerOptions = { faults: 5, firstWaitMs: 1_000, longestWaitMs: 30_000 }
const wakesWithinMs = 60_000
const defaultRateLimit: RateLimitOptions = { calls: 5_000, perSeconds: 10 }

/**
 * The one way to every service: session, permission, rate limit, circuit breaker, deadline, trace and metrics, then the
 * service's port. Every call is answered before its deadline, with a typed error if need be.
 */
export class Gateway {
  readonly catalogue = new Catalogue()
  /** What the services committed, told to whoever follows. */
  readonly changes = new ChangeFeed()
  readonly #options: GatewayOptions
  readonly #registry = new Registry()
  readonly #local = new Map<string, LocalService>()
  readonly #sessions: SessionCache
  readonly #limits: DoorLimits
  readonly #traffic: Traffic
  readonly #telemetry: Telemetry
  readonly #startedAt = Date.now()
  #closing = false

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#sessions = new SessionCache(options.resolveSession, options.sessionRememberedMs ?? 5_000)
    this.#limits = new DoorLimits({
      caller: { ...defaultRateLimit, ...options.rateLimit },
      address: options.addressLimit ?? null,
      guesses: options.guessLimit ?? null,
    })
    this.#traffic = new Traffic((name) => this.#maximumInFlight(name))
    this.#telemetry = new Telemetry(options.log, this.catalogue, () => this.services(), options.onSpan)
    for (const definition of options.services) this.#register(definition)
  }

  get log(): Log {
    return this.#telemetry.log
  }

  get traces(): TraceStore {
    return this.#telemetry.traces
  }

  get metrics(): Metrics {
    return this.#telemetry.metrics
  }

  get uptimeMs(): number {
    return Date.now() - this.#startedAt
  }

  /** Adds a domain that runs in the host; do it before a front door is opened. */
  addLocal(service: LocalService): void {
    this.catalogue.add(service.name, service.contract)
    this.#local.set(service.name, service)
  }

  /** Passes one call through all gates. Rejects with an `ORPCError`, never with anything else. */
  async call(call: GatewayCall): Promise<unknown> {
    const { origin } = call
    const procedure = this.catalogue.find(call.path)
    if (procedure === undefined || (procedure.meta.internal && origin.from === 'door'))
      throw commonError('NOT_FOUND', { data: { kind: 'procedure', id: call.path.join('.') } })
    const correlationId =
      origin.from === 'service' ? origin.envelope.correlationId : (call.correlationId ?? newId())
    const trip = this.#telemetry.begin(procedure, origin, correlationId)
    const mayEndSession =
      procedure.meta.kind === 'command' && procedure.domain === this.#options.sessionDomain
    let problem: ORPCError<string, unknown> | null = null
    try {
      return await this.#pass(call, trip)
    } catch (error) {
      problem = this.#telemetry.explain(trip, error)
      throw problem
    } finally {
      if (mayEndSession) this.forgetSessions()
      this.#telemetry.conclude(trip, problem, call.signal?.aborted === true)
    }
  }

  /** Counts a request of an address that does not come as a call. Rejects with TOO_MANY_REQUESTS beyond the limits. */
  admitClient(client: string, meta: Pick<ProcedureMeta, 'scan' | 'guessable'>): Promise<void> {
    return this.#limits.admitClient(client, meta)
  }

  /** Forgets who holds which token; call it after a sign-out, a lock, or a change of a person or a role. */
  forgetSessions(): void {
    this.#sessions.forget()
  }

  /** Starts a sleeping service so that it reacts to what waits for it. It does not wait for its being ready. */
  wake(domain: string): void {
    void this.wakeInTurn([domain])
  }

  /** Starts sleeping services, each when the one before it is ready or has failed. Never rejects. */
  async wakeInTurn(domains: readonly string[]): Promise<void> {
    for (const domain of domains) {
      if (this.#closing) return
      const instances = this.#registry.find(domain)?.instances ?? []
      await Promise.all(
        instances.map(({ supervisor }) =>
          supervisor.ensureReady(Date.now() + wakesWithinMs).catch((error: unknown) => {
            this.log.write('warn', `Service ${domain} could not be woken`, { why: describeError(error) })
          }),
        ),
      )
    }
  }

  /** Wakes the services that subscribe to one of these events. */
  wakeSubscribers(eventNames: readonly string[]): void {
    const domains = new Set(eventNames.flatMap((eventName) => this.#registry.subscribersOf(eventName)))
    for (const domain of domains) this.wake(domain)
  }

  /** Like {@link wake}, but also tries a service again that failed or refused to open. */
  retry(domain: string): void {
    for (const { supervisor } of this.#registry.find(domain)?.instances ?? []) supervisor.retry()
    this.wake(domain)
  }

  /** State of all services, the host's own among them. */
  services(): readonly ServiceStatus[] {
    const workers = this.#registry
      .list()
      .map((service) => summarise(service, this.#traffic.inFlight(service.definition.name)))
    const local = [...this.#local.keys()].map((name) => ({
      ...healthy(this.uptimeMs),
      inFlight: this.#traffic.inFlight(name),
      name,
    }))
    return [...workers, ...local]
  }

  /** Counts and latencies of a service's calls. */
  figures(domain: string): ServiceFigures {
    return this.metrics.figures(domain)
  }

  /** Refuses new calls, lets running ones end for a while, closes all workers. */
  async close(graceMs = 5_000): Promise<void> {
    this.#closing = true
    const until = Date.now() + graceMs
    while (this.#traffic.totalInFlight > 0 && Date.now() < until) await delay(20)
    const instances = this.#registry.list().flatMap((service) => service.instances)
    await Promise.all(instances.map(({ supervisor }) => supervisor.stop()))
    this.log.flush()
  }

  #register(definition: ServiceDefinition): void {
    // Every domain has these beside its own, for the host alone.
    this.catalogue.add(definition.name, {
      ...(definition.contract as Readonly<Record<string, AnyContractRouter>>),
      ...domainSyncContract(definition.name),
    })
    const timing: SupervisorTiming = { ...defaultTiming, ...this.#options.timing }
    const create = (instance: number) =>
      new Supervisor({
        name: definition.name,
        timing,
        idleAfterMs: definition.idleAfterMs === undefined ? timing.idleAfterMs : definition.idleAfterMs,
        launch: () => this.#launch(definition, instance),
        log: (level, message, fields) =>
          this.log.write(level, message, { service: definition.name, ...fields }),
        onNotice: (notice) => this.#takeNotice(definition.name, notice),
      })
    this.#registry.add({
      definition,
      instances: Array.from({ length: definition.instances ?? 1 }, (_, instance) => ({
        supervisor: create(instance),
        breaker: new Breaker({ ...defaultBreaker, ...this.#options.breaker }),
      })),
    })
  }

  #takeNotice(domain: string, notice: ServiceNotice): void {
    if (notice.type === 'changed') this.changes.tell(notice.laboratoryId, domain)
    else this.#telemetry.receive(domain, notice)
  }

  #launch(definition: ServiceDefinition, instance: number) {
    return prepareLaunch({
      domain: definition.name,
      url: definition.workerUrl,
      bootData: this.#options.bootData(definition.name),
      follows: instance === 0,
      journalPort: this.#options.openJournalPort(definition.name),
      serveGatewayPort: (port) => serveServicePort(this, port, definition.name),
    })
  }

  async #pass(call: GatewayCall, trip: Trip): Promise<unknown> {
    const { origin } = call
    const { procedure } = trip
    const { meta } = procedure
    const deadline = decideDeadline(meta.deadlineMs, origin)
    if (origin.from === 'door') await this.#limits.admitClient(origin.client, meta)
    trip.actor = await this.#identify(origin, trip, deadline.at)
    const decision = decidePermission(meta, trip.actor)
    if (!decision.allowed) throw refuse(decision)
    if (origin.from === 'door') await this.#limits.admitCaller(trip.actor?.userId ?? origin.client, meta)
    const envelope: Envelope = {
      actor: trip.actor,
      correlationId: trip.correlationId,
      idempotencyKey: meta.kind === 'command' ? (givenIdempotencyKey(origin) ?? newId()) : null,
      deadlineAt: deadline.at,
      traceParent: formatTraceParent(trip.span),
    }
    const { input, signal } = call
    const serviceCall: ServiceCall = {
      procedure,
      input,
      envelope,
      hurried: deadline.hurried,
      ...(signal === undefined ? {} : { signal }),
    }
    return this.#traffic.pass(procedure.domain, () =>
      measureElsewhere(trip, () => this.#dispatch(serviceCall)),
    )
  }

  async #identify(origin: CallOrigin, trip: Trip, deadlineAt: number): Promise<Actor | null> {
    if (origin.from === 'host') return origin.actor
    if (origin.from === 'service') return origin.envelope.actor
    const { token } = origin.headers
    // An old token must not keep anybody from signing in.
    if (token === null || trip.procedure.meta.permission === 'public') return null
    const late = () => notStarted('It could not be found out in time who you are')
    const session = await measureElsewhere(trip, () =>
      withDeadline(this.#sessions.resolve(token), deadlineAt, late),
    )
    if ('problem' in session) throw commonError(session.problem)
    return session.actor
  }

  async #dispatch(call: ServiceCall): Promise<unknown> {
    if (this.#closing) throw notStarted('The application is closing')
    const { domain } = call.procedure
    const service = this.#registry.find(domain)
    if (service !== undefined) return callFirst(domain, this.#registry.rank(service), call)
    const local = this.#local.get(domain)
    if (local === undefined) throw new Error(`The service ${domain} is nowhere`)
    return callLocal(local, call)
  }

  #maximumInFlight(domain: string): number {
    const service = this.#registry.find(domain)
    const each = service?.definition.maximumInFlight ?? this.#options.maximumInFlight ?? 64
    return each * (service?.instances.length ?? 1)
  }
}

/** Has the first worker answer whose breaker lets it; the others stand in for one that did not answer several times. */
function callFirst(
  domain: string,
  [first, ...others]: readonly Instance[],
  call: ServiceCall,
): Promise<unknown> {
  if (first === undefined)
    throw notStarted(`The service ${domain} did not answer several times: it is tried again shortly`)
  return first.breaker.run(
    () => first.supervisor.call(call),
    () => callFirst(domain, others, call),
  )
}

function callLocal(service: LocalService, call: ServiceCall): Promise<unknown> {
  const { procedure, input, envelope, signal } = call
  const late = () => lost(procedure.meta.kind, `${procedure.label} did not answer before its deadline`)
  return withDeadline(service.call(procedure.name, input, envelope, signal), envelope.deadlineAt, late)
}

async function measureElsewhere<T>(trip: Trip, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  try {
    return await work()
  } finally {
    trip.elsewhereMs += performance.now() - startedAt
  }
}

/** The state of a service that lives and dies with the host. */
function healthy(uptimeMs: number) {
  return {
    state: 'ready',
    words: null,
    instances: 1,
    readyInstances: 1,
    breaker: 'closed',
    restarts: 0,
    uptimeMs,
    heapUsedBytes: null,
    databaseBytes: null,
    confirmedSequence: null,
  } as const
}

function refuse(decision: Exclude<ReturnType<typeof decidePermission>, { readonly allowed: true }>): Error {
  if (decision.code === 'UNAUTHORIZED') return commonError('UNAUTHORIZED')
  return commonError('FORBIDDEN', {
    message: `Your role does not allow this: it needs ${decision.permission}`,
    data: { permission: decision.permission },
  })
}
