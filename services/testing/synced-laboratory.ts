import { v7 as uuidv7 } from 'uuid'
import { MachineStop, stoppedWords } from '../../platform/database/testing/machine-stop.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import type { ServiceDefinition } from '../../platform/service/implementation.ts'
import {
  installSnapshots,
  listLog,
  nextForDomain,
  readJournal,
  readSyncedRows,
  takeSnapshots,
} from '../../platform/service/testing/laboratory-export.ts'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import type { RowImage } from '../../platform/sync/change-set.ts'
import type { LogPlace, WireEntry } from '../../platform/sync/domain-contract.ts'
import { pushedSetOf } from '../../platform/sync/journaled.ts'
import { findReady, type WorkItem } from '../../platform/sync/work-item.ts'
import { allPermissions } from '../auth/domain/roles.ts'
import { createLaboratory } from '../auth/laboratory.ts'
import { authService } from '../auth/service.ts'
import { barcodesService } from '../barcodes/service.ts'
import { samplesService } from '../samples/service.ts'
import { storageService } from '../storage/service.ts'
import { templatesService } from '../templates/service.ts'

const definitions = [
  authService,
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
  readonly auth: ReturnType<typeof ServiceClients.auth>
  readonly barcodes: ReturnType<typeof ServiceClients.barcodes>
  readonly samples: ReturnType<typeof ServiceClients.samples>
  readonly storage: ReturnType<typeof ServiceClients.storage>
  readonly templates: ReturnType<typeof ServiceClients.templates>
}

const ServiceClients = {
  auth: (bench: ServiceBench) => bench.client(authService),
  barcodes: (bench: ServiceBench) => bench.client(barcodesService),
  samples: (bench: ServiceBench) => bench.client(samplesService),
  storage: (bench: ServiceBench) => bench.client(storageService),
  templates: (bench: ServiceBench) => bench.client(templatesService),
}

/** What is on its way between a workstation and the Hub. It may be lost, come twice, or come after what was sent later. */
type Message =
  | {
      readonly to: 'hub'
      /** The set made before these; null for a workstation's first. */
      readonly after: string | null
      readonly sets: readonly PushedSet[]
    }
  | {
      readonly to: Machine
      readonly domain: string
      /** The entries are what follows this position. */
      readonly after: number
      readonly entries: readonly WireEntry[]
      readonly upTo: LogPlace
    }

