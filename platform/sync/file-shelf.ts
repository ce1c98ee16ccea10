import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { v7 as newId } from 'uuid'
import { filesFolder } from '../gateway/file-store.ts'
import { syncFolder } from '../journal/durable-files.ts'

/** What arrived is not what its name says. */
export class WrongContent extends Error {
  override readonly name = 'WrongContent'
}

/** Files by the hash of their content, as they travel between a workstation and its Hub. */
export class FileShelf {
  readonly #folder: string

  /** A Hub keeps the files of each laboratory apart; a workstation has one and says null. */
  constructor(home: string, laboratoryId: string | null) {
    this.#folder = filesFolder(home, laboratoryId)
  }

  has(sha256: string): boolean {
    return existsSync(this.pathOf(sha256))
  }

  /** Where a file lies. The name must be a hash: whoever calls has checked it. */
  pathOf(sha256: string): string {
    return join(this.#folder, sha256)
  }

  async sizeOf(sha256: string): Promise<number> {
    return (await stat(this.pathOf(sha256))).size
  }

  read(sha256: string, from = 0): Readable {
    return createReadStream(this.pathOf(sha256), { start: from })
  }

  /**
   * Takes a file in. It gets its name only when all of it is on disk and has that hash; throws {@link WrongContent}
   * otherwise, and leaves nothing behind.
   */
  async receive(sha256: string, content: AsyncIterable<Uint8Array>, mostBytes: number): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const unfinished = join(this.#folder, `.unfinished-${newId()}`)
    try {
      const hash = createHash('sha256')
      const file = await open(unfinished, 'wx', 0o600)
      try {
        let bytes = 0
        for await (const chunk of content) {
          bytes += chunk.length
          if (bytes > mostBytes) throw new WrongContent(`The file is larger than ${mostBytes} bytes`)
          hash.update(chunk)
          await file.writeFile(chunk)
        }
        await file.sync()
      } finally {
        await file.close()
      }
      const found = hash.digest('hex')
      if (found !== sha256) throw new WrongContent(`The content has the hash ${found}, not ${sha256}`)
      await rename(unfinished, this.pathOf(sha256))
      syncFolder(this.#folder)
    } finally {
      await rm(unfinished, { force: true })
    }
  }
}
