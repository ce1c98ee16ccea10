import { closeSync, fsyncSync, openSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { DatabaseStopped } from './engine.ts'

/** An open file as Emscripten knows it. */
export interface EmscriptenStream {
  /** Node's file descriptor; directories have none. */
  readonly nfd?: number
  /** The path inside of PGlite, `/pglite/data/…`. */
  readonly path: string
}

type Operation = (stream: EmscriptenStream, ...rest: unknown[]) => unknown

interface NodeFileSystemModule {
  readonly FS: {
    readonly filesystems: { readonly NODEFS: { readonly stream_ops: Record<string, Operation> } }
  }
}

/** Emscripten's (WASI's) numbers for what a disk or a folder's rights refuse: nothing of that is damage to a file. */
const refusals: ReadonlyMap<unknown, string> = new Map([
  [2, 'access is denied'],
  [10, 'another program holds it'],
  [19, 'the disk quota is used up'],
  [33, 'too many files are open'],
  [41, 'too many files are open'],
  [51, 'the disk is full'],
  [63, 'it is not permitted'],
  [69, 'the disk is read-only'],
])

/**
 * PGlite's own file system over Node never calls fsync: its commits survive a crash of the process and not a power
 * cut. This one supplies the missing operation. It relies on Emscripten's `FS.filesystems.NODEFS.stream_ops`, so a
 * test counts fsyncs per commit: an upgrade of PGlite cannot take it away unnoticed.
 *
 * PostgreSQL panics when its log cannot be written or an fsync fails. PGlite has no process to end and would spin for
 * ever instead, so the failure leaves the WebAssembly at once and `stopped` says that nothing may enter it again.
 */
export class DurableNodeFs extends NodeFS {
  /** How often something was forced to the disk since the start. */
  fsyncs = 0
  /** The last time the disk said no, in words; null when it never did. */
  refusal: string | null = null
  readonly #stopped = new AbortController()

  /** Aborted with a {@link DatabaseStopped} when the database must be opened anew. */
  get stopped(): AbortSignal {
    return this.#stopped.signal
  }

  /** Ends the use of the database. Returns the error that every later call is answered with. */
  stop(words: string, cause: unknown): unknown {
    if (!this.#stopped.signal.aborted) this.#stopped.abort(new DatabaseStopped(words, { cause }))
    return this.#stopped.signal.reason
  }

  override async init(...parameters: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...parameters)
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [
          ...[emscriptenOpts.preRun ?? []].flat(),
          (module: unknown) =>
            this.instrument((module as NodeFileSystemModule).FS.filesystems.NODEFS.stream_ops),
        ],
      },
    }
  }

  /** Puts itself between PGlite and Node's files. */
  protected instrument(operations: Record<string, Operation>): void {
    const { open, write } = operations
    if (open === undefined || write === undefined) throw new Error('This PGlite has other file operations')
    operations['open'] = (stream, ...rest) => {
      try {
        return open(stream, ...rest)
      } catch (error) {
        throw this.#note(stream, error)
      }
    }
    operations['write'] = (stream, ...rest) => {
      try {
        return write(stream, ...rest)
      } catch (error) {
        const noted = this.#note(stream, error)
        if (!stream.path.includes('/pg_wal/')) throw noted
        throw this.stop(
          `The log ${stream.path} could not be written: ${this.refusal ?? 'unknown reason'}`,
          error,
        )
      }
    }
    operations['fsync'] = (stream) => {
      try {
        if (stream.nfd !== undefined) this.syncFile(stream.nfd, stream.path)
      } catch (error) {
        // After a failed fsync nobody knows what the disk has; asking again would wrongly say yes.
        throw this.stop(`The disk did not take ${stream.path}`, error)
      }
      return 0
    }
  }

  /** Tests override it to play a disk that forgets. */
  protected syncFile(descriptor: number, _path: string): void {
    fsyncSync(descriptor)
    this.fsyncs += 1
  }

  #note(stream: EmscriptenStream, error: unknown): unknown {
    const errno = typeof error === 'object' && error !== null && 'errno' in error ? error.errno : null
    const words = refusals.get(errno)
    if (words !== undefined) this.refusal = `${stream.path}: ${words}`
    return error
  }
}

/** Makes a directory's entries (files created, renamed, removed) durable. */
export function fsyncDirectory(path: string): void {
  // Windows keeps names durable itself and cannot open folders.
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
