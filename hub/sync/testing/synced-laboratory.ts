import { v7 as uuidv7 } from 'uuid'
import { stoppedWords } from '../../../platform/database/testing/machine-stop.ts'
import { readJournal, readSyncedRows } from '../../../platform/service/testing/laboratory-export.ts'
import { Resolution } from '../../../platform/sync/contract.ts'
import type { LogPlace, WireEntry } from '../../../platform/sync/domain-contract.ts'
import { isToPush, logEntryOf } from '../../../platform/sync/journaled.ts'
import type { LogEntryBody } from '../../../platform/sync/log.ts'
import type { PushRun } from '../../../platform/sync/push-run.ts'
import type { Choice } from '../../../platform/sync/resolve.ts'
import type { WorkItem } from '../../../platform/sync/work-item.ts'
import { Fates } from '../fates.ts'
import { SyncProblem } from '../sync-problem.ts'
import { openHubMachine } from './hub-machine.ts'
import type { LaboratoryRows, MadeSet } from './laboratory-invariants.ts'
import { laboratoryServices, type Machine, openMachine } from './laboratory-machine.ts'
import { Sender } from './sender.ts'

const domains = laboratoryServices.map(({ name }) => name)
const entriesAtOnce = 1_000

/** What is on its way between a workstation and the Hub. It may be lost, come twice, or come after what was sent later. */
type Message =
  | { readonly to: 'hub'; readonly from: Sender; readonly run: PushRun }
  | {
      readonly to: Machine
      readonly domain: string
      /** The entries are what follows this position. */
      readonly after: number
      readonly entries: readonly WireEntry[]
      readonly upTo: LogPlace
    }

/** A Hub and workstations, all real services on real databases, all deciding the Hub's own; the test is the wire. */
export interface SyncedLaboratory {
  readonly laboratoryId: string
  readonly hub: Machine
  readonly workstations: readonly Machine[]
  workstation(index: number): Machine
  /** One more workstation with a principal investigator at it. It begins with the Hub's snapshots. */
  join(): Promise<Machine>
  /** Takes the Hub's snapshots in place of what a workstation has, as when the log is served no longer. */
  beginAnew(workstation: Machine): Promise<void>
  /** Closes and reopens a machine; some databases may be lost meanwhile. */
  restart(machine: Machine, options?: { readonly losing?: readonly string[] }): Promise<void>
  /** Sends what the Hub does not have to it, which decides it. */
  push(workstation: Machine): Promise<void>
  /** Sends the last run once more, as when the Hub stopped before it noted that it has it. */
  pushAgain(workstation: Machine): Promise<void>
  /** Brings what the Hub has, at most so many entries of each domain. */
  pull(workstation: Machine, atMost?: number): Promise<void>
  /** Puts what was made since the last time on its way to the Hub, or all that the Hub does not have when that is nothing. */
  send(workstation: Machine): Promise<void>
  /** Puts what the Hub has for a workstation on its way there, at most so many entries of each domain. */
  answer(workstation: Machine, atMost: number): Promise<void>
  /** Lets one of the messages that are on their way arrive, whichever it is; it may come once more. */
  arrive(which: number, again: 'once' | 'and again'): Promise<'arrived' | 'nothing'>
  /** Loses one of the messages that are on their way. */
  lose(which: number): 'lost' | 'nothing'
  /** All send what the Hub does not have at the same time, and it decides it together. */
  pushTogether(): Promise<void>
  /** Push and pull, one after the other, until nothing is pending anywhere and all have everything. */
  syncAll(): Promise<void>
  openItems(): Promise<readonly WorkItem[]>
  itemsAt(machine: Machine): Promise<readonly WorkItem[]>
  /** What a person has seen and left as it is. */
  acknowledgedItems(): Promise<readonly WorkItem[]>
  countPending(machine: Machine): Promise<number>
  /** The change sets that were made at a workstation and wrote rows, in their order. */
  listMade(machine: Machine): Promise<readonly MadeSet[]>
  /** Ids of change sets of a workstation that the Hub knows nothing of. */
  listUndecided(machine: Machine): Promise<readonly string[]>
  /** How wrong a workstation's clock is, as the Hub shows it, and how far it ran ahead at most, as the Hub told it. */
  clockOf(machine: Machine): Promise<{ readonly skewMs: number; readonly mostAheadMs: number }>
  /** What services and the Hub logged as defects, anywhere, but that their machine was stopped. */
  defects(): readonly unknown[]
  /** The administrator, whom nobody suspends, decides a work item. Null when that was done; why not, otherwise. */
  resolve(item: WorkItem | undefined, choice: Choice): Promise<string | null>
  readRows(machine: Machine): Promise<LaboratoryRows>
  /** Everything that the Hub's log says of the laboratory, in its order. */
  readLog(): Promise<readonly LogEntryBody[]>
  close(): Promise<void>
}

