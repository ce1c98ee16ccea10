import { type AnyContractProcedure, type AnyContractRouter, isContractProcedure } from '@orpc/contract'
import { z } from 'zod'
import type { Permission, ProcedureMeta } from '../contract/procedure.ts'

/** One procedure of one domain with everything the gateway wants to know of it. */
export interface KnownProcedure {
  readonly domain: string
  readonly name: string
  /** `domain.name`, as it stands in logs, metrics and spans. */
  readonly label: string
  readonly meta: ProcedureMeta
  readonly contract: AnyContractProcedure
}

const Meta = z.object({
  kind: z.enum(['query', 'command']),
  permission: z.custom<Permission>((value) => typeof value === 'string' && value !== ''),
  deadlineMs: z.number().positive(),
  long: z.boolean(),
  scan: z.boolean(),
  internal: z.boolean(),
  guessable: z.boolean(),
  secretAnswer: z.boolean(),
})

/** All procedures of all domains, found by domain and name. */
export class Catalogue {
  readonly #procedures = new Map<string, KnownProcedure>()
  readonly #domains: string[] = []
  readonly #routes = new Map<string, string>()

  /** Takes in a domain. Throws when its name or a route is taken, or a procedure was not made by `query` or `command`. */
  add(domain: string, contract: AnyContractRouter): void {
    if (this.#domains.includes(domain)) throw new Error(`The domain ${domain} is there already`)
    this.#domains.push(domain)
    for (const [name, procedure] of Object.entries(contract)) {
      const label = `${domain}.${name}`
      if (!isContractProcedure(procedure)) throw new Error(`${label} is no procedure: contracts are flat`)
      const meta = Meta.safeParse(procedure['~orpc'].meta)
      if (!meta.success) throw new Error(`${label} says nothing of itself: make it with query() or command()`)
      const { method, path } = procedure['~orpc'].route
      const route = `${method ?? ''} ${path ?? ''}`
      const taken = this.#routes.get(route)
      if (taken !== undefined) throw new Error(`${label} and ${taken} are both served at ${route}`)
      this.#routes.set(route, label)
      this.#procedures.set(label, { domain, name, label, meta: meta.data, contract: procedure })
    }
  }

  /** Finds a procedure by its path, domain first. */
  find(path: readonly string[]): KnownProcedure | undefined {
    return path.length === 2 ? this.#procedures.get(path.join('.')) : undefined
  }

  get domains(): readonly string[] {
    return this.#domains
  }

  list(): readonly KnownProcedure[] {
    return [...this.#procedures.values()]
  }
}
