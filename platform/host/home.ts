import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { writeWhole } from '../journal/durable-files.ts'

/** The data directory of one workstation, locked for this process. */
export interface Home {
  readonly path: string
  readonly workstation: { readonly id: string; readonly name: string }
  release(): void
}

/** A home that may not be used: another TracSeq has it, it is no folder, or it lies where a database cannot live. */
export class HomeUnusable extends Error {
  override readonly name = 'HomeUnusable'
  readonly code: 'IN_USE' | 'NO_FOLDER' | 'NETWORK_FOLDER' | 'SYNCED_FOLDER'

  constructor(code: HomeUnusable['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Where data live when nobody says otherwise. */
export function defaultHome(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['TRACSEQ_HOME']
  if (given !== undefined && given !== '') return resolve(given)
  switch (process.platform) {
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'TracSeq')
    case 'win32':
      return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'TracSeq')
    default:
      return join(environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'tracseq')
  }
}

const Workstation = z.object({ id: z.string().min(1), name: z.string().min(1) })

/** Makes the directory if need be, takes its lock and reads who this workstation is. */
export function openHome(path: string): Home {
  const home = resolve(path)
  refuseSyncedFolder(home)
  makeHomeFolder(home, 'databases')
  refuseNetworkFolder(home)
  const lock = takeLock(home)
  return { path: home, workstation: readWorkstation(home), release: () => lock.close() }
}

/** Makes a folder in a home, and the home itself. Throws {@link HomeUnusable} when the path is a file or may not be written. */
export function makeHomeFolder(home: string, name: string): void {
  try {
    mkdirSync(join(home, name), { recursive: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new HomeUnusable(
      'NO_FOLDER',
      `${home} cannot be used as TracSeq's folder (${why}). Choose another home, or put right what is in its way.`,
    )
  }
}

/**
 * An exclusive transaction on a SQLite file: the operating system gives it back at the very moment the process ends,
 * however it ends.
 */
function takeLock(home: string): Database.Database {
  const lock = new Database(join(home, 'lock.sqlite'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new HomeUnusable(
        'IN_USE',
        `TracSeq is already running on ${home}. Close it first, or choose another home.`,
      )
    }
    throw error
  }
  return lock
}

function readWorkstation(home: string): z.infer<typeof Workstation> {
  const file = join(home, 'workstation.json')
  if (existsSync(file)) return Workstation.parse(JSON.parse(readFileSync(file, 'utf8')))
  const workstation = { id: uuidv7(), name: `${hostname()}-${String(randomInt(100)).padStart(2, '0')}` }
  writeWhole(file, JSON.stringify(workstation, null, 2))
  return workstation
}

/** Magic numbers of network file systems (Linux `statfs`): NFS, SMB, CIFS, SMB2, AFS, 9P, FUSE over SSH is FUSE. */
const networkFileSystems = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f])

function refuseNetworkFolder(home: string): void {
  const onNetwork =
    process.platform === 'win32' ? home.startsWith('\\\\') : networkFileSystems.has(statfsSync(home).type)
  if (onNetwork) {
    throw new HomeUnusable(
      'NETWORK_FOLDER',
      `${home} lies on a network drive, where a power cut or another computer can damage the databases. Choose a folder on this computer's own disk.`,
    )
  }
}

function refuseSyncedFolder(home: string): void {
  const synced =
    /[\\/](OneDrive[^\\/]*|Dropbox|Google Drive|GoogleDrive|iCloud Drive|Mobile Documents|Nextcloud|ownCloud)([\\/]|$)/i.exec(
      home,
    )
  if (synced !== null) {
    throw new HomeUnusable(
      'SYNCED_FOLDER',
      `${home} lies in a folder that ${synced[1] ?? 'a cloud service'} copies while it is being written, which damages databases. Choose a folder outside of it.`,
    )
  }
}
