/** How long a session lives. */
export const sessionLivesMs = 8 * 60 * 60_000

/** Wrong PINs after which a session can be unlocked by password only. */
export const pinTries = 5

/**
 * Both clocks of a machine in milliseconds. The monotonic one counts from the machine's start and cannot be set; the
 * wall clock goes on while the machine is off.
 */
export interface Clocks {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** What decides whether a session still holds. */
export interface SessionFacts {
  readonly started: Clocks
  readonly locked: boolean
  readonly ended: boolean
}

export type SessionState = 'live' | 'locked' | 'ended'

/**
 * A session ends eight hours after its start on whichever clock says so first, so setting the clock back prolongs
 * nothing. After a restart of the machine only the wall clock can tell; when that lies before the session's start,
 * no clock can, and the session is over.
 */
export function sessionState(session: SessionFacts, now: Clocks): SessionState {
  const wallAge = now.wallMs - session.started.wallMs
  const monotonicAge = now.monotonicMs - session.started.monotonicMs
  const machineRestarted = monotonicAge < 0
  const over =
    session.ended ||
    wallAge >= sessionLivesMs ||
    monotonicAge >= sessionLivesMs ||
    (machineRestarted && wallAge < 0)
  if (over) return 'ended'
  return session.locked ? 'locked' : 'live'
}

/** The instant at which a session ends, ISO 8601. */
export function sessionEnd(startedAt: string): string {
  return new Date(Date.parse(startedAt) + sessionLivesMs).toISOString()
}
