/**
 * Milliseconds from now until the gateway must have answered: a little before the caller's deadline, so that the typed
 * answer is there when the caller looks at the clock.
 */
export function answerWithinMs(deadlineAt: number, now: number = Date.now()): number {
  const left = deadlineAt - now
  return left - Math.min(50, Math.max(0, left * 0.1))
}

/** Waits for `work` until the deadline, then throws what `late` makes; the work itself goes on unheard. */
export function withDeadline<T>(work: Promise<T>, deadlineAt: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.max(0, answerWithinMs(deadlineAt)))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
