import { sql } from 'drizzle-orm'
import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  administrator,
  actorOf,
  type AuthBench,
  openAuthBench,
  readSigningKeys,
} from './testing/auth-bench.ts'

let open: AuthBench
beforeAll(async () => {
  open = await openAuthBench()
})
afterAll(() => open.bench.close())
afterEach(() => vi.useRealTimers())

const hour = 60 * 60_000
const wrong = { code: 'WRONG_CREDENTIALS', status: 401 }

function setClock(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: milliseconds })
}

function stateOf(accessToken: string) {
  return open.auth.resolveSession({ accessToken }).then((answer) => answer.state)
}

async function outcomesOf(userId: string): Promise<readonly string[]> {
  const { items } = await open.auth.signIns({ userId }, { context: { actor: open.admin } })
  return items.map((item) => item.outcome)
}

describe('the first set-up', () => {
  it('makes the laboratory and signs its administrator in, once', async () => {
    const { auth, first, admin } = open
    expect(first.me).toMatchObject({
      user: { email: administrator.email, roles: ['lab_administrator'] },
      laboratory: { name: 'Heron Genomics' },
      locked: false,
    })
    expect(await auth.status()).toMatchObject({ setUp: true, laboratory: { name: 'Heron Genomics' } })
    expect(await auth.me(undefined, { context: { actor: admin } })).toEqual(first.me)
    const again = { laboratoryName: 'Another', administrator }
    for (const key of ['one', 'one', 'two']) {
      await expect(auth.setUp(again, { context: { key } })).rejects.toMatchObject({
        code: 'ALREADY_SET_UP',
        status: 409,
      })
    }
  })

  it('announces the laboratory', async () => {
    const entries = await open.bench.journal.read({
      afterSequence: 0,
      eventNames: ['LaboratorySetUp'],
      limit: 10,
    })
    expect(entries).toHaveLength(1)
  })
})

describe('signing in', () => {
  it('takes the address in any case, and says who one is', async () => {
    const { auth, bench } = open
    const { accessToken, me, expiresAt } = await auth.login({
      email: ` ${administrator.email.toUpperCase()}`,
      password: administrator.password,
    })
    const actor = await actorOf(bench, accessToken)
    expect(await auth.me(undefined, { context: { actor } })).toEqual(me)
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(7.9 * hour)
    expect(await outcomesOf(actor.userId)).toContain('signed_in')
  })

  it('refuses an unknown address like a wrong password, and takes about as long', async () => {
    const { auth, addUser } = open
    const { user } = await addUser(['guest'])
    const password = 'nobody knows this one'
    const timed = async (email: string) => {
      const startedAt = performance.now()
      await expect(auth.login({ email, password })).rejects.toMatchObject(wrong)
      return performance.now() - startedAt
    }
    const known = [await timed(user.email), await timed(user.email)]
    const unknown = [await timed('who@example.org'), await timed('who@example.org')]
    expect(Math.min(...unknown)).toBeGreaterThan(Math.min(...known) / 3)
  })

  it('records unknown addresses, but not what does not look like one', async () => {
    const { auth, admin } = open
    await expect(auth.login({ email: 'seven quiet herons', password: 'x' })).rejects.toMatchObject(wrong)
    await expect(auth.login({ email: 'who@example.org', password: 'x' })).rejects.toMatchObject(wrong)
    const { items } = await auth.signIns({ limit: 2 }, { context: { actor: admin } })
    expect(items).toMatchObject([
      { email: 'who@example.org', userId: null, outcome: 'unknown_user', workstation: 'Test bench' },
      { email: '(not an e-mail address)', userId: null, outcome: 'unknown_user' },
    ])
  })

  it('locks at the fifth wrong password for 15 minutes, also for the right one', async () => {
    const { auth, addUser, admin } = open
    const { user, password } = await addUser(['guest'])
    const { email } = user
    for (let count = 0; count < 5; count += 1) {
      await expect(auth.login({ email, password: 'wrong' })).rejects.toMatchObject(wrong)
    }
    const lockedOut = { code: 'LOCKED_OUT', status: 401, data: { until: expect.any(String) as string } }
    await expect(auth.login({ email, password: 'wrong' })).rejects.toMatchObject(lockedOut)
    await expect(auth.login({ email, password })).rejects.toMatchObject(lockedOut)
    const shown = await auth.getUser({ id: user.id }, { context: { actor: admin } })
    expect(Date.parse(shown.lockedUntil ?? '') - Date.now()).toBeGreaterThan(14 * 60_000)
    expect((await outcomesOf(user.id)).slice(0, 7)).toEqual([
      'locked_out',
      'locked_out',
      ...Array.from({ length: 5 }, () => 'wrong_password'),
    ])

    setClock(Date.now() + 16 * 60_000)
    await expect(auth.login({ email, password })).resolves.toMatchObject({
      me: { user: { lockedUntil: null } },
    })
  })

  it('counts guesses made at the same moment', async () => {
    const { auth, addUser } = open
    const { user, password } = await addUser(['guest'])
    const guesses = Array.from({ length: 8 }, (_, index) =>
      auth.login({ email: user.email, password: `wrong ${index}` }).catch((error: unknown) => error),
    )
    const codes = (await Promise.all(guesses))
      .map((error) => (error as { readonly code?: string }).code)
      .sort()
    expect(codes).toEqual([
      ...Array.from({ length: 3 }, () => 'LOCKED_OUT'),
      ...Array.from({ length: 5 }, () => 'WRONG_CREDENTIALS'),
    ])
    await expect(auth.login({ email: user.email, password })).rejects.toMatchObject({ code: 'LOCKED_OUT' })
  })

  it('tells only who knows the password that the account is not active', async () => {
    const { auth, addUser, admin } = open
    const { user, password } = await addUser(['guest'])
    const context = { actor: admin }
    await auth.setUserStatus({ id: user.id, status: 'suspended', reason: 'on leave' }, { context })
    await expect(auth.login({ email: user.email, password: 'wrong' })).rejects.toMatchObject(wrong)
    await expect(auth.login({ email: user.email, password })).rejects.toMatchObject({ code: 'NOT_ACTIVE' })
    await auth.setUserStatus({ id: user.id, status: 'deleted', reason: 'left' }, { context })
    await expect(auth.login({ email: user.email, password })).rejects.toMatchObject(wrong)
  })

  it('keeps no answer for a repeat: a repeated key makes no second session', async () => {
    const { auth, addUser } = open
    const { user, password, actor } = await addUser(['guest'])
    const input = { email: user.email, password }
    await auth.login(input, { context: { key: 'again' } })
    const refused = { code: 'IDEMPOTENCY_KEY_REUSED', status: 409 }
    await expect(auth.login(input, { context: { key: 'again' } })).rejects.toMatchObject(refused)
    await expect(
      auth.login({ ...input, password: 'wrong' }, { context: { key: 'again' } }),
    ).rejects.toMatchObject(refused)
    expect(await auth.sessions({}, { context: { actor } })).toHaveLength(2)
  })
})

