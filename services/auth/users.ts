import { and, eq, ne, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { changedMeanwhile, notFound, ruleBroken } from '../../platform/contract/refusal.ts'
import type { Transaction } from '../../platform/database/transaction.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { authEvents } from './contract.ts'
import { readBadge } from './domain/badge.ts'
import { checkAdministratorStays, checkStatusChange, type UserStatus } from './domain/people.ts'
import { permissionsOfPerson, type RoleName } from './domain/roles.ts'
import { addPerson, laboratoryName, refusingDuplicates } from './laboratory.ts'
import { refuseMoreThanOwn } from './own-limits.ts'
import { refuseCommonPassword } from './passwords.ts'
import { editedRoles, findPerson, toUser, type UserRow } from './people.ts'
import { recordSignIn } from './proving.ts'
import { appUser, credential } from './schema.ts'
import { hashSecret } from './secrets.ts'
import { endSessionsOf } from './sessions.ts'

interface NewUser {
  readonly name: string
  readonly email: string
  readonly password: string
  readonly roles: readonly RoleName[]
  readonly badgeCode: string | null
}

export const createUser = orchestrates(async (scope: OrchestrationScope, input: NewUser) => {
  await refuseCommonPassword(scope, input.password, [input.email, input.name, await laboratoryName(scope)])
  const passwordHash = await hashSecret(input.password)
  const id = uuidv7()
  await scope.change('create', async (write) => {
    await refuseRolesBeyondOwn(write, input.roles)
    const { name, email, roles, badgeCode } = input
    await addPerson(
      write,
      { id, name, email, roles: [...new Set(roles)], badgeCode: readBadgeOrNull(badgeCode), passwordHash },
      write.actor?.userId ?? 'nobody',
    )
    return {}
  })
  return scope.read((tx) => shown(tx, scope.laboratoryId, id, scope.now))
})

export const updateUser = writes(
  async (
    scope: WriteScope,
    input: {
      id: string
      revision: string
      name?: string | undefined
      roles?: readonly RoleName[] | undefined
      badgeCode?: string | null | undefined
    },
  ) => {
    await takeTurns(scope.tx)
    const known = await findUser(scope, input.id)
    if (known.revision !== input.revision) throw changedMeanwhile(known.name)
    await refuseRolesBeyondOwn(scope, [...known.roles, ...(input.roles ?? [])])
    const roles = input.roles === undefined ? known.roles : [...new Set(input.roles)]
    await keepAnAdministrator(scope, known, { status: known.status, roles })
    const row = await updateRow(scope, known, {
      roles,
      name: input.name?.trim() ?? known.name,
      badgeCode: input.badgeCode === undefined ? known.badgeCode : readBadgeOrNull(input.badgeCode),
    })
    scope.announce(authEvents.UserChanged, { userId: row.id, status: row.status })
    return shown(scope.tx, scope.laboratoryId, row.id, scope.now)
  },
)

export const setUserStatus = writes(
  async (scope: WriteScope, input: { id: string; status: UserStatus; reason: string }) => {
    await takeTurns(scope.tx)
    const known = await findUser(scope, input.id)
    if (known.status !== input.status) {
      checkStatusChange(known.status, input.status)
      await refuseRolesBeyondOwn(scope, known.roles)
      await keepAnAdministrator(scope, known, { status: input.status, roles: known.roles })
      await updateRow(scope, known, { status: input.status })
      if (input.status !== 'active') await endSessionsOf(scope.tx, holderOf(known), scope.now)
      scope.announce(authEvents.UserChanged, { userId: known.id, status: input.status })
    }
    return shown(scope.tx, scope.laboratoryId, known.id, scope.now)
  },
)

export const resetPassword = orchestrates(
  async (scope: OrchestrationScope, input: { id: string; newPassword: string; reason: string }) => {
    const person = await scope.read((tx) => findPerson(tx, scope.laboratoryId, input.id))
    if (person === null) throw notFound('user', input.id)
    await refuseCommonPassword(scope, input.newPassword, [
      person.user.email,
      person.user.name,
      await laboratoryName(scope),
    ])
    const passwordHash = await hashSecret(input.newPassword)
    await scope.change('reset', async (write) => {
      const known = await findUser(write, input.id)
      await refuseRolesBeyondOwn(write, known.roles)
      await replacePassword(write, known, passwordHash)
      return {}
    })
    return {}
  },
)

/** Sets a new password: unlocks the account, forgets the PIN, ends all sessions, and is audited. */
export async function replacePassword(
  write: Pick<WriteScope, 'tx' | 'laboratoryId' | 'workstation' | 'now'>,
  user: UserRow,
  passwordHash: string,
): Promise<void> {
  const fresh = { passwordHash, pinHash: null, failures: 0, lockedUntil: null }
  await write.tx
    .insert(credential)
    .values({ ...holderOf(user), ...fresh })
    .onConflictDoUpdate({ target: [credential.laboratoryId, credential.userId], set: fresh })
  await endSessionsOf(write.tx, holderOf(user), write.now)
  await recordSignIn(write, user.email, user.id, 'password_reset')
}

function holderOf(user: UserRow) {
  return { laboratoryId: user.laboratoryId, userId: user.id }
}

function readBadgeOrNull(badgeCode: string | null): string | null {
  if (badgeCode === null) return null
  const badge = readBadge(badgeCode)
  if (badge === '') throw ruleBroken('badge-empty', 'Nothing is on this badge: scan it again', 'badgeCode')
  return badge
}

async function findUser({ tx, laboratoryId }: WriteScope, id: string): Promise<UserRow> {
  const [row] = await tx
    .select()
    .from(appUser)
    .where(and(eq(appUser.laboratoryId, laboratoryId), eq(appUser.id, id)))
  if (row === undefined) throw notFound('user', id)
  return row
}

async function updateRow(
  { tx, laboratoryId }: WriteScope,
  known: UserRow,
  change: Partial<typeof appUser.$inferInsert>,
): Promise<UserRow> {
  const [row] = await refusingDuplicates(() =>
    tx
      .update(appUser)
      .set(change)
      .where(and(eq(appUser.laboratoryId, laboratoryId), eq(appUser.id, known.id)))
      .returning(),
  )
  if (row === undefined) throw notFound('user', known.id)
  return row
}

async function shown(tx: Parameters<typeof findPerson>[0], laboratoryId: string, id: string, now: string) {
  const person = await findPerson(tx, laboratoryId, id)
  if (person === null) throw notFound('user', id)
  return toUser(person, now)
}

/** On a server two administrators could demote each other at the same moment, and none would be left. */
async function takeTurns(tx: Transaction): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('auth.app_user'))`)
}

async function keepAnAdministrator(
  { tx, laboratoryId }: WriteScope,
  known: UserRow,
  next: { readonly status: UserStatus; readonly roles: readonly RoleName[] },
): Promise<void> {
  const others = await tx.$count(
    appUser,
    and(
      eq(appUser.laboratoryId, laboratoryId),
      ne(appUser.id, known.id),
      eq(appUser.status, 'active'),
      sql`${appUser.roles} ? 'lab_administrator'`,
    ),
  )
  checkAdministratorStays(known, next, others)
}

async function refuseRolesBeyondOwn(write: WriteScope, roles: readonly RoleName[]): Promise<void> {
  const edited = await editedRoles(write.tx, write.laboratoryId)
  refuseMoreThanOwn(write.actor, permissionsOfPerson(roles, edited))
}