type PushedSet = NonNullable<ReturnType<typeof pushedSetOf>>

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
  /** Puts what was made since the last time on its way to the Hub. */
  send(workstation: Machine): Promise<void>
  /** Puts what the Hub has for a workstation on its way there, at most so many entries of each domain. */
  answer(workstation: Machine, atMost: number): Promise<void>
  /** Lets one of the messages that are on their way arrive, whichever it is; it may come once more. */
  arrive(which: number, again: 'once' | 'and again'): Promise<'arrived' | 'nothing'>
  /** Loses one of the messages that are on their way. */
  lose(which: number): 'lost' | 'nothing'
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
      ...{ laboratoryId, workstationId, isHub, stop, permissions: allPermissions },
      engine: isHub ? 'of-run' : 'pglite',
    })
    return {
      ...{ bench, stop },
      auth: ServiceClients.auth(bench),
      barcodes: ServiceClients.barcodes(bench),
      samples: ServiceClients.samples(bench),
      storage: ServiceClients.storage(bench),
      templates: ServiceClients.templates(bench),
    }
  }
  const hub = await open('hub', true)
  await foundAtHub()
  const workstations: Machine[] = []
  for (let number = 1; number <= workstationCount; number += 1) {
    const workstation = await open(`workstation-${number}`, false)
    for (const name of domains) await workstation.bench.syncOf(name).syncEnroll({ laboratoryId })
    workstations.push(workstation)
  }

  const onTheWay: Message[] = []
  const lastSent = new Map<Machine, string>()

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
      const folder = makeTestFolder('tracseq-snapshots-')
      await installSnapshots(
        machine.bench,
        laboratoryId,
        await takeSnapshots(hub.bench, domains, laboratoryId, folder),
      )
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
    async pull(machine, atMost = 10_000) {
      for (const message of await answersFor(machine, atMost)) await take(message)
    },
    async send(machine) {
      await machine.bench.settle()
      const all = await listSets(machine.bench)
      const pending = await listPending(machine.bench)
      const sentUpTo = all.findIndex(({ id }) => id === lastSent.get(machine))
      const fresh = pending.filter(({ id }) => all.findIndex((set) => set.id === id) > sentUpTo)
      const sets = fresh.length > 0 ? fresh : pending
      const [first] = sets
      const last = sets.at(-1)
      if (first === undefined || last === undefined) return
      const after = all[all.findIndex(({ id }) => id === first.id) - 1]?.id ?? null
      onTheWay.push({ to: 'hub', after, sets })
      lastSent.set(machine, last.id)
    },
    async answer(machine, atMost) {
      onTheWay.push(...(await answersFor(machine, atMost)))
    },
    async arrive(which, again) {
      const at = which % Math.max(1, onTheWay.length)
      const message = onTheWay[at]
      if (message === undefined) return 'nothing'
      if (again === 'once') onTheWay.splice(at, 1)
      await take(message)
      return 'arrived'
    },
    lose(which) {
      return onTheWay.splice(which % Math.max(1, onTheWay.length), 1).length > 0 ? 'lost' : 'nothing'
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
      const ids = (await listSets(bench)).map(({ id }) => id)
      const known = await knownAtHub(ids)
      return ids.filter((id) => !known.has(id))
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
    readRows: ({ bench }) => readSyncedRows(bench, definitions, laboratoryId),
    async close() {
      for (const { bench } of [hub, ...workstations]) await bench.close()
    },
  }
  return laboratory

  /** The Hub's laboratory with its roles: people and roles are made there and nowhere else. */
  async function foundAtHub(): Promise<void> {
    await hub.bench.database('auth').change(
      {
        ...{ laboratoryId, actorId: hub.bench.actor.userId, origin: 'local', workstationId: 'hub' },
        ...{ hybridLogicalTime: '', reason: null, correlationId: uuidv7(), procedure: 'auth.setUp' },
        ...{ idempotencyKey: null, requestHash: '', secretAnswer: true, deadlineAt: Date.now() + 10_000 },
        ...{ reaction: null, causedBy: null },
      },
      (scope) =>
        createLaboratory(
          { ...scope, actor: null, laboratoryId, workstation: { id: 'hub', name: 'Hub' } },
          'Heron',
        ),
    )
  }

  /** What arrives is taken only where it follows what is there; the sender finds out, and sends again. */
  async function take(message: Message): Promise<void> {
    if (message.to === 'hub') {
      const { after, sets } = message
      if (after !== null && !(await knownAtHub([after])).has(after)) return
      for (const set of sets) await decide(set.domain, set)
      await decideReady()
      return
    }
    const { to, domain, after, entries, upTo } = message
    const sync = to.bench.syncOf(domain)
    const { place } = await sync.syncState()
    if (after <= place.position) await sync.syncFollow({ entries: [...entries], upTo })
  }

  async function answersFor(machine: Machine, atMost: number): Promise<readonly Message[]> {
    const log = await listLog(hub.bench, laboratoryId)
    const answers: Message[] = []
    for (const domain of domains) {
      const next = await nextForDomain(machine.bench, domain, log, atMost)
      if (next !== null) answers.push({ to: machine, domain, ...next })
    }
    return answers
  }

  async function knownAtHub(changeSetIds: readonly string[]): Promise<ReadonlySet<string>> {
    const known = new Set<string>()
    for (const name of domains) {
      const asked = { laboratoryId, changeSetIds: [...changeSetIds] }
      const { fates } = await hub.bench.syncOf(name).syncFates(asked)
      for (const id of Object.keys(fates)) known.add(id)
    }
    return known
  }

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
    const entries = await readJournal(bench)
    return entries.flatMap((entry) => {
      const set = entry.payload === null ? null : pushedSetOf(entry, JSON.parse(entry.payload))
      return set ?? []
    })
  }

  async function decide(domain: string, set: PushedSet, again = false) {
    await hub.bench.syncOf(domain).syncDecide({
      sets: [JSON.parse(JSON.stringify(set)) as never],
      known: {
        ...(await knownFor(set.causedBy, domain)),
        permitted: [set.id],
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
