import { generateKeyPairSync } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request as openRequest, type Server } from 'node:http'
import { request as openSafeRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createHttpClient, type HttpAnswer, send } from '../main/testing/http-client.ts'
import {
  administrator,
  killLeftOvers,
  makeHome,
  signIn,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from '../main/testing/workstation-process.ts'
import { sync } from '../platform/sync/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { samples } from '../services/samples/contract.ts'
import type { Command } from '../tools/cli/command.ts'
import { addLaboratory, founderCode, laboratories, rotateSigningKey } from '../tools/cli/hub-laboratories.ts'
import { hub as hubContract } from './contract.ts'
import { openOperatorToken } from './operator.ts'
import { takeSigningKey } from './testing/signing-key.ts'

const program = new URL('./index.ts', import.meta.url).pathname
const home = makeHome()
let hub: WorkstationProcess
let admin: SignedIn

beforeAll(async () => {
  hub = await startWorkstationProcess(home, {
    program,
    environment: { TRACSEQ_HUB_GUESSES_PER_MINUTE: '1000' },
  })
  admin = await signInTo(hub)
}, 120_000)
afterAll(async () => {
  await killLeftOvers()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

const browser = { 'x-tracseq-client': 'browser' }
const Tokens = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresAt: z.string() })

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return send({
    url: `${hub.url}${path}`,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

function get(path: string, token: string | null = null): Promise<HttpAnswer> {
  return send({
    url: `${hub.url}${path}`,
    method: 'GET',
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  })
}

async function isOpen(token: string): Promise<number> {
  return (await get('/v1/samples', token)).status
}

/** The name and value of the cookie in an answer, as a browser sends it back. */
function cookieOf({ headers }: HttpAnswer): string {
  return headers.get('set-cookie')?.split(';')[0] ?? ''
}

describe('a page in a browser', () => {
  it('gets its refresh token in a cookie that no script can read and no other site can send', async () => {
    const answer = await post('/v1/auth/login', administrator, browser)
    expect(answer.status).toBe(200)
    expect(Tokens.parse(answer.body).refreshToken).toBe('')
    const attributes = (answer.headers.get('set-cookie') ?? '').split('; ').slice(1).sort()
    expect(attributes).toEqual([
      'HttpOnly',
      expect.stringMatching(/^Max-Age=28[67]\d\d$/),
      'Path=/v1/auth',
      'SameSite=Strict',
    ])
  })

  it('takes its session up again by the cookie, which is good once', async () => {
    const first = await post('/v1/auth/login', administrator, browser)
    const second = await post('/v1/auth/refresh', {}, { ...browser, cookie: cookieOf(first) })
    expect(second.status).toBe(200)
    const { accessToken, refreshToken } = Tokens.parse(second.body)
    expect(refreshToken).toBe('')
    expect(await isOpen(accessToken)).toBe(200)
    expect(cookieOf(second)).not.toBe(cookieOf(first))

    const again = await post('/v1/auth/refresh', {}, { ...browser, cookie: cookieOf(first) })
    expect(again.status).toBe(401)
    expect(again.headers.get('set-cookie')).toContain('Max-Age=0')
    expect(await isOpen(accessToken)).toBe(401)
    const family = await post('/v1/auth/refresh', {}, { ...browser, cookie: cookieOf(second) })
    expect(family.status).toBe(401)
  })

  it('says by a header that it is one; a cookie alone opens nothing', async () => {
    const cookie = cookieOf(await post('/v1/auth/login', administrator, browser))
    expect((await post('/v1/auth/refresh', {}, { cookie })).status).toBe(401)
    expect((await post('/v1/auth/refresh', {}, browser)).status).toBe(401)
    expect((await post('/v1/auth/refresh', {}, { ...browser, cookie })).status).toBe(200)
  })

  it('loses the cookie when the person signs out', async () => {
    const entered = await post('/v1/auth/login', administrator, browser)
    const { accessToken } = Tokens.parse(entered.body)
    const authorization = `Bearer ${accessToken}`
    const left = await post('/v1/auth/logout', {}, { ...browser, authorization, cookie: cookieOf(entered) })
    expect(left.headers.get('set-cookie')).toMatch(/^tracseq_refresh=; .*Max-Age=0/)
    expect(await isOpen(accessToken)).toBe(401)
    const cookie = cookieOf(entered)
    expect((await post('/v1/auth/refresh', {}, { ...browser, cookie })).status).toBe(401)
  })

  it('may load from the Hub and speak to it, and nothing else; nobody may frame it', async () => {
    for (const path of ['/', '/health', '/v1/samples', '/nothing']) {
      const { headers } = await get(path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("connect-src 'self'")
      expect(policy).not.toContain('unsafe-eval')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7}/)
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  it('of another site gets no word of CORS, not even when it asks first', async () => {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const { headers } = await send({
        url: `${hub.url}/v1/samples`,
        method,
        headers: {
          origin: 'https://elsewhere.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, x-tracseq-client',
        },
      })
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })
})

describe('a program', () => {
  it('gets both tokens in the answer, and no cookie', async () => {
    const answer = await post('/v1/auth/login', administrator)
    const { accessToken, refreshToken, expiresAt } = Tokens.parse(answer.body)
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now())
    const next = await post('/v1/auth/refresh', { refreshToken })
    expect(Tokens.parse(next.body).refreshToken).not.toBe(refreshToken)
    expect(await isOpen(Tokens.parse(next.body).accessToken)).toBe(200)
    expect((await post('/v1/auth/refresh', { refreshToken })).status).toBe(401)
    expect(await isOpen(accessToken)).toBe(401)
    const reused = Tokens.parse(next.body)
    expect((await post('/v1/auth/refresh', { refreshToken: reused.refreshToken })).status).toBe(401)
  })

  it('of a person who was suspended is out at once, with every token', async () => {
    const person = { email: 'leaver@example.org', password: 'seven-blue-centrifuges-4' }
    const users = admin.client(auth)
    const { id } = await users.createUser({ ...person, name: 'Leaver', roles: ['lab_technician'] })
    const tokens = Tokens.parse((await post('/v1/auth/login', person)).body)
    expect(await isOpen(tokens.accessToken)).toBe(200)
    await users.setUserStatus({ id, status: 'suspended', reason: 'Left the laboratory' })
    expect(await isOpen(tokens.accessToken)).toBe(401)
    expect((await post('/v1/auth/refresh', { refreshToken: tokens.refreshToken })).status).toBe(401)
    expect((await post('/v1/auth/login', person)).status).toBe(401)
  })
})

describe('a token', () => {
  it('that was forged, changed, outlived or meant for another host opens nothing', async () => {
    const token = await signIn(hub.url)
    const claims = decodeJwt(token)
    const { kid, stored, privateKey } = await takeSigningKey(home)
    expect(stored).toMatch(/^sealed:/)
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', kid })
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const sign = (change: object, header: object = {}, key = privateKey) =>
      new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'EdDSA', kid, ...header }).sign(key)
    expect(await isOpen(await sign({}))).toBe(200)

    const [, payload = ''] = token.split('.')
    const stranger = generateKeyPairSync('ed25519').privateKey
    const bad = {
      'another key under our name': await sign({}, {}, stranger),
      'another key under its own name': await sign({}, { kid: 'theirs' }, stranger),
      'no key named': await sign({}, { kid: undefined }),
      'no algorithm': `${encode({ alg: 'none', kid })}.${payload}.`,
      'no algorithm, no signature': `${encode({ alg: 'none' })}.${payload}`,
      'a shared secret made of the public key': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid })
        .sign(Buffer.from(kid)),
      'another audience': await sign({ aud: 'workstation-7' }),
      'another issuer': await sign({ iss: 'elsewhere' }),
      yesterday: await sign({ exp: Math.floor(Date.now() / 1_000) - 1 }),
      'no end': await sign({ exp: undefined }),
      'another person': await sign({ sub: '01977d1e-0000-7000-8000-000000000000' }),
      'another session': await sign({ sid: '01977d1e-0000-7000-8000-000000000000' }),
      'another laboratory': await sign({ lab: '01977d1e-0000-7000-8000-000000000000' }),
      'one letter changed': `${token.slice(0, -3)}${token.at(-3) === 'A' ? 'B' : 'A'}${token.slice(-2)}`,
    }
    for (const [what, forged] of Object.entries(bad))
      expect([what, await isOpen(forged)]).toEqual([what, 401])
  })

  it('of a workstation is none of the Hub, and the other way round', async () => {
    const elsewhere = makeHome()
    const workstation = await startWorkstationProcess(elsewhere)
    const theirs = await signIn(workstation.url)
    expect(await isOpen(theirs)).toBe(401)
    const answer = await send({
      url: `${workstation.url}/v1/samples`,
      method: 'GET',
      headers: { authorization: `Bearer ${await signIn(hub.url)}` },
    })
    expect(answer.status).toBe(401)
    await workstation.stop()
    rmSync(elsewhere, { recursive: true, force: true })
  }, 60_000)

  it('is verified by the published keys, also by those that no longer sign', async () => {
    const keySet = createRemoteJWKSet(new URL(`${hub.url}/.well-known/jwks.json`), { cooldownDuration: 0 })
    const before = await signIn(hub.url)
    expect((await jwtVerify(before, keySet)).payload.iss).toBe('tracseq')
    const said = await operate(rotateSigningKey)
    const after = await signIn(hub.url)
    expect(said).toContain(String(decodeProtectedHeader(after).kid))
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    for (const token of [before, after]) {
      expect((await jwtVerify(token, keySet)).payload.sub).toBe(decodeJwt(before).sub)
      expect(await isOpen(token)).toBe(200)
    }
    const { body } = await get('/.well-known/jwks.json')
    expect(JSON.stringify(body)).not.toContain('"d"')
  })
})

