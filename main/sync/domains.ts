import type { Gateway } from '../../platform/gateway/gateway.ts'
import { createDomainSyncClient, type DomainSyncClient } from '../../platform/sync/domain-client.ts'
import type { LogPlace, WireEntry } from '../../platform/sync/domain-contract.ts'
import { type FileColumns, filesNamedIn } from '../../platform/sync/named-files.ts'
import type { Migrations } from '../../platform/sync/versions.ts'

interface DomainState {
  readonly place: LogPlace
  readonly pending: number
}

const entriesAtOnce = 500

/** The domains of this workstation as sync sees them: where each stands, what of it waits. */
export class Domains {
  readonly names: readonly string[]
  readonly #gateway: Gateway
  readonly #states = new Map<string, DomainState>()
  readonly #fileColumns = new Map<string, FileColumns>()
  /** Something was journaled since the domains were last asked what waits. */
  #isStale = true

  constructor(gateway: Gateway, names: readonly string[]) {
    this.#gateway = gateway
    this.names = names
  }

  client(domain: string): DomainSyncClient {
    return createDomainSyncClient(this.#gateway, domain)
  }

  /** Asks every domain where it stands. */
  async read(): Promise<Migrations> {
    // A database that is made at its first start takes longer than a question may.
    await this.#gateway.wakeInTurn(this.names)
    const migrations: Record<string, readonly string[]> = {}
    for (const domain of this.names) migrations[domain] = await this.#readOne(domain)
    return migrations
  }

  /** Something was journaled: what waits for the Hub may be more, or less. */
  noteJournaled(): void {
    this.#isStale = true
  }

  /** What waits for the Hub. Services that sleep are not woken for it, and none is kept awake by being asked. */
  async pending(): Promise<readonly { readonly domain: string; readonly sets: number }[]> {
    if (this.#isStale) await this.#readAwake()
    return this.names.map((domain) => ({ domain, sets: this.#states.get(domain)?.pending ?? 0 }))
  }

  async #readAwake(): Promise<void> {
    this.#isStale = false
    const states = new Map(this.#gateway.services().map(({ name, state }) => [name, state]))
    await Promise.all(
      this.names.map(async (domain) => {
        const state = states.get(domain)
        if (state === 'ready')
          await this.#readOne(domain).catch((error: unknown) => this.#askAgain(domain, error))
        // One that is on its way up, or down, may have made something before.
        else if (state !== 'asleep') this.#isStale = true
      }),
    )
  }

  /** The count may be wrong until the domain answers, so whoever asks next has it asked again. */
  #askAgain(domain: string, error: unknown): void {
    this.#isStale = true
    const words = `What of ${domain} waits for the Hub could not be found out; it is asked again`
    this.#gateway.log.write('warn', words, { error })
  }

  /** The place from which every domain has all that follows. */
  get lowest(): LogPlace {
    const places = this.names.map((domain) => this.placeOf(domain))
    return places.reduce((lowest, place) => (place.position < lowest.position ? place : lowest))
  }

  placeOf(domain: string): LogPlace {
    const state = this.#states.get(domain)
    if (state === undefined) throw new Error(`Nobody has asked ${domain} where it stands`)
    return state.place
  }

  /** Lets a domain follow entries of its own; everything up to the end belongs to it or is somebody else's. */
  async follow(domain: string, entries: readonly WireEntry[], end: LogPlace): Promise<void> {
    const { position } = this.placeOf(domain)
    const fresh = entries.filter((entry) => entry.position > position)
    for (let from = 0; from === 0 || from < fresh.length; from += entriesAtOnce) {
      const some = fresh.slice(from, from + entriesAtOnce)
      const last = some.at(-1)
      const isLast = from + entriesAtOnce >= fresh.length
      const upTo = isLast || last === undefined ? end : { position: last.position, hash: last.hash }
      const answer = await this.client(domain).syncFollow({ entries: [...some], upTo })
      this.#states.set(domain, answer)
    }
  }

  /** The files that the rows of entries name. */
  filesNamedIn(
    entries: readonly { readonly domain: string; readonly payload: string | null }[],
  ): readonly string[] {
    const named = entries.flatMap(({ domain, payload }) =>
      payload === null ? [] : filesNamedIn(payload, this.#fileColumns.get(domain) ?? {}),
    )
    return [...new Set(named)]
  }

  /** The files that rows here name. Domains without such rows are not asked. */
  async filesNamed(laboratoryId: string): Promise<readonly string[]> {
    const named = new Set<string>()
    for (const [domain, columns] of this.#fileColumns) {
      if (Object.keys(columns).length === 0) continue
      for (const sha256 of (await this.client(domain).syncFiles({ laboratoryId })).sha256) named.add(sha256)
    }
    return [...named]
  }

  noteInstalled(domain: string, place: LogPlace): void {
    this.#states.set(domain, { place, pending: this.#states.get(domain)?.pending ?? 0 })
  }

  async #readOne(domain: string): Promise<readonly string[]> {
    const state = await this.client(domain).syncState()
    const { place, pending, migrations, fileColumns } = state
    this.#states.set(domain, { place, pending })
    this.#fileColumns.set(domain, fileColumns)
    return migrations
  }
}
