import type { AuditTrail } from '../../platform/gateway/system-service.ts'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Client, Pool } from 'pg'
import type { NewJournalEntry } from '../../platform/journal/entry.ts'
import { connectJournal, type JournalClient, searchPage } from '../../platform/journal/journal-client.ts'
import { describeError, JournalError } from '../../platform/journal/journal-error.ts'
import type {
  JournalAnswer,
  JournalRequest,
  JournalState,
  PortFromWorker,
  PortToWorker,
} from '../../platform/journal/journal-protocol.ts'
import { refusal } from '../../platform/journal/journal-service.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { logSchema } from './log-schema.ts'
import { LogReader } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'

export interface HubLogOptions {
  /** The database `tracseq_events`. */
  readonly url: string
  /** The Hub's own key, which signs checkpoints. */
  readonly key: WorkstationKey
  /** Entries after which the ends of the chains are signed. */
  readonly checkpointEvery?: number
  readonly log: (words: string) => void
}

export interface HubLog {
  readonly client: JournalClient
  /** A port for another thread, to be given to `connectJournal` there. */
  readonly createPort: () => MessagePort
  readonly reader: LogReader
  /** What one laboratory may see of the log. */
  readonly auditOf: (laboratoryId: string) => AuditTrail
  readonly close: () => Promise<void>
}

interface PendingAppend {
  readonly entry: NewJournalEntry
  readonly answer: (answer: JournalAnswer) => void
}

/** Whoever holds it is the one sequencer of a Hub; other instances of the Hub wait for it. */
const sequencerLock = 7021120
const entriesPerCommit = 1_000
const retryAfterMs = 500
const defaultCheckpointEvery = 1_000

/**
 * The Hub's log as its services know a journal: appends are answered when PostgreSQL has them on disk, in dense order.
 * Resolves when this process is the sequencer.
 */
export async function startHubLog(options: HubLogOptions): Promise<HubLog> {
  const pool = new Pool({ connectionString: options.url, max: 4 })
  pool.on('error', (error) => options.log(`A connection to the log was lost: ${describeError(error)}`))
  const sequencer = new Sequencer(options)
  await sequencer.lead()
  const reader = new LogReader(pool)
  const ports = new Set<MessagePort>()
  const watching = new Set<MessagePort>()
  sequencer.onState = (state) => broadcast(ports, { type: 'state', state })
  sequencer.onAppended = (head) => broadcast(watching, { type: 'appended', head })

  function createPort(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    ports.add(port1)
    port1.on('close', () => {
      ports.delete(port1)
      watching.delete(port1)
    })
    port1.on('message', (message: PortToWorker) => {
      if (message.type === 'watch') watching.add(port1)
      else handle(port1, message.request)
    })
    port1.postMessage({ type: 'state', state: sequencer.state } satisfies PortFromWorker)
    return port2
  }

  function handle(port: MessagePort, request: JournalRequest): void {
    const answer = (value: JournalAnswer) =>
      port.postMessage({ type: 'answer', id: request.id, answer: value } satisfies PortFromWorker)
    if (request.method === 'append') {
      sequencer.append(request.input, answer)
      return
    }
    perform(request).then(
      (value) => answer({ ok: true, value }),
      (error: unknown) => answer(refusal(error)),
    )
  }

  async function perform(request: Exclude<JournalRequest, { method: 'append' }>): Promise<unknown> {
    switch (request.method) {
      case 'head':
        return reader.head()
      case 'domainHead':
        return reader.domainHead(request.input)
      case 'domains':
        return reader.domains()
      case 'entry':
        return reader.entry(request.input)
      case 'entryAt':
        return reader.entryAt(request.input.domain, request.input.domainSequence)
      case 'read':
        return reader.read(request.input)
      case 'readDomain':
        return reader.readDomain(request.input)
      case 'searchWindow':
        return reader.search(request.input)
      case 'epochs':
        return reader.epochs()
      case 'epochDue':
        return null
      case 'startEpoch':
        return sequencer.write((writer) => writer.startEpoch(request.input))
      case 'signCheckpoint':
        await sequencer.write((writer) => writer.signCheckpoints(new Date().toISOString()))
        return (await reader.checkpoints(1))[0] ?? null
      case 'checkpoints':
        return reader.checkpoints(request.input)
      case 'removePayload':
        return reader.removePayload(request.input)
      case 'statistics':
        return sequencer.statistics
      case 'verify':
        return reader.verify(request.input)
      case 'waitingScans':
      case 'recentScans':
        return []
      case 'recordScan':
      case 'settleScan':
        throw new JournalError('INVALID_ENTRY', 'The Hub has no scanners')
    }
  }

  const client = await connectJournal(createPort())
  return {
    client,
    createPort,
    reader,
    auditOf: (laboratoryId) => ({
      search: (request) => searchPage(request, (window) => reader.search(window, laboratoryId)),
      entry: (sequence) => reader.entry(sequence, laboratoryId),
      async head() {
        const { position, hash } = await reader.laboratoryHead(laboratoryId)
        return position === 0 ? null : { sequence: position, hash }
      },
      domains: () => reader.domains(laboratoryId),
      domainHead: (domain) => reader.domainHead(domain, laboratoryId),
      epochs: () => reader.epochs(),
      checkpoints: (limit) => reader.checkpoints(limit, laboratoryId),
      verify: () => reader.verify({}, laboratoryId),
    }),
    async close() {
      client.close()
      await sequencer.close()
      for (const port of ports) port.close()
      await pool.end()
    },
  }
}

