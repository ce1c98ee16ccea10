import { hashEntry, hashPayload } from '../../platform/journal/entry.ts'
import type { LogPlace, WireEntry } from '../../platform/sync/domain-contract.ts'
import { PullAnswer, quietEntries } from '../../platform/sync/wire.ts'
import type { Domains } from './domains.ts'
import type { FileExchange } from './file-exchange.ts'
import { type HubConnection, HubRefused } from './hub-connection.ts'
import { installSnapshot } from './snapshots.ts'

/** Entries of the Hub's log that follow each other, and how far it has come. */
export interface LogPiece {
  readonly after: LogPlace
  readonly entries: readonly WireEntry[]
  readonly head: number
}

export interface PullingOptions {
  readonly home: string
  readonly domains: Domains
  readonly connection: HubConnection
  readonly files: FileExchange
}

/** What the Hub sends does not follow from what it sent before. */
export class ForgedLog extends Error {
  override readonly name = 'ForgedLog'
}

/** Follows the Hub's log: fetches what comes next, proves it, and hands each domain its own. */
export class Pulling {
  readonly #options: PullingOptions
  #followed: LogPlace
  #head: number
  #last: Promise<void> = Promise.resolve()

  constructor(options: PullingOptions) {
    this.#options = options
    this.#followed = options.domains.lowest
    this.#head = this.#followed.position
  }

  get position(): number {
    return this.#followed.position
  }

  get followed(): LogPlace {
    return this.#followed
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

  /**
   * Follows a piece of the log that came by another way. How many of its entries were not here; null where it begins
   * after what is here, and nothing of it was taken.
   */
  take({ after, entries, head }: LogPiece): Promise<number | null> {
    return this.#inTurn(async () => {
      const { position, hash } = this.#followed
      if (after.position > position) return null
      const end = proveEntries(after, entries)
      const known = position - after.position
      // Of what was here already, the chain must be the same.
      const place = known === 0 ? after : entries[known - 1]
      if (place !== undefined && place.hash !== hash) throw forged(position + 1)
      this.#head = Math.max(this.#head, head)
      if (end.position <= position) return 0
      await this.#follow(entries.slice(known), end)
      return end.position - position
    })
  }

  async #pullSome(): Promise<boolean> {
    const { connection } = this.#options
    const { position, hash } = this.#followed
    try {
      const { entries, head } = await connection.ask(`/pull?after=${position}&hash=${hash}`, PullAnswer)
      return await this.#inTurn(async () => {
        // A bundle may have been brought meanwhile: what comes after it is asked for.
        if (this.#followed.position !== position) return true
        this.#head = head.position
        await this.#follow(entries, proveEntries(this.#followed, entries))
        return entries.length > 0
      })
    } catch (error) {
      if (!(error instanceof HubRefused) || error.code !== 'GONE') throw error
      await this.#inTurn(() => this.#beginFromSnapshots())
      return true
    }
  }

  async #follow(entries: readonly WireEntry[], end: LogPlace): Promise<void> {
    await this.#deal(entries, end)
    this.#options.files.note(entries)
    this.#followed = end
  }

  /** One piece after the other, whichever way they come. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.then(
      () => undefined,
      () => undefined,
    )
    return done
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
    this.#options.files.noteAll()
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
    if (!follows) throw forged(position)
    end = { position, hash }
  }
  return end
}

function forged(position: number): ForgedLog {
  return new ForgedLog(
    `Entry ${position} of the Hub's log does not follow from what this workstation has. Nothing of it was taken.`,
  )
}
