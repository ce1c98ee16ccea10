import {
  closeSync,
  cpSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { DurableNodeFs } from '../durable-node-fs.ts'

type Operations = Parameters<DurableNodeFs['instrument']>[0]

/** What a file held before a write that nobody has fsynced yet. */
interface Undo {
  readonly position: number
  readonly bytes: Buffer
  readonly size: number
}

const inside = '/pglite/data'

/** A disk that keeps written bytes in its cache until they are fsynced, and loses them with the power. */
export class ForgetfulDisk extends DurableNodeFs {
  readonly #directory: string
  readonly #unsynced = new Map<string, Undo[]>()

  constructor(directory: string) {
    super(directory)
    this.#directory = directory
  }

  /** What a power cut at this moment leaves, as a copy of the directory. */
  losePower(copy: string): void {
    cpSync(this.#directory, copy, { recursive: true })
    for (const [path, undos] of this.#unsynced) {
      const file = path.replace(inside, copy)
      if (!existsSync(file)) continue
      const descriptor = openSync(file, 'r+')
      for (const { position, bytes, size } of [...undos].reverse()) {
        writeSync(descriptor, bytes, 0, bytes.length, position)
        ftruncateSync(descriptor, size)
      }
      closeSync(descriptor)
    }
  }

  protected override instrument(operations: Operations): void {
    const { write } = operations
    operations['write'] = (stream, ...rest) => {
      this.#remember(stream.path, Number(rest[2]), Number(rest[3]))
      return write?.(stream, ...rest)
    }
    super.instrument(operations)
  }

  protected override syncFile(descriptor: number, path: string): void {
    super.syncFile(descriptor, path)
    this.#unsynced.delete(path)
  }

  #remember(path: string, length: number, position: number): void {
    const descriptor = openSync(path.replace(inside, this.#directory), 'r')
    const bytes = Buffer.alloc(length)
    const read = readSync(descriptor, bytes, 0, length, position)
    const undos = this.#unsynced.get(path) ?? []
    undos.push({ position, bytes: bytes.subarray(0, read), size: fstatSync(descriptor).size })
    closeSync(descriptor)
    this.#unsynced.set(path, undos)
  }
}

/** The same disk under PGlite as it comes: fsync does nothing. */
export class LyingDisk extends ForgetfulDisk {
  protected override syncFile(): void {
    // PGlite's own file system has no fsync at all.
  }
}

/** A disk that is full from a moment on, for the files whose path contains `full`. */
export class FullDisk extends DurableNodeFs {
  full: string | null = null

  protected override instrument(operations: Operations): void {
    const { write, open } = operations
    const refuse = (path: string) => {
      if (this.full !== null && path.includes(this.full)) throw new NoSpace()
    }
    operations['write'] = (stream, ...rest) => {
      refuse(stream.path)
      return write?.(stream, ...rest)
    }
    operations['open'] = (stream, ...rest) => open?.(stream, ...rest)
    super.instrument(operations)
  }
}

/** As Emscripten knows it. */
class NoSpace extends Error {
  override readonly name = 'ErrnoError'
  readonly errno = 51
}
