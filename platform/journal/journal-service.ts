import { statSync } from 'node:fs'
import { searchWindow } from './audit-search.ts'
import { findSpaceProblem } from './free-space.ts'
import { openForWriting } from './journal-connection.ts'
import { classifySqliteFailure, describeError, JournalError } from './journal-error.ts'
import type {
  JournalAnswer,
  JournalState,
  JournalStatistics,
  ReadingRequest,
  WriteRequest,
} from './journal-protocol.ts'
import { JournalStore } from './journal-store.ts'
import type { JournalStoreOptions } from './journal-store.ts'
import { journalPath, openJournal, requestWholeCheck } from './open-journal.ts'
import type { OpenResult } from './open-journal.ts'
import { ScanIntake } from './scan-intake.ts'

export interface JournalServiceOptions extends JournalStoreOptions {
  readonly home: string
  /** Below this much free space new work is refused, in bytes. */
  readonly reserveBytes: number
  readonly onState: (state: JournalState) => void
  readonly onAppended: (head: number) => void
}

/** Why writing is stopped. `final` ones end only with the next start. */
interface WriteFailure {
  readonly why: string
  readonly final: boolean
}

interface PendingWrite {
  readonly request: WriteRequest
  readonly answer: (answer: JournalAnswer) => void
}

/** A commit takes at most this many requests, so that nobody waits long behind a bulk import. */
const BATCH_REQUESTS = 4_000
const HEALTH_CHECK_EVERY_MS = 1_000

/**
 * The journal without its thread: group commit, and the judgement whether the disk can be written.
 * Free space below the reserve makes the state unwritable, so that domains refuse new work before they commit; entries of
 * work that is already committed are still taken into the reserve until the disk really fails.
 */
export class JournalService {
  readonly opened: OpenResult
  readonly #options: JournalServiceOptions
  readonly #path: string
  readonly #timer: NodeJS.Timeout
  #store: JournalStore
  #scans: ScanIntake
  #files: string
  readonly #pending: PendingWrite[] = []
  #flushing: NodeJS.Immediate | null = null
  #failure: WriteFailure | null = null
  #spaceProblem: string | null = null
  #state: JournalState = { writable: true, why: null }
  #closed = false
  #headSequence: number
  #appended = 0
  #commits = 0

