import type { Query, QueryClient } from '@tanstack/react-query'

/** So often a screen is read again at most while changes come fast. */
const betweenMs = 100

/**
 * Keeps what is shown true: after a change, what is on the screen of these domains, or with null all of it, is read
 * again. A reading under way is let finish and then repeated, since breaking it off would, while changes come faster than
 * it answers, never show anything.
 */
export function createReadAgain(queries: QueryClient): (domains: readonly string[] | null) => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  /** What is read again when the timer ends; null is everything. */
  let wanted: Set<string> | null = new Set()
  const repeated = new Set<string>()

  function read(domains: ReadonlySet<string> | null): void {
    const about = {
      predicate: ({ queryKey }: Query) => domains === null || isAbout(queryKey, domains),
    }
    // What is not shown now is read when it is shown.
    void queries.invalidateQueries({ ...about, refetchType: 'none' })
    for (const query of queries.getQueryCache().findAll({ ...about, type: 'active' })) readOne(query)
  }

  function readOne(query: Query): void {
    const { queryHash, queryKey } = query
    const isUnderWay = query.state.fetchStatus === 'fetching'
    if (isUnderWay && repeated.has(queryHash)) return
    const reading = queries.refetchQueries(
      { queryKey, exact: true, type: 'active' },
      { cancelRefetch: false },
    )
    if (!isUnderWay) return
    repeated.add(queryHash)
    void reading.then(() => {
      repeated.delete(queryHash)
      readOne(query)
    })
  }

  return (domains) => {
    wanted = domains === null || wanted === null ? null : new Set([...wanted, ...domains])
    timer ??= setTimeout(() => {
      const now = wanted
      timer = undefined
      wanted = new Set()
      read(now)
    }, betweenMs)
  }
}

/** What the host itself tells is gathered from all domains: the audit trail, and what waits for the Hub. */
const gathering: ReadonlySet<string> = new Set(['system', 'sync'])

/** Keys begin with the path of the procedure. */
function isAbout([path]: readonly unknown[], domains: ReadonlySet<string>): boolean {
  const domain: unknown = Array.isArray(path) ? path[0] : null
  return typeof domain === 'string' && (domains.has(domain) || gathering.has(domain))
}
