import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { CallScope, OrchestrationScope } from '../../platform/service/scopes.ts'
import { keyThatSigns, keyThatVerifies, signingAlgorithm } from './signing-keys.ts'

const issuer = 'tracseq'

/** What an access token says of its holder. */
const Claims = z.object({ sub: z.uuid(), sid: z.uuid(), lab: z.uuid(), exp: z.number() })

export interface TokenHolder {
  readonly userId: string
  readonly sessionId: string
  readonly laboratoryId: string
}

/** Signs a token for a session. Its audience is this host alone: a workstation's token opens no other one and no Hub. */
export async function signAccessToken(
  scope: OrchestrationScope,
  holder: TokenHolder,
  expiresAt: string,
): Promise<string> {
  const key = await keyThatSigns(scope)
  return new SignJWT({ sid: holder.sessionId, lab: holder.laboratoryId })
    .setProtectedHeader({ alg: signingAlgorithm, kid: key.id })
    .setIssuer(issuer)
    .setSubject(holder.userId)
    .setAudience(scope.workstation.id)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.parse(expiresAt) / 1_000))
    .sign(key.privateKey)
}

/**
 * Who a token names, or null when it is not ours, not for this host, altered, expired, or signed by a key whose time is
 * over. Whether the session still lives is for its row to say.
 */
export async function verifyAccessToken(
  scope: Pick<CallScope, 'home' | 'workstation' | 'now'>,
  token: string,
): Promise<TokenHolder | null> {
  try {
    const { payload } = await jwtVerify(token, ({ kid }) => verifyingKey(scope, kid), {
      issuer,
      audience: scope.workstation.id,
      algorithms: [signingAlgorithm],
      requiredClaims: ['exp', 'sub'],
    })
    const { sub, sid, lab } = Claims.parse(payload)
    return { userId: sub, sessionId: sid, laboratoryId: lab }
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return null
    throw error
  }
}

function verifyingKey({ home, now }: Pick<CallScope, 'home' | 'now'>, kid: string | undefined) {
  const key = kid === undefined ? null : keyThatVerifies(home, kid, now)
  if (key === null) throw new errors.JWKSNoMatchingKey()
  return key
}
