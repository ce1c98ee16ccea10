const lines = new Map<string, Promise<unknown>>()

/**
 * Runs work on one import after the work before it, so that a person's quick second correction is made on the result
 * of the first. Other imports do not wait.
 */
export async function inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  const before = lines.get(key) ?? Promise.resolve()
  const running = before.then(work, work)
  const ended = running.then(
    () => undefined,
    () => undefined,
  )
  lines.set(key, ended)
  try {
    return await running
  } finally {
    if (lines.get(key) === ended) lines.delete(key)
  }
}
