import { and, eq } from 'drizzle-orm'
import { notFound, Refusal } from '../../platform/contract/refusal.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { laboratoryName } from './laboratory.ts'
import { refuseCommonPassword } from './passwords.ts'
import { isFromHub } from './offline-people.ts'
import { type Account, findAccount } from './people.ts'
import { proveByPassword, updateCredential } from './proving.ts'
import { session } from './schema.ts'
import { hashSecret } from './secrets.ts'
import { endSession, endSessionsOf } from './sessions.ts'

export const changePassword = orchestrates(
  async (scope: OrchestrationScope, input: { currentPassword: string; newPassword: string }) => {
    const account = await ownAccount(scope)
    if (isFromHub(account.credential?.passwordHash ?? null))
      throw new Refusal('AT_HUB_ONLY', 'This laboratory has a Hub: change your password there')
    const { email, name } = account.user
    await refuseCommonPassword(scope, input.newPassword, [email, name, await laboratoryName(scope)])
    const passwordHash = await hashSecret(input.newPassword)
    await proveByPassword(
      scope,
      'change-password',
      account,
      input.currentPassword,
      { right: 'password_changed', wrong: 'wrong_password' },
      async (write) => {
        await updateCredential(write.tx, account, { passwordHash })
        const holder = { laboratoryId: write.laboratoryId, userId: account.user.id }
        await endSessionsOf(write.tx, holder, write.now, scope.actor?.sessionId ?? null)
        return {}
      },
    )
    return {}
  },
)

export const setPin = orchestrates(
  async (scope: OrchestrationScope, input: { password: string; pin: string | null }) => {
    const account = await ownAccount(scope)
    const pinHash = input.pin === null ? null : await hashSecret(input.pin)
    await proveByPassword(
      scope,
      'set-pin',
      account,
      input.password,
      { right: 'pin_changed', wrong: 'wrong_password' },
      async (write) => {
        await updateCredential(write.tx, account, { pinHash })
        return {}
      },
    )
    return {}
  },
)

export const revokeSession = writes(async (scope: WriteScope, input: { sessionId: string }) => {
  const { actor, tx, laboratoryId } = scope
  const [row] = await tx
    .select()
    .from(session)
    .where(and(eq(session.laboratoryId, laboratoryId), eq(session.id, input.sessionId)))
  const mayManage = actor?.permissions.includes('users:manage') === true
  if (row === undefined || (row.userId !== actor?.userId && !mayManage)) {
    throw notFound('session', input.sessionId)
  }
  await endSession(tx, laboratoryId, row.id, scope.now)
  return {}
})

async function ownAccount(scope: OrchestrationScope): Promise<Account> {
  const userId = scope.actor?.userId ?? ''
  const account = scope.actor?.service == null ? await readAccount(scope, userId) : null
  if (account === null) throw new Refusal('UNAUTHORIZED', 'Nobody is signed in')
  return account
}

function readAccount(scope: OrchestrationScope, userId: string): Promise<Account | null> {
  return scope.read((tx) => findAccount(tx, scope.laboratoryId, userId))
}
