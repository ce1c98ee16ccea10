import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { permissionsOf, roleNames } from './domain/roles.ts'
import { actorOf, addLaboratory, type AuthBench, openAuthBench } from './testing/auth-bench.ts'

let open: AuthBench
beforeAll(async () => {
  open = await openAuthBench()
})
afterAll(() => open.bench.close())

const asAdmin = () => ({ context: { actor: open.admin } })
const newUser = (change: object = {}) => ({
  name: 'Jonas Weber',
  email: `${uuidv7()}@example.org`,
  password: 'nine green bottles',
  roles: ['lab_technician' as const],
  ...change,
})
const rule = (name: string) => ({ code: 'RULE_BROKEN', status: 422, data: { rule: name } })

describe('people', () => {
  it('are added, found, changed and listed', async () => {
    const { auth } = open
    const made = await auth.createUser(
      newUser({ email: 'Jonas@Example.org', badgeCode: ' ]C1B-7 ' }),
      asAdmin(),
    )
    expect(made).toMatchObject({
      email: 'Jonas@Example.org',
      status: 'active',
      roles: ['lab_technician'],
      badgeCode: 'B-7',
      hasPin: false,
      lockedUntil: null,
      lastSignInAt: null,
    })
    expect(await auth.getUser({ id: made.id }, asAdmin())).toEqual(made)
    const changed = await auth.updateUser(
      {
        id: made.id,
        revision: made.revision,
        name: 'Jonas Weber-Lang',
        roles: ['data_analyst'],
        badgeCode: null,
      },
      asAdmin(),
    )
    expect(changed).toMatchObject({ name: 'Jonas Weber-Lang', roles: ['data_analyst'], badgeCode: null })
    await expect(
      auth.updateUser({ id: made.id, revision: made.revision, name: 'Late' }, asAdmin()),
    ).rejects.toMatchObject({ code: 'CONFLICT', status: 409, data: { field: 'revision' } })
    const { items } = await auth.listUsers({ search: 'weber-l' }, asAdmin())
    expect(items).toEqual([changed])
    expect((await auth.listUsers({ search: '100%' }, asAdmin())).items).toEqual([])
    await expect(auth.getUser({ id: uuidv7() }, asAdmin())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('are paged in every order without losing anybody', async () => {
    const { auth } = open
    for (const name of ['ärzte', 'Zoe', 'anna', 'Berta']) await auth.createUser(newUser({ name }), asAdmin())
    for (const sort of ['name', '-name', 'email', '-email', 'createdAt', '-createdAt'] as const) {
      const whole = await auth.listUsers({ sort, limit: 500 }, asAdmin())
      const paged: string[] = []
      let cursor: string | undefined
      do {
        const page = await auth.listUsers(
          { sort, limit: 2, ...(cursor === undefined ? {} : { cursor }) },
          asAdmin(),
        )
        paged.push(...page.items.map(({ id }) => id))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined)
      expect(paged).toEqual(whole.items.map(({ id }) => id))
    }
    const names = (await auth.listUsers({ limit: 500 }, asAdmin())).items.map(({ name }) => name)
    expect(names.indexOf('anna')).toBeLessThan(names.indexOf('Berta'))
  })

  it('share neither e-mail address nor badge, in any spelling', async () => {
    const { auth } = open
    const email = `${uuidv7()}@example.org`
    const first = await auth.createUser(newUser({ email, badgeCode: 'B-9' }), asAdmin())
    await expect(auth.createUser(newUser({ email: email.toUpperCase() }), asAdmin())).rejects.toMatchObject({
      code: 'EMAIL_TAKEN',
      status: 409,
    })
    await expect(auth.createUser(newUser({ badgeCode: 'B-9' }), asAdmin())).rejects.toMatchObject(
      rule('badge-unique'),
    )
    await expect(auth.createUser(newUser({ badgeCode: ']C1' }), asAdmin())).rejects.toMatchObject(
      rule('badge-empty'),
    )
    await auth.setUserStatus({ id: first.id, status: 'deleted', reason: 'left' }, asAdmin())
    expect(await auth.createUser(newUser({ email, badgeCode: 'B-9' }), asAdmin())).toMatchObject({ email })
    await expect(
      auth.setUserStatus({ id: first.id, status: 'active', reason: 'back' }, asAdmin()),
    ).rejects.toMatchObject(rule('deleted-stays'))
    expect((await auth.listUsers({ status: 'deleted' }, asAdmin())).items.map(({ id }) => id)).toContain(
      first.id,
    )
  })

  it.each([
    [{ email: 'not an address' }, 'BAD_REQUEST'],
    [{ password: 'short' }, 'BAD_REQUEST'],
    [{ roles: [] }, 'BAD_REQUEST'],
    [{ name: ' ' }, 'BAD_REQUEST'],
    [{ password: 'Password2024!' }, 'PASSWORD_TOO_COMMON'],
    [{ password: 'Heron Genomics' }, 'PASSWORD_TOO_COMMON'],
    [{ password: 'jonas.weber.1' }, 'PASSWORD_TOO_COMMON'],
  ])('are refused with %j', async (change, code) => {
    await expect(open.auth.createUser(newUser(change), asAdmin())).rejects.toMatchObject({ code })
  })

  it('are not added twice by a repeat', async () => {
    const { auth, admin } = open
    const input = newUser()
    await auth.createUser(input, { context: { actor: admin, key: 'add' } })
    await expect(auth.createUser(input, { context: { actor: admin, key: 'add' } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
    expect((await auth.listUsers({ search: input.email }, asAdmin())).items).toHaveLength(1)
  })
})

describe('the last administrator', () => {
  it('is neither removed nor demoted', async () => {
    const { auth, admin, addUser } = open
    const own = await auth.getUser({ id: admin.userId }, asAdmin())
    const demote = { id: own.id, roles: ['guest' as const] }
    await expect(auth.updateUser({ ...demote, revision: own.revision }, asAdmin())).rejects.toMatchObject(
      rule('last-administrator'),
    )
    for (const status of ['inactive', 'suspended', 'deleted'] as const) {
      await expect(
        auth.setUserStatus({ id: own.id, status, reason: 'test' }, asAdmin()),
      ).rejects.toMatchObject(rule('last-administrator'))
    }
    const second = await addUser(['lab_administrator'])
    const context = { context: { actor: second.actor } }
    expect(await auth.updateUser({ ...demote, revision: own.revision }, context)).toMatchObject({
      roles: ['guest'],
    })
    const demoted = await auth.getUser({ id: own.id }, context)
    await auth.updateUser({ id: own.id, revision: demoted.revision, roles: ['lab_administrator'] }, context)
    await auth.setUserStatus({ id: second.user.id, status: 'inactive', reason: 'test' }, asAdmin())
  })
})

describe('what people may do', () => {
  it('follows their roles, at once', async () => {
    const { auth, bench, addUser } = open
    const { user, accessToken, actor } = await addUser(['guest'])
    expect([...actor.permissions].sort()).toEqual([...permissionsOf('guest')].sort())
    await auth.updateUser(
      { id: user.id, revision: user.revision, roles: ['guest', 'lab_technician'] },
      asAdmin(),
    )
    expect((await actorOf(bench, accessToken)).permissions).toContain('storage:place')
    await auth.setUserStatus({ id: user.id, status: 'suspended', reason: 'test' }, asAdmin())
    await expect(actorOf(bench, accessToken)).rejects.toThrow('none')
    await auth.setUserStatus({ id: user.id, status: 'active', reason: 'test' }, asAdmin())
    await expect(actorOf(bench, accessToken)).rejects.toThrow('none')
  })

  it('is changed for a role in one laboratory, but never for the administrator', async () => {
    const { auth, bench, addUser } = open
    const { accessToken } = await addUser(['data_analyst'])
    const roles = await auth.listRoles(undefined, asAdmin())
    expect(roles.map(({ name }) => name)).toEqual([...roleNames])
    const analyst = roles.find(({ name }) => name === 'data_analyst')
    if (analyst === undefined) throw new Error('There is no data analyst')
    const input = {
      name: 'data_analyst' as const,
      revision: analyst.revision,
      permissions: ['samples:read', 'audit:read', 'samples:read'],
      reason: 'They audit',
    }
    const changed = await auth.updateRole(input, asAdmin())
    expect([...changed.permissions].sort()).toEqual(['audit:read', 'samples:read'])
    expect([...(await actorOf(bench, accessToken)).permissions].sort()).toEqual([
      'audit:read',
      'samples:read',
    ])
    await expect(auth.updateRole(input, asAdmin())).rejects.toMatchObject({ code: 'CONFLICT' })
    const next = { ...input, revision: changed.revision }
    await expect(auth.updateRole({ ...next, permissions: ['cake:eat'] }, asAdmin())).rejects.toMatchObject(
      rule('permission-unknown'),
    )
    await expect(
      auth.updateRole({ ...next, permissions: ['samples:read', 'samples:create'] }, asAdmin()),
    ).rejects.toMatchObject(rule('permission-needs-others'))
    await expect(auth.updateRole({ ...next, name: 'lab_administrator' }, asAdmin())).rejects.toMatchObject(
      rule('administrator-holds-all'),
    )
    const announced = await bench.journal.read({ afterSequence: 0, eventNames: ['RoleChanged'], limit: 10 })
    expect(announced).toHaveLength(1)
  })

  it('cannot be given away beyond what one holds', async () => {
    const { auth, addUser } = open
    const { actor } = await addUser(['lab_technician'])
    const manager = { context: { actor: { ...actor, permissions: [...actor.permissions, 'users:manage'] } } }
    const beyond = rule('more-than-own')
    await expect(auth.createUser(newUser({ roles: ['lab_administrator'] }), manager)).rejects.toMatchObject(
      beyond,
    )
    const peer = await auth.createUser(newUser({ roles: ['guest'] }), manager)
    await expect(
      auth.updateUser({ id: peer.id, revision: peer.revision, roles: ['principal_investigator'] }, manager),
    ).rejects.toMatchObject(beyond)
    const above = { id: open.admin.userId as never, reason: 'test' }
    await expect(
      auth.resetPassword({ ...above, newPassword: 'eleven blue kites' }, manager),
    ).rejects.toMatchObject(beyond)
    await expect(auth.setUserStatus({ ...above, status: 'suspended' }, manager)).rejects.toMatchObject(beyond)
    const guest = (await auth.listRoles(undefined, manager)).find(({ name }) => name === 'guest')
    await expect(
      auth.updateRole(
        {
          name: 'guest',
          revision: guest?.revision ?? '',
          permissions: ['audit:read', 'audit:verify'],
          reason: 'test',
        },
        manager,
      ),
    ).rejects.toMatchObject(beyond)
  })

  it('is refused by the gateway without the permission', async () => {
    const { auth, addUser } = open
    const { actor } = await addUser(['guest'])
    await expect(auth.listUsers({}, { context: { actor } })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      data: { permission: 'users:read' },
    })
  })
})

describe('passwords', () => {
  it('are changed by their owner, which ends the other sessions', async () => {
    const { auth, bench, addUser, signIn } = open
    const { user, password, accessToken, actor } = await addUser(['guest'])
    const other = await signIn(user.email, password)
    const context = { context: { actor } }
    const newPassword = 'a kettle of fish 88'
    await expect(
      auth.changePassword({ currentPassword: 'wrong', newPassword }, context),
    ).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' })
    await expect(
      auth.changePassword({ currentPassword: password, newPassword: 'passwordpassword' }, context),
    ).rejects.toMatchObject({ code: 'PASSWORD_TOO_COMMON' })
    await auth.changePassword({ currentPassword: password, newPassword }, context)
    expect(await actorOf(bench, accessToken)).toEqual(actor)
    await expect(actorOf(bench, other.accessToken)).rejects.toThrow('none')
    await expect(auth.login({ email: user.email, password })).rejects.toMatchObject({
      code: 'WRONG_CREDENTIALS',
    })
    await signIn(user.email, newPassword)
  })

  it('are reset by an administrator, which unlocks the account and ends its sessions', async () => {
    const { auth, bench, addUser, signIn } = open
    const { user, password, accessToken, actor } = await addUser(['guest'], 'B-11')
    await auth.setPin({ password, pin: '4711' }, { context: { actor } })
    for (let count = 0; count < 5; count += 1) {
      await expect(auth.login({ email: user.email, password: 'wrong' })).rejects.toMatchObject({
        code: 'WRONG_CREDENTIALS',
      })
    }
    const newPassword = 'eleven blue kites'
    const input = { id: user.id, reason: 'forgotten' }
    await expect(
      auth.resetPassword({ ...input, newPassword: 'Password2024' }, asAdmin()),
    ).rejects.toMatchObject({
      code: 'PASSWORD_TOO_COMMON',
    })
    await auth.resetPassword({ ...input, newPassword }, asAdmin())
    await expect(actorOf(bench, accessToken)).rejects.toThrow('none')
    const { me } = await signIn(user.email, newPassword)
    expect(me.user).toMatchObject({ hasPin: false, lockedUntil: null })
    const { items } = await auth.signIns({ userId: user.id, limit: 2 }, asAdmin())
    expect(items.map(({ outcome }) => outcome)).toEqual(['signed_in', 'password_reset'])
    await expect(
      auth.resetPassword({ id: uuidv7(), newPassword, reason: 'test' }, asAdmin()),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('sessions', () => {
  it('are listed: the own, or all for who manages users', async () => {
    const { auth, addUser, signIn } = open
    const { user, password, actor } = await addUser(['guest'])
    await signIn(user.email, password)
    const own = await auth.sessions({}, { context: { actor } })
    expect(own.map(({ userName, current }) => ({ userName, current }))).toEqual([
      { userName: user.name, current: true },
      { userName: user.name, current: false },
    ])
    await expect(auth.sessions({ all: true }, { context: { actor } })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    const all = await auth.sessions({ all: true }, asAdmin())
    expect(all.filter(({ userId }) => userId === user.id)).toHaveLength(2)
    expect(all.length).toBeGreaterThan(2)
  })

  it('are ended by their holder or an administrator, by nobody else', async () => {
    const { auth, bench, addUser, signIn } = open
    const { user, password, actor } = await addUser(['guest'])
    const stranger = await addUser(['guest'])
    const other = await signIn(user.email, password)
    const sessionId = other.me.sessionId
    await expect(
      auth.revokeSession({ sessionId }, { context: { actor: stranger.actor } }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await auth.revokeSession({ sessionId }, { context: { actor } })
    await expect(actorOf(bench, other.accessToken)).rejects.toThrow('none')
    const strangers = { sessionId: stranger.me.sessionId }
    await auth.revokeSession(strangers, asAdmin())
    await expect(actorOf(bench, stranger.accessToken)).rejects.toThrow('none')
  })
})

it('keeps two laboratories apart, even with the same address in both', async () => {
  const { auth, bench, addUser, admin } = open
  const { user, password, actor } = await addUser(['lab_administrator'])
  const theirs = { name: 'Osprey Labs', email: user.email, password: 'twelve grey gulls' }
  const laboratoryId = await addLaboratory(bench, theirs)
  const there = await auth.login({ email: user.email, password: theirs.password })
  expect(there.me.laboratory).toEqual({ id: laboratoryId, name: 'Osprey Labs' })
  const stranger = { context: { actor: await actorOf(bench, there.accessToken) } }

  const here = await auth.login({ email: user.email, password })
  expect(here.me.laboratory.name).toBe('Heron Genomics')
  const named = { email: user.email, password, laboratoryId }
  await expect(auth.login(named)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' })

  expect((await auth.listUsers({}, stranger)).items).toHaveLength(1)
  expect((await auth.listRoles(undefined, stranger)).length).toBe(roleNames.length)
  expect((await auth.sessions({ all: true }, stranger)).map(({ userId }) => userId)).toEqual([
    there.me.user.id,
  ])
  const seen = (await auth.signIns({ limit: 500 }, stranger)).items
  expect(new Set(seen.map(({ userId }) => userId))).toEqual(new Set([there.me.user.id]))
  for (const attempt of [
    () => auth.getUser({ id: user.id }, stranger),
    () => auth.setUserStatus({ id: user.id, status: 'deleted', reason: 'test' }, stranger),
    () => auth.resetPassword({ id: user.id, newPassword: 'eleven blue kites', reason: 'test' }, stranger),
    () => auth.revokeSession({ sessionId: here.me.sessionId }, stranger),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }
  expect(await auth.getUser({ id: user.id }, { context: { actor } })).toMatchObject({ status: 'active' })

  for (let count = 0; count < 5; count += 1) {
    await expect(auth.login({ email: user.email, password: 'wrong' })).rejects.toMatchObject({
      code: 'WRONG_CREDENTIALS',
    })
  }
  await expect(auth.login({ email: user.email, password })).rejects.toMatchObject({ code: 'LOCKED_OUT' })
  await expect(auth.login({ email: user.email, password: theirs.password })).rejects.toMatchObject({
    code: 'LOCKED_OUT',
  })
  expect(admin.laboratoryId).not.toBe(laboratoryId)
})

it('writes no defect into the log', () => {
  expect(open.bench.logs).toEqual([])
})
