import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { syncFolder } from '../journal/durable-files.ts'

export interface StoredFile {
  readonly sha256: string
  readonly sizeBytes: number
}

/** Where the files of a home are; a host of several laboratories keeps those of each in a folder of its own. */
export function filesFolder(home: string, laboratoryId: string | null): string {
  return laboratoryId === null ? join(home, 'files') : join(home, 'files', laboratoryId)
}

/** Files under the hash of their content, in `files/` below TRACSEQ_HOME. */
export class FileStore {
  readonly #home: string

  constructor(home: string) {
    this.#home = home
  }

  /** Stores a file for good: when this resolves it outlives a power cut. The same content is stored once. */
  async store(content: Blob, laboratoryId: string | null = null): Promise<StoredFile> {
    const directory = filesFolder(this.#home, laboratoryId)
    await mkdir(directory, { recursive: true })
    const unfinished = join(directory, `.unfinished-${newId()}`)
    try {
      const sha256 = await writeDurably(content, unfinished)
      const path = join(directory, sha256)
      if (!(await isWhole(path, content.size))) await rename(unfinished, path)
      syncFolder(directory)
      return { sha256, sizeBytes: content.size }
    } finally {
      await rm(unfinished, { force: true })
    }
  }
}

async function writeDurably(content: Blob, path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of content.stream()) {
      hash.update(chunk)
      await file.appendFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

async function isWhole(path: string, sizeBytes: number): Promise<boolean> {
  try {
    return (await stat(path)).size === sizeBytes
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
