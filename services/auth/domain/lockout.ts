const failuresAllowed = 5
const lockedForMs = 15 * 60_000

/** Wrong passwords in a row, and until when the account is locked for them. Instants are ISO 8601. */
export interface Lockout {
  readonly failures: number
  readonly lockedUntil: string | null
}

export const noFailures: Lockout = { failures: 0, lockedUntil: null }

/** Until when an account is locked, or null when it is not locked now. */
export function lockedUntil(state: Lockout, now: string): string | null {
  const { lockedUntil: until } = state
  return until !== null && Date.parse(until) > Date.parse(now) ? until : null
}

/** Counts a wrong password: the fifth in a row locks for 15 minutes. A lock that has passed begins the count anew. */
export function countFailure(state: Lockout, now: string): Lockout {
  const failures = (state.lockedUntil === null ? state.failures : 0) + 1
  if (failures < failuresAllowed) return { failures, lockedUntil: null }
  return { failures, lockedUntil: new Date(Date.parse(now) + lockedForMs).toISOString() }
}
