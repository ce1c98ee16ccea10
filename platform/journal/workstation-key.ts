import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** What a signature is for. It is signed too, so that no answer to one question can be passed off as an answer to another. */
export type SigningPurpose = 'journal-checkpoint' | 'hub-challenge' | 'hub-countersignature'

export interface WorkstationKey {
  /** SPKI, DER, base64. */
  readonly publicKey: string
  /** SHA-256 of the public key's DER bytes, hex. */
  readonly fingerprint: string
  /** Ed25519 signature, base64. */
  readonly sign: (purpose: SigningPurpose, data: Uint8Array) => string
}

/** The private key's path inside a home. */
export function workstationKeyPath(home: string): string {
  return join(home, 'keys', 'workstation.pem')
}

/**
 * Reads the workstation's Ed25519 key, or makes it at first start (PEM, file 0600 in a folder 0700).
 * A key file that is there but unreadable is an error: a new key would hide that the old one is lost.
 */
export function openWorkstationKey(home: string): WorkstationKey {
  const path = workstationKeyPath(home)
  if (!existsSync(path)) writeNewKey(path)
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  return keyFrom(createPrivateKey(readFileSync(path, 'utf8')), path)
}

/** The public half only, without making a key; null when the home has none. */
export function readWorkstationFingerprint(home: string): string | null {
  const path = workstationKeyPath(home)
  return existsSync(path) ? keyFrom(createPrivateKey(readFileSync(path, 'utf8')), path).fingerprint : null
}

/** True when the signature over this purpose and data was made by the key. Malformed keys and signatures are just false. */
export function verifySignature(claim: {
  readonly publicKey: string
  readonly purpose: SigningPurpose
  readonly data: Uint8Array
  readonly signature: string
}): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(claim.publicKey, 'base64'), format: 'der', type: 'spki' })
    return verifyBytes(
      null,
      signedBytes(claim.purpose, claim.data),
      key,
      Buffer.from(claim.signature, 'base64'),
    )
  } catch {
    // A key that cannot be read has signed nothing; the caller reports it like any other bad signature.
    return false
  }
}

/** SHA-256 of a public key given as base64 SPKI, hex. */
export function fingerprintOf(publicKey: string): string {
  return hash('sha256', Buffer.from(publicKey, 'base64'), 'hex')
}

function keyFrom(privateKey: KeyObject, path: string): WorkstationKey {
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new Error(
      `${path} holds a key of type ${privateKey.asymmetricKeyType ?? 'unknown'}; Ed25519 is needed`,
    )
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64')
  return {
    publicKey,
    fingerprint: fingerprintOf(publicKey),
    sign: (purpose, data) => signBytes(null, signedBytes(purpose, data), privateKey).toString('base64'),
  }
}

function signedBytes(purpose: SigningPurpose, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`tracseq ${purpose}\0`, 'utf8'), data])
}

function writeNewKey(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })
  const unfinished = `${path}.new`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    writeSync(file, String(pem))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
}
