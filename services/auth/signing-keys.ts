import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { eq, isNull, lt } from 'drizzle-orm'
import { exportJWK } from 'jose'
import { system } from '../../platform/gateway/contract.ts'
import type { Transaction } from '../../platform/database/transaction.ts'
import { toInstantOrNull } from '../../platform/database/paging.ts'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { isKeyDue, verifiesUntil } from './domain/key-rotation.ts'
import { signingKey } from './schema.ts'
import { createSeal, isSealed, type Seal } from './seal.ts'

export const signingAlgorithm = 'EdDSA'

interface SigningKey {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly createdAt: string
  readonly retiredAt: string | null
}

interface Keyring {
  readonly seal: Seal
  /** Newest first: the first that is not retired signs. */
  keys: readonly SigningKey[]
  turning: Promise<SigningKey> | null
}

/** By home: one process may hold several workstations, each with keys of its own. */
const keyrings = new Map<string, Keyring>()

/** Takes up the keys that sign access tokens, or makes the first; afterwards none of them lies open in the database. */
export async function openSigningKeys(scope: OrchestrationScope): Promise<void> {
  const { key } = await scope.service('system', system).domainKey()
  const ring: Keyring = { seal: createSeal(Buffer.from(key, 'base64')), keys: [], turning: null }
  ring.keys = await scope.asOwner(async (tx) => {
    await forgetExpired(tx, scope.now)
    await sealPlainKeys(tx, ring.seal)
    return readKeys(tx, ring.seal)
  })
  keyrings.set(scope.home, ring)
  await keyThatSigns(scope)
}

/** The key that signs now. One that has signed for its time is followed by a new one first. */
export async function keyThatSigns(scope: OrchestrationScope): Promise<SigningKey> {
  const current = ringOf(scope.home).keys.find(({ retiredAt }) => retiredAt === null)
  if (current === undefined || isKeyDue(current.createdAt, scope.now)) return rotateSigningKey(scope)
  return current
}

/** Makes a new key that signs from now on. The others verify what they have signed until that has expired. */
export function rotateSigningKey(scope: OrchestrationScope): Promise<SigningKey> {
  const ring = ringOf(scope.home)
  ring.turning ??= turn(scope, ring).finally(() => {
    ring.turning = null
  })
  return ring.turning
}

/** The public key of this id; null when there is none, or when all it signed has expired. */
export function keyThatVerifies(home: string, id: string, now: string): KeyObject | null {
  return verifyingKeys(home, now).find((key) => key.id === id)?.publicKey ?? null
}

/** The public keys as a JSON Web Key Set, for whoever wants to verify a token. */
export async function readKeySet(home: string, now: string) {
  const keys = verifyingKeys(home, now).map(async ({ id, publicKey }) => {
    const { kty = '', crv = '', x = '' } = await exportJWK(publicKey)
    return { kty, crv, x, kid: id, use: 'sig', alg: signingAlgorithm }
  })
  return { keys: await Promise.all(keys) }
}

function verifyingKeys(home: string, now: string): readonly SigningKey[] {
  return ringOf(home).keys.filter(({ retiredAt }) => retiredAt === null || now < verifiesUntil(retiredAt))
}

async function turn(scope: OrchestrationScope, ring: Keyring): Promise<SigningKey> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const made = { id, privateKey: ring.seal.seal(pem, id), createdAt: scope.now, retiredAt: null }
  ring.keys = await scope.asOwner(async (tx) => {
    await tx.update(signingKey).set({ retiredAt: scope.now }).where(isNull(signingKey.retiredAt))
    await tx.insert(signingKey).values(made)
    await forgetExpired(tx, scope.now)
    return readKeys(tx, ring.seal)
  })
  const [current] = ring.keys
  if (current?.id !== id) throw new Error('The new key to sign sessions with was not stored')
  return current
}

/** Keys whose every token has expired verify nothing any more. */
async function forgetExpired(tx: Transaction, now: string): Promise<void> {
  const retired = await tx.select().from(signingKey).where(lt(signingKey.retiredAt, now))
  for (const { id, retiredAt } of retired) {
    const at = toInstantOrNull(retiredAt)
    if (at !== null && verifiesUntil(at) <= now) await tx.delete(signingKey).where(eq(signingKey.id, id))
  }
}

/** Earlier versions kept the key as it is. */
async function sealPlainKeys(tx: Transaction, seal: Seal): Promise<void> {
  for (const { id, privateKey } of await tx.select().from(signingKey)) {
    if (isSealed(privateKey)) continue
    await tx
      .update(signingKey)
      .set({ privateKey: seal.seal(privateKey, id) })
      .where(eq(signingKey.id, id))
  }
}

/** The keys that can be opened here. Others were sealed elsewhere: what they signed opens nothing here. */
async function readKeys(tx: Transaction, seal: Seal): Promise<readonly SigningKey[]> {
  const rows = await tx.select().from(signingKey)
  const keys = rows.flatMap(({ id, privateKey: sealed, createdAt, retiredAt }) => {
    const pem = seal.open(sealed, id)
    if (pem === null) return []
    const privateKey = createPrivateKey(pem)
    const at = toInstantOrNull(createdAt) ?? createdAt
    return [
      {
        id,
        privateKey,
        publicKey: createPublicKey(privateKey),
        createdAt: at,
        retiredAt: toInstantOrNull(retiredAt),
      },
    ]
  })
  return keys.toSorted(
    (left, right) =>
      Number(left.retiredAt !== null) - Number(right.retiredAt !== null) ||
      right.createdAt.localeCompare(left.createdAt),
  )
}

function ringOf(home: string): Keyring {
  const ring = keyrings.get(home)
  if (ring === undefined) throw new Error('The signing keys are taken up when the service opens')
  return ring
}