/** Writes the log on a connection of its own, as long as that connection holds the lock. */
class Sequencer {
  readonly #options: HubLogOptions
  #client: Client | null = null
  /** A connection that waits for the lock. */
  #candidate: Client | null = null
  #writer: LogWriter | null = null
  #state: JournalState = { writable: false, why: 'The log is being opened' }
  readonly #pending: PendingAppend[] = []
  /** Everything that writes comes one after the other. */
  #queue: Promise<unknown> = Promise.resolve()
  #flushing = false
  #closing = false
  #sinceCheckpoint = 0
  #appended = 0
  #commits = 0
  onState: (state: JournalState) => void = () => undefined
  onAppended: (head: number) => void = () => undefined

  constructor(options: HubLogOptions) {
    this.#options = options
  }

  get state(): JournalState {
    return this.#state
  }

  get statistics() {
    return { appended: this.#appended, commits: this.#commits }
  }

  /** Becomes the sequencer: waits for the lock, then makes the tables where they are missing and learns where the log ends. */
  async lead(): Promise<void> {
    const client = new Client({ connectionString: this.#options.url })
    client.on('error', (error) => this.#loseConnection(client, error))
    this.#candidate = client
    try {
      await client.connect()
      await client.query('select pg_advisory_lock($1)', [sequencerLock])
      await client.query(logSchema)
      this.#writer = await LogWriter.open(client, this.#options.key)
    } catch (error) {
      // A session that lives on would keep the lock, or its place in the queue for it, and nobody could write.
      client.end().catch(() => undefined)
      throw error
    } finally {
      this.#candidate = null
    }
    this.#client = client
    this.#announce({ writable: true, why: null })
  }

  append(entry: NewJournalEntry, answer: (answer: JournalAnswer) => void): void {
    this.#pending.push({ entry, answer })
    if (this.#flushing) return
    this.#flushing = true
    // After this turn: whatever else arrives in it shares the commit.
    setImmediate(() => void this.#flush())
  }

  /** Runs one writing act between two commits. */
  write<T>(act: (writer: LogWriter) => Promise<T>): Promise<T> {
    const done = this.#queue.then(async () => {
      const writer = this.#requireWriter()
      try {
        return await act(writer)
      } catch (error) {
        throw this.#judge(error)
      }
    })
    this.#queue = done.catch(() => undefined)
    return done
  }

  async close(): Promise<void> {
    this.#closing = true
    while (this.#pending.length > 0 && this.#writer !== null) await this.#flush()
    if (this.#writer !== null) await this.write((writer) => writer.signCheckpoints(new Date().toISOString()))
    await this.#queue
    // Whoever has gone must not be given the lock when its turn comes.
    await this.#candidate?.end()
    await this.#client?.end()
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, entriesPerCommit)
      try {
        const answers = await this.write((writer) => writer.append(batch.map(({ entry }) => entry)))
        batch.forEach(({ answer }, index) => {
          const one = answers[index]
          answer(one === undefined || one instanceof Error ? refusal(one) : { ok: true, value: one })
        })
        await this.#noteAppended(batch.length)
      } catch (error) {
        for (const { answer } of batch) answer(refusal(error))
      }
    }
    this.#flushing = false
  }

  async #noteAppended(count: number): Promise<void> {
    this.#appended += count
    this.#commits += 1
    this.#sinceCheckpoint += count
    this.onAppended(this.#requireWriter().head)
    if (this.#sinceCheckpoint < (this.#options.checkpointEvery ?? defaultCheckpointEvery)) return
    this.#sinceCheckpoint = 0
    await this.write((writer) => writer.signCheckpoints(new Date().toISOString()))
  }

  #requireWriter(): LogWriter {
    if (this.#writer === null)
      throw new JournalError('JOURNAL_NOT_WRITABLE', this.#state.why ?? 'The log cannot be written')
    return this.#writer
  }

  /** After a failure nobody knows what was committed: the log's end is read anew before anything else is written. */
  #judge(error: unknown): JournalError {
    if (error instanceof JournalError) return error
    const client = this.#client
    if (client !== null) this.#loseConnection(client, error)
    return new JournalError('JOURNAL_NOT_WRITABLE', `The log cannot be written: ${describeError(error)}`)
  }

  #loseConnection(client: Client, error: unknown): void {
    if (this.#closing || this.#client !== client) return
    this.#client = null
    this.#writer = null
    const why = `The log cannot be written at the moment: ${describeError(error)}`
    this.#options.log(why)
    this.#announce({ writable: false, why })
    // Ending the session gives the lock back, in case the server still holds it.
    client.end().catch(() => undefined)
    this.#leadAgain()
  }

  #leadAgain(): void {
    setTimeout(() => {
      if (this.#closing) return
      this.lead().catch((error: unknown) => {
        this.#options.log(`The log is still out of reach: ${describeError(error)}`)
        this.#leadAgain()
      })
    }, retryAfterMs).unref()
  }

  #announce(state: JournalState): void {
    this.#state = state
    this.onState(state)
  }
}

function broadcast(ports: ReadonlySet<MessagePort>, message: PortFromWorker): void {
  for (const port of ports) port.postMessage(message)
}
