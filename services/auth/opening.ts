import { inArray, lt } from 'drizzle-orm'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { openOfflineKey } from './offline-people.ts'
import { refreshToken, session } from './schema.ts'
import { openSigningKeys } from './signing-keys.ts'

const keptForMs = 30 * 24 * 60 * 60_000

/** Takes up the signing keys, and forgets sessions that began more than 30 days ago. */
export async function open(scope: OrchestrationScope): Promise<void> {
  await openSigningKeys(scope)
  await openOfflineKey(scope)
  const before = new Date(Date.parse(scope.now) - keptForMs).toISOString()
  await scope.asOwner(async (tx) => {
    const old = tx.select({ id: session.id }).from(session).where(lt(session.startedAt, before))
    await tx.delete(refreshToken).where(inArray(refreshToken.sessionId, old))
    await tx.delete(session).where(lt(session.startedAt, before))
  })
}
