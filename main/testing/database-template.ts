import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const target = join(root, 'build', 'database-template')
const lock = `${target}.making`
const makingTakesAtMostMs = 120_000

/**
 * Makes the prepared database when it is not there yet, so that no test waits for initdb once per domain. Several test
 * processes may ask at once; one of them makes it.
 */
export async function prepareDatabaseTemplate(): Promise<void> {
  const until = Date.now() + makingTakesAtMostMs
  while (!existsSync(target)) {
    if (takeLock()) {
      try {
        make()
      } finally {
        rmdirSync(lock)
      }
    } else if (Date.now() > until) {
      throw new Error(`${lock} is in the way: nobody has made the database template meanwhile`)
    } else {
      await new Promise((wake) => setTimeout(wake, 200))
    }
  }
}

/** A directory is made once only; one left by a run that was killed is too old to be anybody's. */
function takeLock(): boolean {
  mkdirSync(join(root, 'build'), { recursive: true })
  try {
    mkdirSync(lock)
    return true
  } catch {
    const madeAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - madeAt > makingTakesAtMostMs) rmdirSync(lock)
    return false
  }
}

function make(): void {
  if (existsSync(target)) return
  const made = spawnSync(process.execPath, [join(root, 'tools/make-database-template.ts')], {
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`The database template could not be made:\n${made.stderr}`)
}
