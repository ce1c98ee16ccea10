import { z } from 'zod'
import { GENESIS_HASH, type JournalEntry } from '../../platform/journal/entry.ts'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import { isCountersigned, keepCountersignature } from '../../platform/journal/countersignature.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { isToPush } from '../../platform/sync/journaled.ts'
import {
  composeRun,
  CountersignedPlace,
  type JournalPlace,
  type PushRun,
} from '../../platform/sync/push-run.ts'
import { PushAnswer } from '../../platform/sync/wire.ts'
import type { EnrolmentFile } from './enrolment-file.ts'
import type { FileExchange } from './file-exchange.ts'
import { type HubConnection, HubRefused, HubUnreachable } from './hub-connection.ts'

export interface PushingOptions {
  readonly home: string
  readonly journal: JournalClient
  readonly key: WorkstationKey
  readonly file: EnrolmentFile
  readonly connection: HubConnection
  readonly files: FileExchange
}

/** A run, where it ends, and the entries of it that the Hub must decide. */
export interface NextRun {
  readonly run: PushRun
  readonly end: JournalPlace
  readonly pushed: readonly JournalEntry[]
}

const entriesAtOnce = 400
const runCharacters = 3 * 1024 * 1024
/** Entries that hold nothing to push travel by their hashes; a few of them are not worth a request. */
const quietEntries = 200

const OutOfTurn = z.object({ pushed: CountersignedPlace })

/** Sends what was made here to the Hub, in the order of the journal, as runs that follow each other. */
export class Pushing {
  readonly #options: PushingOptions
  /** The end of what the Hub has; null until it has said so. */
  #known: JournalPlace | null = null
  /** What the Hub has is not in this journal: it was lost, and what is pushed begins with the entry that says so. */
  #isAnew = false

  constructor(options: PushingOptions) {
    this.#options = options
  }

