import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DomainDatabase, openWorkstationDatabase } from '../../platform/database/domain-database.ts'
import type { Engine } from '../../platform/database/engine.ts'
import { readMigrations } from '../../platform/database/migrate.ts'
import { openPglite } from '../../platform/database/pglite-engine.ts'
import type { DomainTables } from '../../platform/database/policy.ts'
import { findTemplate } from '../../platform/database/template.ts'
import { connectJournal, type JournalClient } from '../../platform/journal/journal-client.ts'
import { startJournal } from '../../platform/journal/start-journal.ts'
import { HybridClock } from '../../platform/service/hybrid-clock.ts'
import type { Home } from '../../platform/host/home.ts'
import { services } from '../../services/registry.ts'
import { CommandRefused } from './command.ts'

/** Every domain there is, in the order of the registry. */
export const allDomains: readonly string[] = services.map(({ name }) => name)

/** By convention `services/<domain>/schema.ts` exports `<domain>Tables`, so a new domain needs no edit here. */
async function tablesOf(root: string, domain: string): Promise<DomainTables> {
  if (!allDomains.includes(domain)) {
    throw new CommandRefused(`There is no domain ${domain}. There are ${allDomains.join(', ')}.`)
  }
  const file = pathToFileURL(join(root, 'services', domain, 'schema.ts')).href
  const schema = (await import(file)) as Readonly<Record<string, unknown>>
  return schema[`${domain}Tables`] as DomainTables
}

/** Databases and journal of a home that this process holds. */
export interface OpenDomains {
  readonly journal: JournalClient
  open(domain: string): Promise<{ readonly database: DomainDatabase; readonly recovery: readonly string[] }>
  /** Closes every database that was opened, then the journal. */
  close(): Promise<void>
}

/** Starts the journal of a home and opens domains on demand, as the workstation does. */
export async function openDomains(home: Home, root: string): Promise<OpenDomains> {
  const clock = new HybridClock(home.workstation.id)
  const journal = await startJournal({
    home: home.path,
    author: {
      actorId: 'terminal',
      workstationId: home.workstation.id,
      hybridLogicalTime: () => clock.tick(),
    },
  })
  const platformMigrations = readMigrations(join(root, 'drizzle', 'platform'))
  const template = findTemplate(join(root, 'build', 'database-template'), platformMigrations)
  const closing: (() => Promise<void>)[] = []
  return {
    journal: journal.client,
    async open(domain) {
      const client = await connectJournal(journal.createPort())
      const opened = await openWorkstationDatabase({
        domain,
        tables: await tablesOf(root, domain),
        journal: client,
        workstationId: home.workstation.id,
        platformMigrations,
        migrations: readMigrations(join(root, 'drizzle', domain)),
        directory: join(home.path, 'databases', domain),
        snapshots: join(home.path, 'snapshots', domain),
        template,
      })
      closing.push(async () => {
        await opened.database.close()
        client.close()
      })
      return opened
    },
    async close() {
      for (const close of closing) await close()
      await journal.close()
    },
  }
}

/**
 * Opens a copy of a domain's database: PGlite cannot open one without writing into it, and looking must change nothing.
 * TracSeq must not be running on the home.
 */
export async function openCopy(
  home: string,
  domain: string,
): Promise<{ readonly engine: Engine; readonly close: () => Promise<void> }> {
  const directory = join(home, 'databases', domain)
  if (!existsSync(directory)) throw new CommandRefused(`${home} has no database of ${domain}.`)
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-look-'))
  const discard = () => {
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    cpSync(directory, join(folder, domain), { recursive: true })
    const engine = await openPglite({ directory: join(folder, domain), template: null })
    return {
      engine,
      async close() {
        await engine.close()
        discard()
      },
    }
  } catch (error) {
    discard()
    throw error
  }
}
