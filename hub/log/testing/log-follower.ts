import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'pg'
import { hashEntry, hashPayload } from '../../../platform/journal/entry.ts'
import { emptyLog } from '../../../platform/sync/log.ts'
import { LogReader } from '../log-reader.ts'
import { z } from 'zod'

/** What an entry says of others: those it came after. */
const Payload = z.object({
  entry: z.object({ domainSequence: z.int(), changeSetId: z.string() }),
  body: z.object({
    causedBy: z.string().nullish(),
    changes: z.array(z.object({ replaces: z.string().nullable() })).default([]),
  }),
})

export interface SeenEntry {
  readonly domain: string
  readonly domainSequence: number
  readonly changeSetId: string
  /** The change sets that it says it was made after. */
  readonly after: readonly string[]
}

/** Reads a laboratory's log while it is written, as a workstation does: by positions alone, every hash proven. */
export class LogFollower {
  readonly seen: SeenEntry[] = []
  readonly #laboratoryId: string
  readonly #pool: Pool
  readonly #reader: LogReader
  readonly #reading: Promise<void>
  #hash: Buffer = Buffer.from(emptyLog.hash, 'hex')
  #stopping = false

  constructor(url: string, laboratoryId: string) {
    this.#laboratoryId = laboratoryId
    this.#pool = new Pool({ connectionString: url, max: 1 })
    this.#reader = new LogReader(this.#pool)
    this.#reading = this.#read()
    // Told to whoever stops it.
    this.#reading.catch(() => undefined)
  }

  async untilSeen(count: number): Promise<void> {
    while (this.seen.length < count) await Promise.race([delay(2), this.#reading])
  }

  /** Reads what there still is; throws when anything did not follow from what came before it. */
  async stop(): Promise<readonly SeenEntry[]> {
    this.#stopping = true
    await this.#reading.finally(() => this.#pool.end())
    return this.seen
  }

  async #read(): Promise<void> {
    for (let ended = false; !ended;) {
      const wasStopping = this.#stopping
      const most = { entries: 50, bytes: 1_000_000 }
      const entries = await this.#reader.laboratoryEntries(this.#laboratoryId, this.seen.length, most)
      for (const entry of entries) this.#take(entry)
      ended = wasStopping && entries.length === 0
      if (entries.length === 0) await delay(2)
    }
  }

  #take({ position, hash, domain, payload }: Awaited<ReturnType<LogReader['laboratoryEntries']>>[number]) {
    const expected = this.seen.length + 1
    if (position !== expected) throw new Error(`Position ${expected} was skipped: ${position} came`)
    if (payload === null) throw new Error(`Position ${position} has no payload`)
    this.#hash = hashEntry(this.#hash, position, hashPayload(payload))
    if (this.#hash.toString('hex') !== hash) throw new Error(`Position ${position} does not follow`)
    const { entry, body } = Payload.parse(JSON.parse(payload))
    const replaced = body.changes.flatMap(({ replaces }) => replaces ?? [])
    const after = body.causedBy == null ? replaced : [...replaced, body.causedBy]
    this.seen.push({ ...entry, domain, after })
  }
}
