import { setTimeout as delay } from 'node:timers/promises'

/** What is to be read again by whoever shows it. It names no rows: those are read by the one who may see them. */
export interface ChangeHint {
  /** Domains of the laboratory that changed since the hint before; none in the first, which says that the feed is open. */
  readonly domains: string[]
}

/** A hint comes at once, the next ones no faster than this, however fast the changes are. */
const quietMs = 500
/** A follower whose session has ended meanwhile follows for no longer than this; others follow again. */
const longestMs = 10 * 60_000

/**
 * Tells which domains of a laboratory changed, whoever changed them: a window, a reaction, another workstation. The
 * front doors serve it as `system.changes`.
 */
export class ChangeFeed {
  readonly #followers = new Map<string, Set<(domain: string) => void>>()

  /** Call it when a change set of a domain was committed. */
  tell(laboratoryId: string, domain: string): void {
    for (const hear of this.#followers.get(laboratoryId) ?? []) hear(domain)
  }

  /** Hints about one laboratory from the moment of the first one on. It ends by the signal, or after ten minutes. */
  async *follow(
    laboratoryId: string,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangeHint, undefined, undefined> {
    const ended = AbortSignal.any([AbortSignal.timeout(longestMs), ...(signal === undefined ? [] : [signal])])
    const isOver = () => ended.aborted
    const changed = new Set<string>()
    let wake = (): void => undefined
    const end = () => wake()
    const hear = (domain: string) => {
      changed.add(domain)
      wake()
    }
    const followers = this.#followers.get(laboratoryId) ?? new Set()
    this.#followers.set(laboratoryId, followers.add(hear))
    ended.addEventListener('abort', end)
    try {
      yield { domains: [] }
      for (;;) {
        if (changed.size === 0 && !isOver()) await new Promise<void>((resolve) => (wake = resolve))
        if (isOver()) return
        const domains = [...changed]
        changed.clear()
        yield { domains }
        // It rejects when the feed ends meanwhile, which is looked at next.
        await delay(quietMs, undefined, { signal: ended }).catch(() => undefined)
      }
    } finally {
      ended.removeEventListener('abort', end)
      followers.delete(hear)
      if (followers.size === 0) this.#followers.delete(laboratoryId)
    }
  }
}
