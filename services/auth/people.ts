import { and, eq, ne, type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { toInstant, toInstantOrNull } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import type { User } from './contract.ts'
import type { EditedRoles } from './domain/roles.ts'
import { appUser, credential, laboratory, role, signIn } from './schema.ts'

export type UserRow = typeof appUser.$inferSelect
export type CredentialRow = typeof credential.$inferSelect

/** A person with what this workstation knows beside the record. */
export interface Person {
  readonly user: UserRow
  readonly hasPin: boolean
  readonly lockedUntil: string | null
  readonly lastSignInAt: string | null
  /** The name as it sorts. */
  readonly sortName: string
}

/** The columns of a {@link Person}; join `credential` with {@link ownCredential}. */
export const personColumns = {
  user: appUser,
  hasPin: sql<boolean>`${credential.pinHash} is not null`,
  lockedUntil: credential.lockedUntil,
  lastSignInAt: sql<string | null>`(select max(${signIn.at})::text from ${signIn}
    where ${signIn.laboratoryId} = ${appUser.laboratoryId} and ${signIn.userId} = ${appUser.id}
      and ${signIn.outcome} = 'signed_in')`,
  sortName: sql<string>`lower(${appUser.name})`,
}

export const ownCredential = and(
  eq(credential.laboratoryId, appUser.laboratoryId),
  eq(credential.userId, appUser.id),
)

/** Reads one person of a laboratory. */
export async function findPerson(
  tx: ReadTransaction,
  laboratoryId: string,
  userId: string,
): Promise<Person | null> {
  const [person] = await tx
    .select(personColumns)
    .from(appUser)
    .leftJoin(credential, ownCredential)
    .where(and(eq(appUser.laboratoryId, laboratoryId), eq(appUser.id, userId)))
  return person ?? null
}

/** A person as the contract shows one. */
export function toUser({ user, ...known }: Person, now: string): z.input<typeof User> {
  const lockedUntil = toInstantOrNull(known.lockedUntil)
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    status: user.status,
    roles: [...user.roles],
    badgeCode: user.badgeCode,
    hasPin: known.hasPin,
    lockedUntil: lockedUntil !== null && lockedUntil > now ? lockedUntil : null,
    lastSignInAt: toInstantOrNull(known.lastSignInAt),
    createdAt: toInstant(user.createdAt),
    revision: user.revision,
  }
}

/** The form under which an e-mail address is found and unique. */
export function emailKeyOf(email: string): string {
  return email.trim().toLowerCase()
}

export interface Account {
  readonly user: UserRow
  readonly credential: CredentialRow | null
}

/** Accounts under an e-mail address: one at most on a workstation, one per laboratory on a Hub. */
export async function accountsOfEmail(
  tx: ReadTransaction,
  email: string,
  laboratoryId?: string,
): Promise<readonly Account[]> {
  return accountsWhere(
    tx,
    and(
      eq(appUser.emailKey, emailKeyOf(email)),
      ne(appUser.status, 'deleted'),
      laboratoryId === undefined ? undefined : eq(appUser.laboratoryId, laboratoryId),
    ),
  )
}

/** One account; null when nobody has this id. */
export async function findAccount(
  tx: ReadTransaction,
  laboratoryId: string,
  userId: string,
): Promise<Account | null> {
  const [account] = await accountsWhere(
    tx,
    and(eq(appUser.laboratoryId, laboratoryId), eq(appUser.id, userId)),
  )
  return account ?? null
}

function accountsWhere(tx: ReadTransaction, where: SQL | undefined): Promise<readonly Account[]> {
  return tx
    .select({ user: appUser, credential })
    .from(appUser)
    .leftJoin(credential, ownCredential)
    .where(where)
    .orderBy(appUser.createdAt)
}

/** The laboratories that are known here, oldest first. */
export function laboratoriesHere(tx: ReadTransaction) {
  return tx
    .select({ id: laboratory.id, name: laboratory.name })
    .from(laboratory)
    .orderBy(laboratory.createdAt)
    .limit(2)
}

/** A laboratory's own changes to some roles. */
export async function editedRoles(tx: ReadTransaction, laboratoryId: string): Promise<EditedRoles> {
  const rows = await tx
    .select({ name: role.name, permissions: role.permissions })
    .from(role)
    .where(eq(role.laboratoryId, laboratoryId))
  return Object.fromEntries(
    rows.flatMap(({ name, permissions }) => (permissions === null ? [] : [[name, permissions]])),
  )
}
