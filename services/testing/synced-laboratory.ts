import { v7 as uuidv7 } from 'uuid'
import { MachineStop, stoppedWords } from '../../platform/database/testing/machine-stop.ts'
import type { JournalEntry } from '../../platform/journal/entry.ts'
import type { ServiceDefinition } from '../../platform/service/implementation.ts'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import type { RowImage } from '../../platform/sync/change-set.ts'
import { RowImages } from '../../platform/sync/database/row-images.ts'
import type { WireEntry } from '../../platform/sync/domain-contract.ts'
import { pushedSetOf } from '../../platform/sync/journaled.ts'
import { findReady, type WorkItem } from '../../platform/sync/work-item.ts'
import { barcodesService } from '../barcodes/service.ts'
import { samplesService } from '../samples/service.ts'
import { storageService } from '../storage/service.ts'
import { templatesService } from '../templates/service.ts'

const definitions = [
  barcodesService,
  storageService,
  samplesService,
  templatesService,
] as unknown as ServiceDefinition[]
const domains = definitions.map(({ name }) => name)

/** A workstation or the Hub: real services on real databases. */
export interface Machine {
  readonly bench: ServiceBench
  /** Stops the machine in the middle of what it does; a restart of its bench mends it. */
  readonly stop: MachineStop
  readonly barcodes: ReturnType<typeof ServiceClients.barcodes>
  readonly samples: ReturnType<typeof ServiceClients.samples>
  readonly storage: ReturnType<typeof ServiceClients.storage>
}

const ServiceClients = {
  barcodes: (bench: ServiceBench) => bench.client(barcodesService),
  samples: (bench: ServiceBench) => bench.client(samplesService),
  storage: (bench: ServiceBench) => bench.client(storageService),
}

/** A Hub and workstations, all real services on real databases; the test is the wire between them. */
export interface SyncedLaboratory {
  readonly laboratoryId: string
  readonly hub: Machine
  readonly workstations: readonly Machine[]
  workstation(index: number): Machine
  /** One more workstation, which begins with the Hub's snapshots. */
  join(): Promise<Machine>
  /** Sends what is pending to the Hub, which decides it. */
  push(workstation: Machine): Promise<void>
  /** Sends everything once more that was ever sent, as when no answer came. */
  pushAgain(workstation: Machine): Promise<void>
  /** Brings what the Hub has, at most so many entries. */
  pull(workstation: Machine, atMost?: number): Promise<void>
  /** Push and pull until nothing is pending anywhere and all have everything. */
  syncAll(): Promise<void>
  openItems(): Promise<readonly WorkItem[]>
  itemsAt(machine: Machine): Promise<readonly WorkItem[]>
  countPending(machine: Machine): Promise<number>
  /** Ids of change sets of a workstation that the Hub knows nothing of. */
  listUndecided(machine: Machine): Promise<readonly string[]>
  /** What services logged as defects, anywhere, but that their machine was stopped. */
  defects(): readonly unknown[]
  resolve(item: WorkItem | undefined, take: 'hub' | 'pushed'): Promise<boolean>
  /** Every synced row of a machine, by domain and table. */
  readRows(machine: Machine): Promise<Readonly<Record<string, readonly RowImage[]>>>
  close(): Promise<void>
}

