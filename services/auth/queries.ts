import { and, eq, ilike, isNull, ne, or } from 'drizzle-orm'
import type { z } from 'zod'
import { notFound, Refusal } from '../../platform/contract/refusal.ts'
import { pageClauses, pageOf, toInstant } from '../../platform/database/paging.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import { verifyAccessToken } from './access-token.ts'
import type { UserStatus } from './contract.ts'
import { permissionsOfPerson } from './domain/roles.ts'
import { findPerson, laboratoriesHere, ownCredential, personColumns, toUser } from './people.ts'
import { appUser, credential, role, session, signIn } from './schema.ts'
import { endOf, findSession, readMe, stateOf } from './sessions.ts'
import { toRole } from './roles.ts'

export const status = reads(async (scope: ReadScope) => {
  const [home, ...others] = await scope.readAcrossLaboratories(laboratoriesHere)
  return {
    setUp: home !== undefined,
    // Who shares a Hub is nobody's business before they have signed in.
    laboratory: home === undefined || others.length > 0 ? null : home,
    workstationName: scope.workstation.name,
  }
})

/** Asked for every token the gateway does not know: the signature, then one indexed read. */
export const resolveSession = reads(async (scope: ReadScope, input: { accessToken: string }) => {
  const holder = await verifyAccessToken(scope, input.accessToken)
  if (holder === null) return { state: 'none' as const }
  const { laboratoryId, sessionId } = holder
  const held = await scope.readAcrossLaboratories((tx) => findSession(tx, laboratoryId, sessionId))
  if (held === null || held.user.id !== holder.userId) return { state: 'none' as const }
  switch (stateOf(held)) {
    case 'ended':
      return { state: 'none' as const }
    case 'locked':
      return { state: 'locked' as const }
    case 'live':
      return {
        state: 'live' as const,
        userId: held.user.id,
        name: held.user.name,
        sessionId,
        laboratoryId,
        permissions: [...permissionsOfPerson(held.user.roles, held.edited)],
        expiresAt: endOf(held.session),
      }
  }
})

export const me = reads(async (scope: ReadScope) => {
  const sessionId = scope.actor?.sessionId
  if (sessionId == null) throw new Refusal('UNAUTHORIZED', 'Nobody is signed in')
  return scope.read((tx) => readMe(tx, scope.laboratoryId, sessionId, scope.now))
})

export const sessions = reads(async (scope: ReadScope, input: { all: boolean }) => {
  const { actor } = scope
  if (input.all && actor?.permissions.includes('users:manage') !== true) {
    throw new Refusal('FORBIDDEN', 'Only who manages users may see the sessions of others', {
      permission: 'users:manage',
    })
  }
  const rows = await scope.read((tx) =>
    tx
      .select({ session, user: appUser })
      .from(session)
      .innerJoin(appUser, and(eq(appUser.laboratoryId, session.laboratoryId), eq(appUser.id, session.userId)))
      .where(
        and(
          eq(session.laboratoryId, scope.laboratoryId),
          isNull(session.endedAt),
          input.all ? undefined : eq(session.userId, actor?.userId ?? ''),
        ),
      )
      .orderBy(session.startedAt, session.id),
  )
  return rows
    .filter((row) => stateOf(row) !== 'ended')
    .map((row) => ({
      id: row.session.id,
      userId: row.user.id,
      userName: row.user.name,
      createdAt: toInstant(row.session.startedAt),
      expiresAt: endOf(row.session),
      locked: row.session.locked,
      current: row.session.id === actor?.sessionId,
    }))
})

export const listUsers = reads(
  (
    scope: ReadScope,
    input: {
      limit: number
      cursor?: string | undefined
      sort: string
      status?: z.infer<typeof UserStatus> | undefined
      search?: string | undefined
    },
  ) =>
    scope.read(async (tx) => {
      const sorts = { name: personColumns.sortName, email: appUser.emailKey, createdAt: appUser.createdAt }
      const clauses = pageClauses(input, sorts, appUser.id)
      const pattern = input.search === undefined ? null : `%${escapeLike(input.search.trim())}%`
      const rows = await tx
        .select(personColumns)
        .from(appUser)
        .leftJoin(credential, ownCredential)
        .where(
          and(
            clauses.after,
            input.status === undefined ? ne(appUser.status, 'deleted') : eq(appUser.status, input.status),
            pattern === null ? undefined : or(ilike(appUser.name, pattern), ilike(appUser.email, pattern)),
          ),
        )
        .orderBy(...clauses.orderBy)
        .limit(clauses.limit)
      const key = (person: (typeof rows)[number]) => {
        if (input.sort.endsWith('name')) return person.sortName
        return input.sort.endsWith('email') ? person.user.emailKey : person.user.createdAt
      }
      return pageOf(
        rows,
        input,
        (person) => [key(person), person.user.id],
        (person) => toUser(person, scope.now),
      )
    }),
)

export const getUser = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => {
    const person = await findPerson(tx, scope.laboratoryId, input.id)
    if (person === null) throw notFound('user', input.id)
    return toUser(person, scope.now)
  }),
)

export const listRoles = reads((scope: ReadScope) =>
  scope.read(async (tx) => {
    const rows = await tx.select().from(role).orderBy(role.id)
    return rows.map(toRole)
  }),
)

export const signIns = reads(
  (scope: ReadScope, input: { limit: number; cursor?: string | undefined; userId?: string | undefined }) =>
    scope.read(async (tx) => {
      const request = { ...input, sort: '-at' }
      const clauses = pageClauses(request, { at: signIn.at }, signIn.id)
      const rows = await tx
        .select()
        .from(signIn)
        .where(and(clauses.after, input.userId === undefined ? undefined : eq(signIn.userId, input.userId)))
        .orderBy(...clauses.orderBy)
        .limit(clauses.limit)
      return pageOf(
        rows,
        request,
        (row) => [row.at, row.id],
        ({ id, email, userId, outcome, at, workstation }) => ({
          id,
          email,
          userId,
          outcome,
          at: toInstant(at),
          workstation,
        }),
      )
    }),
)

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}
