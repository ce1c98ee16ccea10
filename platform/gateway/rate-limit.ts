import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { ProcedureMeta } from '../contract/procedure.ts'
import { commonError } from './faults.ts'

export interface RateLimitOptions {
  readonly calls: number
  readonly perSeconds: number
}

/** What the front doors let through. */
export interface Limits {
  /** Of one person, or of an unknown client: stops run-away programs, not people. */
  readonly caller: RateLimitOptions
  /** Of one network address, known or not, whoever calls from there; null for doors that all calls come through. */
  readonly address: RateLimitOptions | null
  /** Of one network address at procedures where a secret could be guessed. */
  readonly guesses: RateLimitOptions | null
}

/** The limits of the front doors, each with its counters. Scans pass all but the last. */
export class DoorLimits {
  readonly #caller: RateLimit
  readonly #address: RateLimit | null
  readonly #guesses: RateLimit | null

  constructor({ caller, address, guesses }: Limits) {
    this.#caller = new RateLimit(caller)
    this.#address = address === null ? null : new RateLimit(address)
    this.#guesses = guesses === null ? null : new RateLimit(guesses)
  }

  /** Counts a call before it is known who calls: an address is stopped also when all its tokens are bad. */
  async admitClient(client: string, meta: Pick<ProcedureMeta, 'scan' | 'guessable'>): Promise<void> {
    if (!meta.scan) await this.#address?.count(client)
    if (meta.guessable) await this.#guesses?.count(client)
  }

  /** Counts a call of somebody who may make it. */
  async admitCaller(caller: string, meta: Pick<ProcedureMeta, 'scan'>): Promise<void> {
    if (!meta.scan) await this.#caller.count(caller)
  }
}

/** Counts calls under a key: of a person, or of an address. */
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
