/** Keeps a few values while they are used: the oldest goes when there are too many, all go when nobody asks any more. */
export class RecentlyUsed<Key, Value> {
  readonly #entries = new Map<Key, { readonly value: Value; readonly timer: NodeJS.Timeout }>()
  readonly #most: number
  readonly #idleMs: number

  constructor(limits: { readonly most: number; readonly idleMs: number }) {
    this.#most = limits.most
    this.#idleMs = limits.idleMs
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.set(key, entry.value)
    return entry.value
  }

  set(key: Key, value: Value): void {
    this.delete(key)
    const timer = setTimeout(() => this.#entries.delete(key), this.#idleMs)
    timer.unref()
    this.#entries.set(key, { value, timer })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#most && oldest !== undefined) this.delete(oldest)
  }

  delete(key: Key): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) clearTimeout(entry.timer)
    this.#entries.delete(key)
  }
}
