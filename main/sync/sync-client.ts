import type { KeyObject } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { BundleFolder } from '../../platform/sync/bundle-folder.ts'
import type {
  BroughtBundle,
  FileOutcome,
  MadeBundle,
  Resolution,
  SyncStatus,
} from '../../platform/sync/contract.ts'
import { stateSealingKey } from '../../platform/sync/sealing-key.ts'
import { PassedOnAnswer, type PassedOnRequest, passingOnMs } from '../../platform/sync/passed-on.ts'
import type { Migrations } from '../../platform/sync/versions.ts'
import { PeopleAnswer, ProofOutcome } from '../../platform/sync/wire.ts'
import { type BenchBundlesOptions, bringBundle, makeBundle } from './bundles.ts'
import { Domains } from './domains.ts'
import { beginEnrolment, completeEnrolment, enrolDomain } from './enrolling.ts'
import { EnrolmentFile } from './enrolment-file.ts'
import { FileExchange } from './file-exchange.ts'
import { listenForHead } from './head-events.ts'
import { type Contact, HubConnection, HubRefused, HubUnreachable, WrongHub } from './hub-connection.ts'
import { ForgedLog, Pulling } from './pulling.ts'
import { Pushing } from './pushing.ts'

export interface SyncClientOptions {
  readonly home: string
  readonly workstation: { readonly id: string; readonly name: string }
  readonly gateway: Gateway
  readonly journal: JournalClient
  /** Throws where the key was sealed by somebody else: then there is no sync, and the words say why. */
  readonly openKey: () => WorkstationKey
  /** The key for which bundles to this workstation are sealed; made at its first use. */
  readonly openSealingKey: () => KeyObject
  readonly domains: readonly string[]
  /** Where the Hub is by now; what the enrolment says when left out. The Hub proves itself either way. */
  readonly hubUrl?: string
  readonly timing?: Partial<SyncTiming>
}

export interface SyncTiming {
  /** How often the Hub is asked even when nothing hints at anything. */
  readonly everyMs: number
  readonly firstBackOffMs: number
  readonly longestBackOffMs: number
}

const defaultTiming: SyncTiming = {
  everyMs: 30_000,
  firstBackOffMs: 1_000,
  longestBackOffMs: 60_000,
}

/** Somebody stands there and waits. */
const answerMs = 6_000
const listenAgainMs = 1_000
const namesAgainMs = 30_000
/** What comes at once is exchanged at once. */
const gatherMs = 25

type State = SyncStatus['state']

/** Everything that belongs to one time of speaking with the Hub. */
interface Session {
  readonly connection: HubConnection
  readonly pushing: Pushing
  readonly pulling: Pulling
  readonly files: FileExchange
}

/**
 * Keeps a workstation and its Hub together: sends what was made here, follows the Hub's log, and waits out every time
 * without a network. Nobody at the bench ever waits for it.
 */
export class SyncClient {
  readonly #options: SyncClientOptions
  readonly #timing: SyncTiming
  readonly #file: EnrolmentFile
  readonly #domains: Domains
  readonly #ending = new AbortController()
  #migrations: Migrations | null = null
  #session: Session | null = null
  #meeting: Promise<Session> | null = null
  readonly #bundles: BundleFolder
  #running: Promise<void> | null = null
  #listening: AbortController | null = null
  #wake: () => void = () => undefined
  #isDue = false
  #state: State
  #words: string
  #backOffMs: number
  #lastContactAt: string | null = null
  #lastPushAt: string | null = null
  #lastPullAt: string | null = null
  #clockSkewMs: number | null = null
  #names: ReadonlyMap<string, string> = new Map()
  #namesAskedAt = 0
  readonly #stopWatching: () => void

