import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface LogFileOptions {
  readonly directory: string
  readonly name: string
  readonly largestBytes: number
  /** Full files that are kept beside the one in use. */
  readonly kept: number
}

const flushAfterMs = 100
const flushAtCharacters = 64 * 1024

/**
 * Appends lines to a file and begins a new one when it is full: `name.log`, `name.1.log`, … Lines are gathered for a
 * moment, since the host's event loop carries every call.
 */
export class LogFile {
  readonly #options: LogFileOptions
  readonly #path: string
  #bytes: number
  #lines: string[] = []
  #characters = 0
  #timer: NodeJS.Timeout | undefined
  /** Said once; a full disk must not end the host, and a line about it cannot be written either. */
  #complained = false

  constructor(options: LogFileOptions) {
    this.#options = options
    mkdirSync(options.directory, { recursive: true })
    this.#path = this.#numbered(0)
    this.#bytes = existsSync(this.#path) ? statSync(this.#path).size : 0
  }

  write(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length
    if (this.#characters >= flushAtCharacters) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), flushAfterMs).unref()
  }

  /** Writes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines.length === 0) return
    const text = this.#lines.join('')
    this.#lines = []
    this.#characters = 0
    try {
      if (this.#bytes >= this.#options.largestBytes) this.#rotate()
      appendFileSync(this.#path, text)
      this.#bytes += Buffer.byteLength(text)
    } catch (error) {
      if (this.#complained) return
      this.#complained = true
      process.stderr.write(`The log cannot be written: ${String(error)}\n`)
    }
  }

  #rotate(): void {
    rmSync(this.#numbered(this.#options.kept), { force: true })
    for (let number = this.#options.kept - 1; number >= 0; number -= 1)
      if (existsSync(this.#numbered(number))) renameSync(this.#numbered(number), this.#numbered(number + 1))
    this.#bytes = 0
  }

  #numbered(number: number): string {
    const { directory, name } = this.#options
    return join(directory, number === 0 ? `${name}.log` : `${name}.${number}.log`)
  }
}
