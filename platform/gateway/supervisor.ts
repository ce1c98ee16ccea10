import { Worker } from 'node:worker_threads'
import type { FromService, ServiceNotice, ToService } from '../service/boot.ts'
import { withDeadline } from './deadline.ts'
import { describeError, notStarted } from './faults.ts'
import type { LogFields, LogLevel } from './log.ts'
import { type ServiceCall, ServiceLink } from './service-link.ts'
import type { ServiceState } from './supervisor-states.ts'
import type { WorkerLaunch } from './worker-launch.ts'

/** All times in milliseconds. */
export interface SupervisorTiming {
  /** Without a sign of life: a long recovery tells how far it is and takes the time it needs. */
  readonly readyWithinMs: number
  readonly heartbeatEveryMs: number
  /** So many heartbeats in a row must be missing before a worker with an overdue call is ended. */
  readonly heartbeatsMissing: number
  readonly idleAfterMs: number
  readonly closeWithinMs: number
  readonly firstBackOffMs: number
  readonly longestBackOffMs: number
  /** A worker that lived this long begins with the first back-off again. */
  readonly stableAfterMs: number
}

export const defaultTiming: SupervisorTiming = {
  readyWithinMs: 60_000,
  heartbeatEveryMs: 1_000,
  heartbeatsMissing: 5,
  idleAfterMs: 15 * 60_000,
  closeWithinMs: 10_000,
  firstBackOffMs: 100,
  longestBackOffMs: 60_000,
  stableAfterMs: 60_000,
}

export interface SupervisorOptions {
  readonly name: string
  /** Makes ports and boot data for one life of the worker. */
  readonly launch: () => WorkerLaunch
  readonly timing: SupervisorTiming
  /** Null keeps the worker awake. */
  readonly idleAfterMs: number | null
  readonly log: (level: LogLevel, message: string, fields?: LogFields) => void
  readonly onNotice: (notice: ServiceNotice) => void
}

/** A worker that closed its port but lives on is ended after this time. */
const portlessForMs = 1_000

type Pong = Extract<FromService, { readonly type: 'pong' }>

/** One life of the worker, from start to exit. */
interface Life {
  readonly worker: Worker
  readonly link: ServiceLink
  readonly launch: WorkerLaunch
  readonly startedAt: number
  readonly ready: PromiseWithResolvers<ServiceLink>
  readonly exited: PromiseWithResolvers<void>
  readyTimer: NodeJS.Timeout | undefined
  pings: number
  missedPings: number
  lastPong: Pong | null
  /** Why the worker ends, in words, as soon as anybody knows. */
  why: string | null
}

export interface InstanceStatus {
  readonly state: ServiceState
  /** What is wrong, in words; null when nothing is. */
  readonly words: string | null
  readonly restarts: number
  readonly readySince: number | null
  /** Calls in hand, and those it still owes an answer after their deadline. */
  readonly load: number
  readonly heapUsedBytes: number | null
  readonly databaseBytes: number | null
  /** The last change set its database knew to be in the journal, also when it sleeps now; null when it never said. */
  readonly confirmedSequence: number | null
}

