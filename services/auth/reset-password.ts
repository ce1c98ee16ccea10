import { v7 as uuidv7 } from 'uuid'
import { notFound } from '../../platform/contract/refusal.ts'
import type { DomainDatabase } from '../../platform/database/domain-database.ts'
import { HybridClock } from '../../platform/service/hybrid-clock.ts'
import { refuseCommonPassword } from './passwords.ts'
import { accountsOfEmail } from './people.ts'
import { hashSecret } from './secrets.ts'
import { replacePassword } from './users.ts'

const patienceMs = 30_000

/**
 * Sets a person's password from the terminal of the workstation, while the app is closed: the way back in when the last
 * administrator has none. It ends all sessions of the person, forgets the PIN, and leaves a `password_reset` in the
 * audit. Refuses with NOT_FOUND when nobody has this e-mail address, and with PASSWORD_TOO_COMMON.
 */
export async function resetPasswordAtTerminal(
  database: DomainDatabase,
  request: {
    readonly email: string
    readonly newPassword: string
    readonly laboratoryId?: string
    readonly workstation: { readonly id: string; readonly name: string }
    readonly resources: string
  },
): Promise<{ readonly name: string; readonly email: string }> {
  const { email, newPassword, workstation } = request
  const [account] = await database.readAsOwner((tx) => accountsOfEmail(tx, email, request.laboratoryId))
  if (account === undefined) throw notFound('user', email)
  const { user } = account
  await refuseCommonPassword(request, newPassword, [user.email, user.name])
  const passwordHash = await hashSecret(newPassword)
  await database.change(
    {
      laboratoryId: user.laboratoryId,
      actorId: 'terminal',
      origin: 'local',
      workstationId: workstation.id,
      hybridLogicalTime: new HybridClock(workstation.id).tick(),
      reason: 'Password reset at the terminal',
      correlationId: uuidv7(),
      procedure: 'auth.resetPasswordAtTerminal',
      idempotencyKey: null,
      requestHash: '',
      secretAnswer: true,
      deadlineAt: Date.now() + patienceMs,
      reaction: null,
      causedBy: null,
    },
    (scope) =>
      replacePassword({ ...scope, laboratoryId: user.laboratoryId, workstation }, user, passwordHash),
  )
  return { name: user.name, email: user.email }
}
