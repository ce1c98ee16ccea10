import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const email = 'keeper@example.org'
const password = 'seven quiet herons'
const started: { readonly process: ChildProcess; readonly home: string }[] = []

afterEach(async () => {
  for (const each of started.splice(0)) {
    await stop(each.process)
    rmSync(each.home, { recursive: true, force: true })
  }
})

it('writes no secret to disk outside of the database that keeps it', async () => {
  const { url, home, process } = await startHeadless()
  const call = async (path: string, body: object, token?: string) => {
    const response = await fetch(`${url}/v1/auth/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    })
    return { status: response.status, answer: (await response.json()) as Readonly<Record<string, string>> }
  }

  const { answer: tokens } = await call('login', { email, password })
  const accessToken = tokens['accessToken'] ?? ''
  const [pin, next, guess] = ['90817263', 'a kettle of fish 88', 'guessed in vain']
  const statuses = [
    await call('set-pin', { password, pin }, accessToken),
    await call('set-pin', { password, pin: `${pin}9` }, accessToken),
    await call('lock', {}, accessToken),
    await call('unlock', { accessToken, badgeCode: 'none', pin }),
    await call('unlock', { accessToken, password }),
    await call('change-password', { currentPassword: password, newPassword: next }, accessToken),
    await call('login', { email, password: guess }),
    await call('login', { email: { [guess]: guess }, password: [guess] }),
    await call('refresh', { refreshToken: tokens['refreshToken'] ?? '' }),
    await call('refresh', { refreshToken: tokens['refreshToken'] ?? '' }),
  ].map(({ status }) => status)
  expect(statuses).toEqual([200, 400, 200, 401, 200, 200, 401, 400, 200, 401])
  await stop(process)

  const files = filesBelow(home).filter((path) => !path.startsWith('databases'))
  const written = files.map((path) => readFileSync(join(home, path), 'latin1')).join('\n')
  expect(files.some((path) => path.startsWith('logs'))).toBe(true)
  expect(written).toContain('auth.changePassword')
  expect(written).toContain(email)
  const secrets = [password, pin, next, guess, accessToken, tokens['refreshToken'] ?? '', '$argon2']
  expect(secrets.filter((secret) => written.includes(secret))).toEqual([])
  // The key that signs sessions lies in a database, sealed; the files that hold keys are for this user alone.
  const databases = filesBelow(home).filter((path) => path.startsWith('databases'))
  const open = databases.filter((path) => readFileSync(join(home, path), 'latin1').includes('PRIVATE KEY'))
  expect(open).toEqual([])
}, 120_000)

async function startHeadless() {
  const home = mkdtempSync(join(tmpdir(), 'tracseq-secrets-'))
  const child = spawn(
    process.execPath,
    [join(root, 'main/headless/index.ts'), '--home', home, '--port', '0'],
    {
      env: {
        ...process.env,
        TRACSEQ_LOG: 'debug',
        TRACSEQ_ADMIN_EMAIL: email,
        TRACSEQ_ADMIN_PASSWORD: password,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  started.push({ process: child, home })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The workstation ended at once')))
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string]
  const { url } = JSON.parse(line) as { readonly url: string }
  return { url, home, process: child }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(directory, path)).isFile(),
  )
}
