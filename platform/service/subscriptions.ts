import { sql } from 'drizzle-orm'
import { z } from 'zod'
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
  readonly subscriber: string
  readonly journalSequence: number
}

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
 * so each event is reacted to once, in order, also across crashes.
 */
export function runSubscriptions(options: {
  readonly subscriber: string
  readonly subscriptions: readonly Subscription[]
  readonly database: DomainDatabase
  readonly journal: JournalClient
  readonly react: (reaction: Reaction, work: (scope: WriteScope) => Promise<void>) => Promise<void>
  readonly onFailure: (entry: JournalEntry, error: unknown) => void
}): SubscriptionRunner {
  const { subscriber, subscriptions, database, journal } = options
  if (subscriptions.length === 0) return { caughtUp: () => Promise.resolve(), stop: () => Promise.resolve() }

  const byName = new Map(subscriptions.map((each) => [each.event.name, each]))
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let retryTimer: NodeJS.Timeout | null = null

  const follow = () => {
    if (retryTimer !== null) clearTimeout(retryTimer)
    running = running.then(readOn).catch(() => {
      // The entry stays at the head of the line; the same call later may find its reason gone.
      retryTimer = setTimeout(() => void follow(), 1_000)
      retryTimer.unref()
    })
    return running
  }

  async function readOn(): Promise<void> {
    for (;;) {
      if (stopped) return
      const cursor = await readCursor(database, subscriber)
      const entries = await journal.read({
        afterSequence: cursor,
        eventNames: [...byName.keys()],
        limit: 100,
      })
      if (entries.length === 0) return
      for (const entry of entries) await reactTo(entry)
    }
  }

  async function reactTo(entry: JournalEntry): Promise<void> {
    const { body } = Body.parse(JSON.parse(entry.payload ?? '{"body":{"laboratoryId":null}}'))
    const wanted = body.events
      .map((event, index) => ({ event, index }))
      .filter(({ event }) => byName.has(event.name))
    try {
      for (const [place, { event, index }] of wanted.entries()) {
        const isLast = place === wanted.length - 1
        await options.react(
          {
            laboratoryId: body.laboratoryId ?? '',
            actorId: entry.actorId,
            correlationId: entry.correlationId,
            idempotencyKey: `${subscriber}:${entry.changeSetId}:${index}`,
            reason: event.name,
            subscriber,
            // Only the entry's last event moves the cursor past it.
            journalSequence: isLast ? entry.sequence : entry.sequence - 1,
          },
          (scope) =>
            byName
              .get(event.name)
              ?.react(scope, event.data, { at: entry.recordedAt, actorId: entry.actorId }) ??
            Promise.resolve(),
        )
      }
      if (wanted.length === 0) await moveCursor(database, subscriber, entry.sequence)
    } catch (error) {
      options.onFailure(entry, error)
      throw error
    }
  }

  const unsubscribe = journal.onAppended(() => void follow())
  void follow()
  return {
    caughtUp: follow,
    async stop() {
      stopped = true
      unsubscribe()
      if (retryTimer !== null) clearTimeout(retryTimer)
      await running
    },
  }
}

async function readCursor(database: DomainDatabase, subscriber: string): Promise<number> {
  const [row] = await database.asOwner((tx) =>
    rowsOf<{ sequence: string }>(
      tx,
      sql`select journal_sequence::text as sequence from platform.subscriber_cursor where subscriber = ${subscriber}`,
    ),
  )
  return Number(row?.sequence ?? 0)
}

async function moveCursor(database: DomainDatabase, subscriber: string, sequence: number): Promise<void> {
  await database.asOwner((tx) =>
    tx.execute(sql`insert into platform.subscriber_cursor values (${subscriber}, ${sequence})
      on conflict (subscriber) do update set journal_sequence = excluded.journal_sequence`),
  )
}
