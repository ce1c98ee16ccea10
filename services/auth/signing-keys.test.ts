import { generateKeyPairSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { secretsFolder } from '../../platform/journal/secret-store.ts'
import { isKeyDue, keySignsMs, verifiesUntil } from './domain/key-rotation.ts'
import { createSeal } from './seal.ts'
import { administrator, type AuthBench, openAuthBench, readSigningKeys } from './testing/auth-bench.ts'

let open: AuthBench
beforeAll(async () => {
  open = await openAuthBench()
})
afterAll(() => open.bench.close())
afterEach(() => vi.useRealTimers())

const hour = 60 * 60_000

function setClock(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: milliseconds })
}

async function signIn() {
  const { accessToken } = await open.auth.login(administrator)
  return { accessToken, kid: decodeProtectedHeader(accessToken).kid }
}

async function stateOf(accessToken: string): Promise<string> {
  return (await open.auth.resolveSession({ accessToken })).state
}

async function kidsOfKeySet(): Promise<readonly string[]> {
  return (await open.auth.publicKeys()).keys.map(({ kid }) => kid)
}

describe('the key that signs', () => {
  it('lies sealed in the database and nowhere else', async () => {
    const [key] = await readSigningKeys(open.bench)
    expect(key?.stored).toMatch(/^sealed:1:/)
    expect(key?.stored).not.toContain('PRIVATE KEY')
  })

  it('verifies by the key set, which holds nothing private', async () => {
    const { accessToken, kid } = await signIn()
    const keySet = await open.auth.publicKeys()
    expect(keySet.keys).toMatchObject([{ kid, kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }])
    expect(JSON.stringify(keySet)).not.toContain('"d"')
    const { payload } = await jwtVerify(accessToken, createLocalJWKSet(keySet), { audience: 'test-bench' })
    expect(payload.iss).toBe('tracseq')
  })

  it('of an earlier version, which lay open, is sealed at the next start and goes on', async () => {
    const { accessToken, kid } = await signIn()
    const [key] = await readSigningKeys(open.bench)
    const plain = key?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await open.bench
      .database('auth')
      .asOwner((tx) => tx.execute(sql`update signing_key set private_key = ${plain} where id = ${kid}`))
    await open.bench.restart()
    expect(await stateOf(accessToken)).toBe('live')
    expect((await readSigningKeys(open.bench))[0]?.stored).toMatch(/^sealed:1:/)
  })
})

describe('a new key', () => {
  it('signs at once; what the old one signed holds until it expires, also over a restart', async () => {
    const before = await signIn()
    const { kid } = await open.auth.rotateSigningKey({})
    const after = await signIn()
    expect(after.kid).toBe(kid)
    expect(before.kid).not.toBe(kid)
    expect(await kidsOfKeySet()).toEqual([kid, before.kid])
    expect([await stateOf(before.accessToken), await stateOf(after.accessToken)]).toEqual(['live', 'live'])
    await open.bench.restart()
    expect(await stateOf(before.accessToken)).toBe('live')
    expect((await signIn()).kid).toBe(kid)

    setClock(Date.now() + 8 * hour + 1_000)
    expect(await kidsOfKeySet()).toEqual([kid])
    await open.bench.restart()
    expect((await readSigningKeys(open.bench)).map(({ id }) => id)).toEqual([kid])
  })

  it('comes by itself when the one before has signed for ninety days', async () => {
    const before = await signIn()
    setClock(Date.now() + keySignsMs + 1_000)
    const after = await signIn()
    expect(after.kid).not.toBe(before.kid)
    expect((await signIn()).kid).toBe(after.kid)
  })

  it('is one, when many sign in at the moment it is due', async () => {
    setClock(Date.now() + 2 * keySignsMs)
    const kids = await Promise.all([1, 2, 3, 4].map(async () => (await signIn()).kid))
    expect(new Set(kids).size).toBe(1)
  })

  it('takes the place of one that does not open here; nobody is locked out for good', async () => {
    const before = await signIn()
    rmSync(secretsFolder(open.bench.home), { recursive: true })
    await open.bench.restart()
    expect(await stateOf(before.accessToken)).toBe('none')
    const { accessToken } = await signIn()
    expect(await stateOf(accessToken)).toBe('live')
  })
})

it('a retired key verifies for as long as the longest session that began with it', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }), (retired) => {
      const until = Date.parse(verifiesUntil(retired.toISOString()))
      expect(until - retired.getTime()).toBe(8 * hour)
      expect(isKeyDue(retired.toISOString(), new Date(retired.getTime() + keySignsMs).toISOString())).toBe(
        true,
      )
      expect(isKeyDue(retired.toISOString(), retired.toISOString())).toBe(false)
    }),
  )
})

describe('a seal', () => {
  const key = Buffer.alloc(32, 7)

  it('gives back what it sealed, in its place and by its key alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, place) => {
        const sealed = createSeal(key).seal(text, place)
        expect(createSeal(key).open(sealed, place)).toBe(text)
        expect(createSeal(key).open(sealed, `${place}x`)).toBeNull()
        expect(createSeal(Buffer.alloc(32, 8)).open(sealed, place)).toBeNull()
      }),
    )
  })

  it('does not open what was changed', () => {
    const sealed = createSeal(key).seal('a secret', 'here')
    for (let at = 'sealed:1:'.length; at < sealed.length - 1; at += 1) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
      expect(createSeal(key).open(changed, 'here')).toBeNull()
    }
    expect(createSeal(key).open('sealed:1:short', 'here')).toBeNull()
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(createSeal(key).open(pem, 'here')).toBeNull()
  })
})
