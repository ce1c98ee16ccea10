import { hkdfSync, randomBytes } from 'node:crypto'
import { type SecretStore, SecretUnreadable } from '../journal/secret-store.ts'
import type { Log } from './log.ts'

const masterName = 'domain-keys'
const keyBytes = 32

/**
 * Gives each domain a key of its own, with which it seals what must not lie open in its database or in a copy of it. All
 * come from one secret of the host's secret store, made at first use.
 */
export function createDomainKeys(secrets: SecretStore, log: Log): (domain: string) => Buffer {
  let master: Buffer | null = null
  return (domain) => {
    master ??= openMaster(secrets, log)
    return Buffer.from(hkdfSync('sha256', master, '', `tracseq domain ${domain}`, keyBytes))
  }
}

/**
 * A secret that another user or computer has sealed is no reason to lock everybody out: until the next start another one
 * does, and what the domains had sealed is made anew.
 */
function openMaster(secrets: SecretStore, log: Log): Buffer {
  try {
    const kept = secrets.read(masterName)
    if (kept !== null) return Buffer.from(kept, 'base64')
    const made = randomBytes(keyBytes)
    secrets.write(masterName, made.toString('base64'))
    return made
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error
    log.write(
      'warn',
      'The key that seals secrets of the domains cannot be opened: one for this start takes its place',
      {
        why: error.message,
      },
    )
    return randomBytes(keyBytes)
  }
}
