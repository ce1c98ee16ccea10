import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { notFound } from '../../platform/contract/refusal.ts'
import { toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction, Transaction } from '../../platform/database/transaction.ts'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { signAccessToken } from './access-token.ts'
import { readClocks } from './clocks.ts'
import type { Me } from './contract.ts'
import { type EditedRoles, permissionsOfPerson } from './domain/roles.ts'
import { sessionEnd, type SessionState, sessionState } from './domain/session.ts'
import { findPerson, toUser, type UserRow } from './people.ts'
import { appUser, laboratory, refreshToken, role, session } from './schema.ts'
import { drawRefreshToken } from './secrets.ts'

export type SessionRow = typeof session.$inferSelect

/** A session with its person and what the laboratory changed of the roles: one indexed read. */
export interface HeldSession {
  readonly session: SessionRow
  readonly user: UserRow
  readonly edited: EditedRoles
}

/** Finds a session; null when there is none with this id. */
export async function findSession(
  tx: ReadTransaction,
  laboratoryId: string,
  sessionId: string,
): Promise<HeldSession | null> {
  const [held] = await tx
    .select({
      session,
      user: appUser,
      edited: sql<EditedRoles>`(select coalesce(json_object_agg(${role.name}, ${role.permissions}), '{}'::json)
        from ${role} where ${role.laboratoryId} = ${session.laboratoryId} and ${role.permissions} is not null)`,
    })
    .from(session)
    .innerJoin(appUser, and(eq(appUser.laboratoryId, session.laboratoryId), eq(appUser.id, session.userId)))
    .where(and(eq(session.laboratoryId, laboratoryId), eq(session.id, sessionId)))
  return held ?? null
}

/** Whether a session holds now. A person who is no longer active has none. */
export function stateOf({ session: row, user }: Pick<HeldSession, 'session' | 'user'>): SessionState {
  if (user.status !== 'active') return 'ended'
  return sessionState(
    {
      started: { wallMs: Date.parse(row.startedAt), monotonicMs: row.startedMonotonicMs },
      locked: row.locked,
      ended: row.endedAt !== null,
    },
    readClocks(),
  )
}

/** The instant at which a session ends. */
export function endOf(row: SessionRow): string {
  return sessionEnd(toInstant(row.startedAt))
}

export interface OpenedSession {
  readonly row: SessionRow
  readonly refreshToken: string
}

/** Begins a session with its first refresh token. */
export async function beginSession(
  tx: Transaction,
  holder: { readonly laboratoryId: string; readonly userId: string },
): Promise<OpenedSession> {
  const clocks = readClocks()
  const [row] = await tx
    .insert(session)
    .values({
      ...holder,
      id: uuidv7(),
      startedAt: new Date(clocks.wallMs).toISOString(),
      startedMonotonicMs: clocks.monotonicMs,
    })
    .returning()
  if (row === undefined) throw new Error('The session was not stored')
  return { row, refreshToken: await giveRefreshToken(tx, row) }
}

/** Gives a session its next refresh token. */
export async function giveRefreshToken(tx: Transaction, row: SessionRow): Promise<string> {
  const { token, tokenHash } = drawRefreshToken()
  await tx.insert(refreshToken).values({ tokenHash, laboratoryId: row.laboratoryId, sessionId: row.id })
  return token
}

/** Unlocks a session; its wrong PINs are forgotten. */
export async function unlockSession(
  { tx, laboratoryId }: { readonly tx: Transaction; readonly laboratoryId: string },
  sessionId: string,
): Promise<void> {
  await tx
    .update(session)
    .set({ locked: false, pinFailures: 0 })
    .where(and(eq(session.laboratoryId, laboratoryId), eq(session.id, sessionId)))
}

/** Ends one session. */
export async function endSession(
  tx: Transaction,
  laboratoryId: string,
  sessionId: string,
  now: string,
): Promise<void> {
  await tx
    .update(session)
    .set({ endedAt: now })
    .where(and(eq(session.laboratoryId, laboratoryId), eq(session.id, sessionId), isNull(session.endedAt)))
}

/** Ends all sessions of a person, but for the one given. */
export async function endSessionsOf(
  tx: Transaction,
  holder: { readonly laboratoryId: string; readonly userId: string },
  now: string,
  except: string | null = null,
): Promise<void> {
  await tx
    .update(session)
    .set({ endedAt: now })
    .where(
      and(
        eq(session.laboratoryId, holder.laboratoryId),
        eq(session.userId, holder.userId),
        isNull(session.endedAt),
        except === null ? undefined : ne(session.id, except),
      ),
    )
}

/** The tokens that go out for a session: an access token until its end, and the refresh token. */
export async function tokensOf(scope: OrchestrationScope, { row, refreshToken: token }: OpenedSession) {
  const expiresAt = endOf(row)
  const holder = { userId: row.userId, sessionId: row.id, laboratoryId: row.laboratoryId }
  return { accessToken: await signAccessToken(scope, holder, expiresAt), refreshToken: token, expiresAt }
}

/** Who holds a session, and what they may do. */
export async function readMe(
  tx: ReadTransaction,
  laboratoryId: string,
  sessionId: string,
  now: string,
): Promise<z.input<typeof Me>> {
  const held = await findSession(tx, laboratoryId, sessionId)
  if (held === null) throw notFound('session', sessionId)
  const person = await findPerson(tx, laboratoryId, held.user.id)
  const [home] = await tx
    .select({ id: laboratory.id, name: laboratory.name })
    .from(laboratory)
    .where(eq(laboratory.laboratoryId, laboratoryId))
  if (person === null || home === undefined) throw new Error(`The session ${sessionId} belongs to nobody`)
  return {
    user: toUser(person, now),
    laboratory: home,
    permissions: [...permissionsOfPerson(held.user.roles, held.edited)],
    sessionId,
    locked: held.session.locked,
    expiresAt: endOf(held.session),
  }
}
