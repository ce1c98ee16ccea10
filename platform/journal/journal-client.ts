import type { MessagePort } from 'node:worker_threads'
import { gapEntry, type EpochRequest, type GapRequest } from './announcement.ts'
import type { AuditItem, AuditPage, AuditSearch } from './audit-search.ts'
import type { JournalEntry, NewJournalEntry } from './entry.ts'
import { JournalError } from './journal-error.ts'
import type {
  JournalMethod,
  JournalMethods,
  JournalRequest,
  JournalState,
  JournalStatistics,
  PortFromWorker,
  PortToWorker,
} from './journal-protocol.ts'
import type {
  AppendResult,
  DomainHead,
  JournalCheckpoint,
  JournalEpoch,
  JournalHead,
  ReadDomainRequest,
  ReadRequest,
} from './journal-store.ts'
import type { NewScan, Scan, ScanSettlement } from './scan-intake.ts'
import type { VerifyRequest, VerifyResult } from './verify-journal.ts'

/**
 * The journal as seen from a domain worker or the host. Every call ends by its deadline with a JournalError at the latest,
 * and at once when the journal's thread is gone.
 */
export interface JournalClient {
  /** Resolves only when the disk has the entry. The same entry again answers as the first time. */
  readonly append: (entry: NewJournalEntry) => Promise<AppendResult>
  /** The journal's newest entry, null when it has none. */
  readonly head: () => Promise<JournalHead | null>
  readonly domainHead: (domain: string) => Promise<DomainHead | null>
  /** Every domain that has an entry. */
  readonly domains: () => Promise<readonly string[]>
  readonly entry: (sequence: number) => Promise<JournalEntry | null>
  readonly entryAt: (domain: string, domainSequence: number) => Promise<JournalEntry | null>
  /** In journal order; fewer than `limit` means the end was reached. */
  readonly read: (request: ReadRequest) => Promise<readonly JournalEntry[]>
  /** In the domain's order; fewer than `limit` means the end was reached. */
  readonly readDomain: (request: ReadDomainRequest) => Promise<readonly JournalEntry[]>
  /** The audit trail, newest first. */
  readonly search: (request: AuditSearch) => Promise<AuditPage>

  /** Whether new work may be accepted. Pushed by the worker; ask before committing. */
  readonly state: JournalState
  readonly onState: (listener: (state: JournalState) => void) => () => void
  /** A hint that the journal has grown to this sequence; hints may be lost, so read from your cursor. */
  readonly onAppended: (listener: (head: number) => void) => () => void

  readonly startEpoch: (request: EpochRequest) => Promise<JournalEpoch>
  readonly epochs: () => Promise<readonly JournalEpoch[]>
  /** Announces that domain sequences are lost for ever; the next entry of the domain is `lostTo` + 1. */
  readonly markGap: (request: GapRequest) => Promise<AppendResult>

  /** Signs the journal's end now; null when it is signed already. */
  readonly checkpoint: () => Promise<JournalCheckpoint | null>
  readonly checkpoints: (limit: number) => Promise<readonly JournalCheckpoint[]>
  /** Proves the whole file in a thread beside; appending goes on. */
  readonly verify: (request?: VerifyRequest) => Promise<VerifyResult>
  /** Takes a payload away and keeps its hash. The removed bytes cannot be had back from the journal. */
  readonly removePayload: (sequence: number) => Promise<boolean>

  /** Resolves when the scan is on disk: only then may the flash be green. */
  readonly recordScan: (scan: NewScan) => Promise<Scan>
  readonly settleScan: (settlement: ScanSettlement) => Promise<Scan>
  readonly waitingScans: () => Promise<readonly Scan[]>
  readonly recentScans: (limit: number) => Promise<readonly Scan[]>

  readonly statistics: () => Promise<JournalStatistics>
  readonly close: () => void
}

export interface JournalClientOptions {
  /** For every call but `verify` and `search`, in milliseconds. */
  readonly deadlineMs?: number
}

const DEFAULT_DEADLINE_MS = 30_000
const LONG_DEADLINE_MS = 600_000

/** Connects to the journal's thread over a port made by `startJournal`; resolves when the thread has told its state. */
export async function connectJournal(
  port: MessagePort,
  options: JournalClientOptions = {},
): Promise<JournalClient> {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS
  const link = new JournalLink(port)
  await link.firstState(deadlineMs)
  const call = <Method extends JournalMethod>(
    method: Method,
    input: JournalMethods[Method]['input'],
    withinMs = deadlineMs,
  ): Promise<JournalMethods[Method]['output']> => link.call(method, input, withinMs)

  return {
    append: (entry) => call('append', entry),
    head: () => call('head', null),
    domainHead: (domain) => call('domainHead', domain),
    domains: () => call('domains', null),
    entry: (sequence) => call('entry', sequence),
    entryAt: (domain, domainSequence) => call('entryAt', { domain, domainSequence }),
    read: (request) =>
      readFully(request.limit, (last, limit) =>
        call('read', { ...request, limit, afterSequence: last?.sequence ?? request.afterSequence }),
      ),
    readDomain: (request) =>
      readFully(request.limit, (last, limit) =>
        call('readDomain', {
          ...request,
          limit,
          afterDomainSequence: last?.domainSequence ?? request.afterDomainSequence,
        }),
      ),
    search: (request) => searchPage(request, (window) => call('searchWindow', window)),
    get state() {
      return link.state
    },
    onState: (listener) => link.onState(listener),
    onAppended: (listener) => link.onAppended(listener),
    startEpoch: (request) => call('startEpoch', request),
    epochs: () => call('epochs', null),
    markGap: (request) => call('append', gapEntry(request)),
    checkpoint: () => call('signCheckpoint', null),
    checkpoints: (limit) => call('checkpoints', limit),
    verify: (request = {}) => call('verify', request, LONG_DEADLINE_MS),
    removePayload: (sequence) => call('removePayload', sequence),
    recordScan: (scan) => call('recordScan', scan),
    settleScan: (settlement) => call('settleScan', settlement),
    waitingScans: () => call('waitingScans', null),
    recentScans: (limit) => call('recentScans', limit),
    statistics: () => call('statistics', null),
    close: () => link.close(),
  }
}

