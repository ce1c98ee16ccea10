import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { readVersion } from '../../main/workstation.ts'
import { listSnapshots, readSnapshotHeader, SnapshotDamaged } from '../../platform/database/snapshot-file.ts'
import { verifyJournal } from '../../platform/journal/verify-journal.ts'
import {
  type BackupManifest,
  claimEmptyFolder,
  copyDurably,
  fingerprint,
  makeDurable,
  manifestName,
} from './backup-files.ts'
import { type Command, type CommandContext, CommandRefused, required } from './command.ts'
import { isHome } from './home-access.ts'

/**
 * Journal and snapshots are everything: a database is made anew from both. So no database is opened and TracSeq may go
 * on meanwhile; the journal is copied last, so that it is never behind a snapshot.
 */
export const backup: Command = {
  name: 'backup',
  parameters: '--to FOLDER',
  summary: 'copies journal, snapshots, files and device settings into a new folder; TracSeq may be running',
  options: ['to'],
  async run(context) {
    const { home, root, say } = context
    const to = resolve(required(context, 'to', '/media/backup/tracseq-monday'))
    if (!isHome(home)) throw new CommandRefused(`${home} is no TracSeq home.`)
    claimEmptyFolder(to)
    const paths = [
      ...(await copySnapshots(home, to, say)),
      ...(await copyFiles(home, to, say)),
      ...(await copyIfThere(home, to, 'devices.json')),
    ]
    const journal = await copyJournal(home, to)
    const files: BackupManifest['files'] = []
    for (const path of [...paths, 'journal.sqlite']) {
      files.push({ path, ...(await fingerprint(join(to, path))) })
    }
    const manifest: BackupManifest = {
      format: 1,
      program: readVersion(root),
      takenAt: new Date().toISOString(),
      workstation: workstationOf(home),
      journal,
      files,
    }
    writeFileSync(join(to, manifestName), `${JSON.stringify(manifest, null, 2)}\n`)
    await makeDurable(join(to, manifestName))
    say(
      `The backup is in ${to}: a whole journal of ${journal.entries} entries and ${files.length - 1} other files.`,
    )
    say(
      'Left out: passwords, PINs, sessions and keys (secrets leave no workstation), databases (made anew), logs.',
    )
    return 0
  },
}

async function copySnapshots(
  home: string,
  to: string,
  say: CommandContext['say'],
): Promise<readonly string[]> {
  const folder = join(home, 'snapshots')
  if (!existsSync(folder)) return []
  const copied: string[] = []
  for (const domain of readdirSync(folder)) {
    for (const { sequence, path } of listSnapshots(join(folder, domain))) {
      const name = `snapshots/${domain}/${sequence}.snapshot`
      try {
        await copyDurably(path, join(to, name))
        await readSnapshotHeader(join(to, name))
        copied.push(name)
        break
      } catch (error) {
        // A running TracSeq may have dropped it meanwhile; a damaged one helps nobody. An older one will do.
        if (!(error instanceof SnapshotDamaged) && !isMissing(error)) throw error
        rmSync(join(to, name), { force: true })
        say(`The snapshot ${path} was passed over: it is damaged or was just replaced.`)
      }
    }
  }
  return copied
}

async function copyFiles(home: string, to: string, say: CommandContext['say']): Promise<readonly string[]> {
  const folder = join(home, 'files')
  if (!existsSync(folder)) return []
  const copied: string[] = []
  for (const name of readdirSync(folder).filter((each) => /^[0-9a-f]{64}$/.test(each))) {
    await copyDurably(join(folder, name), join(to, 'files', name))
    const { sha256 } = await fingerprint(join(to, 'files', name))
    if (sha256 !== name)
      say(`The file ${name} is damaged: its content has another hash. It was copied as it is.`)
    copied.push(`files/${name}`)
  }
  return copied
}

async function copyIfThere(home: string, to: string, name: string): Promise<readonly string[]> {
  if (!existsSync(join(home, name))) return []
  await copyDurably(join(home, name), join(to, name))
  return [name]
}

/** SQLite's own online backup: a plain copy would miss the log, and could be torn. */
async function copyJournal(home: string, to: string): Promise<BackupManifest['journal']> {
  const source = join(home, 'journal.sqlite')
  const target = join(to, 'journal.sqlite')
  if (!existsSync(source))
    throw new CommandRefused(`${home} has no journal. Start TracSeq once: it makes a new one.`)
  const connection = new Database(source, { readonly: true, fileMustExist: true })
  try {
    await connection.backup(target)
  } finally {
    connection.close()
  }
  const copy = new Database(target)
  // One file without a log beside it, so that it can be carried around and put on a read-only disk.
  copy.pragma('journal_mode = DELETE')
  copy.close()
  await makeDurable(target)
  const { status, entries, headHash, problems } = verifyJournal(target)
  if (status !== 'whole') {
    throw new CommandRefused(`The journal is not whole, so this is no backup: ${problems[0] ?? status}`)
  }
  return { entries, headHash }
}

function workstationOf(home: string): string {
  const path = join(home, 'workstation.json')
  if (!existsSync(path)) return ''
  return z.object({ name: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).name
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