describe('the operator', () => {
  it('adds laboratories from a terminal; their people see nothing of each other', async () => {
    const person = { email: 'grace@example.org', password: 'twelve grey gulls 7' }
    const options = { name: 'Osprey Labs', administrator: 'Grace Otieno', email: person.email }
    expect(await operate(addLaboratory, options, person.password)).toMatch(/^Osprey Labs is there \(/)
    expect(await operate(laboratories)).toMatch(/Laboratory\n.*Osprey Labs$/)

    await admin.client(samples).accession({ sample: { name: 'Of the first', type: 'dna' } })
    const theirs = await signInTo(hub, person)
    expect(await theirs.client(auth).me()).toMatchObject({ laboratory: { name: 'Osprey Labs' } })
    expect((await theirs.client(samples).list({})).items).toEqual([])
    expect((await theirs.client(auth).listUsers({})).items).toHaveLength(1)
    // Nobody learns before signing in who else is here.
    expect(await createHttpClient(hub.url, auth, null).status()).toMatchObject({ laboratory: null })
  })

  it('makes codes for founders, which no administrator of a laboratory may', async () => {
    expect(await operate(founderCode)).toMatch(/^[0-9A-Z]{5}(-[0-9A-Z]{5}){6}\nIt is shown this once/)
    const theirs = createHttpClient(hub.url, hubContract, admin.token)
    await expect(theirs.createFounderCode({})).rejects.toMatchObject({ status: 403 })
  })

  it('hears what is wrong with a laboratory', async () => {
    const options = { name: 'Osprey Labs', administrator: 'Grace', email: 'nobody' }
    await expect(operate(addLaboratory, options, 'twelve grey gulls 7')).rejects.toThrow(
      'Not an e-mail address',
    )
    const short = { ...options, email: 'g@example.org' }
    await expect(operate(addLaboratory, short, 'Password2024')).rejects.toThrow('many people use')
    await expect(operate(laboratories, { home: '/nowhere' })).rejects.toThrow('/nowhere is no home')
    await expect(operate(laboratories, { url: 'http://127.0.0.1:1' })).rejects.toThrow('does not answer')
  })

  it('operates the Hub and sees nothing else of it; no role may do the same', async () => {
    const token = openOperatorToken(home)
    expect(await createHttpClient(hub.url, hubContract, token).laboratories()).toHaveLength(2)
    expect(await isOpen(token)).toBe(403)
    expect((await get('/v1/auth/me', token)).status).toBe(401)
    expect((await get('/v1/hub/laboratories', admin.token)).status).toBe(403)
    expect((await get('/v1/hub/laboratories')).status).toBe(401)
  })
})

/** Runs an operator's command as the terminal does, and gives what it said. */
async function operate(
  command: Command,
  options: Readonly<Record<string, string>> = {},
  password = '',
): Promise<string> {
  const said: string[] = []
  const given: Readonly<Record<string, string>> = { home, url: hub.url, ...options }
  await command.run({
    home: given['home'] ?? home,
    root: home,
    option: (name) => given[name] ?? null,
    say: (line) => void said.push(line),
    askSecret: () => Promise.resolve(password),
  })
  return said.join('\n')
}

describe('a Hub that is asked to end', () => {
  it('finishes what runs, refuses what comes, and ends', async () => {
    const body = JSON.stringify(administrator)
    const slow = openSlowRequest(body)
    await slow.sendHalf()
    const ended = hub.stop()
    await expect
      .poll(async () => (await post('/v1/auth/login', administrator)).status, { timeout: 5_000 })
      .toBe(503)
    const refused = await get('/v1/samples', admin.token)
    expect(refused).toMatchObject({ status: 503, body: { code: 'NOT_STARTED' } })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await slow.sendRest()).toBe(200)
    await ended
    await expect(get('/health')).rejects.toThrow()
  }, 60_000)

  /** A request whose body takes its time, as over a bad line. */
  function openSlowRequest(body: string) {
    const half = Math.floor(body.length / 2)
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    const request = openRequest(
      `${hub.url}/v1/auth/login`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    ).on('error', reject)
    return {
      async sendHalf() {
        request.write(body.slice(0, half))
        await new Promise((done) => setTimeout(done, 200))
      },
      sendRest() {
        request.end(body.slice(half))
        return promise
      },
    }
  }
})