interface PendingCall {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: JournalError) => void
  readonly timer: NodeJS.Timeout
}

/** One port: pairs answers with calls, keeps deadlines, and knows when the other side is gone. */
class JournalLink {
  state: JournalState = { writable: false, why: 'The journal has not answered yet' }
  readonly #port: MessagePort
  readonly #pending = new Map<number, PendingCall>()
  readonly #stateListeners = new Set<(state: JournalState) => void>()
  readonly #appendedListeners = new Set<(head: number) => void>()
  #nextId = 1
  #gone = false

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (message: PortFromWorker) => this.#receive(message))
    port.on('close', () => this.#lose())
  }

  firstState(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        forget()
        this.close()
        reject(new JournalError('DEADLINE', `The journal did not answer within ${withinMs} ms`))
      }, withinMs)
      const forget = this.onState((state) => {
        clearTimeout(timer)
        forget()
        if (this.#gone) reject(new JournalError('JOURNAL_UNAVAILABLE', state.why ?? 'The journal has ended'))
        else resolve()
      })
    })
  }

  call<Method extends JournalMethod>(
    method: Method,
    input: JournalMethods[Method]['input'],
    withinMs: number,
  ): Promise<JournalMethods[Method]['output']> {
    if (this.#gone) return Promise.reject(ended())
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(
          new JournalError('DEADLINE', `The journal did not answer ${method} within ${withinMs} ms`, {
            method,
          }),
        )
      }, withinMs)
      // The protocol ties the answer's type to the method; this is the one place where it is taken at its word.
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject, timer })
      const request = { id, method, input } as JournalRequest
      this.#port.postMessage({ type: 'call', request } satisfies PortToWorker)
    })
  }

  onState(listener: (state: JournalState) => void): () => void {
    this.#stateListeners.add(listener)
    return () => this.#stateListeners.delete(listener)
  }

  onAppended(listener: (head: number) => void): () => void {
    if (this.#appendedListeners.size === 0 && !this.#gone)
      this.#port.postMessage({ type: 'watch' } satisfies PortToWorker)
    this.#appendedListeners.add(listener)
    return () => this.#appendedListeners.delete(listener)
  }

  close(): void {
    this.#port.close()
  }

  #receive(message: PortFromWorker): void {
    switch (message.type) {
      case 'answer': {
        const call = this.#pending.get(message.id)
        // After its deadline a call has been answered already.
        if (call === undefined) return
        this.#pending.delete(message.id)
        clearTimeout(call.timer)
        const { answer } = message
        if (answer.ok) call.resolve(answer.value)
        else call.reject(new JournalError(answer.code, answer.message, answer.data))
        return
      }
      case 'state':
        this.#announce(message.state)
        return
      case 'appended':
        for (const listener of this.#appendedListeners) listener(message.head)
    }
  }

  #lose(): void {
    if (this.#gone) return
    this.#gone = true
    for (const call of this.#pending.values()) {
      clearTimeout(call.timer)
      call.reject(ended())
    }
    this.#pending.clear()
    this.#announce({ writable: false, why: ended().message })
  }

  #announce(state: JournalState): void {
    this.state = state
    for (const listener of [...this.#stateListeners]) listener(state)
  }
}

function ended(): JournalError {
  return new JournalError(
    'JOURNAL_UNAVAILABLE',
    'The journal has ended; nothing can be written until it is back',
  )
}

/** Strings answers of bounded size together until the limit is reached or nothing more comes. */
async function readFully(
  limit: number,
  readSome: (last: JournalEntry | undefined, limit: number) => Promise<readonly JournalEntry[]>,
): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = []
  while (entries.length < limit) {
    const some = await readSome(entries.at(-1), limit - entries.length)
    if (some.length === 0) break
    entries.push(...some)
  }
  return entries
}

/** One page of the audit trail, put together from as many windows as it takes. */
export async function searchPage(
  request: AuditSearch,
  searchWindow: (
    window: JournalMethods['searchWindow']['input'],
  ) => Promise<JournalMethods['searchWindow']['output']>,
): Promise<AuditPage> {
  const { cursor, limit, ...filter } = request
  const items: AuditItem[] = []
  let before = cursor === undefined ? null : parseCursor(cursor)
  do {
    const window = await searchWindow({ ...filter, before, limit: limit - items.length })
    items.push(...window.items)
    before = window.nextBefore
  } while (before !== null && items.length < limit)
  return { items, nextCursor: before === null ? null : String(before) }
}

function parseCursor(cursor: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(cursor))
    throw new JournalError('INVALID_ENTRY', `Audit search refused: cursor: "${cursor}" is none of ours`)
  return Number(cursor)
}
