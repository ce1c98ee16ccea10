const waitsMs = [250, 500, 1_000, 2_000, 5_000] as const

export interface FeedReader<Event> {
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Event>>
  /** The feed is open, at first and after every break. */
  readonly onOpen?: () => Promise<void> | void
  readonly onEvent: (event: Event) => void
  /** The feed broke off and is opened again after a while. */
  readonly onBreak?: () => void
}

/** Reads a feed of the host, and opens it again whenever it breaks off, until the signal. */
export async function readFeed<Event>(reader: FeedReader<Event>, signal: AbortSignal): Promise<void> {
  const isOver = () => signal.aborted
  for (let failures = 0; !isOver(); failures += 1) {
    try {
      const feed = await reader.open(signal)
      await reader.onOpen?.()
      for await (const event of feed) {
        failures = 0
        reader.onEvent(event)
      }
    } catch {
      // The end of a feed is no news for a person: whoever reads it shows that it is not there, and it is tried again.
    }
    if (isOver()) return
    reader.onBreak?.()
    const waitMs = waitsMs[Math.min(failures, waitsMs.length - 1)] ?? 5_000
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}
