import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openHome, type Home } from '../../platform/host/home.ts'
import { CommandRefused } from './command.ts'

/** A home that is only looked at. */
export interface ObservedHome {
  /** TracSeq has it open. */
  readonly running: boolean
  release(): void
}

/**
 * Finds out, without writing anything, whether TracSeq runs on a home; when it does not, it cannot start before
 * `release` is called.
 */
export function observeHome(home: string): ObservedHome {
  const path = join(home, 'lock.sqlite')
  if (!existsSync(path)) return { running: false, release: () => undefined }
  const lock = new Database(path, { readonly: true, fileMustExist: true, timeout: 0 })
  try {
    // A read transaction that stays open: the exclusive one that TracSeq begins with has to wait for it.
    lock.exec('BEGIN')
    lock.prepare('SELECT count(*) FROM sqlite_schema').get()
    return { running: false, release: () => lock.close() }
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      return { running: true, release: () => undefined }
    }
    throw error
  }
}

/** Takes a home for writing. Refuses a folder that is none, so that a typing error makes no new home. */
export function takeHome(home: string): Home {
  if (!isHome(home)) {
    throw new CommandRefused(`${home} is no TracSeq home: it has neither a journal nor databases.`)
  }
  return openHome(home)
}

/** Whether TracSeq has ever worked in a folder. */
export function isHome(home: string): boolean {
  return existsSync(join(home, 'journal.sqlite')) || existsSync(join(home, 'databases'))
}

/** The domains that have a database in a home. */
export function domainsIn(home: string): readonly string[] {
  const folder = join(home, 'databases')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^[a-z][a-z-]*$/.test(entry.name))
    .map((entry) => entry.name)
    .sort()
}
