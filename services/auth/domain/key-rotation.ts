import { sessionLivesMs } from './session.ts'

/** A key signs for this long; then a new one takes its place. */
export const keySignsMs = 90 * 24 * 60 * 60_000

/** Whether a key that was made then has signed for its time. Instants in ISO 8601, UTC. */
export function isKeyDue(createdAt: string, now: string): boolean {
  return Date.parse(now) - Date.parse(createdAt) >= keySignsMs
}

/** Until when a key that signs no more must verify: no token outlives its session. */
export function verifiesUntil(retiredAt: string): string {
  return new Date(Date.parse(retiredAt) + sessionLivesMs).toISOString()
}
