import { existsSync, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'
const enoughBytes = 2 * 1024 ** 3

/**
 * Where tests keep databases: in memory where there is plenty, because a database is a thousand small files and most
 * of a test's time would go into writing them. What the disk really gets is the durability tests' business.
 */
export function folderForTests(): string {
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize >= enoughBytes ? memory : tmpdir()
}

/** A new folder of a test's own. */
export function makeTestFolder(prefix: string): string {
  return mkdtempSync(join(folderForTests(), prefix))
}
