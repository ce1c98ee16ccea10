import { createHash } from 'node:crypto'
import type { Actor } from '../contract/envelope.ts'

/** What the host knows of an access token. */
export type ResolvedSession =
  { readonly actor: Actor } | { readonly problem: 'UNAUTHORIZED' | 'SESSION_LOCKED' }
export type ResolveSession = (token: string) => Promise<ResolvedSession>

interface Remembered {
  readonly session: Promise<ResolvedSession>
  readonly until: number
}

const rememberedAtMost = 1_000

/**
 * Remembers for a moment who holds which token, so that not every call asks the auth service. Only live sessions are
 * remembered: an unlocked or new session works at once. Ending one must be told by `forget`.
 */
export class SessionCache {
  readonly #resolve: ResolveSession
  readonly #rememberForMs: number
  readonly #byToken = new Map<string, Remembered>()
  /** Grows with every `forget`, so that an answer under way meanwhile is not remembered. */
  #generation = 0

  constructor(resolve: ResolveSession, rememberForMs: number) {
    this.#resolve = resolve
    this.#rememberForMs = rememberForMs
  }

  async resolve(token: string): Promise<ResolvedSession> {
    // The token itself is not kept: a heap dump should not hold one.
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#byToken.get(key)
    if (known !== undefined && known.until > Date.now()) return known.session
    const generation = this.#generation
    const session = this.#resolve(token)
    this.#remember(key, { session, until: Date.now() + this.#rememberForMs })
    try {
      const resolved = await session
      if ('problem' in resolved || generation !== this.#generation) this.#drop(key, session)
      return resolved
    } catch (error) {
      this.#drop(key, session)
      throw error
    }
  }

  /** Forgets all sessions: after a sign-out, a lock, or a change of a role or a person. */
  forget(): void {
    this.#generation += 1
    this.#byToken.clear()
  }

  #remember(key: string, remembered: Remembered): void {
    this.#byToken.delete(key)
    this.#byToken.set(key, remembered)
    for (const oldest of this.#byToken.keys()) {
      if (this.#byToken.size <= rememberedAtMost) break
      this.#byToken.delete(oldest)
    }
  }

  #drop(key: string, session: Promise<ResolvedSession>): void {
    if (this.#byToken.get(key)?.session === session) this.#byToken.delete(key)
  }
}
