/**
 * Lets the rows of a batch pass through the same stations one behind the other, like tubes on a belt: while one row is
 * at the second station the next is at the first. So rows keep their order at each station (codes and free positions
 * are given out from the first row to the last), and the services behind the stations work at the same time.
 */
export class AssemblyLine {
  readonly #lastAt = new Map<string, Promise<unknown>>()

  /** Does the work when all rows that came to this station before have left it. */
  pass<T>(station: string, work: () => Promise<T>): Promise<T> {
    const before = this.#lastAt.get(station) ?? Promise.resolve()
    const mine = before.then(work)
    this.#lastAt.set(
      station,
      mine.catch(() => undefined),
    )
    return mine
  }
}
