import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const beside = resolve(import.meta.dirname, '../../../shared/fixtures')
const chosen = process.env['TRACSEQ_FIXTURES']

/**
 * Whether there are real files from other laboratories to test with. They lie outside of this repository. Where they are,
 * or where somebody says that they are, each of them has to be there: a missing one fails its tests.
 */
export const hasFixtures = chosen !== undefined || existsSync(beside)

export function fixturePath(inside: string): string {
  return join(chosen ?? beside, inside)
}
