import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import type { SecretStore } from '../journal/secret-store.ts'
import { verifySignature, type WorkstationKey } from '../journal/workstation-key.ts'

/*
 * The key for which bundles are sealed: X25519, beside the Ed25519 key that signs. Whoever has it says so by a statement
 * that is signed by the other one, so it may travel by any way.
 */

/** The name under which a secret store keeps the private key. */
const keyName = 'sealing'

const base64 = z.string().regex(/^[A-Za-z0-9+/]{1,400}={0,2}$/, 'must be base64')

/** A public sealing key (SPKI, DER, base64), signed by the key of whoever can open what is sealed for it. */
export const SealingStatement = z.strictObject({ publicKey: base64, signature: base64 })
export type SealingStatement = z.output<typeof SealingStatement>

/** The private sealing key of this home, made at its first use. Throws for one that is there and cannot be read. */
export function openSealingKey(secrets: SecretStore): KeyObject {
  const known = secrets.read(keyName)
  if (known !== null) return requireX25519(createPrivateKey(known))
  const { privateKey } = generateKeyPairSync('x25519')
  secrets.write(keyName, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  return privateKey
}

/** Says for which key bundles to this home are sealed. */
export function stateSealingKey(privateKey: KeyObject, key: WorkstationKey): SealingStatement {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { publicKey: spki.toString('base64'), signature: key.sign('sealing-key', spki) }
}

/** True when the statement is of whoever has the Ed25519 key, and about a key that can be sealed for. */
export function verifySealingStatement(statement: SealingStatement, signer: string): boolean {
  try {
    sealingKeyFrom(statement.publicKey)
  } catch {
    // What is no such key cannot be sealed for, whoever signed it.
    return false
  }
  return verifySignature({
    publicKey: signer,
    purpose: 'sealing-key',
    data: Buffer.from(statement.publicKey, 'base64'),
    signature: statement.signature,
  })
}

/** The public key that a statement holds. Throws for any text that is no X25519 key. */
export function sealingKeyFrom(publicKey: string): KeyObject {
  return requireX25519(
    createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' }),
  )
}

function requireX25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType === 'x25519') return key
  throw new Error(`The sealing key is of type ${key.asymmetricKeyType ?? 'unknown'}; X25519 is needed`)
}