  /** Takes the Hub's word for what it has of the journal, and keeps its signature under that. */
  async begin(told: CountersignedPlace | null): Promise<void> {
    if (told === null) return this.#beginAfter(null)
    this.#requireSigned(told)
    const { sequence, hash } = told
    await this.#beginAfter({ sequence, hash })
    if (!this.#isAnew) await this.#keepCountersignature(told)
  }

  async #beginAfter(known: JournalPlace | null): Promise<void> {
    const { file } = this.#options
    if (known?.hash !== file.require().pushed?.hash) file.change({ pushed: known })
    const told = known ?? file.require().journal
    const isAnew = !(await this.#has(told))
    const beginning = isAnew ? await this.#placeOfEpoch() : told
    // Both at once: somebody else may ask for them while the journal is read.
    this.#known = beginning
    this.#isAnew = isAnew
  }

  /** From where on the Hub lacks the journal, as far as is known here: it may have more. */
  async beginning(): Promise<JournalPlace> {
    if (this.#known === null) await this.#beginAfter(this.#options.file.require().pushed)
    if (this.#known === null) throw new Error('It is not known what the Hub has')
    return this.#known
  }

  /** Pushes all that is there by now, and tells of every run that the Hub has taken. True when anything was sent. */
  async pushAll(onTaken: () => void): Promise<boolean> {
    let sent = false
    while (await this.#pushSome()) {
      sent = true
      onTaken()
    }
    return sent
  }

  /** The run that follows a place; null where nothing is worth being sent. */
  async nextRun(after: JournalPlace): Promise<NextRun | null> {
    const { journal, key } = this.#options
    const read = await journal.read({ afterSequence: after.sequence, limit: entriesAtOnce })
    const toPush = new Set(read.filter((entry) => this.#isPushed(entry)))
    const entries = cut(read, toPush)
    const pushed = entries.filter((entry) => toPush.has(entry))
    if (toPush.size === 0 && read.length < quietEntries) return null
    const sent = new Set(entries.filter(({ kind }) => kind === 'epoch').concat(pushed))
    return { ...composeRun(after, entries, (entry) => sent.has(entry), key), pushed }
  }

  async #pushSome(): Promise<boolean> {
    const { connection, files } = this.#options
    const after = this.#known
    if (after === null) throw new Error('The Hub has not said what it has')
    const next = await this.nextRun(after)
    if (next === null) return false
    const { run, end, pushed: entries } = next
    // Whoever sees the rows then finds the files.
    await files.sendAhead(entries)
    try {
      const { pushed } = await connection.ask('/push', PushAnswer, { method: 'POST', json: run })
      const { countersignature } = pushed
      this.#requireSigned({ ...end, countersignature })
      this.#known = end
      this.#isAnew = false
      await this.#keepCountersignature({ ...end, countersignature })
      return true
    } catch (error) {
      // An answer got lost, or the Hub was set back: it says from where it wants to go on.
      if (!(error instanceof HubRefused) || error.code !== 'OUT_OF_TURN') throw error
      const told = OutOfTurn.parse(error.data).pushed
      if (this.#isAnew) throw anotherJournal(error, told)
      await this.begin(told)
      return true
    }
  }

  /** Work made here since the enrolment; what was there before has travelled in one piece. */
  #isPushed(entry: JournalEntry): boolean {
    const enrolledAt = this.#options.file.require().domains[entry.domain]?.enrolledAt
    return enrolledAt !== undefined && entry.domainSequence > enrolledAt && isToPush(entry)
  }

  async #has(place: JournalPlace): Promise<boolean> {
    if (place.sequence === 0) return place.hash === Buffer.from(GENESIS_HASH).toString('hex')
    return (await this.#options.journal.entry(place.sequence))?.hash === place.hash
  }

  #requireSigned({ sequence, hash, countersignature: signature }: CountersignedPlace): void {
    if (!isCountersigned({ sequence, hash, hubKey: this.#options.file.require().hubKey, signature }))
      throw new HubUnreachable('What the Hub says that it has is not signed by it')
  }

  /** Kept beside the journal, it proves later that the journal is still the one that the Hub has. */
  async #keepCountersignature({
    sequence,
    hash,
    countersignature: signature,
  }: CountersignedPlace): Promise<void> {
    const { file, home, journal } = this.#options
    const epoch = (await journal.epochs()).at(-1)?.number ?? 1
    keepCountersignature(home, { sequence, hash, hubKey: file.require().hubKey, signature, epoch })
  }

  /** Right before the entry that says that the journal was begun anew. */
  async #placeOfEpoch(): Promise<JournalPlace> {
    const { journal } = this.#options
    const epoch = (await journal.epochs()).at(-1)
    const sequence = Math.max(0, (epoch?.startedAtSequence ?? 1) - 1)
    if (sequence === 0) return { sequence, hash: Buffer.from(GENESIS_HASH).toString('hex') }
    const before = await journal.entry(sequence)
    if (before === null) throw new Error(`The journal has no entry ${sequence}`)
    return { sequence, hash: before.hash }
  }
}

/** The Hub has what this journal has not, and the journal does not say that it was begun anew. */
function anotherJournal({ status, data }: HubRefused, { sequence }: JournalPlace): HubRefused {
  const message = `The journal here is another one than the Hub has up to entry ${sequence}. Nothing is sent until somebody has looked into it; what is made here is kept.`
  return new HubRefused(status, { code: 'ANOTHER_JOURNAL', message, data })
}

/** As many entries as fit into one run, at least one. */
function cut(entries: readonly JournalEntry[], toPush: ReadonlySet<JournalEntry>): readonly JournalEntry[] {
  let characters = 0
  const end = entries.findIndex((entry, index) => {
    characters += toPush.has(entry) ? (entry.payload?.length ?? 0) : 0
    return index > 0 && characters > runCharacters
  })
  return end === -1 ? entries : entries.slice(0, end)
}
