import { client, readAgainSoon } from '../client.ts'
import { readFeed } from '../link/feed.ts'
import { whileSignedIn } from './session-store.ts'

/** Keeps what is on the screen true while others change it: another window, an import, the Hub. Returns the stop. */
export function followChanges(): () => void {
  return whileSignedIn(() => {
    const stop = new AbortController()
    void readFeed(
      {
        open: (signal) => client.system.changes(undefined, { context: { feed: true }, signal }),
        // The first hint names nothing: what changed before it was not told, so all is read again.
        onEvent: ({ domains }) => readAgainSoon(domains.length === 0 ? null : domains),
      },
      stop.signal,
    )
    return () => stop.abort()
  })
}
