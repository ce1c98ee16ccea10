import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { signingKey } from './schema.ts'

const issuer = 'tracseq'
const algorithm = 'EdDSA'

/** What an access token says of its holder. */
const Claims = z.object({ sub: z.uuid(), sid: z.uuid(), lab: z.uuid(), exp: z.number() })

export interface TokenHolder {
  readonly userId: string
  readonly sessionId: string
  readonly laboratoryId: string
}

interface KeyPair {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** By home: one process may hold several workstations, each with a key of its own. */
const keys = new Map<string, KeyPair>()

/** Takes up this workstation's signing key, or makes one: after a first start, and after a loss of the database. */
export async function openSigningKey(scope: OrchestrationScope): Promise<void> {
  const stored = await scope.asOwner(async (tx) => {
    const fresh = generateKeyPairSync('ed25519')
    const id = createHash('sha256')
      .update(fresh.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    const privateKey = fresh.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const [existing] = await tx.select().from(signingKey).orderBy(signingKey.createdAt).limit(1)
    if (existing !== undefined) return existing
    const [made] = await tx.insert(signingKey).values({ id, privateKey, createdAt: scope.now }).returning()
    return made
  })
  if (stored === undefined) throw new Error('This workstation has no key to sign its sessions with')
  const privateKey = createPrivateKey(stored.privateKey)
  keys.set(scope.home, { id: stored.id, privateKey, publicKey: createPublicKey(privateKey) })
}

interface Issuer {
  readonly home: string
  readonly workstation: { readonly id: string }
}

/** Signs a token for a session. Its audience is this workstation, so it opens no other one and no Hub. */
export async function signAccessToken(
  scope: Issuer,
  holder: TokenHolder,
  expiresAt: string,
): Promise<string> {
  const key = keyOf(scope)
  return new SignJWT({ sid: holder.sessionId, lab: holder.laboratoryId })
    .setProtectedHeader({ alg: algorithm, kid: key.id })
    .setIssuer(issuer)
    .setSubject(holder.userId)
    .setAudience(scope.workstation.id)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.parse(expiresAt) / 1_000))
    .sign(key.privateKey)
}

/**
 * Who a token names, or null when it is not ours, not for this workstation, altered or expired. Whether the session
 * still lives is for its row to say.
 */
export async function verifyAccessToken(scope: Issuer, token: string): Promise<TokenHolder | null> {
  try {
    const { payload } = await jwtVerify(token, keyOf(scope).publicKey, {
      issuer,
      audience: scope.workstation.id,
      algorithms: [algorithm],
      requiredClaims: ['exp', 'sub'],
    })
    const { sub, sid, lab } = Claims.parse(payload)
    return { userId: sub, sessionId: sid, laboratoryId: lab }
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return null
    throw error
  }
}

function keyOf({ home }: Issuer): KeyPair {
  const key = keys.get(home)
  if (key === undefined) throw new Error('The signing key is taken up when the service opens')
  return key
}
