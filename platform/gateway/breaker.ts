import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
} from 'cockatiel'
import { isInfrastructureFault, isMadeHere } from './faults.ts'

export interface BreakerOptions {
  /** So many infrastructure faults in a row open it. */
  readonly faults: number
  /** First wait before it is tried again; later waits grow to `longestWaitMs`. */
  readonly firstWaitMs: number
  readonly longestWaitMs: number
}

export type BreakerState = 'closed' | 'open' | 'half-open'

/**
 * Stops calling a worker that does not answer. One that answers, even with a refusal or a defect, is there: it closes the
 * breaker, so that one broken screen cannot take a whole domain away.
 */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy

  constructor(options: BreakerOptions) {
    // A trial call that never got an answer proves nothing, whatever the reason was.
    const isFault = (error: unknown) => isInfrastructureFault(error) || this.state === 'half-open'
    this.#policy = circuitBreaker(handleWhen(isFault), {
      breaker: new ConsecutiveBreaker(options.faults),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: options.firstWaitMs,
        maxDelay: options.longestWaitMs,
      }),
    })
  }

  get state(): BreakerState {
    switch (this.#policy.state) {
      case CircuitState.Closed:
        return 'closed'
      case CircuitState.HalfOpen:
        return 'half-open'
      case CircuitState.Open:
      case CircuitState.Isolated:
        return 'open'
    }
  }

  /** Runs one call, or at once the other one while the breaker is open or somebody else's call is trying the worker. */
  async run<T>(call: () => Promise<T>, whenOpen: () => Promise<T>): Promise<T> {
    // cockatiel would let callers wait for the trial call, possibly beyond their deadline.
    if (this.state === 'half-open') return whenOpen()
    const result = await this.#policy
      .execute(() => keepAnswers(call))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError) return null
        throw error
      })
    if (result === null) return whenOpen()
    if ('answer' in result) return result.answer
    throw result.refusal
  }
}

type Kept<T> = { readonly answer: T } | { readonly refusal: unknown }

async function keepAnswers<T>(call: () => Promise<T>): Promise<Kept<T>> {
  try {
    return { answer: await call() }
  } catch (error) {
    if (isMadeHere(error)) throw error
    return { refusal: error }
  }
}
