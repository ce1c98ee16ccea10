import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { LogPlace } from '../../platform/sync/domain-contract.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Domains } from './domains.ts'
import { SyncProblem } from './sync-problem.ts'

/** A domain's rows of one laboratory in a file, and the place of the laboratory's log that they stand for. */
export interface HeldSnapshot {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  readonly place: LogPlace
}

const keptMs = 60 * 60_000
const logFollowsWithinMs = 30_000

/** Makes snapshots for workstations, and keeps each for a while so that a broken transfer can go on. */
export class Snapshots {
  readonly #domains: Domains
  readonly #reader: LogReader
  readonly #held = new Map<string, HeldSnapshot & { readonly until: number }>()

  constructor(domains: Domains, reader: LogReader) {
    this.#domains = domains
    this.#reader = reader
  }

  /** Makes one of how the rows are now. */
  async make(laboratoryId: string, domain: string): Promise<HeldSnapshot> {
    await this.#forgetOld()
    const made = await this.#domains.client(domain).syncSnapshot({ laboratoryId })
    const place = await this.placeOf(laboratoryId, domain, made.domainSequence)
    const { path, sha256, bytes } = made
    const snapshot = { path, sha256, bytes, place }
    this.#held.set(nameOf(laboratoryId, domain, sha256), { ...snapshot, until: Date.now() + keptMs })
    return snapshot
  }

  /** One that was made before; throws when it is kept no longer. */
  find(laboratoryId: string, domain: string, sha256: string): HeldSnapshot {
    const held = this.#held.get(nameOf(laboratoryId, domain, sha256))
    if (held === undefined)
      throw new SyncProblem(410, 'GONE', 'This snapshot is kept no longer: take another one')
    return held
  }

  /** The place of a laboratory's log that stands for a number of the domain's own, once the log has that number. */
  async placeOf(laboratoryId: string, domain: string, domainSequence: number): Promise<LogPlace> {
    const until = Date.now() + logFollowsWithinMs
    while (((await this.#reader.domainHead(domain))?.domainSequence ?? 0) < domainSequence) {
      if (Date.now() > until)
        throw new SyncProblem(503, 'NOT_STARTED', `The log does not have what ${domain} wrote yet: try again`)
      await delay(50)
    }
    return this.#reader.placeOfDomain(laboratoryId, domain, domainSequence)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map(({ path }) => rm(path, { force: true })))
  }

  async #forgetOld(): Promise<void> {
    for (const [name, { path, until }] of this.#held) {
      if (until > Date.now()) continue
      this.#held.delete(name)
      await rm(path, { force: true })
    }
  }
}

function nameOf(laboratoryId: string, domain: string, sha256: string): string {
  return `${laboratoryId} ${domain} ${sha256}`
}
