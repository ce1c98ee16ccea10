import type { Actor } from '../../platform/contract/envelope.ts'
import { ruleBroken } from '../../platform/contract/refusal.ts'

/** Nobody may give away, or take charge of, more than they hold themselves. */
export function refuseMoreThanOwn(actor: Actor | null, permissions: readonly string[]): void {
  if (actor === null || actor.service !== null) return
  const beyond = permissions.filter((permission) => !actor.permissions.includes(permission))
  if (beyond.length === 0) return
  throw ruleBroken(
    'more-than-own',
    `This needs permissions you do not hold yourself: ${beyond.join(', ')}. Ask an administrator.`,
    'permissions',
  )
}
