import { Readable } from 'node:stream'
import { z } from 'zod'
import { largestFileBytes } from '../../platform/gateway/contract.ts'
import type { LogLevel } from '../../platform/gateway/log.ts'
import { FileShelf } from '../../platform/sync/file-shelf.ts'
import { filesAtOnce, LackingAnswer } from '../../platform/sync/wire.ts'
import type { Domains } from './domains.ts'
import { type HubConnection, HubRefused, HubUnreachable } from './hub-connection.ts'

export interface FileExchangeOptions {
  readonly home: string
  readonly laboratoryId: string
  readonly domains: Domains
  readonly connection: HubConnection
  readonly log: (level: LogLevel, words: string, fields: Readonly<Record<string, unknown>>) => void
}

/** An entry of the journal, or of the Hub's log. */
interface Entry {
  readonly domain: string
  readonly payload: string | null
}

/** So long rows wait for files that should be there before them. */
const beforeRowsMs = 60_000
const transferWithinMs = 30 * 60_000

/**
 * Brings the files that rows name to where the rows go: what was stored here to the Hub, what others stored from it.
 * Rows are worth more than a file, so none is ever held up for good: a file that could not travel is tried again with
 * each round, and all that rows name are looked through at the first.
 */
export class FileExchange {
  readonly #options: FileExchangeOptions
  readonly #shelf: FileShelf
  /** Named by rows, and not known to be on both sides. */
  readonly #open = new Set<string>()
  /** What was in the log already: it would be there with each round. */
  readonly #told = new Set<string>()
  #isLookedThrough = false
  #underWay: Promise<void> | null = null

  constructor(options: FileExchangeOptions) {
    this.#options = options
    this.#shelf = new FileShelf(options.home, null)
  }

  /** How many files are not known to be on both sides. */
  get waiting(): number {
    return this.#open.size
  }

  /** Notes the files that the rows of these entries name. */
  note(entries: readonly Entry[]): readonly string[] {
    const named = this.#options.domains.filesNamedIn(entries)
    for (const sha256 of named) this.#open.add(sha256)
    return named
  }

  /** Rows came in one piece, and nobody has seen which files they name. */
  noteAll(): void {
    this.#isLookedThrough = false
  }

  /** Before entries are pushed: the Hub gets the files that they name, unless that is not possible now. */
  async sendAhead(entries: readonly Entry[]): Promise<void> {
    const named = this.note(entries)
    if (named.length > 0) await this.#exchange(named, AbortSignal.timeout(beforeRowsMs))
  }

  /** Goes on with what is open, while others do something else. */
  goOn(): void {
    this.#underWay ??= this.#exchangeAll().finally(() => (this.#underWay = null))
  }

  /** Fetches a file that somebody waits for. */
  async fetch(sha256: string, withinMs: number): Promise<'here' | 'not-at-hub' | 'not-now'> {
    if (this.#shelf.has(sha256)) return 'here'
    try {
      await this.#fetch(sha256, AbortSignal.timeout(withinMs))
      this.#open.delete(sha256)
      return 'here'
    } catch (error) {
      if (error instanceof HubRefused && error.status === 404) return 'not-at-hub'
      this.#tell(sha256, `The file ${sha256} could not be fetched from the Hub`, error)
      return 'not-now'
    }
  }

  /** Waits for what is under way; the connection's own end cuts it short. */
  async close(): Promise<void> {
    await this.#underWay
  }

  async #exchangeAll(): Promise<void> {
    const { domains, laboratoryId } = this.#options
    if (!this.#isLookedThrough) {
      this.#isLookedThrough = true
      try {
        for (const sha256 of await domains.filesNamed(laboratoryId)) this.#open.add(sha256)
      } catch (error) {
        this.#isLookedThrough = false
        this.#tell('all', 'It could not be found out which files rows name; it is tried again', error)
      }
    }
    await this.#exchange([...this.#open], AbortSignal.timeout(transferWithinMs))
  }

  async #exchange(named: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      for (let from = 0; from < named.length; from += filesAtOnce) {
        const sha256 = named.slice(from, from + filesAtOnce)
        const asked = { method: 'POST', json: { sha256 }, signal } as const
        const { lacking } = await this.#options.connection.ask('/files/lacking', LackingAnswer, asked)
        for (const each of sha256) await this.#settle(each, !lacking.includes(each), signal)
      }
    } catch (error) {
      // That the Hub is away is told by the rows, which cannot travel either.
      if (!(error instanceof HubUnreachable))
        this.#tell('lacking', 'The Hub does not say which files it has; it is asked again', error)
    }
  }

  async #settle(sha256: string, isThere: boolean, signal: AbortSignal): Promise<void> {
    const isHere = this.#shelf.has(sha256)
    if (!isHere && !isThere) {
      this.#tell(sha256, `The file ${sha256}, which a row names, is neither here nor at the Hub yet`)
      return
    }
    try {
      if (!isThere) await this.#send(sha256, signal)
      else if (!isHere) await this.#fetch(sha256, signal)
      this.#open.delete(sha256)
    } catch (error) {
      if (error instanceof HubUnreachable) throw error
      this.#tell(
        sha256,
        `The file ${sha256} could not be ${isThere ? 'fetched from' : 'sent to'} the Hub`,
        error,
      )
    }
  }

  async #send(sha256: string, signal: AbortSignal): Promise<void> {
    const file = this.#shelf.pathOf(sha256)
    await this.#options.connection.ask(`/files/${sha256}`, z.unknown(), { method: 'PUT', file, signal })
  }

  async #fetch(sha256: string, signal: AbortSignal): Promise<void> {
    const asked = { signal, withinMs: transferWithinMs }
    const { body } = await this.#options.connection.open(`/files/${sha256}`, asked)
    // The two declarations of the same stream, the web's and Node's, do not know each other.
    const content =
      body === null ? Readable.from([]) : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0])
    await this.#shelf.receive(sha256, content, largestFileBytes)
  }

  #tell(about: string, words: string, error: unknown = null): void {
    if (this.#told.has(about)) return
    this.#told.add(about)
    this.#options.log('warn', words, error === null ? {} : { error })
  }
}
