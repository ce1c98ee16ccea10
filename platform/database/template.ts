import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Migration } from './migrate.ts'

/** A file inside of a prepared database that says which migrations it was made with. */
export const templateMark = 'tracseq-template'

/** What a prepared database was made with. */
export function stampOf(migrations: readonly Migration[]): string {
  return migrations.map(({ name, sha256 }) => `${name} ${sha256}`).join('\n')
}

/** The prepared database in a folder, or null when there is none or it was made by another version. */
export function findTemplate(folder: string, migrations: readonly Migration[]): string | null {
  const mark = join(folder, templateMark)
  return existsSync(mark) && readFileSync(mark, 'utf8') === stampOf(migrations) ? folder : null
}
