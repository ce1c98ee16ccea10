import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { commonError } from './faults.ts'

export interface RateLimitOptions {
  readonly calls: number
  readonly perSeconds: number
}

/** Counts the calls of a person (or of an unknown client) at the front doors; it stops run-away programs, not people. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory

  constructor(options: RateLimitOptions) {
    this.#limiter = new RateLimiterMemory({ points: options.calls, duration: options.perSeconds })
  }

  /** Counts one call. Throws TOO_MANY_REQUESTS with the time after which it may be repeated. */
  async count(key: string): Promise<void> {
    try {
      await this.#limiter.consume(key)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      throw commonError('TOO_MANY_REQUESTS', { data: { retryAfterMs: refusal.msBeforeNext } })
    }
  }
}
