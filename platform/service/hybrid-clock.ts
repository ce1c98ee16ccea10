/**
 * A hybrid logical clock: never goes back, even when the machine's clock does, and stays close to it otherwise. Its
 * text sorts in time order: `<milliseconds, 13 digits>-<counter, 4 hex digits>-<workstation>`.
 */
export class HybridClock {
  #milliseconds = 0
  #counter = 0
  readonly #workstation: string
  readonly #wallClock: () => number

  constructor(workstation: string, wallClock: () => number = () => Date.now()) {
    this.#workstation = workstation
    this.#wallClock = wallClock
  }

  /** The instant as the machine's clock shows it, ISO 8601 UTC; it may go back. */
  now(): string {
    return new Date(this.#wallClock()).toISOString()
  }

  /** The next moment; each is later than all before it. */
  tick(): string {
    const wall = this.#wallClock()
    if (wall > this.#milliseconds) {
      this.#milliseconds = wall
      this.#counter = 0
    } else if (this.#counter < 0xffff) {
      this.#counter += 1
    } else {
      this.#milliseconds += 1
      this.#counter = 0
    }
    const milliseconds = String(this.#milliseconds).padStart(13, '0')
    return `${milliseconds}-${this.#counter.toString(16).padStart(4, '0')}-${this.#workstation}`
  }
}
