import type { AnyContractRouter } from '@orpc/contract'
import type { Breaker, BreakerState } from './breaker.ts'
import type { InstanceStatus, Supervisor } from './supervisor.ts'
import type { ServiceState } from './supervisor-states.ts'

/** A domain that runs in a worker of its own. */
export interface ServiceDefinition {
  readonly name: string
  readonly contract: AnyContractRouter
  readonly workerUrl: URL
  /** Names of events that wake it. */
  readonly subscriptions?: readonly string[]
  /** How many workers of it run at once; one unless told otherwise. */
  readonly instances?: number
  readonly maximumInFlight?: number
  /** Null keeps it awake; the gateway's timing decides when it is left out. */
  readonly idleAfterMs?: number | null
}

/** What people and monitoring see of a service. */
export interface ServiceStatus {
  readonly name: string
  readonly state: ServiceState
  readonly words: string | null
  readonly instances: number
  readonly readyInstances: number
  /** Of the worker that is most worth trying. */
  readonly breaker: BreakerState
  readonly inFlight: number
  readonly restarts: number
  readonly uptimeMs: number | null
  readonly heapUsedBytes: number | null
  readonly databaseBytes: number | null
  /** How far into the journal its database knows; null for who has none, or has not told yet. */
  readonly confirmedSequence: number | null
}

/** One worker of a service, and whether it is worth calling. */
export interface Instance {
  readonly supervisor: Supervisor
  readonly breaker: Breaker
}

export interface RegisteredService {
  readonly definition: ServiceDefinition
  readonly instances: readonly Instance[]
}

/** From most to least usable: what a service with several workers is said to be, and where a call goes. */
const preference = ['ready', 'starting', 'asleep', 'closing', 'failing', 'refused'] as const

/** The services that run in workers, and which of their workers takes the next call. */
export class Registry {
  readonly #services = new Map<string, RegisteredService>()

  add(service: RegisteredService): void {
    this.#services.set(service.definition.name, service)
  }

  find(name: string): RegisteredService | undefined {
    return this.#services.get(name)
  }

  list(): readonly RegisteredService[] {
    return [...this.#services.values()]
  }

  /**
   * The workers of a service, the least loaded first. A sleeping one is started when the others are busy; a failing or
   * refused one comes last.
   */
  rank({ instances }: RegisteredService): readonly Instance[] {
    return instances
      .map((instance) => ({ instance, rank: rank(instance.supervisor.status) }))
      .sort((left, right) => left.rank - right.rank)
      .map(({ instance }) => instance)
  }

  /** Names of the services that react to this event. */
  subscribersOf(eventName: string): readonly string[] {
    return this.list()
      .filter(({ definition }) => definition.subscriptions?.includes(eventName) === true)
      .map(({ definition }) => definition.name)
  }
}

/** A sleeping worker is worth starting when the others have this many calls more in hand. */
const startingCostsCalls = 8
const unusable = 1_000_000

function rank({ state, load }: InstanceStatus): number {
  switch (state) {
    case 'ready':
      return load
    case 'starting':
    case 'asleep':
    case 'closing':
      return load + startingCostsCalls
    case 'failing':
    case 'refused':
      return unusable
  }
}

/** Sums the workers of a service up: the best state, and the words of whichever has any. */
export function summarise({ definition, instances }: RegisteredService, inFlight: number): ServiceStatus {
  const statuses = instances.map(({ supervisor }) => supervisor.status)
  const breakers = instances.map(({ breaker }) => breaker.state)
  const readySince = statuses.flatMap((status) => status.readySince ?? [])
  return {
    name: definition.name,
    state: preference.find((state) => statuses.some((status) => status.state === state)) ?? 'asleep',
    words: statuses.find((status) => status.words !== null)?.words ?? null,
    instances: statuses.length,
    readyInstances: statuses.filter((status) => status.state === 'ready').length,
    breaker: (['closed', 'half-open'] as const).find((state) => breakers.includes(state)) ?? 'open',
    inFlight,
    restarts: sum(statuses.map((status) => status.restarts)) ?? 0,
    uptimeMs: readySince.length === 0 ? null : Date.now() - Math.min(...readySince),
    heapUsedBytes: sum(statuses.map((status) => status.heapUsedBytes)),
    databaseBytes: sum(statuses.map((status) => status.databaseBytes)),
    confirmedSequence: greatest(statuses.map((status) => status.confirmedSequence)),
  }
}

/** The greatest of what is known; null when nothing is. */
function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** The sum of what is known; null when nothing is. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0)
}
