import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Actor } from '../platform/contract/envelope.ts'
import { createFileStore, secretsFolder } from '../platform/journal/secret-store.ts'
import { operatorPermission } from './contract.ts'
import { NO_LABORATORY } from './log/log-schema.ts'

const tokenName = 'operator'
export const operatorId = 'operator'

/** Who operates the Hub: nobody's colleague, in no laboratory. */
const operator: Actor = {
  userId: operatorId,
  name: 'Operator of the Hub',
  sessionId: null,
  laboratoryId: NO_LABORATORY,
  permissions: [operatorPermission],
  service: null,
}

/** The operator's token, made at first use: a file in the Hub's home that only the Hub's own user can read. */
export function openOperatorToken(home: string): string {
  const secrets = createFileStore(secretsFolder(home))
  const kept = secrets.read(tokenName)
  if (kept !== null) return kept
  const made = randomBytes(32).toString('base64url')
  secrets.write(tokenName, made)
  return made
}

/** Recognises the operator by the token; null for every other token. */
export function recogniseOperator(expected: string): (token: string) => Actor | null {
  const digest = hash(expected)
  return (token) => (timingSafeEqual(hash(token), digest) ? operator : null)
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
