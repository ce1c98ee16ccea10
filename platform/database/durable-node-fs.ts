import { closeSync, fsyncSync, openSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

interface EmscriptenStream {
  readonly nfd: number
}
interface NodeFileSystemModule {
  readonly FS: { readonly filesystems: { readonly NODEFS: { readonly stream_ops: Record<string, unknown> } } }
}

/**
 * PGlite's own file system over Node never calls fsync: its commits survive a crash of the process and not a power
 * cut. This one supplies the missing operation. It relies on Emscripten's `FS.filesystems.NODEFS.stream_ops`, so a
 * test counts fsyncs per commit: an upgrade of PGlite cannot take it away unnoticed.
 */
export class DurableNodeFs extends NodeFS {
  /** How often something was forced to the disk since the start. */
  fsyncs = 0

  override async init(...parameters: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...parameters)
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [
          ...[emscriptenOpts.preRun ?? []].flat(),
          (module: unknown) => {
            const { stream_ops: operations } = (module as NodeFileSystemModule).FS.filesystems.NODEFS
            operations['fsync'] = (stream: EmscriptenStream) => {
              this.syncFile(stream.nfd)
              return 0
            }
          },
        ],
      },
    }
  }

  /** Tests override it to play a disk that forgets. */
  protected syncFile(descriptor: number): void {
    fsyncSync(descriptor)
    this.fsyncs += 1
  }
}

/** Makes a directory's entries (files created, renamed, removed) durable. */
export function fsyncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
