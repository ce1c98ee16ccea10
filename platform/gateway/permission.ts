import type { Actor } from '../contract/envelope.ts'
import type { ProcedureMeta } from '../contract/procedure.ts'

export type PermissionDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: 'UNAUTHORIZED' }
  | { readonly allowed: false; readonly code: 'FORBIDDEN'; readonly permission: string }

/**
 * Decides whether this actor may call a procedure. Nobody at all may call what is public; a service that acts for
 * itself may call everything, since it only ever reacts to what a permitted person did.
 */
export function decidePermission(
  meta: Pick<ProcedureMeta, 'permission'>,
  actor: Actor | null,
): PermissionDecision {
  if (meta.permission === 'public') return { allowed: true }
  if (actor === null) return { allowed: false, code: 'UNAUTHORIZED' }
  if (meta.permission === 'signed-in' || actor.service !== null) return { allowed: true }
  if (actor.permissions.includes(meta.permission)) return { allowed: true }
  return { allowed: false, code: 'FORBIDDEN', permission: meta.permission }
}