export async function openSyncedLaboratory(workstationCount: number): Promise<SyncedLaboratory> {
  const laboratoryId = uuidv7()
  const hubMachine = await openHubMachine(laboratoryId)
  const { machine: hub } = hubMachine
  const administratorId = await hubMachine.addPerson('Administrator', 'lab_administrator')
  const senders = new Map<Machine, Sender>()
  let onTheWay: readonly Message[] = []

  const laboratory: SyncedLaboratory = {
    ...{ laboratoryId, hub },
    get workstations() {
      return [...senders.keys()]
    },
    workstation(index) {
      const found = laboratory.workstations[index]
      if (found === undefined) throw new Error(`There is no workstation ${index}`)
      return found
    },
    async join() {
      const id = `workstation-${senders.size + 1}`
      const userId = await hubMachine.addPerson(`Person at ${id}`, 'principal_investigator')
      const machine = await openMachine(id, { laboratoryId, userId, engine: 'pglite' })
      const sender = await Sender.enrol(machine, hubMachine)
      for (const name of domains) await machine.bench.syncOf(name).syncEnroll({ laboratoryId })
      await laboratory.beginAnew(machine)
      senders.set(machine, sender)
      return machine
    },
    async beginAnew({ bench }) {
      for (const name of domains) {
        const { path, place } = await hubMachine.sync.snapshots.make(laboratoryId, name)
        await bench.syncOf(name).syncInstall({ laboratoryId, path, place })
      }
    },
    async restart(machine, options) {
      await (machine === hub ? hubMachine.restart(options) : machine.bench.restart(options))
    },
    async push(machine) {
      await machine.bench.settle()
      const sender = senderOf(machine)
      await sender.begin()
      for (let run = await sender.nextRun(); run !== null; run = await sender.nextRun())
        await sender.give(run)
    },
    async pushAgain(machine) {
      await senderOf(machine).forgetLastRun()
      await laboratory.push(machine)
    },
    async pull(machine, atMost = Infinity) {
      for (const name of domains) {
        for (let left = atMost; left > 0; left -= entriesAtOnce) {
          const message = await answerFor(machine, name, Math.min(left, entriesAtOnce))
          if (message === null) break
          await take(message)
        }
      }
    },
    async send(machine) {
      await machine.bench.settle()
      const sender = senderOf(machine)
      let run = await sender.nextRun()
      if (run === null) {
        await sender.begin()
        run = await sender.nextRun()
      }
      if (run !== null) onTheWay = [...onTheWay, { to: 'hub', from: sender, run }]
    },
    async answer(machine, atMost) {
      const answers = await Promise.all(domains.map((name) => answerFor(machine, name, atMost)))
      onTheWay = [...onTheWay, ...answers.filter((each) => each !== null)]
    },
    async arrive(which, again) {
      const message = onTheWay[which % Math.max(1, onTheWay.length)]
      if (message === undefined) return 'nothing'
      if (again === 'once') onTheWay = onTheWay.filter((each) => each !== message)
      await take(message)
      return 'arrived'
    },
    lose(which) {
      const message = onTheWay[which % Math.max(1, onTheWay.length)]
      if (message === undefined) return 'nothing'
      onTheWay = onTheWay.filter((each) => each !== message)
      return 'lost'
    },
    async pushTogether() {
      await Promise.all(laboratory.workstations.map((each) => laboratory.push(each)))
    },
    async syncAll() {
      for (let round = 0; round < 2; round += 1) {
        for (const workstation of laboratory.workstations) {
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
    async acknowledgedItems() {
      const words = `select item from platform.work_item where state = 'acknowledged'`
      return (await readEverywhere<{ item: WorkItem }>(hub, words)).map(({ item }) => item)
    },
    async countPending(machine) {
      const words = 'select distinct change_set_id from platform.pending_change'
      return (await readEverywhere(machine, words)).length
    },
    async listMade({ bench }) {
      const entries = (await readJournal(bench)).filter(isToPush)
      return entries.map(({ changeSetId: id, domain }) => ({ id, domain }))
    },
    async listUndecided(machine) {
      const ids = (await laboratory.listMade(machine)).map(({ id }) => id)
      const fates = await new Fates(hubMachine.sync.domains).of(laboratoryId, ids)
      return ids.filter((id) => fates[id] === null)
    },
    async clockOf(machine) {
      const { mostAheadMs } = senderOf(machine)
      const known = await hubMachine.sync.store.workstationBy('id', machine.id)
      return { skewMs: known?.clockSkewMs ?? 0, mostAheadMs }
    },
    defects: () => [
      ...hubMachine.said,
      ...[hub, ...senders.keys()]
        .flatMap(({ bench }) => bench.logs)
        .filter((log) => !JSON.stringify(log).includes(stoppedWords)),
    ],
    async resolve(item, choice) {
      if (item === undefined) throw new Error('There is nothing to resolve')
      const { people, decisions } = hubMachine.sync
      await people.requirePermission(laboratoryId, administratorId, 'sync:resolve')
      try {
        const { domain, id: itemId } = item
        const resolution = Resolution.parse({ domain, itemId, choice, reason: 'decided in a test' })
        await decisions.resolve(laboratoryId, resolution, administratorId)
      } catch (error) {
        if (error instanceof SyncProblem && error.code === 'RULE_BROKEN') return error.message
        throw error
      }
      await hub.bench.settle()
      return null
    },
    readRows: ({ bench }) => readSyncedRows(bench, laboratoryServices, laboratoryId),
    async readLog() {
      const all: WireEntry[] = []
      for (;;) {
        const some = await hubMachine.entriesAfter(all.at(-1)?.position ?? 0, entriesAtOnce)
        if (some.length === 0) return all.map(({ payload }) => logEntryOf(payload))
        all.push(...some)
      }
    },
    async close() {
      for (const { bench } of senders.keys()) await bench.close()
      await hubMachine.close()
    },
  }
  for (let count = 0; count < workstationCount; count += 1) await laboratory.join()
  return laboratory

  function senderOf(machine: Machine): Sender {
    const sender = senders.get(machine)
    if (sender === undefined) throw new Error(`${machine.id} is no workstation of this laboratory`)
    return sender
  }

  /** What arrives is taken only where it follows what is there; the sender finds out, and sends again. */
  async function take(message: Message): Promise<void> {
    if (message.to === 'hub') {
      await message.from.give(message.run)
      return
    }
    const { to, domain, after, entries, upTo } = message
    const sync = to.bench.syncOf(domain)
    const { place } = await sync.syncState()
    if (after <= place.position) await sync.syncFollow({ entries: [...entries], upTo })
  }

  async function answerFor(to: Machine, domain: string, atMost: number): Promise<Message | null> {
    const { place } = await to.bench.syncOf(domain).syncState()
    const fresh = await hubMachine.entriesAfter(place.position, atMost)
    const last = fresh.at(-1)
    if (last === undefined) return null
    const entries = fresh.filter((entry) => entry.domain === domain)
    const upTo = { position: last.position, hash: last.hash }
    return { to, domain, after: place.position, entries, upTo }
  }
}

async function readEverywhere<Row>({ bench }: Machine, words: string): Promise<readonly Row[]> {
  const answers = await Promise.all(
    domains.map((name) => bench.database(name).asOwner((tx) => tx.execute(words))),
  )
  return answers.flatMap((answer) => (answer as { rows: Row[] }).rows)
}
