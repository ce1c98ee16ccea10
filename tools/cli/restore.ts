import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { openHome } from '../../platform/host/home.ts'
import { fsyncDirectory } from '../../platform/database/durable-node-fs.ts'
import { verifyJournal } from '../../platform/journal/verify-journal.ts'
import { HybridClock } from '../../platform/service/hybrid-clock.ts'
import { type BackupManifest, copyDurably, fingerprint, readManifest } from './backup-files.ts'
import { type Command, type CommandContext, CommandRefused, required } from './command.ts'
import { allDomains, openDomains } from './domain-access.ts'
import { secretsAreGone } from './rebuild.ts'

/**
 * Makes a home from a backup, beside its place, and moves it there when every database has come to life. It is a new
 * workstation: another identity, another key and another part in its codes, so that both may go on.
 */
export const restore: Command = {
  name: 'restore',
  parameters: '--from FOLDER',
  summary: 'makes a home that is not there yet from a backup, and proves it by making every database',
  options: ['from'],
  async run(context) {
    const { home, say } = context
    const from = resolve(required(context, 'from', '/media/backup/tracseq-monday'))
    if (existsSync(home) && readdirSync(home).length > 0) {
      throw new CommandRefused(`${home} is not empty. Choose another home, or move this one away first.`)
    }
    const manifest = await readManifest(from)
    await checkFiles(from, manifest)
    const unfinished = `${home}.restoring`
    rmSync(unfinished, { recursive: true, force: true })
    try {
      for (const { path } of manifest.files) await copyDurably(join(from, path), join(unfinished, path))
      const { status, problems } = verifyJournal(join(unfinished, 'journal.sqlite'))
      if (status !== 'whole')
        throw new CommandRefused(`The backup's journal is not whole: ${problems[0] ?? status}`)
      await bringToLife(unfinished, manifest, context)
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true })
      throw error
    }
    if (existsSync(home)) rmdirSync(home)
    renameSync(unfinished, home)
    fsyncDirectory(dirname(home))
    say(`${home} holds the backup of ${manifest.takenAt} (${manifest.workstation}), as a new workstation.`)
    say('What was done after that moment is not in it.')
    say(secretsAreGone)
    return 0
  },
}

async function checkFiles(from: string, manifest: BackupManifest): Promise<void> {
  for (const { path, sha256 } of manifest.files) {
    if (path.includes('..') || !existsSync(join(from, path))) {
      throw new CommandRefused(`The backup lacks ${path}. Nothing was restored.`)
    }
    if ((await fingerprint(join(from, path))).sha256 !== sha256) {
      throw new CommandRefused(`${path} of the backup is damaged. Nothing was restored.`)
    }
  }
}

async function bringToLife(path: string, manifest: BackupManifest, context: CommandContext): Promise<void> {
  const home = openHome(path)
  try {
    const domains = await openDomains(home, context.root)
    try {
      // What the lost home did after the backup is unknown here, so the chain itself says where it was cut.
      await domains.journal.startEpoch({
        reason: `Restored from the backup of ${manifest.takenAt}`,
        changeSetId: uuidv7(),
        correlationId: uuidv7(),
        actorId: 'terminal',
        workstationId: home.workstation.id,
        hybridLogicalTime: new HybridClock(home.workstation.id).tick(),
        recordedAt: new Date().toISOString(),
      })
      const known = new Set(await domains.journal.domains())
      for (const domain of allDomains.filter((each) => known.has(each))) {
        const { recovery } = await domains.open(domain)
        for (const line of recovery) context.say(line)
      }
    } finally {
      await domains.close()
    }
  } finally {
    home.release()
  }
}
