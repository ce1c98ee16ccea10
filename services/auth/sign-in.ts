import { and, eq } from 'drizzle-orm'
import type { z } from 'zod'
import { Refusal } from '../../platform/contract/refusal.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { verifyAccessToken } from './access-token.ts'
import type { NewLaboratory } from './contract.ts'
import { makeLaboratory } from './new-laboratory.ts'
import { isPassword } from './offline-people.ts'
import { type Account, accountsOfEmail, findAccount, laboratoriesHere } from './people.ts'
import { proveByPassword, recordSignIn, settleProof, wrongCredentials } from './proving.ts'
import { signInAtHub } from './proving-at-hub.ts'
import { refreshToken, session } from './schema.ts'
import { hashRefreshToken, isSecret } from './secrets.ts'
import {
  beginSession,
  endOf,
  endSession,
  findSession,
  giveRefreshToken,
  type HeldSession,
  type OpenedSession,
  readMe,
  stateOf,
  tokensOf,
  unlockSession,
} from './sessions.ts'
import { unlockByPin } from './unlock-by-pin.ts'

export const setUp = orchestrates((scope: OrchestrationScope, input: z.infer<typeof NewLaboratory>) =>
  oneAfterAnother(async () => {
    const [existing] = await scope.readAcrossLaboratories(laboratoriesHere)
    if (existing !== undefined) {
      throw new Refusal('ALREADY_SET_UP', `The laboratory ${existing.name} has been set up here already`)
    }
    const opened = await makeLaboratory(scope, input, async (write, { laboratoryId, userId }) => {
      await recordSignIn(write, input.administrator.email, userId, 'signed_in')
      return beginSession(write.tx, { laboratoryId, userId })
    })
    return signedIn(scope, opened)
  }),
)

export const login = orchestrates(
  async (
    scope: OrchestrationScope,
    input: { email: string; password: string; laboratoryId?: string | undefined },
  ) => {
    const accounts = await scope.asOwner((tx) => accountsOfEmail(tx, input.email, input.laboratoryId))
    if (accounts.length === 0) return refuseUnknown(scope, input)
    const [stranger] = accounts.filter((account) => account.credential === null)
    if (stranger !== undefined && accounts.length === 1) {
      const opened = await signInAtHub(scope, stranger, input.password)
      if (opened !== null) return signedIn(scope, opened)
    }
    const compared = await Promise.all(
      accounts.map(async (account) => ({
        account,
        right: await isPassword(scope, account.credential?.passwordHash ?? null, input.password),
      })),
    )
    // A wrong password counts against every account it was tried on.
    const chosen = compared.find(({ right }) => right)
    const tried = chosen === undefined ? compared : [chosen]
    const attempts = tried.map(({ account, right }) => signInAs(scope, account, right))
    await Promise.allSettled(attempts)
    const [opened] = await Promise.all(attempts)
    if (opened === undefined) throw wrongCredentials()
    return signedIn(scope, opened)
  },
)

export const refresh = orchestrates(
  async (scope: OrchestrationScope, input: { refreshToken?: string | undefined }) => {
    if (input.refreshToken === undefined)
      throw new Refusal('UNAUTHORIZED', 'There is no refresh token: sign in')
    const tokenHash = hashRefreshToken(input.refreshToken)
    const exchanged = await scope.asOwner(async (tx) => {
      const [token] = await tx
        .select()
        .from(refreshToken)
        .where(eq(refreshToken.tokenHash, tokenHash))
        .for('update')
      const held = token === undefined ? null : await findSession(tx, token.laboratoryId, token.sessionId)
      if (token === undefined || held === null) return { state: 'ended' as const }
      const state = stateOf(held)
      if (state !== 'ended' && token.usedAt !== null) {
        await endSession(tx, token.laboratoryId, token.sessionId, scope.now)
        return { state: 'reused' as const, held }
      }
      if (state !== 'live') return { state }
      await tx.update(refreshToken).set({ usedAt: scope.now }).where(eq(refreshToken.tokenHash, tokenHash))
      const next = await giveRefreshToken(tx, held.session)
      return { state, opened: { row: held.session, refreshToken: next } }
    })
    switch (exchanged.state) {
      case 'live':
        return tokensOf(scope, exchanged.opened)
      case 'locked':
        throw new Refusal('SESSION_LOCKED', 'The session is locked: unlock it first')
      case 'ended':
        throw new Refusal('UNAUTHORIZED', 'This refresh token opens no session: sign in again')
      case 'reused': {
        const { user } = exchanged.held
        await scope.change('reused', (write) => recordSignIn(write, user.email, user.id, 'refresh_reused'), {
          laboratoryId: user.laboratoryId,
          actorId: user.id,
        })
        throw new Refusal(
          'UNAUTHORIZED',
          'This refresh token was used before, so somebody else may hold a copy: the session was ended, sign in again',
        )
      }
    }
  },
)

