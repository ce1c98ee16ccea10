import { and, eq, sql } from 'drizzle-orm'
import { Refusal } from '../../platform/contract/refusal.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { readBadge } from './domain/badge.ts'
import { pinTries } from './domain/session.ts'
import { findAccount } from './people.ts'
import { recordSignIn } from './proving.ts'
import { session } from './schema.ts'
import { isSecret } from './secrets.ts'
import { type HeldSession, unlockSession } from './sessions.ts'

/**
 * Unlocks a session by its holder's badge and PIN. Five wrong tries leave the password as the only way; tries made at
 * the same moment count as well.
 */
export async function unlockByPin(
  scope: OrchestrationScope,
  held: HeldSession,
  badgeCode: string,
  pin: string,
): Promise<void> {
  const { user } = held
  const account = await scope.asOwner((tx) => findAccount(tx, user.laboratoryId, user.id))
  const pinHash = account?.credential?.pinHash ?? null
  const rightPin = await isSecret(pinHash, pin)
  const right = rightPin && user.badgeCode !== null && readBadge(badgeCode) === user.badgeCode
  const outcome = await scope.change(
    'unlock',
    async (write) => {
      const tries = await countTry(write, held.session.id)
      const unlocked = right && tries <= pinTries
      if (unlocked) await unlockSession(write, held.session.id)
      await recordSignIn(write, user.email, user.id, unlocked ? 'unlocked' : 'unlock_refused')
      return { unlocked, blocked: tries > pinTries }
    },
    { laboratoryId: user.laboratoryId, actorId: user.id },
  )
  if (outcome.unlocked) return
  if (outcome.blocked) throw new Refusal('PIN_BLOCKED', 'Too many wrong PINs: unlock with your password')
  throw new Refusal('WRONG_CREDENTIALS', 'Badge or PIN is not right')
}

async function countTry({ tx, laboratoryId }: WriteScope, sessionId: string): Promise<number> {
  const [row] = await tx
    .update(session)
    .set({ pinFailures: sql`${session.pinFailures} + 1` })
    .where(and(eq(session.laboratoryId, laboratoryId), eq(session.id, sessionId)))
    .returning({ tries: session.pinFailures })
  return row?.tries ?? Number.POSITIVE_INFINITY
}