describe('a Hub with a certificate, a collector and strict limits', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-certificate-'))
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const spans: string[] = []
  let collector: Server

  beforeAll(async () => {
    const made = spawnSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', key, '-out', certificate],
      ],
      { encoding: 'utf8' },
    )
    expect(made.stderr, made.stderr).not.toContain('rror')
    collector = createServer((request, response) => {
      let text = ''
      request.on('data', (part: Buffer) => (text += part.toString()))
      request.on('end', () => {
        spans.push(...[...text.matchAll(/"name":"([^"]+)"/g)].map(([, name = '']) => name))
        response.end('{}')
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as AddressInfo
    hub = await startWorkstationProcess(home, {
      program,
      arguments: ['--certificate', certificate, '--key', key],
      environment: {
        TRACSEQ_HUB_GUESSES_PER_MINUTE: '4',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      },
    })
  }, 120_000)
  afterAll(async () => {
    await hub.stop()
    collector.close()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  it('speaks HTTPS alone; what opened it before opens it now, and cookies stay on it', async () => {
    expect(hub.url).toMatch(/^https:/)
    expect((await ask('/v1/samples', { authorization: `Bearer ${admin.token}` })).status).toBe(200)
    const entered = await ask('/v1/auth/login', browser, administrator)
    expect(entered.cookie).toMatch(/HttpOnly; SameSite=Strict; Secure$/)
    await expect(fetch(`${hub.url.replace('https', 'http')}/health`)).rejects.toThrow()
    // Nobody's certificate but this one is taken for it.
    await expect(fetch(`${hub.url}/health`)).rejects.toThrow()
  })

  it('lets a workstation in over HTTPS when its machine trusts the certificate, and says so when it does not', async () => {
    const codeOf = async () => {
      const made = await ask('/v1/sync/create-enrolment-code', { authorization: `Bearer ${admin.token}` }, {})
      expect([made.status, made.body]).toEqual([200, expect.anything()])
      return z.object({ code: z.string() }).parse(made.body).code
    }
    const joinFrom = async (environment: Readonly<Record<string, string>>) => {
      const at = makeHome()
      const workstation = await startWorkstationProcess(at, { isEmpty: true, environment })
      try {
        const bench = createHttpClient(workstation.url, sync, null)
        const answer = await bench.join({ hubUrl: hub.url, code: await codeOf() }).then(
          () => 'joined',
          (error: unknown) => String(error),
        )
        return { answer, people: answer === 'joined' ? (await signInTo(workstation)).token : null }
      } finally {
        await workstation.stop()
        rmSync(at, { recursive: true, force: true })
      }
    }
    const stranger = await joinFrom({})
    expect(stranger.answer).toMatch(/does not trust its certificate \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
    // The machine's own list of authorities, as an administrator would extend it.
    const trusted = await joinFrom({ SSL_CERT_FILE: certificate })
    expect(trusted.answer).toBe('joined')
  }, 180_000)

  it('lets nobody try passwords fast, and says when to come again; work goes on', async () => {
    const guess = { email: administrator.email, password: 'seven-red-centrifuges' }
    const statuses: (number | undefined)[] = []
    for (let tries = 0; tries < 4; tries += 1) statuses.push((await ask('/v1/auth/login', {}, guess)).status)
    expect(statuses).toContain(429)
    const refused = await ask('/v1/auth/login', {}, administrator)
    expect(refused).toMatchObject({ status: 429, body: { code: 'TOO_MANY_REQUESTS' } })
    expect(Number(refused.retryAfter)).toBeGreaterThan(30)
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(60)
    // The codes by which workstations come in are secrets like any other.
    const enrolment = await ask('/v1/sync/enroll', {}, {})
    expect(enrolment).toMatchObject({ status: 429, body: { code: 'TOO_MANY_REQUESTS' } })
    expect(Number(enrolment.retryAfter)).toBeGreaterThan(30)
    expect((await ask('/v1/samples', { authorization: `Bearer ${admin.token}` })).status).toBe(200)
  })

  it('sends its traces, of the door and of the services', async () => {
    await expect
      .poll(() => spans, { timeout: 10_000 })
      .toEqual(expect.arrayContaining(['gateway samples.list', expect.stringMatching(/^samples\.list /)]))
  })

  interface Answered {
    readonly status: number | undefined
    readonly body: unknown
    readonly cookie: string
    readonly retryAfter: string | undefined
  }

  /** fetch cannot be told of a certificate. */
  function ask(path: string, headers: Record<string, string>, body?: object): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const options = {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        ca: readFileSync(certificate),
      }
      const request = openSafeRequest(`${hub.url}${path}`, options, (response) => {
        let text = ''
        response.on('data', (part: Buffer) => (text += part.toString()))
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            body: JSON.parse(text),
            cookie: response.headers['set-cookie']?.[0] ?? '',
            retryAfter: response.headers['retry-after'],
          }),
        )
      }).on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
})
