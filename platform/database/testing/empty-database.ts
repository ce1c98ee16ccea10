import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openPglite } from '../pglite-engine.ts'
import { folderForTests } from './test-folder.ts'

/**
 * The directory of a database fresh from initdb, made once per machine and copied by every test: initdb takes three
 * seconds, a copy a tenth of one.
 */
export async function emptyDatabase(): Promise<string> {
  const directory = join(folderForTests(), 'tracseq-empty-pglite-0.5.14')
  if (existsSync(directory)) return directory
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  const engine = await openPglite({ directory: unfinished, template: null })
  await engine.close()
  try {
    renameSync(unfinished, directory)
  } catch (error) {
    // Another test process was faster; its directory is as good.
    if (!existsSync(directory)) throw error
    rmSync(unfinished, { recursive: true, force: true })
  }
  return directory
}
