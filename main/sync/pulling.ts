import { hashEntry, hashPayload } from '../../platform/journal/entry.ts'
import type { LogPlace, WireEntry } from '../../platform/sync/domain-contract.ts'
import { PullAnswer } from '../../platform/sync/wire.ts'
import type { Domains } from './domains.ts'
import { type HubConnection, HubRefused } from './hub-connection.ts'
import { installSnapshot } from './snapshots.ts'

export interface PullingOptions {
  readonly home: string
  readonly domains: Domains
  readonly connection: HubConnection
}

/** What the Hub sends does not follow from what it sent before. */
export class ForgedLog extends Error {
  override readonly name = 'ForgedLog'
}

/** A domain that nothing happens in is told now and then how far the log has come, so that little is fetched twice. */
const quietEntries = 500

/** Follows the Hub's log: fetches what comes next, proves it, and hands each domain its own. */
export class Pulling {
  readonly #options: PullingOptions
  #followed: LogPlace
  #head: number

  constructor(options: PullingOptions) {
    this.#options = options
    this.#followed = options.domains.lowest
    this.#head = this.#followed.position
  }

  get position(): number {
    return this.#followed.position
  }

  /** How many entries are known to be at the Hub that are not here. */
  get lag(): number {
    return Math.max(0, this.#head - this.#followed.position)
  }

  /** The Hub has told how far its log has come. True when that is further than this copy. */
  noteHead(position: number): boolean {
    this.#head = Math.max(this.#head, position)
    return this.lag > 0
  }

  /** Follows until the end of the log. True when anything came. */
  async pullAll(): Promise<boolean> {
    let came = false
    for (let more = true; more; came ||= more) more = await this.#pullSome()
    return came
  }

  async #pullSome(): Promise<boolean> {
    const { connection } = this.#options
    const { position, hash } = this.#followed
    try {
      const { entries, head } = await connection.ask(`/pull?after=${position}&hash=${hash}`, PullAnswer)
      this.#head = head.position
      const end = proveEntries(this.#followed, entries)
      await this.#deal(entries, end)
      this.#followed = end
      return entries.length > 0
    } catch (error) {
      if (!(error instanceof HubRefused) || error.code !== 'GONE') throw error
      await this.#beginFromSnapshots()
      return true
    }
  }

  async #deal(entries: readonly WireEntry[], end: LogPlace): Promise<void> {
    const { domains } = this.#options
    for (const domain of domains.names) {
      const own = entries.filter((entry) => entry.domain === domain)
      const isQuiet = own.length === 0 && end.position - domains.placeOf(domain).position < quietEntries
      if (!isQuiet && end.position > domains.placeOf(domain).position) await domains.follow(domain, own, end)
    }
  }

  /** What comes next is served no longer: the rows are taken as they are now. What was made here stays pending. */
  async #beginFromSnapshots(): Promise<void> {
    const { domains } = this.#options
    for (const domain of domains.names) await installSnapshot(this.#options, domain)
    this.#followed = domains.lowest
  }
}

/** Where entries lead that follow from a place. Throws {@link ForgedLog} for any that does not. */
function proveEntries(from: LogPlace, entries: readonly WireEntry[]): LogPlace {
  let end = from
  for (const { position, hash, payload } of entries) {
    const follows =
      position === end.position + 1 &&
      hashEntry(Buffer.from(end.hash, 'hex'), position, hashPayload(payload)).toString('hex') === hash
    if (!follows)
      throw new ForgedLog(
        `Entry ${position} of the Hub's log does not follow from what this workstation has. Nothing of it was taken.`,
      )
    end = { position, hash }
  }
  return end
}
