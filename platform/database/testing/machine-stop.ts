import { DatabaseStopped, type Engine } from '../engine.ts'
import type { Transaction } from '../transaction.ts'

/** Where a machine stops: before one of the next statements, or right after the next commit, which nobody hears of. */
export type Stop = { readonly beforeStatement: number } | 'after-commit'

/** What everything says that meets the stop. */
export const stoppedWords = 'The machine was stopped here'

const statements = new Set([
  'execute',
  'select',
  'selectDistinct',
  'selectDistinctOn',
  'insert',
  'update',
  'delete',
  'with',
  '$count',
])

/**
 * A switch in front of one machine's databases. From where they stop, every one of them refuses everything until the
 * machine is started again: what had not been committed is gone. The journal goes on, but hears of nothing more.
 */
export class MachineStop {
  #left: number | null = null
  #afterCommit = false
  #stopped = false

  /** Whether the machine has met the stop it was armed with. */
  get met(): boolean {
    return this.#stopped
  }

  arm(stop: Stop): void {
    this.#left = stop === 'after-commit' ? null : stop.beforeStatement
    this.#afterCommit = stop === 'after-commit'
  }

  /** The machine runs again, and no stop awaits it. */
  mend(): void {
    this.#left = null
    this.#afterCommit = false
    this.#stopped = false
  }

  around(engine: Engine): Engine {
    return {
      ...engine,
      execute: async (words) => {
        this.#refuseStopped()
        await engine.execute(words)
      },
      transact: async (work) => {
        this.#refuseStopped()
        const done = await engine.transact((tx) => work(this.#counting(tx)))
        if (this.#afterCommit) this.#stop()
        this.#refuseStopped()
        return done
      },
    }
  }

  #counting(tx: Transaction): Transaction {
    return new Proxy(tx, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof name !== 'string' || typeof member !== 'function' || !statements.has(name)) return member
        return (...values: unknown[]): unknown => {
          this.#countStatement()
          return Reflect.apply(member, target, values)
        }
      },
    })
  }

  #countStatement(): void {
    if (this.#left !== null && this.#left-- <= 0) this.#stop()
    this.#refuseStopped()
  }

  #stop(): void {
    this.#left = null
    this.#afterCommit = false
    this.#stopped = true
  }

  #refuseStopped(): void {
    if (this.#stopped) throw new DatabaseStopped(stoppedWords)
  }
}
