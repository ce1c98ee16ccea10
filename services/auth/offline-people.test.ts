import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { rowsOf } from '../../platform/database/transaction.ts'
import { administrator, type AuthBench, openAuthBench } from './testing/auth-bench.ts'

let open: AuthBench
beforeAll(async () => {
  open = await openAuthBench()
})
afterAll(() => open.bench.close())
afterEach(() => vi.useRealTimers())

const day = 24 * 60 * 60_000
const inDays = (days: number) => new Date(Date.now() + days * day).toISOString()

function storedOf(userId: string): Promise<string | null> {
  return open.bench.database('auth').asOwner(async (tx) => {
    const [row] = await rowsOf<{ password_hash: string }>(
      tx,
      sql`select password_hash from credential where user_id = ${userId}::uuid`,
    )
    return row?.password_hash ?? null
  })
}

it('people sign in by what a workstation keeps of their password, which is of no use elsewhere', async () => {
  const { auth, admin, addUser } = open
  const { laboratoryId } = admin
  const person = await addUser(['lab_technician'])
  const other = await addUser(['lab_technician'])
  const { credentials } = await auth.credentialsOf({ laboratoryId, administrators: false })
  expect(credentials.map(({ userId }) => userId).sort()).toEqual([person.user.id, other.user.id].sort())
  const all = await auth.credentialsOf({ laboratoryId, administrators: true })
  expect(all.credentials).toHaveLength(3)

  const kept = all.credentials.filter(({ userId }) => userId !== other.user.id)
  await auth.keepOfflinePeople({ laboratoryId, credentials: kept, until: inDays(14) })
  const stored = (await storedOf(person.user.id)) ?? ''
  const hash = credentials.find(({ userId }) => userId === person.user.id)?.passwordHash ?? ''
  expect(stored).toMatch(/^offline\$/)
  expect(stored).not.toContain(hash.split('$').at(-1))
  expect(await storedOf(other.user.id)).toBeNull()

  const { user, password } = person
  expect(await auth.login({ email: user.email, password })).toMatchObject({ me: { user: { id: user.id } } })
  await expect(auth.login({ email: user.email, password: `${password}!` })).rejects.toMatchObject({
    code: 'WRONG_CREDENTIALS',
  })
  await expect(auth.login({ email: other.user.email, password: other.password })).rejects.toMatchObject({
    code: 'PASSWORD_RESET_REQUIRED',
  })
  // What came from the Hub is never handed on.
  expect((await auth.credentialsOf({ laboratoryId, administrators: true })).credentials).toEqual([])
  const change = { currentPassword: administrator.password, newPassword: 'nine patient otters' }
  await expect(auth.changePassword(change, { context: { actor: admin } })).rejects.toMatchObject({
    code: 'AT_HUB_ONLY',
  })
})

it('they may do so for as long as the Hub said, and whoever prolongs it in the database does not', async () => {
  const { auth } = open
  const credential = { email: administrator.email, password: administrator.password }
  const stored = (await storedOf(open.admin.userId)) ?? ''
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 15 * day })
  await expect(auth.login(credential)).rejects.toMatchObject({ code: 'OFFLINE_TOO_LONG', status: 401 })
  await expect(auth.login({ ...credential, password: 'wrong' })).rejects.toMatchObject({
    code: 'WRONG_CREDENTIALS',
  })
  const prolonged = stored.replace(/^offline\$[^$]+/, `offline$${inDays(30)}`)
  await open.bench
    .database('auth')
    .asOwner((tx) =>
      tx.execute(
        sql`update credential set password_hash = ${prolonged} where user_id = ${open.admin.userId}::uuid`,
      ),
    )
  await expect(auth.login(credential)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' })
})

it('what sync asks about people: who they are, and what they may do', async () => {
  const { auth, admin, addUser } = open
  const { laboratoryId } = admin
  const { user } = await addUser(['guest'])
  const asked = { laboratoryId, userIds: [user.id, '0199aa00-0000-7000-8000-000000000000'] }
  const answer = await auth.peopleOf(asked)
  expect(answer).toMatchObject({
    known: true,
    people: [{ userId: user.id, name: user.name, status: 'active' }],
  })
  expect(answer.people[0]?.permissions).toContain('samples:read')
  await auth.setUserStatus(
    { id: user.id, status: 'suspended', reason: 'Left' },
    { context: { actor: admin } },
  )
  expect((await auth.peopleOf(asked)).people).toMatchObject([{ status: 'suspended' }])
  const nowhere = { laboratoryId: '0199aa00-0000-7000-8000-000000000001', userIds: [] }
  expect(await auth.peopleOf(nowhere)).toEqual({ known: false, people: [] })
})
