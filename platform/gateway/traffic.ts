import { commonError } from './faults.ts'

/** Calls under way to each service: how many, and how many at most. */
export class Traffic {
  readonly #maximumInFlight: (service: string) => number
  readonly #inFlight = new Map<string, number>()

  constructor(maximumInFlight: (service: string) => number) {
    this.#maximumInFlight = maximumInFlight
  }

  /** Runs one call. Throws BUSY when too many are under way. */
  async pass<T>(service: string, call: () => Promise<T>): Promise<T> {
    const inFlight = this.inFlight(service)
    if (inFlight >= this.#maximumInFlight(service)) throw commonError('BUSY')
    this.#inFlight.set(service, inFlight + 1)
    try {
      return await call()
    } finally {
      this.#inFlight.set(service, this.inFlight(service) - 1)
    }
  }

  inFlight(service: string): number {
    return this.#inFlight.get(service) ?? 0
  }

  get totalInFlight(): number {
    return [...this.#inFlight.values()].reduce((total, count) => total + count, 0)
  }
}
