import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The wall clock of machines under test, for whatever takes days. Programs started with its environment live by it. */
export class MachineClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tracseq-clock-'))
  readonly #file = join(this.#folder, 'ahead')
  #aheadMs = 0

  constructor() {
    this.#write()
  }

  get environment(): Readonly<Record<string, string>> {
    const program = resolve(import.meta.dirname, 'live-by-machine-clock.ts')
    return { NODE_OPTIONS: `--import=${program}`, TRACSEQ_TEST_CLOCK: this.#file }
  }

  get now(): number {
    return Date.now() + this.#aheadMs
  }

  /** Puts the clock forward. Running programs have it a moment later, those that start at once. */
  goTo(instant: number): void {
    this.#aheadMs = instant - Date.now()
    this.#write()
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #write(): void {
    // Whole or not at all: somebody may be reading.
    writeFileSync(`${this.#file}.next`, String(this.#aheadMs))
    renameSync(`${this.#file}.next`, this.#file)
  }
}