  constructor(options: SyncClientOptions) {
    this.#options = options
    this.#timing = { ...defaultTiming, ...options.timing }
    this.#backOffMs = this.#timing.firstBackOffMs
    this.#file = new EnrolmentFile(options.home)
    this.#bundles = new BundleFolder(options.home)
    this.#domains = new Domains(options.gateway, options.domains)
    this.#state = this.#file.current === null ? 'not-enrolled' : 'offline'
    this.#words =
      this.#file.current === null ? 'This workstation has no Hub.' : 'The Hub has not been asked yet.'
    this.#stopWatching = options.journal.onAppended(() => {
      this.#domains.noteJournaled()
      this.hint()
    })
  }

  /** Begins to speak with the Hub, if there is one. */
  start(): void {
    if (this.#file.current === null || this.#running !== null || this.#isEnding()) return
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#ending.abort()
    this.#listening?.abort()
    this.#stopWatching()
    this.goNow()
    await this.#running
    await this.#session?.files.close()
  }

  /** Something may have to be sent or fetched. While the Hub is away that is no reason to ask it more often. */
  hint(): void {
    this.#isDue = true
    if (this.#state === 'online') this.#wake()
  }

  /** Enrols the workstation and brings it and the Hub to the same rows; goes on by itself after what cut it off. */
  async enrol(given: { readonly hubUrl: string; readonly code: string }) {
    await beginEnrolment(this.#enrolling(), given)
    this.#announce('enrolling', 'The laboratory is being brought to the Hub, or from it.')
    this.start()
    await this.#settled((state) => state !== 'enrolling')
    const { laboratoryId, role, isComplete } = this.#file.require()
    if (!isComplete)
      throw new Refusal('OUTCOME_UNKNOWN', `${this.#words} It goes on by itself.`, { why: 'offline' })
    return { laboratoryId, role }
  }

  /** Speaks with the Hub at once, whatever it was waiting for. */
  goNow(): void {
    this.#backOffMs = this.#timing.firstBackOffMs
    this.#isDue = true
    this.#wake()
  }

  pause(): void {
    this.#file.change({ isPaused: true })
    this.#announce('paused', 'Paused by a person. What is made here waits.')
    this.#listening?.abort()
    this.goNow()
  }

  resume(): void {
    this.#file.change({ isPaused: false })
    this.#announce('offline', 'The Hub is being asked.')
    this.goNow()
  }

  /** What a workstation of the laboratory is called; null where the Hub has not told since the start. */
  nameOf(workstationId: string): string | null {
    const { workstation } = this.#options
    return workstationId === workstation.id ? workstation.name : (this.#names.get(workstationId) ?? null)
  }

  /** Asks the Hub for names that are not known here, such as of one that joined meanwhile; nobody waits for it. */
  learnNames(): void {
    const connection = this.#session?.connection ?? null
    if (connection === null || this.#state !== 'online') return
    if (Date.now() - this.#namesAskedAt < namesAgainMs) return
    this.#namesAskedAt = Date.now()
    // Without an answer the names stay unknown until the next contact, which brings them too.
    this.#takePeople(connection).catch(() => undefined)
  }

  get isEnrolled(): boolean {
    return this.#file.current !== null
  }

  /** Passes a person's decision on to the Hub. Throws OFFLINE when it cannot be reached now. */
  async resolve(resolution: z.output<typeof Resolution>, actorId: string): Promise<void> {
    const words = 'Decisions are made at the Hub, and it cannot be reached now: nothing was changed.'
    await this.#askNow('/resolution', z.unknown(), { json: { ...resolution, actorId } }, words)
    this.goNow()
  }

  /**
   * Passes on what a person asks of a domain that the Hub alone answers. Throws OFFLINE when it cannot be reached now, and
   * AT_HUB_ONLY where there is no Hub; a command asked again under its key is done once.
   */
  async passOn(
    request: PassedOnRequest,
    { withinMs, changes }: { readonly withinMs: number; readonly changes: boolean },
  ): Promise<unknown> {
    if (!this.isEnrolled)
      throw new Refusal('AT_HUB_ONLY', 'This is done by way of a Hub, and this laboratory has none.')
    const words = changes
      ? 'This is done at the Hub, and it cannot be reached now. If it was done all the same, it is seen when the Hub is there again.'
      : 'This is kept at the Hub, and it cannot be reached now.'
    const ask = { json: request, withinMs: Math.max(1, withinMs - passingOnMs) }
    const { answer } = await this.#askNow('/passed-on', PassedOnAnswer, ask, words)
    if (changes) this.goNow()
    return answer
  }

  /** Somebody waits for the answer. `words` say what is not possible without the Hub. */
  async #askNow<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    ask: { readonly json: object; readonly withinMs?: number },
    words: string,
  ): Promise<z.output<Schema>> {
    const connection = this.#session?.connection ?? null
    // A round that has not ended yet has not said that the Hub is reached; asking finds out.
    if (connection === null || this.#state === 'paused') throw offline(words)
    try {
      return await connection.ask(path, schema, { method: 'POST', ...ask })
    } catch (error) {
      if (error instanceof HubUnreachable) throw offline(words)
      if (error instanceof WrongHub) throw new Refusal('OFFLINE', error.message)
      // It is the workstation that the Hub does not know any more, not the person.
      if (error instanceof HubRefused && error.code === 'UNAUTHORIZED')
        throw new Refusal('RULE_BROKEN', error.message, { rule: 'enrolled' })
      if (error instanceof HubRefused) throw new Refusal(error.code, error.message, error.data ?? undefined)
      throw error
    }
  }

  /** Asks the Hub whether somebody is who they say. */
  async prove(proof: { readonly userId: string; readonly password: string }) {
    if (!this.isEnrolled) return { outcome: 'no-hub' as const }
    const connection = this.#session?.connection ?? null
    if (connection === null) return { outcome: 'offline' as const }
    try {
      return await connection.ask('/proof', ProofOutcome, { method: 'POST', json: proof, withinMs: answerMs })
    } catch (error) {
      if (error instanceof HubUnreachable || error instanceof HubRefused || error instanceof WrongHub)
        return { outcome: 'offline' as const }
      throw error
    }
  }

  /** Fetches a file that a row names from the Hub, for somebody who wants to read it now. */
  async fetchFile(sha256: string): Promise<FileOutcome> {
    if (!this.isEnrolled) return 'no-hub'
    if (this.#session === null || this.#state === 'paused') return 'not-now'
    return this.#session.files.fetch(sha256, answerMs)
  }

  /** Puts what the Hub does not have into a file that is carried to it by hand. */
  async makeBundle(): Promise<MadeBundle> {
    return makeBundle(await this.#byHand(), this.#bundles)
  }

  /** Takes what the Hub has put into a file. */
  async bringBundle(content: Blob): Promise<BroughtBundle> {
    const { brought, manifest } = await bringBundle(await this.#byHand(), this.#bundles, content)
    this.#noteNames(manifest.workstations)
    this.#lastPullAt = new Date().toISOString()
    this.hint()
    return brought
  }

  /** A bundle that was made here, as a file; null where it is kept no longer. */
  async findBundle(id: string): Promise<File | null> {
    return this.#bundles.find(id, this.#file.current?.laboratoryId ?? '')
  }

  /** What bundles need; all of it is there without a network once the enrolment is done. */
  async #byHand(): Promise<BenchBundlesOptions> {
    if (this.#file.current?.isComplete !== true)
      throw ruleBroken(
        'enrolled',
        'Bundles are for a workstation that was enrolled at its Hub over the network, all the way to the end',
      )
    const { pushing, pulling } = await this.#meet()
    const { openKey, openSealingKey, workstation } = this.#options
    return {
      workstation,
      key: openKey(),
      sealingKey: openSealingKey(),
      file: this.#file,
      domains: this.#domains,
      migrations: this.#migrations ?? (await this.#domains.read()),
      pushing,
      pulling,
    }
  }

  async status(): Promise<SyncStatus> {
    const enrolment = this.#file.current
    return {
      state: this.#state,
      words: this.#words + this.#wordsOfFiles(),
      hubUrl: enrolment === null ? null : this.#hubUrl(),
      laboratoryId: enrolment?.laboratoryId ?? null,
      lastContactAt: this.#lastContactAt,
      lastPushAt: this.#lastPushAt,
      lastPullAt: this.#lastPullAt,
      pending: enrolment === null ? [] : [...(await this.#domains.pending())],
      position: this.#session?.pulling.position ?? 0,
      lag: this.#session?.pulling.lag ?? 0,
      clockSkewMs: this.#clockSkewMs,
      offlineUntil: enrolment?.offlineUntil ?? null,
    }
  }

  #wordsOfFiles(): string {
    const waiting = this.#session?.files.waiting ?? 0
    if (this.#state !== 'online' || waiting === 0) return ''
    return ` Files that have not come to both sides yet: ${waiting}. They are tried again.`
  }

  async #run(): Promise<void> {
    while (!this.#isEnding()) {
      this.#isDue = false
      const waitMs = this.#file.require().isPaused ? this.#paused() : await this.#goRound()
      await this.#sleep(waitMs)
    }
    this.#announce('offline', 'The application is closing.')
  }

  #paused(): number {
    this.#announce('paused', 'Paused by a person. What is made here waits.')
    return this.#timing.everyMs
  }

  /** One round with the Hub. How long to wait until the next one, unless something happens. */
  async #goRound(): Promise<number> {
    try {
      const session = await this.#meet()
      await this.#exchange(session)
      this.#backOffMs = this.#timing.firstBackOffMs
      this.#listen(session)
      return this.#timing.everyMs
    } catch (error) {
      return this.#explain(error)
    }
  }

  /** Push and pull have nothing to do with each other: what hinders one does not stop the other. */
  async #exchange({ connection, pushing, pulling, files }: Session): Promise<void> {
    await connection.meet()
    const problems: HubRefused[] = []
    const attempt = async (work: () => Promise<void>) => {
      try {
        await work()
      } catch (error) {
        if (!(error instanceof HubRefused) || error.code === 'REVOKED' || error.status === 401) throw error
        problems.push(error)
      }
    }
    const pull = () =>
      attempt(async () => {
        if (await pulling.pullAll()) this.#lastPullAt = new Date().toISOString()
      })
    // What was decided comes back while the next is on its way. If that fails, the last pull of the round says so.
    let pulls = Promise.resolve()
    const pullMeanwhile = () => {
      pulls = pulls.then(pull).catch(() => undefined)
    }
    try {
      await attempt(async () => {
        if (await pushing.pushAll(pullMeanwhile)) this.#lastPushAt = new Date().toISOString()
      })
    } finally {
      await pulls
    }
    await pull()
    files.goOn()
    const [problem] = problems
    if (problem !== undefined) throw problem
    this.#announce('online', 'The Hub is reached, and has all that was made here.')
  }

  /** Everything that is needed to speak with the Hub; an enrolment that was cut off is completed first. */
  #meet(): Promise<Session> {
    if (this.#session !== null) return Promise.resolve(this.#session)
    this.#meeting ??= this.#takeUp().finally(() => (this.#meeting = null))
    return this.#meeting
  }

  async #takeUp(): Promise<Session> {
    this.#migrations ??= await this.#domains.read()
    const { file, ...enrolling } = this.#enrolling()
    const { hubKey } = file.require()
    const { key } = enrolling
    const connection = new HubConnection(
      { url: this.#hubUrl(), hubKey, signal: this.#ending.signal },
      key,
      this.#migrations,
      stateSealingKey(this.#options.openSealingKey(), key),
    )
    if (!file.require().isComplete) {
      this.#announce('enrolling', 'The laboratory is being brought to the Hub, or from it.')
      await completeEnrolment({ ...enrolling, file }, connection)
    }
    await this.#enrolNewDomains()
    const { journal, home } = this.#options
    const { laboratoryId } = file.require()
    const { log } = this.#options.gateway
    const files = new FileExchange({
      ...{ home, laboratoryId, domains: this.#domains, connection },
      log: (level, words, fields) => log.write(level, words, { step: 'sync', ...fields }),
    })
    const pushing = new Pushing({ home, journal, key, file, connection, files })
    const pulling = new Pulling({ home, domains: this.#domains, connection, files })
    connection.onContact = (contact) => this.#noteContact(contact, pushing, connection)
    connection.forgetToken()
    this.#session = { connection, pushing, pulling, files }
    return this.#session
  }

  /** A domain that came with a later version has nothing yet, and begins with the log. */
  async #enrolNewDomains(): Promise<void> {
    const { laboratoryId, domains } = this.#file.require()
    for (const domain of this.#domains.names) {
      if (domains[domain] === undefined)
        this.#file.changeDomain(domain, await enrolDomain(this.#domains, domain, laboratoryId))
    }
  }

  async #noteContact(contact: Contact, pushing: Pushing, connection: HubConnection): Promise<void> {
    this.#lastContactAt = new Date().toISOString()
    this.#clockSkewMs = contact.clockSkewMs
    const { sealing } = contact
    if (sealing !== undefined && sealing.publicKey !== this.#file.require().hubSealingKey)
      this.#file.change({ hubSealingKey: sealing.publicKey })
    await pushing.begin(contact.pushed)
    // The token is there by now, so this asks for no other one.
    await this.#takePeople(connection)
  }

  /** Who may sign in here without the Hub, and until when. */
  async #takePeople(connection: HubConnection): Promise<void> {
    const { laboratoryId } = this.#file.require()
    const { credentials, leaseMs, workstations } = await connection.ask('/people', PeopleAnswer)
    this.#noteNames(workstations)
    const until = new Date(Date.now() + leaseMs).toISOString()
    await this.#options.gateway.call({
      path: ['auth', 'keepOfflinePeople'],
      input: { laboratoryId, credentials, until },
      origin: { from: 'host', actor: null },
    })
    this.#file.change({ offlineUntil: until })
  }

  #noteNames(workstations: readonly { readonly id: string; readonly name: string }[]): void {
    this.#names = new Map(workstations.map(({ id, name }) => [id, name]))
  }

  #listen({ connection, pulling }: Session): void {
    if (this.#listening !== null) return
    const listening = new AbortController()
    this.#listening = listening
    const onHead = (position: number) => {
      if (pulling.noteHead(position)) this.hint()
    }
    listenForHead(connection, onHead, listening.signal)
      // A line that ends is no news: the next round finds out whether the Hub is gone.
      .catch(() => undefined)
      .then(() => {
        if (this.#listening === listening) this.#listening = null
        return delay(listenAgainMs, undefined, { signal: this.#ending.signal, ref: false })
      })
      .then(
        () => this.hint(),
        () => undefined,
      )
  }

  /** Says what hinders sync. How long to wait before trying again. */
  #explain(error: unknown): number {
    if (this.#isEnding()) return 0
    if (error instanceof HubUnreachable) {
      this.#announce('offline', `${error.message}. What is made here waits for it.`)
      return this.#backOff()
    }
    if (error instanceof HubRefused || error instanceof ForgedLog || error instanceof WrongHub) {
      // It may have been put right meanwhile, at the Hub or on the way to it.
      this.#announce('stopped', error.message)
      return this.#backOff()
    }
    // A service of this workstation that does not answer: it is started anew by whoever looks after it.
    const words = error instanceof Error ? error.message : String(error)
    this.#options.gateway.log.write('warn', 'A round of sync could not be finished; it is tried again', {
      error,
    })
    this.#announce('offline', `Sync could not be finished and is tried again: ${words}`)
    return this.#backOff()
  }

  /** Longer each time, and never for all workstations at the same moment. */
  #backOff(): number {
    const waitMs = this.#backOffMs * (0.5 + Math.random() / 2)
    this.#backOffMs = Math.min(this.#backOffMs * 2, this.#timing.longestBackOffMs)
    return waitMs
  }

  async #sleep(waitMs: number): Promise<void> {
    if (this.#isEnding()) return
    if (!(this.#isDue && this.#state === 'online')) {
      const woken = new AbortController()
      this.#wake = () => woken.abort()
      await delay(waitMs, undefined, { signal: woken.signal }).catch(() => undefined)
      this.#wake = () => undefined
    }
    if (!this.#isEnding()) await delay(gatherMs)
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  #announce(state: State, words: string): void {
    if (state !== this.#state)
      this.#options.gateway.log.write(state === 'stopped' ? 'warn' : 'info', `Sync: ${words}`, { state })
    this.#state = state
    this.#words = words
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  readonly #waiters: (() => void)[] = []

  async #settled(isSettled: (state: State) => boolean): Promise<void> {
    while (!isSettled(this.#state)) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  #hubUrl(): string {
    return this.#options.hubUrl ?? this.#file.require().hubUrl
  }

  #enrolling() {
    const { home, workstation, gateway, journal, openKey } = this.#options
    return { home, workstation, gateway, journal, key: openKey(), file: this.#file, domains: this.#domains }
  }
}

function offline(words: string): Refusal {
  return new Refusal('OFFLINE', `${words} Try again when it is.`)
}
