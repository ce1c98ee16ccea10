import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SQL, sql } from 'drizzle-orm'
import { afterEach, expect, it } from 'vitest'
import { hashRequest } from '../../platform/database/change.ts'
import { rowsOf } from '../../platform/database/transaction.ts'
import { resetPasswordAtTerminal } from './reset-password.ts'
import { administrator, type AuthBench, openAuthBench } from './testing/auth-bench.ts'

const open: AuthBench[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.bench.close()
})

async function openBench(): Promise<AuthBench> {
  const bench = await openAuthBench()
  open.push(bench)
  return bench
}

/** All bytes of the journal and the logs, as text in which every ASCII string stands as it was written. */
function journalAndLogs(home: string): string {
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(journal|logs)/.test(name),
  )
  expect(files.some((name) => name.startsWith('journal.sqlite'))).toBe(true)
  return files
    .filter((name) => /\.(sqlite|sqlite-wal|log|jsonl|ndjson)/.test(name))
    .map((name) => readFileSync(join(home, name), 'latin1'))
    .join('\n')
}

async function valuesOf({ bench }: AuthBench, statement: SQL): Promise<readonly string[]> {
  const rows = await bench.database('auth').asOwner((tx) => rowsOf<Record<string, unknown>>(tx, statement))
  return rows.flatMap((row) => Object.values(row)).filter((value) => typeof value === 'string')
}

it('leaves no password, hash, PIN or token in the journal, the outbox or the log', async () => {
  const held = await openBench()
  const { auth, bench, addUser, first, admin } = held
  const person = await addUser(['lab_technician'], 'BADGE-1')
  const context = { actor: person.actor }
  const pin = '90817263'
  const changed = 'a kettle of fish 88'
  const reset = 'eleven blue kites'
  await auth.setPin({ password: person.password, pin }, { context })
  await auth.lock({}, { context })
  await auth.unlock({ accessToken: person.accessToken, badgeCode: 'BADGE-1', pin })
  await auth.changePassword({ currentPassword: person.password, newPassword: changed }, { context })
  const refreshed = await auth.refresh({ refreshToken: person.refreshToken })
  await expect(auth.login({ email: person.user.email, password: 'guessed in vain' })).rejects.toMatchObject({
    code: 'WRONG_CREDENTIALS',
  })
  await expect(auth.login({ email: 'typed in the wrong box', password: '' })).rejects.toMatchObject({
    code: 'WRONG_CREDENTIALS',
  })
  const hashes = await valuesOf(held, sql`select password_hash, pin_hash from credential`)
  await auth.resetPassword(
    { id: person.user.id, newPassword: reset, reason: 'test' },
    { context: { actor: admin } },
  )

  const secrets = [
    administrator.password,
    person.password,
    changed,
    reset,
    pin,
    'guessed in vain',
    'typed in the wrong box',
    ...[first, person, refreshed].flatMap((tokens) => [tokens.accessToken, tokens.refreshToken]),
    ...hashes,
    ...(await valuesOf(held, sql`select password_hash, pin_hash from credential`)),
    ...(await valuesOf(held, sql`select token_hash from refresh_token`)),
    ...(await valuesOf(held, sql`select private_key from signing_key`)),
    // A plain hash of an input with a password in it would be as good as the password to who can guess.
    hashRequest('auth.setUp', admin.userId, { laboratoryName: 'Heron Genomics', administrator }),
    hashRequest('auth.login', person.user.id, { email: person.user.email, password: person.password }),
    hashRequest('auth.setPin', person.user.id, { password: person.password, pin }),
  ]
  expect(secrets.length).toBeGreaterThan(20)
  const kept = [
    journalAndLogs(bench.home),
    ...(await valuesOf(held, sql`select payload from platform.outbox`)),
    ...(await valuesOf(held, sql`select request_hash, answer from platform.idempotency`)),
    JSON.stringify(bench.logs),
  ].join('\n')
  expect(kept).toContain(person.user.email)
  expect(kept).toContain('password_reset')
  expect(secrets.filter((secret) => kept.includes(secret))).toEqual([])
  expect(kept).not.toContain('argon2')
})

it('logs a failed statement without the secrets it was given', async () => {
  const held = await openBench()
  const { auth, bench, addUser } = held
  const { password, actor } = await addUser(['guest'])
  await bench
    .database('auth')
    .asOwner((tx) => tx.execute(sql`alter table credential add constraint broken check (pin_hash is null)`))
  await expect(auth.setPin({ password, pin: '90817263' }, { context: { actor } })).rejects.toMatchObject({
    code: 'INTERNAL_SERVER_ERROR',
  })
  const logged = JSON.stringify(bench.logs) + journalAndLogs(bench.home)
  expect(bench.logs).toHaveLength(1)
  expect(logged).toContain('update \\"credential\\"')
  expect(logged).not.toContain('argon2')
  expect(logged).not.toContain('90817263')
})

it('asks for a new password after the database was made anew from the journal', async () => {
  const held = await openBench()
  const { auth, bench, addUser, first } = held
  const { user, password } = await addUser(['guest'])
  await bench.restart({ losing: ['auth'] })

  expect(await auth.status()).toMatchObject({ setUp: true, laboratory: { name: 'Heron Genomics' } })
  expect(await auth.resolveSession({ accessToken: first.accessToken })).toEqual({ state: 'none' })
  const reset = { code: 'PASSWORD_RESET_REQUIRED', status: 401 }
  await expect(auth.login(administrator)).rejects.toMatchObject(reset)
  await expect(auth.login({ email: user.email, password })).rejects.toMatchObject(reset)

  const request = {
    email: administrator.email.toLowerCase(),
    newPassword: 'fourteen old barges',
    workstation: { id: 'test-bench', name: 'Test bench' },
    resources: join(import.meta.dirname, '../../resources'),
  }
  const database = bench.database('auth')
  await expect(
    resetPasswordAtTerminal(database, { ...request, newPassword: 'Password2024' }),
  ).rejects.toMatchObject({ code: 'PASSWORD_TOO_COMMON' })
  await expect(
    resetPasswordAtTerminal(database, { ...request, email: 'who@example.org' }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await resetPasswordAtTerminal(database, request)).toEqual({
    name: administrator.name,
    email: administrator.email,
  })

  const { actor } = await held.signIn(administrator.email, request.newPassword)
  const { items } = await auth.signIns({ userId: actor.userId }, { context: { actor } })
  expect(items.map(({ outcome }) => outcome)).toEqual([
    'signed_in',
    'password_reset',
    'reset_required',
    'signed_in',
  ])
  await auth.resetPassword(
    { id: user.id, newPassword: 'eleven blue kites', reason: 'rebuilt' },
    { context: { actor } },
  )
  await held.signIn(user.email, 'eleven blue kites')
  expect(journalAndLogs(bench.home)).not.toContain('fourteen old barges')
  expect(bench.logs).toEqual([])
})
