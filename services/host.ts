import { ORPCError } from '@orpc/client'
import type { Gateway } from '../platform/gateway/gateway.ts'
import type { ResolvedSession } from '../platform/gateway/session.ts'
import type { JournalClient } from '../platform/journal/journal-client.ts'
import { ResolvedSessionAnswer } from './auth/contract.ts'
import { services } from './registry.ts'

// What every host of the services does with them: a workstation with or without windows, and the Hub.

/** Asks auth who holds an access token. */
export async function resolveSession(gateway: Gateway, accessToken: string): Promise<ResolvedSession> {
  const answer = await gateway.call({
    path: ['auth', 'resolveSession'],
    input: { accessToken },
    origin: { from: 'host', actor: null },
  })
  const session = ResolvedSessionAnswer.parse(answer)
  switch (session.state) {
    case 'none':
      return { problem: 'UNAUTHORIZED' }
    case 'locked':
      return { problem: 'SESSION_LOCKED' }
    case 'live':
      return {
        actor: {
          userId: session.userId,
          name: session.name,
          sessionId: session.sessionId,
          laboratoryId: session.laboratoryId,
          permissions: session.permissions,
          service: null,
        },
      }
  }
}

/** Wakes sleeping services when the journal gets an event they react to. Returns what ends it. */
export function wakeSubscribers(gateway: Gateway, journal: JournalClient): () => void {
  const eventNames = [...new Set(services.flatMap((each) => each.subscriptions ?? []))]
  let seen = -1
  let looking: Promise<void> = Promise.resolve()
  const look = async (head: number) => {
    if (seen === -1) seen = head - 1
    const entries = await journal.read({ afterSequence: seen, eventNames, limit: 1_000 })
    seen = Math.max(seen, entries.at(-1)?.sequence ?? head)
    gateway.wakeSubscribers(entries.flatMap((entry) => entry.eventNames))
  }
  return journal.onAppended((head) => {
    looking = looking
      .then(() => look(head))
      .catch((error: unknown) => {
        // The next entry looks from the same place again.
        gateway.log.write('warn', 'It could not be seen whether an event wakes a service', { error })
      })
  })
}

/** Makes the laboratory and its first administrator; nothing happens when there is one. */
export async function setUpFrom(
  gateway: Gateway,
  administrator: { readonly email: string; readonly password: string },
): Promise<void> {
  try {
    await gateway.call({
      path: ['auth', 'setUp'],
      input: {
        laboratoryName: 'Laboratory',
        administrator: {
          name: 'Administrator',
          email: administrator.email,
          password: administrator.password,
        },
      },
      origin: { from: 'host', actor: null, idempotencyKey: 'first-administrator' },
    })
  } catch (error) {
    if (error instanceof ORPCError && error.code === 'ALREADY_SET_UP') return
    throw error
  }
}
