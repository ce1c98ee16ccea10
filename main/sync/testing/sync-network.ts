import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SyncStatus } from '../../../platform/sync/contract.ts'
import { sync } from '../../../platform/sync/contract.ts'
import { barcodes } from '../../../services/barcodes/contract.ts'
import { samples } from '../../../services/samples/contract.ts'
import { storage } from '../../../services/storage/contract.ts'
import { createHttpClient } from '../../testing/http-client.ts'
import {
  makeHome,
  type SignedIn,
  signInTo,
  type StartOptions,
  startWorkstationProcess,
  type WorkstationProcess,
} from '../../testing/workstation-process.ts'
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts'

const hubProgram = resolve(import.meta.dirname, '../../../hub/index.ts')
const pollMs = 150

/** A machine was asked for something while it is killed. */
export class NotRunning extends Error {
  override readonly name = 'NotRunning'
}

/** A program on a home of its own that can be stopped, killed and started again. */
export class Machine {
  readonly home = makeHome()
  #options: StartOptions
  #process: WorkstationProcess | null = null
  #person: { readonly email: string; readonly password: string } | undefined
  #signedIn: SignedIn | null = null

  constructor(options: StartOptions) {
    this.#options = options
  }

  get url(): string {
    return this.running.url
  }

  get running(): WorkstationProcess {
    if (this.#process === null) throw new NotRunning('It does not run')
    return this.#process
  }

  async start(): Promise<void> {
    this.#process = await startWorkstationProcess(this.home, this.#options)
    this.#signedIn = null
  }

  async stop(): Promise<void> {
    await this.#process?.stop()
    this.#process = null
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
    this.#process = null
  }

  /** What it runs from its next start on: another version of its program. */
  replaceProgram(program: string): void {
    this.#options = { ...this.#options, program }
  }

  /** Signs in as somebody from now on; the administrator at first. */
  async signInAs(person: { readonly email: string; readonly password: string }): Promise<void> {
    this.#person = person
    this.#signedIn = await signInTo(this.running, person)
  }

  async admin(): Promise<SignedIn> {
    this.#signedIn ??= await signInTo(this.running, this.#person)
    return this.#signedIn
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** A Hub, a network that may fail before it, and workstations. */
export interface SyncNetwork {
  readonly hub: Machine
  readonly proxy: FaultyProxy
  /** Starts a workstation with a laboratory of its own and takes it to the Hub. */
  found(): Promise<Machine>
  /** Starts an empty workstation and lets it join the laboratory of the Hub. */
  join(options?: { readonly administratorsOffline?: boolean }): Promise<Machine>
  /** Starts the Hub again, at another port, where the network leads from then on. */
  restartHub(): Promise<void>
  close(): Promise<void>
}

/** What the machines of a network are given. */
interface NetworkOptions {
  /** What the network does by chance. */
  readonly random?: () => number
  /** Environment variables of all machines, and of the Hub beside them. */
  readonly ofAll?: Readonly<Record<string, string>>
  readonly ofHub?: Readonly<Record<string, string>>
}

export async function openSyncNetwork({
  random = Math.random,
  ofAll = {},
  ofHub = {},
}: NetworkOptions = {}): Promise<SyncNetwork> {
  const hub = new Machine({ program: hubProgram, isEmpty: true, environment: { ...ofAll, ...ofHub } })
  const machines: Machine[] = [hub]
  await hub.start()
  const proxy = await startFaultyProxy(hub.url, random)
  return {
    hub,
    proxy,
    async found() {
      const machine = new Machine({ environment: ofAll })
      machines.push(machine)
      await machine.start()
      const code = await founderCode(hub)
      await (await machine.admin()).client(sync).enroll({ hubUrl: proxy.url, code })
      return machine
    },
    async join({ administratorsOffline = true } = {}) {
      const machine = new Machine({ isEmpty: true, environment: ofAll })
      machines.push(machine)
      await machine.start()
      const { code } = await (await hub.admin()).client(sync).createEnrolmentCode({ administratorsOffline })
      await createHttpClient(machine.url, sync, null).join({ hubUrl: proxy.url, code })
      return machine
    },
    async restartHub() {
      await hub.start()
      proxy.leadTo(hub.url)
    },
    async close() {
      await proxy.close()
      await Promise.all(machines.map((machine) => machine.remove()))
    },
  }
}

/** The code that a Hub without a laboratory leaves in its home. */
export async function founderCode(hub: Machine): Promise<string> {
  const path = join(hub.home, 'founder-code.txt')
  return until(() => Promise.resolve(existsSync(path) ? readFileSync(path, 'utf8').trim() : null), 30_000)
}

/** Asks again until there is an answer. */
export async function until<T>(ask: () => Promise<T | null>, withinMs = 60_000): Promise<T> {
  const end = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (Date.now() > end) throw new Error(`It did not come about within ${withinMs} ms: ${ask.toString()}`)
    await delay(pollMs)
  }
}

export async function statusOf(machine: Machine): Promise<SyncStatus> {
  return (await machine.admin()).client(sync).status()
}

/** How many change sets of a workstation wait for the Hub. */
export async function waitingAt(machine: Machine): Promise<number> {
  return (await statusOf(machine)).pending.reduce((sum, { sets }) => sum + sets, 0)
}

/** Waits until a workstation has sent and followed everything. */
export async function untilCaughtUp(machine: Machine, withinMs = 60_000): Promise<SyncStatus> {
  let last: SyncStatus | null = null
  try {
    return await until(async () => {
      last = await statusOf(machine)
      const waits = last.pending.some(({ sets }) => sets > 0)
      return last.state === 'online' && !waits && last.lag === 0 ? last : null
    }, withinMs)
  } catch {
    throw new Error(`It did not catch up: ${JSON.stringify(last)}`)
  }
}

/** What a copy has, row by row with the revisions, so that equal answers are equal copies. */
export async function contentsOf(machine: Machine) {
  const signedIn = await machine.admin()
  const list = async <Item>(
    page: (cursor: string | undefined) => Promise<{ items: Item[]; nextCursor: string | null }>,
  ) => {
    const items: Item[] = []
    let cursor: string | undefined
    do {
      const { items: some, nextCursor } = await page(cursor)
      items.push(...some)
      cursor = nextCursor ?? undefined
    } while (cursor !== undefined)
    return items
  }
  const rest = (cursor: string | undefined) => ({ limit: 200, ...(cursor === undefined ? {} : { cursor }) })
  const byId = (left: { id: string }, right: { id: string }) => left.id.localeCompare(right.id)
  const tubes = await list((cursor) => signedIn.client(samples).list(rest(cursor)))
  const codes = await list((cursor) => signedIn.client(barcodes).list(rest(cursor)))
  const containers = await list((cursor) => signedIn.client(storage).listContainers(rest(cursor)))
  return {
    samples: tubes.toSorted(byId),
    codes: codes.toSorted(byId),
    containers: containers.toSorted(byId),
  }
}
