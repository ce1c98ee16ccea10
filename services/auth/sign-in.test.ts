import { afterAll, beforeAll, expect, it } from 'vitest'
import { actorOf, administrator, openAuthBench } from './testing/auth-bench.ts'

let open: Awaited<ReturnType<typeof openAuthBench>>
beforeAll(async () => {
  open = await openAuthBench()
})
afterAll(() => open.bench.close())

it('sets a laboratory up once and signs its administrator in', async () => {
  const { auth, bench, first } = open
  expect(first.me).toMatchObject({
    user: { email: administrator.email, roles: ['lab_administrator'] },
    laboratory: { name: 'Heron Genomics' },
    locked: false,
  })
  expect(await auth.status()).toMatchObject({ setUp: true, laboratory: { name: 'Heron Genomics' } })
  await expect(auth.setUp({ laboratoryName: 'Another', administrator })).rejects.toMatchObject({
    code: 'ALREADY_SET_UP',
    status: 409,
  })
  const actor = await actorOf(bench, first.accessToken)
  expect(await auth.me(undefined, { context: { actor } })).toEqual(first.me)
})

it('signs in, locks, unlocks and signs out', async () => {
  const { auth, bench } = open
  const { email, password } = administrator
  const { accessToken } = await auth.login({ email: email.toUpperCase(), password })
  const actor = await actorOf(bench, accessToken)
  await auth.lock({}, { context: { actor } })
  expect(await auth.resolveSession({ accessToken })).toEqual({ state: 'locked' })
  await auth.unlock({ accessToken, password })
  expect(await auth.resolveSession({ accessToken })).toMatchObject({ state: 'live', name: 'Ada Okafor' })
  await auth.logout({}, { context: { actor } })
  expect(await auth.resolveSession({ accessToken })).toEqual({ state: 'none' })
  expect(bench.logs).toEqual([])
})