  constructor(options: JournalServiceOptions) {
    this.#options = options
    this.#path = journalPath(options.home)
    const { store, result } = openJournal(this.#path, options)
    this.opened = result
    this.#store = store
    this.#scans = new ScanIntake(store.connection)
    this.#headSequence = store.head()?.sequence ?? 0
    this.#writeFirst()
    this.#files = this.#identifyFiles()
    this.#timer = setInterval(() => this.#checkHealth(), HEALTH_CHECK_EVERY_MS)
    this.#checkHealth()
  }

  get state(): JournalState {
    return this.#state
  }

  epochDue(): string | null {
    return this.#store.epochDue()
  }

  /** Takes a write into the next commit; it is answered when the disk has it. */
  write(request: WriteRequest, answer: (answer: JournalAnswer) => void): void {
    if (this.#closed) {
      answer(refusal(new JournalError('JOURNAL_UNAVAILABLE', 'The journal is closed')))
      return
    }
    this.#pending.push({ request, answer })
    // After the poll phase: whatever else has arrived by then shares the commit.
    this.#flushing ??= setImmediate(() => this.#flush())
  }

  read(request: ReadingRequest): JournalAnswer {
    if (this.#closed) return refusal(new JournalError('JOURNAL_UNAVAILABLE', 'The journal is closed'))
    try {
      return { ok: true, value: this.#read(request) }
    } catch (error) {
      return refusal(this.#judge(error))
    }
  }

  /** Commits what has arrived, signs the end, folds the log into the file and closes it. */
  close(): void {
    if (this.#closed) return
    clearInterval(this.#timer)
    while (this.#pending.length > 0) this.#flush()
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    this.#closed = true
    try {
      if (this.#failure === null) {
        this.#store.transaction(() => this.#store.signCheckpoint(true))
        this.#store.connection.pragma('wal_checkpoint(TRUNCATE)')
      }
    } finally {
      this.#store.connection.close()
    }
  }

  #flush(): void {
    this.#flushing = null
    const batch = this.#pending.splice(0, BATCH_REQUESTS)
    if (this.#pending.length > 0) this.#flushing = setImmediate(() => this.#flush())
    this.#judgeDisk()
    const failure = this.#failure
    if (failure !== null) {
      for (const { answer } of batch) answer(refusal(notWritable(failure.why)))
      return
    }
    const headBefore = this.#headSequence
    const answers = this.#commit(batch)
    batch.forEach(({ answer }, index) => answer(answers[index] ?? refusal(new Error('no answer'))))
    this.#appended += this.#headSequence - headBefore
    if (this.#headSequence > headBefore) this.#options.onAppended(this.#headSequence)
  }

  #commit(batch: readonly PendingWrite[]): readonly JournalAnswer[] {
    try {
      const { answers, head } = this.#store.transaction(() => {
        const values = batch.map(({ request }) => this.#attempt(request))
        this.#store.signCheckpoint(false)
        return { answers: values, head: this.#store.head() }
      })
      this.#commits += 1
      this.#headSequence = head?.sequence ?? 0
      return answers
    } catch (error) {
      // One request that SQLite refuses must not take the others with it.
      if (batch.length > 1 && classifySqliteFailure(error) === 'other')
        return batch.flatMap((one) => this.#commit([one]))
      const judged = this.#judge(error)
      return batch.map(() => refusal(judged))
    }
  }

  /** An expected refusal has written nothing and answers only its own request; anything else rolls the batch back. */
  #attempt(request: WriteRequest): JournalAnswer {
    try {
      return { ok: true, value: this.#write(request) }
    } catch (error) {
      if (error instanceof JournalError) return refusal(error)
      throw error
    }
  }

  #write(request: WriteRequest): unknown {
    switch (request.method) {
      case 'append':
        return this.#store.append(request.input)
      case 'startEpoch':
        return this.#store.startEpoch(request.input)
      case 'signCheckpoint':
        return this.#store.signCheckpoint(true)
      case 'removePayload':
        return this.#store.removePayload(request.input)
      case 'recordScan':
        if (!this.#state.writable) throw notWritable(this.#state.why ?? 'The journal cannot be written')
        return this.#scans.record(request.input)
      case 'settleScan':
        return this.#scans.settle(request.input)
      default:
        return assertNever(request)
    }
  }

  #read(request: ReadingRequest): unknown {
    const store = this.#store
    switch (request.method) {
      case 'head':
        return store.head()
      case 'domainHead':
        return store.domainHead(request.input)
      case 'domains':
        return store.domains()
      case 'entry':
        return store.entry(request.input)
      case 'entryAt':
        return store.entryAt(request.input.domain, request.input.domainSequence)
      case 'read':
        return store.read(request.input)
      case 'readDomain':
        return store.readDomain(request.input)
      case 'searchWindow':
        return searchWindow(store.connection, request.input)
      case 'epochs':
        return store.epochs()
      case 'epochDue':
        return store.epochDue()
      case 'checkpoints':
        return store.checkpoints(request.input)
      case 'waitingScans':
        return this.#scans.waiting()
      case 'recentScans':
        return this.#scans.recent(request.input)
      case 'statistics':
        return { appended: this.#appended, commits: this.#commits } satisfies JournalStatistics
      default:
        return assertNever(request)
    }
  }

  /** Turns any error into a JournalError, and remembers what it says about the disk. */
  #judge(error: unknown): JournalError {
    if (error instanceof JournalError) return error
    const described = describeError(error)
    switch (classifySqliteFailure(error)) {
      case 'full':
        return this.#stopWriting(`The disk that holds ${this.#path} is full (${described}).`, false)
      case 'input-output':
        return this.#stopWriting(`The disk does not take the journal ${this.#path} (${described}).`, false)
      case 'busy':
        return this.#stopWriting(`Another program holds the journal ${this.#path} (${described}).`, false)
      case 'read-only':
        return this.#stopWriting(`The journal ${this.#path} is read-only (${described}).`, false)
      case 'damaged':
        requestWholeCheckQuietly(this.#path)
        this.#stopWriting(
          `The journal ${this.#path} is damaged (${described}). Start TracSeq again: it sets the file aside and recovers.`,
          true,
        )
        return new JournalError('JOURNAL_DAMAGED', this.#failure?.why ?? described)
      case 'other':
        return new JournalError('DEFECT', `The journal failed unexpectedly: ${described}`)
    }
  }

  #stopWriting(why: string, final: boolean): JournalError {
    this.#failure = {
      why: final ? why : `${why} New work is refused until it can be written; reading goes on.`,
      final,
    }
    this.#announceState()
    return notWritable(this.#failure.why)
  }

  #checkHealth(): void {
    this.#judgeDisk()
    if (this.#failure !== null && !this.#failure.final && this.#spaceProblem === null) this.#tryAgain()
    this.#announceState()
  }

  #judgeDisk(): void {
    this.#spaceProblem = findSpaceProblem(this.#options.home, this.#options.reserveBytes)
    // SQLite goes on writing into a file that was deleted or replaced, and would acknowledge what nobody can ever read.
    if (this.#failure?.final !== true && this.#files !== this.#identifyFiles())
      this.#failure = {
        why: `The journal ${this.#path} was removed or replaced while TracSeq was running. Start TracSeq again.`,
        final: true,
      }
    this.#announceState()
  }

  /** Proves at start that the disk takes a write, and makes the log exist before its identity is noted. */
  #writeFirst(): void {
    try {
      this.#store.probe()
    } catch (error) {
      this.#judge(error)
    }
  }

  /** Opens the file anew, because after a failed write or fsync nothing the old connection remembers can be trusted. */
  #tryAgain(): void {
    try {
      const connection = openForWriting(this.#path)
      const store = new JournalStore(connection, this.#options)
      try {
        store.probe()
      } catch (error) {
        connection.close()
        throw error
      }
      this.#store.connection.close()
      this.#store = store
      this.#scans = new ScanIntake(connection)
      this.#files = this.#identifyFiles()
      this.#failure = null
    } catch (error) {
      this.#judge(error)
    }
  }

  #announceState(): void {
    const why = this.#failure?.why ?? this.#spaceProblem
    if (why === this.#state.why) return
    this.#state = { writable: why === null, why }
    this.#options.onState(this.#state)
  }

  #identifyFiles(): string {
    return [this.#path, `${this.#path}-wal`].map(identifyFile).join(' ')
  }
}

function identifyFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? 'missing' : `${found.dev}:${found.ino}`
}

function requestWholeCheckQuietly(path: string): void {
  try {
    requestWholeCheck(path)
  } catch {
    // The mark only makes the next check longer; a disk that takes nothing is already being reported.
  }
}

function notWritable(why: string): JournalError {
  return new JournalError('JOURNAL_NOT_WRITABLE', why)
}

/** An error as it travels over a port. */
export function refusal(error: unknown): JournalAnswer {
  return error instanceof JournalError
    ? { ok: false, code: error.code, message: error.message, data: error.data }
    : { ok: false, code: 'DEFECT', message: describeError(error), data: {} }
}

function assertNever(value: never): never {
  throw new JournalError('DEFECT', `Unknown journal request ${JSON.stringify(value)}`)
}
