import { openAsBlob } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'

/** A bundle that waits to be saved by the person who asked for it. */
export interface HeldBundle {
  readonly id: string
  readonly laboratoryId: string
  readonly name: string
  readonly path: string
}

const keptMs = 60 * 60_000

/** Bundles on their way through a home: made and not saved yet, or brought and being read. They are copies, so none lasts. */
export class BundleFolder {
  readonly #folder: string
  readonly #held = new Map<string, HeldBundle & { readonly until: number }>()
  #ready: Promise<void> | null = null

  constructor(home: string) {
    this.#folder = join(home, 'bundles')
  }

  /** A path for a new file. What was left by a program that was cut off is removed at the first time. */
  async newPath(): Promise<string> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = null
      throw error
    })
    await this.#ready
    return join(this.#folder, newId())
  }

  async #prepare(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
  }

  /** Keeps a finished bundle for an hour. */
  async hold(bundle: HeldBundle): Promise<void> {
    for (const [id, { path, until }] of this.#held) {
      if (until > Date.now()) continue
      this.#held.delete(id)
      await rm(path, { force: true })
    }
    this.#held.set(bundle.id, { ...bundle, until: Date.now() + keptMs })
  }

  /** A bundle of this laboratory as a file; null for one that is not kept any more, or another laboratory's. */
  async find(id: string, laboratoryId: string): Promise<File | null> {
    const held = this.#held.get(id)
    if (held?.laboratoryId !== laboratoryId || held.until <= Date.now()) return null
    const type = 'application/octet-stream'
    return new File([await openAsBlob(held.path, { type })], held.name, { type })
  }

  /** Has work done with the content as a file on disk, which is gone afterwards. */
  async withContent<T>(content: Blob, work: (path: string) => Promise<T>): Promise<T> {
    const path = await this.newPath()
    try {
      const file = await open(path, 'wx', 0o600)
      try {
        for await (const chunk of content.stream()) await file.writeFile(chunk)
      } finally {
        await file.close()
      }
      return await work(path)
    } finally {
      await rm(path, { force: true })
    }
  }
}

/** What a bundle is called: from whom, to whom, and when it was made (UTC). */
export function nameOfBundle(from: string, to: string, madeAt: string): string {
  const plain = (name: string) =>
    name
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'bench'
  return `${plain(from)}-to-${plain(to)}-${madeAt.slice(0, 16).replace(/[:T]/g, '-')}.tracseq-bundle`
}
