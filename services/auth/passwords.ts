import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../../platform/contract/refusal.ts'
import { findWeakness } from './domain/password-rules.ts'

let common: Promise<ReadonlySet<string>> | null = null

/** Refuses a password that many people use, or that can be guessed from who or where somebody is. */
export async function refuseCommonPassword(
  scope: { readonly resources: string },
  password: string,
  personal: readonly string[],
): Promise<void> {
  common ??= readCommonPasswords(scope.resources)
  const weakness = findWeakness(password, await common, personal)
  if (weakness !== null) throw new Refusal('PASSWORD_TOO_COMMON', weakness)
}

async function readCommonPasswords(resources: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(resources, 'common-passwords.txt'), 'utf8')
  return new Set(text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#')))
}