describe('an access token', () => {
  it('opens nothing when it is altered, forged, or meant for another workstation', async () => {
    const { first } = open
    const token = first.accessToken
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = decodeJwt(token)
    const { privateKey } = generateKeyPairSync('ed25519')
    const { kid = '' } = decodeProtectedHeader(token)
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid }).sign(privateKey)
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const own = await ownKey()
    const sign = (change: object) =>
      new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'EdDSA', kid }).sign(own)

    expect(await stateOf(await sign({}))).toBe('live')
    const bad = [
      forged,
      await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(own),
      await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: 'another' }).sign(own),
      `${header}.${encode({ ...claims, exp: (claims.exp ?? 0) + 1 })}.${signature}`,
      `${encode({ alg: 'none' })}.${payload}.`,
      await sign({ aud: 'another-workstation' }),
      await sign({ iss: 'somebody' }),
      await sign({ exp: Math.floor(Date.now() / 1_000) - 1 }),
      await sign({ exp: undefined }),
      await sign({ sid: '01977d1e-0000-7000-8000-000000000000' }),
      await sign({ sub: '01977d1e-0000-7000-8000-000000000000' }),
      await sign({ lab: '01977d1e-0000-7000-8000-000000000000' }),
      '',
      'a.b.c',
    ]
    expect(await Promise.all(bad.map(stateOf))).toEqual(bad.map(() => 'none'))
  })

  it('ends after eight hours, however the clock is set', async () => {
    const { accessToken, actor } = await open.addUser(['guest'])
    const now = Date.now()
    setClock(now + 7.9 * hour)
    expect(await stateOf(accessToken)).toBe('live')
    setClock(now + 8 * hour + 1_000)
    expect(await stateOf(accessToken)).toBe('none')
    setClock(now - 100 * hour)
    expect(await stateOf(accessToken)).toBe('live')
    // Eight hours of running time pass while the wall clock stands still.
    await open.bench.database('auth').asOwner((tx) =>
      tx.execute(sql`update session set started_monotonic_ms = started_monotonic_ms - ${8 * hour}
        where id = ${actor.sessionId}`),
    )
    expect(await stateOf(accessToken)).toBe('none')
  })

  async function ownKey() {
    const [key] = await readSigningKeys(open.bench)
    if (key === undefined) throw new Error('There is no signing key')
    return key.privateKey
  }
})