export async function openSyncedLaboratory(workstationCount: number): Promise<SyncedLaboratory> {
  const laboratoryId = uuidv7()
  const open = async (workstationId: string, isHub: boolean): Promise<Machine> => {
    const stop = new MachineStop()
    const bench = await openServiceBench(definitions, {
      ...{ laboratoryId, workstationId, isHub, stop },
      engine: isHub ? 'of-run' : 'pglite',
    })
    return {
      ...{ bench, stop },
      barcodes: ServiceClients.barcodes(bench),
      samples: ServiceClients.samples(bench),
      storage: ServiceClients.storage(bench),
    }
  }
  const hub = await open('hub', true)
  const workstations: Machine[] = []
  for (let number = 1; number <= workstationCount; number += 1) {
    const workstation = await open(`workstation-${number}`, false)
    for (const name of domains) await workstation.bench.syncOf(name).syncEnroll({ laboratoryId })
    workstations.push(workstation)
  }

  const laboratory: SyncedLaboratory = {
    laboratoryId,
    hub,
    workstations,
    workstation(index) {
      const found = workstations[index]
      if (found === undefined) throw new Error(`There is no workstation ${index}`)
      return found
    },
    async join() {
      const machine = await open(`workstation-${workstations.length + 1}`, false)
      const log = await listLog()
      for (const name of domains) {
        const { path, domainSequence } = await hub.bench.syncOf(name).syncSnapshot({ laboratoryId })
        const last = await hub.bench.journal.entryAt(name, domainSequence)
        const place = { position: last?.sequence ?? 0, hash: last?.hash ?? log[0]?.hash ?? '' }
        await machine.bench.syncOf(name).syncInstall({ laboratoryId, path, place })
      }
      workstations.push(machine)
      return machine
    },
    async push({ bench }) {
      await bench.settle()
      for (const set of await listPending(bench)) await decide(set.domain, set)
      await decideReady()
    },
    async pushAgain({ bench }) {
      for (const set of await listSets(bench)) await decide(set.domain, set)
    },
    async pull({ bench }, atMost = 10_000) {
      const entries = await listLog()
      for (const name of domains) {
        const { place } = await bench.syncOf(name).syncState()
        const fresh = entries.filter(({ position }) => position > place.position).slice(0, atMost)
        const last = fresh.at(-1)
        if (last === undefined) continue
        await bench.syncOf(name).syncFollow({
          entries: fresh.filter(({ domain }) => domain === name),
          upTo: { position: last.position, hash: last.hash },
        })
      }
    },
    async syncAll() {
      for (let round = 0; round < 2; round += 1) {
        for (const workstation of workstations) {
          await laboratory.push(workstation)
          await laboratory.pull(workstation)
        }
      }
    },
    openItems: () => laboratory.itemsAt(hub),
    async itemsAt({ bench }) {
      const all = await Promise.all(domains.map((name) => bench.syncOf(name).syncWorkItems({ laboratoryId })))
      return all.flatMap(({ items }) => items.map(({ item }) => item as WorkItem))
    },
    async countPending({ bench }) {
      return (await listPending(bench)).length
    },
    async listUndecided({ bench }) {
      const known = new Set<string>()
      const sets = await listSets(bench)
      for (const name of domains) {
        const changeSetIds = sets.filter(({ domain }) => domain === name).map(({ id }) => id)
        const { fates } = await hub.bench.syncOf(name).syncFates({ laboratoryId, changeSetIds })
        for (const id of Object.keys(fates)) known.add(id)
      }
      return sets.flatMap(({ id }) => (known.has(id) ? [] : [id]))
    },
    defects: () =>
      [hub, ...workstations]
        .flatMap(({ bench }) => bench.logs)
        .filter((log) => !JSON.stringify(log).includes(stoppedWords)),
    async resolve(item, take) {
      if (item === undefined) throw new Error('There is nothing to resolve')
      const answer = await hub.bench.syncOf(item.domain).syncResolve({
        ...{ laboratoryId, itemId: item.id, choice: { take }, reason: 'decided in a test' },
        ...{
          actorId: hub.bench.actor.userId,
          known: await knownFor(item.set?.causedBy ?? null, item.domain),
        },
      })
      await decideReady()
      await hub.bench.settle()
      return answer.done
    },
    async readRows({ bench }) {
      await bench.settle()
      const rows: Record<string, readonly RowImage[]> = {}
      for (const { name, tables } of definitions) {
        const images = new RowImages()
        for (const { name: table, policy } of tables.tables) {
          if (policy === 'local' || policy === 'derived') continue
          rows[`${name}/${table}`] = await bench.database(name).asOwner(async (tx) => {
            await images.prepare(tx)
            return images.page(tx, laboratoryId, table, null, 100_000)
          })
        }
      }
      return rows
    },
    async close() {
      for (const { bench } of [hub, ...workstations]) await bench.close()
    },
  }
  return laboratory

  async function listPending(bench: ServiceBench) {
    const pending = new Set<string>()
    for (const name of domains) {
      const rows = await bench
        .database(name)
        .asOwner((tx) => tx.execute('select distinct change_set_id::text as id from platform.pending_change'))
      for (const { id } of (rows as { rows: { id: string }[] }).rows) pending.add(id)
    }
    return (await listSets(bench)).filter(({ id }) => pending.has(id))
  }

  async function listSets(bench: ServiceBench) {
    const entries = await readAll(bench)
    return entries.flatMap((entry) => {
      const set = entry.payload === null ? null : pushedSetOf(entry, JSON.parse(entry.payload))
      return set ?? []
    })
  }

  async function readAll(bench: ServiceBench): Promise<readonly JournalEntry[]> {
    const all: JournalEntry[] = []
    for (;;) {
      const some = await bench.journal.read({ afterSequence: all.at(-1)?.sequence ?? 0, limit: 500 })
      if (some.length === 0) return all
      all.push(...some)
    }
  }

  async function listLog(): Promise<readonly WireEntry[]> {
    const entries = await readAll(hub.bench)
    return entries.flatMap(({ sequence, hash, domain, payload, kind }) =>
      kind === 'change' && payload !== null ? [{ position: sequence, hash, domain, payload }] : [],
    )
  }

  async function decide(domain: string, set: NonNullable<ReturnType<typeof pushedSetOf>>, again = false) {
    await hub.bench.syncOf(domain).syncDecide({
      sets: [JSON.parse(JSON.stringify(set)) as never],
      known: {
        ...(await knownFor(set.causedBy, domain)),
        permitted: [`${set.actorId} ${set.procedure}`],
      },
      again,
    })
  }

  async function knownFor(causedBy: string | null, domain: string) {
    const fates: Record<string, never> = {}
    if (causedBy !== null) {
      for (const name of domains.filter((each) => each !== domain)) {
        const found = await hub.bench.syncOf(name).syncFates({ laboratoryId, changeSetIds: [causedBy] })
        Object.assign(fates, found.fates)
      }
    }
    return { fates, permitted: [] as string[] }
  }

  async function decideReady(): Promise<void> {
    for (;;) {
      const open = await laboratory.openItems()
      const waiting = new Set(open.flatMap((item) => (item.set === null ? [] : [item.set.id])))
      const ready = findReady(open, (id) => waiting.has(id))
      if (ready === null) return
      await decide(ready.domain, ready.set, true)
    }
  }
}
