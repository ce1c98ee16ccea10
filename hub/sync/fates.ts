import type { z } from 'zod'
import type { ChangeSet } from '../../platform/sync/change-set.ts'
import type { FateSchema } from '../../platform/sync/domain-contract.ts'
import type { Domains } from './domains.ts'

type Fate = z.output<typeof FateSchema>

const remembered = 20_000
const askedAtOnce = 1_000

/** What became of change sets in whichever domain they are. What is settled never changes, so it is asked once. */
export class Fates {
  readonly #domains: Domains
  /** By laboratory and id: what became of a set is known to its own laboratory alone. */
  readonly #settled = new Map<string, Fate>()

  constructor(domains: Domains) {
    this.#domains = domains
  }

  /** Null for an id that no set was pushed under. */
  async of(laboratoryId: string, ids: Iterable<string>): Promise<Record<string, Fate | null>> {
    const wanted = [...new Set(ids)]
    const found: Record<string, Fate | null> = Object.fromEntries(
      wanted.map((id) => [id, this.#settled.get(nameOf(laboratoryId, id)) ?? null]),
    )
    const open = wanted.filter((id) => !this.#settled.has(nameOf(laboratoryId, id)))
    for (let from = 0; from < open.length; from += askedAtOnce) {
      const changeSetIds = open.slice(from, from + askedAtOnce)
      const answers = await Promise.all(
        this.#domains.names.map((name) =>
          this.#domains.client(name).syncFates({ laboratoryId, changeSetIds }),
        ),
      )
      for (const [id, fate] of answers.flatMap(({ fates }) => Object.entries(fates))) {
        found[id] = fate
        if (fate.status !== 'waiting') this.#remember(nameOf(laboratoryId, id), fate)
      }
    }
    return found
  }

  /** What a decision about these sets must know of sets elsewhere. */
  causesOf(sets: readonly ChangeSet[]): Promise<Record<string, Fate | null>> {
    const [first] = sets
    if (first === undefined) return Promise.resolve({})
    return this.of(
      first.laboratoryId,
      sets.flatMap(({ causedBy }) => causedBy ?? []),
    )
  }

  #remember(name: string, fate: Fate): void {
    this.#settled.set(name, fate)
    for (const oldest of this.#settled.keys()) {
      if (this.#settled.size <= remembered) break
      this.#settled.delete(oldest)
    }
  }
}

function nameOf(laboratoryId: string, changeSetId: string): string {
  return `${laboratoryId} ${changeSetId}`
}