export const logout = writes(async (scope: WriteScope) => {
  const held = await ownSession(scope)
  if (held === null || held.session.endedAt !== null) return {}
  await endSession(scope.tx, scope.laboratoryId, held.session.id, scope.now)
  await recordSignIn(scope, held.user.email, held.user.id, 'signed_out')
  return {}
})

/** Locks even when the journal takes nothing: only the session's own row is written. */
export const lock = orchestrates(async (scope: OrchestrationScope) => {
  const sessionId = scope.actor?.sessionId
  if (sessionId == null) return {}
  const own = and(eq(session.laboratoryId, scope.laboratoryId), eq(session.id, sessionId))
  await scope.changeLocal((tx) => tx.update(session).set({ locked: true }).where(own))
  return {}
})

export const unlock = orchestrates(
  async (
    scope: OrchestrationScope,
    input: {
      accessToken: string
      password?: string | undefined
      badgeCode?: string | undefined
      pin?: string | undefined
    },
  ) => {
    const held = await heldByToken(scope, input.accessToken)
    if (held === null || stateOf(held) === 'ended') throw sessionEnded()
    const { laboratoryId, id: userId } = held.user
    if (input.password !== undefined) {
      const account = await scope.asOwner((tx) => findAccount(tx, laboratoryId, userId))
      if (account === null) throw sessionEnded()
      await proveByPassword(
        scope,
        'unlock',
        account,
        input.password,
        { right: 'unlocked', wrong: 'unlock_refused' },
        (write) => unlockSession(write, held.session.id),
      )
    } else if (input.badgeCode !== undefined && input.pin !== undefined) {
      await unlockByPin(scope, held, input.badgeCode, input.pin)
    } else {
      throw new Refusal('BAD_REQUEST', 'Give the password, or the badge and the PIN')
    }
    return { expiresAt: endOf(held.session) }
  },
)

async function signInAs(scope: OrchestrationScope, account: Account, right: boolean): Promise<OpenedSession> {
  const { laboratoryId, id: userId } = account.user
  return settleProof(
    scope,
    `sign-in/${laboratoryId}`,
    account,
    right,
    { right: 'signed_in', wrong: 'wrong_password' },
    (write) => beginSession(write.tx, { laboratoryId, userId }),
  )
}

async function signedIn(scope: OrchestrationScope, opened: OpenedSession) {
  const { laboratoryId, id } = opened.row
  const me = await scope.readAcrossLaboratories((tx) => readMe(tx, laboratoryId, id, scope.now))
  return { ...(await tokensOf(scope, opened)), me }
}

/** Nobody has this address: it takes as long as a wrong password, and is recorded where there is one laboratory. */
async function refuseUnknown(
  scope: OrchestrationScope,
  input: { readonly email: string; readonly password: string },
): Promise<never> {
  await isSecret(null, input.password)
  const laboratories = await scope.readAcrossLaboratories(laboratoriesHere)
  const [only] = laboratories
  if (only !== undefined && laboratories.length === 1) {
    await scope.change('unknown', (write) => recordSignIn(write, input.email, null, 'unknown_user'), {
      laboratoryId: only.id,
      actorId: 'nobody',
    })
  }
  throw wrongCredentials()
}

/** The caller's own session; null for a service. */
async function ownSession(scope: WriteScope): Promise<HeldSession | null> {
  const sessionId = scope.actor?.sessionId
  return sessionId == null ? null : findSession(scope.tx, scope.laboratoryId, sessionId)
}

async function heldByToken(scope: OrchestrationScope, accessToken: string): Promise<HeldSession | null> {
  const holder = await verifyAccessToken(scope, accessToken)
  if (holder === null) return null
  return scope.readAcrossLaboratories((tx) => findSession(tx, holder.laboratoryId, holder.sessionId))
}

function sessionEnded(): Refusal {
  return new Refusal('SESSION_ENDED', 'The session has ended: sign in again')
}

let lastSetUp: Promise<unknown> = Promise.resolve()

/** Two windows may ask for the first set-up at once; the second must find the first one's laboratory. */
function oneAfterAnother<T>(work: () => Promise<T>): Promise<T> {
  const next = lastSetUp.then(work, work)
  lastSetUp = next.catch(() => undefined)
  return next
}
