import { createHash, randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. `algorithm` 2 is argon2id; its enum is types only. */
const cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** A salted argon2id hash of a password or PIN, for storing. */
export function hashSecret(secret: string): Promise<string> {
  return hash(secret.normalize('NFKC'), cost)
}

/** Whether a secret is the one that was hashed. Without a hash it takes as long and is always wrong. */
export async function isSecret(stored: string | null, secret: string): Promise<boolean> {
  decoy ??= hashSecret(randomBytes(32).toString('base64'))
  const right = await verify(stored ?? (await decoy), secret.normalize('NFKC'))
  return right && stored !== null
}

/** What an unknown person's password is compared with. */
let decoy: Promise<string> | null = null

/** A token nobody can guess, and the form in which it is kept. */
export function drawRefreshToken(): { readonly token: string; readonly tokenHash: string } {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenHash: hashRefreshToken(token) }
}

/** A plain hash is enough for 256 random bits. */
export function hashRefreshToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
