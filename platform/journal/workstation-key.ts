import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { createFileStore, type SecretStore, secretsFolder } from './secret-store.ts'

/** What a signature is for. It is signed too, so that no answer to one question can be passed off as an answer to another. */
export type SigningPurpose =
  | 'journal-checkpoint'
  | 'hub-challenge'
  | 'hub-identity'
  | 'hub-countersignature'
  | 'enrolment'
  | 'push'
  | 'sealing-key'
  | 'bundle'

export interface WorkstationKey {
  /** SPKI, DER, base64. */
  readonly publicKey: string
  /** SHA-256 of the public key's DER bytes, hex. */
  readonly fingerprint: string
  /** Ed25519 signature, base64. */
  readonly sign: (purpose: SigningPurpose, data: Uint8Array) => string
}

/** The name under which a secret store keeps the private key. */
const keyName = 'workstation'

/** The private key's path inside a home whose secrets are plain files. */
export function workstationKeyPath(home: string): string {
  return join(secretsFolder(home), `${keyName}.pem`)
}

/**
 * Reads the workstation's Ed25519 private key (PEM), or makes it at first start. One that is there but unreadable is an
 * error: a new key would hide that the old one is lost.
 */
export function readPrivateKey(secrets: SecretStore): string {
  const known = secrets.read(keyName)
  if (known !== null) return known
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  secrets.write(keyName, pem)
  return pem
}

/** The key that a PEM text holds. Throws for any text that is no Ed25519 key. */
export function workstationKeyFrom(pem: string): WorkstationKey {
  return keyFrom(createPrivateKey(pem))
}

/** Takes up the workstation's key, made at first start, of a home whose secrets are plain files. */
export function openWorkstationKey(home: string): WorkstationKey {
  return workstationKeyFrom(readPrivateKey(createFileStore(secretsFolder(home))))
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

function keyFrom(privateKey: KeyObject): WorkstationKey {
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new Error(
      `The workstation's key is of type ${privateKey.asymmetricKeyType ?? 'unknown'}; Ed25519 is needed`,
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
