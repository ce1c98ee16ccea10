import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { type CursorMove, moveCursor } from '../database/change.ts'
import type { DomainDatabase } from '../database/domain-database.ts'
import { rowsOf } from '../database/transaction.ts'
import type { JournalEntry } from '../journal/entry.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import type { Subscription } from './implementation.ts'
import type { WriteScope } from './scopes.ts'

export interface Reaction {
  readonly laboratoryId: string
  readonly actorId: string
  readonly correlationId: string
  readonly idempotencyKey: string
  readonly reason: string
  /** The change set that announced the event. */
  readonly causedBy: string
  /** Null while the entry has more events: only the last one moves the cursor past it. */
  readonly cursor: CursorMove | null
}

/** How long reactions stand back at most, and how often they look whether they still must. */
const standBackMs = 200
const lookAgainMs = 5

export interface SubscriptionRunner {
  /** Resolves when everything that was in the journal at the time of the call has been reacted to. */
  readonly caughtUp: () => Promise<void>
  readonly stop: () => Promise<void>
}

const Body = z.object({
  body: z.object({
    laboratoryId: z.string().nullable(),
    events: z.array(z.object({ name: z.string(), data: z.unknown() })).default([]),
  }),
})

/**
 * Follows the journal for the events a domain subscribes to. Its cursor moves in the same transaction as the reaction,
 * so each event is reacted to once, in order, also across crashes. When the journal is not the one the cursor was
 * written for (it was lost and made anew), reading begins again from the start, and what was done is recognised by key.
 */
