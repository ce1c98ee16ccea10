import { Breaker, type BreakerOptions, type BreakerState } from './breaker.ts'
import { commonError } from './faults.ts'

/** Calls under way to each service: how many, how many at most, and whether it is worth trying. */
export class Traffic {
  readonly #breakerOptions: BreakerOptions
  readonly #maximumInFlight: (service: string) => number
  readonly #breakers = new Map<string, Breaker>()
  readonly #inFlight = new Map<string, number>()

  constructor(breakerOptions: BreakerOptions, maximumInFlight: (service: string) => number) {
    this.#breakerOptions = breakerOptions
    this.#maximumInFlight = maximumInFlight
  }

  /** Runs one call behind the service's circuit breaker. Throws BUSY when too many are under way. */
  pass<T>(service: string, call: () => Promise<T>): Promise<T> {
    return this.#breakerOf(service).run(async () => {
      const inFlight = this.inFlight(service)
      if (inFlight >= this.#maximumInFlight(service)) throw commonError('BUSY')
      this.#inFlight.set(service, inFlight + 1)
      try {
        return await call()
      } finally {
        this.#inFlight.set(service, this.inFlight(service) - 1)
      }
    })
  }

  inFlight(service: string): number {
    return this.#inFlight.get(service) ?? 0
  }

  get totalInFlight(): number {
    return [...this.#inFlight.values()].reduce((total, count) => total + count, 0)
  }

  breakerState(service: string): BreakerState {
    return this.#breakerOf(service).state
  }

  #breakerOf(service: string): Breaker {
    let breaker = this.#breakers.get(service)
    if (breaker === undefined) {
      breaker = new Breaker(service, this.#breakerOptions)
      this.#breakers.set(service, breaker)
    }
    return breaker
  }
}
