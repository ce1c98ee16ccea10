import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JournalEntry } from '../../journal/entry.ts'
import type { RowImage } from '../../sync/change-set.ts'
import { RowImages } from '../../sync/database/row-images.ts'
import type { LogPlace, WireEntry } from '../../sync/domain-contract.ts'
import type { ServiceDefinition } from '../implementation.ts'
import type { ServiceBench } from './service-bench.ts'

/*
 * What a machine that has nothing makes a laboratory's databases from: a snapshot of each domain as a file, and the log
 * behind them.
 */

export interface SnapshotFile {
  readonly domain: string
  readonly path: string
  /** The log goes on behind this. */
  readonly place: LogPlace
}

/** Takes the snapshots of a laboratory and puts them into a folder. */
export async function takeSnapshots(
  hub: ServiceBench,
  domains: readonly string[],
  laboratoryId: string,
  folder: string,
): Promise<readonly SnapshotFile[]> {
  const taken: SnapshotFile[] = []
  for (const domain of domains) {
    const { path, domainSequence } = await hub.syncOf(domain).syncSnapshot({ laboratoryId })
    const last = await hub.journal.entryAt(domain, domainSequence)
    if (last === null) throw new Error(`The log has no entry ${domainSequence} of ${domain}`)
    const copy = join(folder, `${domain}.snapshot`)
    copyFileSync(path, copy)
    taken.push({ domain, path: copy, place: { position: last.sequence, hash: last.hash } })
  }
  return taken
}

export async function installSnapshots(
  machine: ServiceBench,
  laboratoryId: string,
  snapshots: readonly SnapshotFile[],
): Promise<void> {
  for (const { domain, path, place } of snapshots)
    await machine.syncOf(domain).syncInstall({ laboratoryId, path, place })
}

/** The entries of a laboratory as they travel. */
export async function listLog(hub: ServiceBench, laboratoryId: string): Promise<readonly WireEntry[]> {
  const entries = await readJournal(hub)
  return entries.flatMap(({ sequence, hash, domain, payload, kind }) =>
    kind === 'change' && payload !== null && laboratoryOf(payload) === laboratoryId
      ? [{ position: sequence, hash, domain, payload }]
      : [],
  )
}

export async function readJournal({ journal }: ServiceBench): Promise<readonly JournalEntry[]> {
  const all: JournalEntry[] = []
  for (;;) {
    const some = await journal.read({ afterSequence: all.at(-1)?.sequence ?? 0, limit: 500 })
    if (some.length === 0) return all
    all.push(...some)
  }
}

/** What a machine lacks of a domain, at most so many entries of the log; null when it has everything. */
export async function nextForDomain(
  machine: ServiceBench,
  domain: string,
  log: readonly WireEntry[],
  atMost: number,
): Promise<{ readonly after: number; readonly entries: WireEntry[]; readonly upTo: LogPlace } | null> {
  const { place } = await machine.syncOf(domain).syncState()
  const fresh = log.filter(({ position }) => position > place.position).slice(0, atMost)
  const last = fresh.at(-1)
  if (last === undefined) return null
  return {
    after: place.position,
    entries: fresh.filter((entry) => entry.domain === domain),
    upTo: { position: last.position, hash: last.hash },
  }
}

/** Every synced row of a laboratory at a machine, by domain and table. */
export async function readSyncedRows(
  machine: ServiceBench,
  definitions: readonly ServiceDefinition[],
  laboratoryId: string,
): Promise<Readonly<Record<string, readonly RowImage[]>>> {
  await machine.settle()
  const rows: Record<string, readonly RowImage[]> = {}
  for (const { name, tables } of definitions) {
    const images = new RowImages()
    for (const { name: table, policy } of tables.tables) {
      if (policy === 'local' || policy === 'derived') continue
      rows[`${name}/${table}`] = await machine.database(name).asOwner(async (tx) => {
        await images.prepare(tx)
        return images.page(tx, laboratoryId, table, null, 100_000)
      })
    }
  }
  return rows
}

function laboratoryOf(payload: string): string | null {
  const { body } = JSON.parse(payload) as { readonly body: { readonly laboratoryId?: string | null } }
  return body.laboratoryId ?? null
}
