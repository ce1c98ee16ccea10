import { mkdirSync } from 'node:fs'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { v7 as uuidv7 } from 'uuid'
import { DEFAULT_RESERVE_BYTES } from './free-space.ts'
import { connectJournal } from './journal-client.ts'
import type { JournalClient } from './journal-client.ts'
import { JournalError } from './journal-error.ts'
import type { HostMessage, WorkerMessage, WorkerSetup } from './journal-worker-setup.ts'
import type { OpenResult } from './open-journal.ts'
import { createFileStore, secretsFolder, type SecretStore, SecretUnreadable } from './secret-store.ts'
import { readPrivateKey } from './workstation-key.ts'

export interface StartJournalOptions {
  /** TRACSEQ_HOME; made when it is missing. */
  readonly home: string
  /** Who announces a new epoch when a damaged journal had to be set aside. */
  readonly author: {
    readonly actorId: string
    readonly workstationId: string
    readonly hybridLogicalTime: () => string
  }
  /** Where the key that signs the journal's end is kept; plain files in the home when left out. */
  readonly secrets?: SecretStore
  /** Below this much free space new work is refused, in bytes. */
  readonly reserveBytes?: number
  readonly checkpointEvery?: number
  readonly deadlineMs?: number
  /** Where the bundler has put `journal.worker`, when not beside this file. */
  readonly workerUrl?: URL
}

export interface RunningJournal {
  readonly opened: OpenResult
  /** Why the journal's end is not signed, in words; null when it is. */
  readonly unsigned: string | null
  /** The host's own client. */
  readonly client: JournalClient
  /** A port for another thread, to be transferred to it and given to `connectJournal` there. */
  readonly createPort: () => MessagePort
  /** Commits what has arrived, signs the end and closes the file. Clients' later calls fail as JOURNAL_UNAVAILABLE. */
  readonly close: () => Promise<void>
  /** Resolves when the thread has ended: null after `close`, otherwise the error that ended it. */
  readonly ended: Promise<Error | null>
}

const DEFAULT_CHECKPOINT_EVERY = 1_000
/** Opening may include checking and rebuilding a damaged file. */
const OPEN_DEADLINE_MS = 300_000
const CLOSE_DEADLINE_MS = 30_000

/**
 * Starts the one thread that owns the journal of a home. When a damaged journal was set aside, the new epoch is announced
 * before this resolves. Throws JournalError when the file can be neither opened nor set aside.
 */
export async function startJournal(options: StartJournalOptions): Promise<RunningJournal> {
  mkdirSync(options.home, { recursive: true })
  // A key ring can be asked in this thread only.
  const { privateKey, unsigned } = takeUpKey(options.secrets ?? createFileStore(secretsFolder(options.home)))
  const setup: WorkerSetup = {
    role: 'journal',
    home: options.home,
    privateKey,
    reserveBytes: options.reserveBytes ?? DEFAULT_RESERVE_BYTES,
    checkpointEvery: options.checkpointEvery ?? DEFAULT_CHECKPOINT_EVERY,
  }
  const worker = new Worker(options.workerUrl ?? new URL('./journal.worker.ts', import.meta.url), {
    workerData: setup,
    name: 'journal',
  })
  const ended = new Promise<Error | null>((resolve) => {
    worker.once('error', (error) => resolve(error instanceof Error ? error : new Error(String(error))))
    worker.once('exit', (code) =>
      resolve(
        code === 0
          ? null
          : new JournalError('JOURNAL_UNAVAILABLE', `The journal's thread ended with status ${code}`),
      ),
    )
  })
  try {
    const opened = await waitForMessage(worker, ended, 'opened', OPEN_DEADLINE_MS)
    const createPort = (): MessagePort => {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage({ type: 'attach', port: port1 } satisfies HostMessage, [port1])
      return port2
    }
    const client = await connectJournal(
      createPort(),
      options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs },
    )
    if (opened.epochDue !== null) await announceEpoch(client, opened.epochDue, options.author)
    let closing: Promise<void> | undefined
    return {
      opened: opened.result,
      unsigned,
      client,
      createPort,
      close: () => (closing ??= closeWorker(worker, ended)),
      ended,
    }
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

/** A journal whose key cannot be opened here still takes entries: nothing that was done may wait for a signature. */
function takeUpKey(secrets: SecretStore): {
  readonly privateKey: string | null
  readonly unsigned: string | null
} {
  try {
    return { privateKey: readPrivateKey(secrets), unsigned: null }
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error
    return { privateKey: null, unsigned: error.message }
  }
}

async function announceEpoch(
  client: JournalClient,
  reason: string,
  author: StartJournalOptions['author'],
): Promise<void> {
  try {
    await client.startEpoch({
      reason,
      changeSetId: uuidv7(),
      correlationId: uuidv7(),
      actorId: author.actorId,
      workstationId: author.workstationId,
      hybridLogicalTime: author.hybridLogicalTime(),
      recordedAt: new Date().toISOString(),
    })
  } catch (error) {
    // It stays noted as due, and until the disk takes writes the state refuses new work anyway.
    if (!(error instanceof JournalError) || error.code !== 'JOURNAL_NOT_WRITABLE') throw error
  }
}

async function closeWorker(worker: Worker, ended: Promise<Error | null>): Promise<void> {
  const closed = waitForMessage(worker, ended, 'closed', CLOSE_DEADLINE_MS)
  worker.postMessage({ type: 'close' } satisfies HostMessage)
  try {
    const { problem } = await closed
    if (problem !== null)
      throw new JournalError('JOURNAL_NOT_WRITABLE', `The journal closed with a problem: ${problem}`)
  } finally {
    await worker.terminate()
  }
}

/** The awaited message, or a typed error when the thread fails, ends or takes too long. */
function waitForMessage<Type extends WorkerMessage['type']>(
  worker: Worker,
  ended: Promise<Error | null>,
  type: Type,
  withinMs: number,
): Promise<Extract<WorkerMessage, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer)
      worker.off('message', receive)
    }
    const fail = (error: JournalError) => {
      finish()
      reject(error)
    }
    const receive = (message: WorkerMessage) => {
      if (message.type === 'failed') fail(new JournalError(message.code, message.message))
      else if (isOfType(message, type)) {
        finish()
        resolve(message)
      }
    }
    const timer = setTimeout(
      () => fail(new JournalError('DEADLINE', `The journal was not ${type} within ${withinMs} ms`)),
      withinMs,
    )
    worker.on('message', receive)
    void ended.then((error) =>
      fail(
        new JournalError('JOURNAL_UNAVAILABLE', `The journal's thread ended: ${error?.message ?? 'closed'}`),
      ),
    )
  })
}

function isOfType<Type extends WorkerMessage['type']>(
  message: WorkerMessage,
  type: Type,
): message is Extract<WorkerMessage, { type: Type }> {
  return message.type === type
}