describe('a refresh token', () => {
  it('is exchanged once; a second use ends the session', async () => {
    const { auth, addUser } = open
    const { refreshToken, accessToken, actor } = await addUser(['guest'])
    const second = await auth.refresh({ refreshToken })
    expect(await stateOf(second.accessToken)).toBe('live')
    const third = await auth.refresh({ refreshToken: second.refreshToken })
    expect(new Set([refreshToken, second.refreshToken, third.refreshToken]).size).toBe(3)
    expect(third.expiresAt).toBe(second.expiresAt)

    const unauthorized = { code: 'UNAUTHORIZED', status: 401 }
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject(unauthorized)
    expect(await Promise.all([accessToken, third.accessToken].map(stateOf))).toEqual(['none', 'none'])
    await expect(auth.refresh({ refreshToken: third.refreshToken })).rejects.toMatchObject(unauthorized)
    expect((await outcomesOf(actor.userId))[0]).toBe('refresh_reused')
  })

  it('opens nothing while the session is locked, or when it is unknown', async () => {
    const { auth, addUser } = open
    const { refreshToken, actor } = await addUser(['guest'])
    await auth.lock({}, { context: { actor } })
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ code: 'SESSION_LOCKED' })
    await expect(auth.refresh({ refreshToken: 'made up' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})

describe('locking', () => {
  it('stays locked until the password is given, and counts wrong ones', async () => {
    const { auth, addUser } = open
    const { accessToken, password, actor } = await addUser(['guest'])
    await auth.lock({}, { context: { actor } })
    expect(await stateOf(accessToken)).toBe('locked')
    expect(await auth.me(undefined, { context: { actor } })).toMatchObject({ locked: true })
    await expect(auth.unlock({ accessToken, password: 'wrong' })).rejects.toMatchObject(wrong)
    await expect(auth.unlock({ accessToken })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(await stateOf(accessToken)).toBe('locked')
    expect(await auth.unlock({ accessToken, password })).toMatchObject({
      expiresAt: expect.any(String) as string,
    })
    expect(await stateOf(accessToken)).toBe('live')
    expect((await outcomesOf(actor.userId)).slice(0, 2)).toEqual(['unlocked', 'unlock_refused'])

    await auth.lock({}, { context: { actor } })
    for (let count = 0; count < 5; count += 1) {
      await expect(auth.unlock({ accessToken, password: 'wrong' })).rejects.toMatchObject(wrong)
    }
    await expect(auth.unlock({ accessToken, password })).rejects.toMatchObject({ code: 'LOCKED_OUT' })
  })

  it('opens by badge and PIN, five tries, and only a session that lives', async () => {
    const { auth, addUser } = open
    const { accessToken, password, actor } = await addUser(['lab_technician'], 'BADGE-0042')
    const context = { actor }
    await expect(auth.setPin({ password: 'wrong', pin: '4711' }, { context })).rejects.toMatchObject(wrong)
    await expect(auth.setPin({ password, pin: '12' }, { context })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    await auth.lock({}, { context })
    const byPin = (pin: string, badgeCode = 'BADGE-0042') => auth.unlock({ accessToken, badgeCode, pin })
    await expect(byPin('4711')).rejects.toMatchObject(wrong)

    await auth.setPin({ password, pin: '4711' }, { context })
    expect(await auth.me(undefined, { context })).toMatchObject({ user: { hasPin: true } })
    await expect(byPin('4711', 'BADGE-0043')).rejects.toMatchObject(wrong)
    await byPin('4711', ']C1BADGE-0042')
    expect(await stateOf(accessToken)).toBe('live')

    await auth.lock({}, { context })
    const tries = await Promise.allSettled(['1111', '2222', '3333', '4444', '5555'].map((pin) => byPin(pin)))
    expect(tries.every((each) => each.status === 'rejected')).toBe(true)
    await expect(byPin('4711')).rejects.toMatchObject({ code: 'PIN_BLOCKED', status: 401 })
    expect(await stateOf(accessToken)).toBe('locked')
    await auth.unlock({ accessToken, password })
    await auth.lock({}, { context })
    await byPin('4711')

    await auth.setPin({ password, pin: null }, { context })
    await expect(byPin('4711')).rejects.toMatchObject(wrong)
    await auth.logout({}, { context })
    const ended = { code: 'SESSION_ENDED', status: 401 }
    await expect(byPin('4711')).rejects.toMatchObject(ended)
    await expect(auth.unlock({ accessToken, password })).rejects.toMatchObject(ended)
    await expect(auth.unlock({ accessToken: 'made up', password })).rejects.toMatchObject(ended)
  })
})

describe('signing out', () => {
  it('ends the session, and is no error the second time', async () => {
    const { auth, addUser } = open
    const { accessToken, actor } = await addUser(['guest'])
    await auth.logout({}, { context: { actor } })
    await auth.logout({}, { context: { actor } })
    expect(await stateOf(accessToken)).toBe('none')
    expect((await outcomesOf(actor.userId)).filter((outcome) => outcome === 'signed_out')).toHaveLength(1)
  })
})

it('goes on after a restart with the sessions there were', async () => {
  const { accessToken } = await open.addUser(['guest'])
  await open.bench.restart()
  expect(await stateOf(accessToken)).toBe('live')
})

it('writes no defect into the log', () => {
  expect(open.bench.logs).toEqual([])
})
