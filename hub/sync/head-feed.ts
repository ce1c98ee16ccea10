import type { ServerResponse } from 'node:http'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Workstation } from './sync-store.ts'

interface Follower {
  readonly workstation: Pick<Workstation, 'id' | 'laboratoryId'>
  readonly response: ServerResponse
  told: number
}

const heartbeatMs = 15_000
const quietMs = 30
/** Whoever is told asks for what came, so many a second and no more: what they bring must not wait behind what they ask. */
const askedPerSecond = 200
/** A follower takes a token anew now and then, so one that was revoked does not listen for ever. */
const longestMs = 9 * 60_000

/**
 * Tells workstations that their laboratory's log has grown, as server-sent events. Hints may be lost; they only wake. Whoever
 * does not read them is let go: what is not read would be kept here.
 */
export class HeadFeed {
  readonly #reader: LogReader
  readonly #onFailure: (error: unknown) => void
  readonly #followers = new Set<Follower>()
  readonly #stopWatching: () => void
  readonly #heartbeat: NodeJS.Timeout
  #telling: Promise<void> = Promise.resolve()
  #due: NodeJS.Timeout | null = null
  #toldAt = 0

  /** `onFailure` is told when the log could not be asked; the next growth tells what it would have told. */
  constructor(reader: LogReader, journal: JournalClient, onFailure: (error: unknown) => void) {
    this.#reader = reader
    this.#onFailure = onFailure
    this.#stopWatching = journal.onAppended(() => this.#tellSoon())
    this.#heartbeat = setInterval(() => this.#keepAlive(), heartbeatMs)
    this.#heartbeat.unref()
  }

  /** Serves one workstation until it leaves. */
  follow(workstation: Follower['workstation'], response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    response.write(': welcome\n\n')
    const follower: Follower = { workstation, response, told: -1 }
    this.#followers.add(follower)
    const enough = setTimeout(() => response.end(), longestMs)
    response.once('close', () => {
      clearTimeout(enough)
      this.#followers.delete(follower)
    })
    this.#tellSoon()
  }

  /** Ends the feed of a workstation that was revoked. */
  drop(workstationId: string): void {
    for (const { workstation, response } of this.#followers)
      if (workstation.id === workstationId) response.end()
  }

  endAll(): void {
    for (const { response } of this.#followers) response.end()
  }

  close(): void {
    this.#stopWatching()
    clearInterval(this.#heartbeat)
    if (this.#due !== null) clearTimeout(this.#due)
    this.endAll()
  }

  /** Many entries come at once; one hint is enough for all of them. The more follow, the longer that is gathered. */
  #tellSoon(): void {
    if (this.#due !== null || this.#followers.size === 0) return
    const apartMs = (1_000 * this.#followers.size) / askedPerSecond
    const afterMs = Math.max(quietMs, this.#toldAt + apartMs - performance.now())
    this.#due = setTimeout(() => {
      this.#due = null
      this.#toldAt = performance.now()
      this.#telling = this.#telling.then(() => this.#tell()).catch(this.#onFailure)
    }, afterMs)
  }

  async #tell(): Promise<void> {
    const laboratories = new Set([...this.#followers].map(({ workstation }) => workstation.laboratoryId))
    for (const laboratoryId of laboratories) {
      const { position } = await this.#reader.laboratoryHead(laboratoryId)
      for (const follower of this.#followers) {
        if (follower.workstation.laboratoryId !== laboratoryId || follower.told === position) continue
        follower.told = position
        say(follower, `event: head\ndata: ${JSON.stringify({ position })}\n\n`)
      }
    }
  }

  #keepAlive(): void {
    for (const follower of this.#followers) say(follower, ': alive\n\n')
  }
}

/** To end it in good order would wait for it to read. */
function say({ response }: Follower, text: string): void {
  if (response.writableNeedDrain) response.destroy()
  else response.write(text)
}
