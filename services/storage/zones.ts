import { Refusal } from '../../platform/contract/refusal.ts'
import { decidePermission } from '../../platform/gateway/permission.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { decideZone, type ZoneName } from './domain/zone.ts'

/** Overriding a zone rule depends on the input, so the service asks for this permission and not the gateway. */
const overridePermission = 'storage:override'

export interface ZoneOverride {
  readonly reason: string
}

/** Something that is to be kept in a zone from now on. */
export interface ZoneQuestion {
  readonly label: string
  readonly material: string | null
  readonly zone: ZoneName | null
}

/**
 * Lets a container into a zone: false when its type may be there, true when a rule is overridden. Refused without a
 * reason, or without the permission to override.
 */
export function passZone(
  scope: Pick<WriteScope, 'actor'>,
  { label, material, zone }: ZoneQuestion,
  override: ZoneOverride | undefined,
): boolean {
  const decision = decideZone(material, zone)
  if (decision.ok) return false
  if (override === undefined) {
    const { message, allowed = [] } = decision.refusal
    throw new Refusal(
      'ZONE_NOT_ALLOWED',
      `${label} stays where it was: ${message} To put it there all the same, give a reason.`,
      { material, zone, allowed },
    )
  }
  const permitted = decidePermission({ permission: overridePermission }, scope.actor)
  if (!permitted.allowed) {
    throw new Refusal(
      'FORBIDDEN',
      `${label} stays where it was: ${decision.refusal.message} Your role may not override this.`,
      { permission: overridePermission },
    )
  }
  return true
}
