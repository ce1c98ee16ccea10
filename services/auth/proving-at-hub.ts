import { ORPCError } from '@orpc/contract'
import { Refusal } from '../../platform/contract/refusal.ts'
import { orchestrates } from '../../platform/service/implementation.ts'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { sync } from '../../platform/sync/contract.ts'
import { type Account, findAccount } from './people.ts'
import { proveByPassword, recordSignIn, wrongCredentials } from './proving.ts'
import { beginSession, type OpenedSession } from './sessions.ts'

/** At the Hub: whether a person at a workstation is who they say. Wrong passwords count here as everywhere. */
export const prove = orchestrates(
  async (scope: OrchestrationScope, input: { laboratoryId: string; userId: string; password: string }) => {
    const account = await scope.asOwner((tx) => findAccount(tx, input.laboratoryId, input.userId))
    if (account === null) return { outcome: 'wrong' as const }
    const recorded = { right: 'signed_in', wrong: 'wrong_password' } as const
    try {
      await proveByPassword(scope, 'prove', account, input.password, recorded, () => Promise.resolve({}))
      return { outcome: 'right' as const }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      switch (error.code) {
        case 'LOCKED_OUT':
          return { outcome: 'locked_out' as const }
        case 'NOT_ACTIVE':
          return { outcome: 'not_active' as const }
        default:
          return { outcome: 'wrong' as const }
      }
    }
  },
)

/**
 * Signs somebody in whose password this workstation does not hold, by asking its Hub. Null where there is no Hub to ask.
 * Nothing of the password is kept.
 */
export async function signInAtHub(
  scope: OrchestrationScope,
  account: Account,
  password: string,
): Promise<OpenedSession | null> {
  const { laboratoryId, id: userId, email } = account.user
  const outcome = await askHub(scope, { userId, password })
  switch (outcome) {
    case 'no-hub':
      return null
    case 'offline':
      throw new Refusal(
        'NEEDS_HUB',
        'This account signs in here only while the Hub is reached, and it is not now',
      )
    case 'wrong':
      throw wrongCredentials()
    case 'locked_out':
      throw new Refusal('LOCKED_OUT', 'Too many wrong passwords: this account is locked for a while', {
        until: new Date(Date.parse(scope.now) + lockedForMs).toISOString(),
      })
    case 'not_active':
      throw new Refusal('NOT_ACTIVE', 'This account is not active: ask an administrator')
    case 'right':
      return scope.change(
        `sign-in/${laboratoryId}`,
        async (write) => {
          await recordSignIn(write, email, userId, 'signed_in')
          return beginSession(write.tx, { laboratoryId, userId })
        },
        { laboratoryId, actorId: userId },
      )
  }
}

/** How long at most the Hub keeps an account locked. */
const lockedForMs = 15 * 60_000

async function askHub(
  scope: OrchestrationScope,
  proof: { readonly userId: string; readonly password: string },
) {
  try {
    const { outcome } = await scope.service('sync', sync).proveAtHub(proof)
    return outcome
  } catch (error) {
    // A host without sync, as in a bench of services alone.
    if (error instanceof ORPCError && error.code === 'NOT_FOUND') return 'no-hub'
    throw error
  }
}
