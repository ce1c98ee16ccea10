import type { Gateway } from '../../platform/gateway/gateway.ts'
import { createDomainSyncClient, type DomainSyncClient } from '../../platform/sync/domain-client.ts'
import type { Migrations } from '../../platform/sync/versions.ts'

/** The domains of the Hub as sync sees them. */
export class Domains {
  readonly names: readonly string[]
  readonly #clients: ReadonlyMap<string, DomainSyncClient>
  #migrations: Promise<Migrations> | null = null

  constructor(gateway: Gateway, names: readonly string[]) {
    this.names = names
    this.#clients = new Map(names.map((name) => [name, createDomainSyncClient(gateway, name)]))
  }

  has(name: string): boolean {
    return this.#clients.has(name)
  }

  client(name: string): DomainSyncClient {
    const client = this.#clients.get(name)
    if (client === undefined) throw new Error(`There is no domain ${name}`)
    return client
  }

  /** What the Hub's schemas are. They change only while it is not running. */
  migrations(): Promise<Migrations> {
    this.#migrations ??= this.#readMigrations()
    return this.#migrations.catch((error: unknown) => {
      this.#migrations = null
      throw error
    })
  }

  async #readMigrations(): Promise<Migrations> {
    const states = await Promise.all(
      this.names.map(async (name) => [name, (await this.client(name).syncState()).migrations] as const),
    )
    return Object.fromEntries(states)
  }
}