/**
 * Keeps one worker of a service: starts it when it is first needed, restarts it after a crash with growing waits, puts
 * it to sleep when idle, and ends it only when a call is overdue and its heartbeats are missing.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  #state: ServiceState = 'asleep'
  #words: string | null = null
  #life: Life | null = null
  #restarts = 0
  /** Crashes in a row without a stable life between them. */
  #crashes = 0
  #retryTimer: NodeJS.Timeout | undefined
  #ticker: NodeJS.Timeout | undefined
  #lastUsedAt = 0
  #readySince: number | null = null
  #confirmedSequence: number | null = null
  #stopped = false
  /** Calls taken on whose callers wait, sent or not. */
  #inHand = 0

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  get status(): InstanceStatus {
    return {
      state: this.#state,
      words: this.#words,
      restarts: this.#restarts,
      readySince: this.#readySince,
      load: this.#inHand + (this.#life?.link.overdue.count ?? 0),
      heapUsedBytes: this.#life?.lastPong?.heapUsedBytes ?? null,
      databaseBytes: this.#life?.lastPong?.databaseBytes ?? null,
      confirmedSequence: this.#confirmedSequence,
    }
  }

  /** Passes a call to the worker, starting it first when it sleeps. */
  async call(call: ServiceCall): Promise<unknown> {
    this.#inHand += 1
    try {
      const link = await this.ensureReady(call.envelope.deadlineAt)
      return await link.call(call)
    } finally {
      this.#inHand -= 1
    }
  }

  /**
   * The link to a ready worker, starting it when it sleeps. Throws NOT_STARTED with words at once while it is failing or
   * refused, and at the deadline when it did not become ready in time.
   */
  async ensureReady(deadlineAt: number): Promise<ServiceLink> {
    this.#lastUsedAt = Date.now()
    const late = () => {
      const doing = this.#words === null ? '' : `: ${this.#words}`
      return notStarted(`The service ${this.#options.name} was not ready in time${doing}`)
    }
    if (this.#state === 'closing' && this.#life !== null)
      await withDeadline(this.#life.exited.promise, deadlineAt, late)
    if (this.#stopped) throw notStarted('The application is closing')
    if (this.#state === 'asleep') this.#start()
    if (this.#life === null || this.#state === 'failing' || this.#state === 'refused')
      throw notStarted(this.#words ?? `The service ${this.#options.name} is not running`)
    if (this.#state === 'ready') return this.#life.link
    return withDeadline(this.#life.ready.promise, deadlineAt, late)
  }

  /** Tries a failing or refused service again at once; for a person who has put the cause right. */
  retry(): void {
    if (this.#stopped || (this.#state !== 'failing' && this.#state !== 'refused')) return
    this.#crashes = 0
    if (this.#life === null) this.#start()
    else void this.#life.exited.promise.then(() => this.retry())
  }

  /** Closes the worker for good and waits until it has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retryTimer)
    if (this.#life === null) return
    this.#close('The application is closing')
    await this.#life.exited.promise
  }

  #start(): void {
    clearTimeout(this.#retryTimer)
    this.#state = 'starting'
    try {
      this.#life = this.#begin(this.#options.launch())
      this.#options.log('info', `Service ${this.#options.name} starts`)
    } catch (error) {
      this.#fallBack(Date.now(), `It could not be started: ${describeError(error)}`)
    }
  }

  #begin(launch: WorkerLaunch): Life {
    const worker = new Worker(launch.url, {
      name: this.#options.name,
      workerData: launch.boot,
      transferList: [...launch.transfer],
    })
    const life: Life = {
      worker,
      launch,
      link: new ServiceLink(launch.servicePort, () => this.#noticeBroken(life)),
      startedAt: Date.now(),
      ready: Promise.withResolvers(),
      exited: Promise.withResolvers(),
      readyTimer: undefined,
      pings: 0,
      missedPings: 0,
      lastPong: null,
      why: null,
    }
    // Nobody may be waiting for it: a start after a crash has no caller.
    life.ready.promise.catch(() => undefined)
    this.#expectReady(life)
    worker.on('message', (message: FromService) => this.#hear(life, message))
    worker.on('error', (error) => (life.why ??= `It failed: ${describeError(error)}`))
    worker.on('exit', (code) => {
      clearTimeout(life.readyTimer)
      this.#afterExit(life, code)
    })
    life.ready.promise.then(
      () => clearTimeout(life.readyTimer),
      () => undefined,
    )
    return life
  }

  /** Ends a worker that neither becomes ready nor says what it is doing. */
  #expectReady(life: Life): void {
    const { readyWithinMs } = this.#options.timing
    clearTimeout(life.readyTimer)
    life.readyTimer = setTimeout(
      () => this.#end(life, `It was not ready within ${readyWithinMs} ms`),
      readyWithinMs,
    )
  }

  #hear(life: Life, message: FromService): void {
    switch (message.type) {
      case 'opening':
        this.#noteOpening(life, message)
        return
      case 'ready':
        this.#becomeReady(life, message)
        return
      case 'refused':
        this.#refuse(life, message)
        return
      case 'pong':
        life.lastPong = message
        this.#confirmedSequence = message.confirmedSequence ?? this.#confirmedSequence
        life.missedPings = 0
        return
      case 'closed':
        // Ports may keep a closed worker's event loop alive; there is nothing left to lose in it.
        void life.worker.terminate()
        return
      case 'log':
      case 'span':
      case 'changed':
        this.#options.onNotice(message)
        return
    }
  }

  /** Ending a recovery would only make it begin anew, for ever. */
  #noteOpening(life: Life, message: Extract<FromService, { readonly type: 'opening' }>): void {
    if (this.#state !== 'starting' || this.#life !== life) return
    this.#words = message.words
    if (message.long) clearTimeout(life.readyTimer)
    else this.#expectReady(life)
  }

  #becomeReady(life: Life, message: Extract<FromService, { readonly type: 'ready' }>): void {
    if (this.#state !== 'starting' || this.#life !== life) return
    this.#state = 'ready'
    this.#words = null
    this.#readySince = Date.now()
    this.#lastUsedAt = Date.now()
    this.#ticker = setInterval(() => this.#tick(life), this.#options.timing.heartbeatEveryMs).unref()
    life.ready.resolve(life.link)
    const { openedInMs, recovery } = message
    this.#options.log('info', `Service ${this.#options.name} is ready`, { openedInMs, recovery })
    this.#tick(life)
  }

  #refuse(life: Life, message: Extract<FromService, { readonly type: 'refused' }>): void {
    this.#state = 'refused'
    this.#words = message.words
    this.#options.log('error', `Service ${this.#options.name} refuses to open: ${message.words}`, {
      code: message.code,
    })
    this.#end(life, message.words)
  }

  #tick(life: Life): void {
    const { heartbeatsMissing } = this.#options.timing
    const { count, longInFlight } = life.link.overdue
    if (life.missedPings >= heartbeatsMissing && count > 0 && !longInFlight) {
      this.#end(life, `It did not answer ${count} calls and ${life.missedPings} heartbeats`)
      return
    }
    if (this.#isIdle(life)) {
      this.#close('It had nothing to do')
      return
    }
    life.missedPings += 1
    life.pings += 1
    this.#tell(life, { type: 'ping', ping: life.pings })
  }

  #isIdle(life: Life): boolean {
    const { idleAfterMs } = this.#options
    if (idleAfterMs === null || Date.now() - this.#lastUsedAt < idleAfterMs) return false
    if (this.#inHand > 0 || life.link.overdue.count > 0) return false
    return life.lastPong?.inFlight === 0 && life.lastPong.longRunning === 0
  }

  /** Asks the worker to close its database and leave; ends it when it takes too long. */
  #close(why: string): void {
    const life = this.#life
    if (life === null || this.#state === 'closing') return
    this.#state = 'closing'
    life.why ??= why
    clearInterval(this.#ticker)
    life.ready.reject(notStarted(why))
    this.#options.log('info', `Service ${this.#options.name} closes: ${why}`)
    this.#tell(life, { type: 'close' })
    const timer = setTimeout(() => void life.worker.terminate(), this.#options.timing.closeWithinMs)
    void life.exited.promise.then(() => clearTimeout(timer))
  }

  /** The port is gone, so no call may be sent any more; why it is gone is known when the worker has ended. */
  #noticeBroken(life: Life): void {
    if (this.#life !== life || this.#state !== 'ready') return
    this.#state = 'failing'
    this.#words = `The service ${this.#options.name} ended.`
    const timer = setTimeout(() => this.#end(life, 'It closed its port'), portlessForMs)
    void life.exited.promise.then(() => clearTimeout(timer))
  }

  #end(life: Life, why: string): void {
    life.why ??= why
    clearInterval(this.#ticker)
    life.link.fail(why)
    void life.worker.terminate()
  }

  #afterExit(life: Life, exitCode: number): void {
    clearInterval(this.#ticker)
    const why = life.why ?? `It ended with exit code ${exitCode}`
    life.link.fail(why)
    life.launch.dispose()
    this.#life = null
    this.#readySince = null
    if (this.#state === 'closing' || this.#stopped) {
      this.#state = 'asleep'
      this.#words = null
    } else if (this.#state !== 'refused') this.#fallBack(life.startedAt, why)
    life.ready.reject(notStarted(this.#words ?? why))
    life.exited.resolve()
  }

  #fallBack(startedAt: number, why: string): void {
    const { firstBackOffMs, longestBackOffMs, stableAfterMs } = this.#options.timing
    this.#crashes = Date.now() - startedAt >= stableAfterMs ? 1 : this.#crashes + 1
    const waitMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** (this.#crashes - 1))
    this.#state = 'failing'
    const times = this.#crashes === 1 ? '' : ` ${this.#crashes} times in a row`
    this.#words = `The service ${this.#options.name} ended${times}. ${why}. It is started again in ${waitMs} ms.`
    this.#options.log('error', this.#words)
    this.#retryTimer = setTimeout(() => {
      this.#restarts += 1
      this.#start()
    }, waitMs).unref()
  }

  #tell(life: Life, message: ToService): void {
    life.worker.postMessage(message)
  }
}