export function runSubscriptions(options: {
  readonly subscriber: string
  readonly subscriptions: readonly Subscription[]
  readonly database: DomainDatabase
  readonly journal: JournalClient
  /** Outbound effects happen once a Hub has the event. */
  readonly isHub: boolean
  readonly workstationId: string
  readonly react: (reaction: Reaction, work: (scope: WriteScope) => Promise<void>) => Promise<void>
  readonly onFailure: (entry: JournalEntry, error: unknown) => void
  /** Whether work of several steps is under way here: somebody may wait for it, and nobody waits for a reaction. */
  readonly isBusy: () => boolean
}): SubscriptionRunner {
  const { subscriber, subscriptions, database, journal } = options
  if (subscriptions.length === 0) return { caughtUp: () => Promise.resolve(), stop: () => Promise.resolve() }

  const byName = new Map(subscriptions.map((each) => [each.event.name, each]))
  const stopping = new AbortController()
  const isStopping = () => stopping.signal.aborted
  let running: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | null = null
  let retryTimer: NodeJS.Timeout | null = null
  let soonTimer: NodeJS.Timeout | null = null
  let standBackUntil: number | null = null
  /** Where the cursor stands; null when only the database can tell: at the start and after a failure. */
  let position: number | null = null
  /** What comes next may have been reacted to before. Never again once the journal's end was reached. */
  let mayRepeat = true

  /** However many hints come while it reads, one more round sees all that they are about. */
  const follow = () => {
    if (retryTimer !== null) clearTimeout(retryTimer)
    waiting ??= running
      .then(() => {
        waiting = null
        return readOn()
      })
      .catch(() => {
        position = null
        mayRepeat = true
        // The entry stays at the head of the line; the same call later may find its reason gone.
        retryTimer = setTimeout(() => void follow(), 1_000)
        retryTimer.unref()
      })
    running = waiting
    return running
  }

  async function readOn(): Promise<void> {
    for (;;) {
      if (isStopping()) return
      position ??= await readCursor(database, journal, subscriber)
      const entries = await journal.read({
        afterSequence: position,
        eventNames: [...byName.keys()],
        limit: 100,
      })
      const last = entries.at(-1)
      if (last === undefined) {
        mayRepeat = false
        return
      }
      const wanted = entries.map((entry) => ({ entry, reactions: reactionsTo(entry) }))
      const keys = wanted.flatMap(({ reactions }) => reactions.map(({ reaction }) => reaction.idempotencyKey))
      const known = mayRepeat ? await knownKeys(database, keys) : new Set<string>()
      let moved = false
      for (const { entry, reactions } of wanted) {
        if (isStopping()) return
        const open = reactions.filter(({ reaction }) => !known.has(reaction.idempotencyKey))
        moved = open.length > 0
        await reactTo(entry, open)
      }
      if (!moved) await database.asOwner((tx) => moveCursor(tx, cursorAt(last)))
      position = last.sequence
    }
  }

  function cursorAt(entry: JournalEntry): CursorMove {
    return { subscriber, journalSequence: entry.sequence, journalHash: entry.hash }
  }

  function reactionsTo(entry: JournalEntry): readonly WantedReaction[] {
    const { body } = Body.parse(JSON.parse(entry.payload ?? '{"body":{"laboratoryId":null}}'))
    const wanted = body.events
      .map((event, index) => ({ event, index, subscription: byName.get(event.name) }))
      .filter(({ subscription }) => subscription !== undefined && runsHere(subscription, entry))
    return wanted.map(({ event, index, subscription }, place) => ({
      reaction: {
        laboratoryId: body.laboratoryId ?? '',
        actorId: entry.actorId,
        correlationId: entry.correlationId,
        idempotencyKey: `${subscriber}:${entry.changeSetId}:${index}`,
        reason: event.name,
        causedBy: entry.changeSetId,
        cursor: place === wanted.length - 1 ? cursorAt(entry) : null,
      },
      run: async (scope) => {
        await subscription?.react(scope, event.data, { at: entry.recordedAt, actorId: entry.actorId })
      },
    }))
  }

  /**
   * What came by sync was reacted to where it happened, and that came by sync as well. What a person decided at the Hub
   * happened here.
   */
  function runsHere({ runsAt }: Subscription, entry: JournalEntry): boolean {
    switch (runsAt) {
      case 'origin':
        return entry.origin !== 'hub' || (options.isHub && entry.workstationId === options.workstationId)
      case 'hub':
        return options.isHub
      case 'everywhere':
        return true
    }
  }

  async function reactTo(entry: JournalEntry, reactions: readonly WantedReaction[]): Promise<void> {
    try {
      for (const { reaction, run } of reactions) await options.react(reaction, run)
    } catch (error) {
      options.onFailure(entry, error)
      throw error
    }
  }

  /** Stands back while the domain is busy, for a little while: what reacts takes turns with those who are waited for. */
  const followSoon = () => {
    standBackUntil ??= Date.now() + standBackMs
    if (options.isBusy() && Date.now() < standBackUntil) {
      soonTimer ??= setTimeout(() => {
        soonTimer = null
        followSoon()
      }, lookAgainMs)
      return
    }
    standBackUntil = null
    void follow()
  }

  const unsubscribe = journal.onAppended(followSoon)
  void follow()
  return {
    caughtUp: follow,
    async stop() {
      stopping.abort()
      unsubscribe()
      if (retryTimer !== null) clearTimeout(retryTimer)
      if (soonTimer !== null) clearTimeout(soonTimer)
      await running
    },
  }
}

interface WantedReaction {
  readonly reaction: Reaction
  readonly run: (scope: WriteScope) => Promise<void>
}

async function readCursor(
  database: DomainDatabase,
  journal: JournalClient,
  subscriber: string,
): Promise<number> {
  const [row] = await database.asOwner((tx) =>
    rowsOf<{ sequence: string; hash: string }>(
      tx,
      sql`select journal_sequence::text as sequence, journal_hash as hash
        from platform.subscriber_cursor where subscriber = ${subscriber}`,
    ),
  )
  if (row === undefined) return 0
  const entry = await journal.entry(Number(row.sequence))
  return entry?.hash === row.hash ? entry.sequence : 0
}

async function knownKeys(database: DomainDatabase, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await database.asOwner((tx) =>
    rowsOf<{ key: string }>(
      tx,
      sql`select key from platform.idempotency
        where key in (select json_array_elements_text(${JSON.stringify(keys)}::json))`,
    ),
  )
  return new Set(rows.map(({ key }) => key))
}
