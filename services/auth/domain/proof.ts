import { countFailure, type Lockout, lockedUntil, noFailures } from './lockout.ts'

/** What is known when somebody has given a password. */
export interface Attempt {
  readonly status: 'active' | 'inactive' | 'suspended' | 'deleted'
  /** Null when this workstation holds no password of the person, as after its database was rebuilt. */
  readonly lockout: Lockout | null
  readonly right: boolean
}

export type Verdict =
  | { readonly kind: 'right'; readonly lockout: Lockout }
  | { readonly kind: 'wrong'; readonly lockout: Lockout }
  | { readonly kind: 'locked_out'; readonly until: string }
  | { readonly kind: 'not_active' }
  | { readonly kind: 'reset_required' }

/** Judges an attempt. Only who knows the password learns that the account is not active. */
export function judge(attempt: Attempt, now: string): Verdict {
  const { lockout } = attempt
  if (lockout === null) return { kind: 'reset_required' }
  const until = lockedUntil(lockout, now)
  if (until !== null) return { kind: 'locked_out', until }
  if (!attempt.right) return { kind: 'wrong', lockout: countFailure(lockout, now) }
  if (attempt.status !== 'active') return { kind: 'not_active' }
  return { kind: 'right', lockout: noFailures }
}
