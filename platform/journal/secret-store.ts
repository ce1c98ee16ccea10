import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder, writeWhole } from './durable-files.ts'

/** Keeps the secrets of a workstation that are no database's, each as a text under a name. */
export interface SecretStore {
  /** How they are kept, as it stands in the log. */
  readonly kept: string
  /** Null when there is none. Throws {@link SecretUnreadable} for one that is there and cannot be opened here. */
  read(name: string): string | null
  write(name: string, secret: string): void
}

/** A secret that was sealed for another program, user or computer. */
export class SecretUnreadable extends Error {
  override readonly name = 'SecretUnreadable'
}

/** Seals texts so that only this user on this computer can open them; throws for what it cannot open. */
export interface Cipher {
  readonly seal: (text: string) => Uint8Array
  readonly open: (sealed: Uint8Array) => string
}

/** The folder of a home in which a store keeps its files. */
export function secretsFolder(home: string): string {
  return join(home, 'keys')
}

/** Plain files that only this user can read (0600 in a folder 0700): for programs without a key ring. */
export function createFileStore(folder: string): SecretStore {
  return {
    kept: `in a file that only this user can read, ${folder}`,
    read(name) {
      const path = plainPath(folder, name)
      if (existsSync(path)) return readPlain(path)
      if (!existsSync(sealedPath(folder, name))) return null
      throw new SecretUnreadable(
        `${sealedPath(folder, name)} is sealed by the key ring of the desktop app, and this program has none`,
      )
    },
    write: (name, secret) => writeDurably(folder, plainPath(folder, name), Buffer.from(secret, 'utf8')),
  }
}

/** Files that a cipher has sealed. A plain file from before is sealed when it is first read, and then removed. */
export function createSealedStore(folder: string, cipher: Cipher): SecretStore {
  function write(name: string, secret: string): void {
    const sealed = cipher.seal(secret)
    // A plain file is only given up for one that opens again.
    if (cipher.open(sealed) !== secret) throw new SecretUnreadable(`The key ring gave ${name} back changed`)
    writeDurably(folder, sealedPath(folder, name), sealed)
    rmSync(plainPath(folder, name), { force: true })
    syncFolder(folder)
  }
  return {
    kept: `sealed by the key ring of this computer, in ${folder}`,
    read(name) {
      const path = sealedPath(folder, name)
      const plain = plainPath(folder, name)
      if (existsSync(path)) {
        const secret = unseal(cipher, path)
        // A power cut may have come between sealing and removing.
        if (existsSync(plain) && readPlain(plain) === secret) rmSync(plain)
        return secret
      }
      if (!existsSync(plain)) return null
      const secret = readPlain(plain)
      write(name, secret)
      return secret
    },
    write,
  }
}

function plainPath(folder: string, name: string): string {
  return join(folder, `${name}.pem`)
}

function sealedPath(folder: string, name: string): string {
  return join(folder, `${name}.sealed`)
}

function readPlain(path: string): string {
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  return readFileSync(path, 'utf8')
}

function unseal(cipher: Cipher, path: string): string {
  try {
    return cipher.open(readFileSync(path))
  } catch (error) {
    throw new SecretUnreadable(
      `${path} was sealed by another user or on another computer, and its key ring does not open it here. ` +
        'Move the file away, and a new key is made at the next start; what the old one signed stays valid.',
      { cause: error },
    )
  }
}

function writeDurably(folder: string, path: string, content: Uint8Array): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeWhole(path, content)
}
