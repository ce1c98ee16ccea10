import { z } from 'zod'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { ChangeSet } from '../../platform/sync/change-set.ts'
import { PeopleOfAnswer } from '../../services/auth/contract.ts'

type Authored = Pick<ChangeSet, 'id' | 'domain' | 'actorId' | 'procedure' | 'causedBy'>
type Person = z.output<typeof PeopleOfAnswer>['people'][number]

const UserId = z.uuid()

/** The ids of those of these sets whose author may do now what they did. `isKnown` tells what the Hub has been pushed. */
export async function listPermitted(
  gateway: Gateway,
  laboratoryId: string,
  sets: readonly Authored[],
  isKnown: (changeSetId: string) => boolean,
): Promise<string[]> {
  const ids = [...new Set(sets.map(({ actorId }) => actorId))].filter((id) => UserId.safeParse(id).success)
  const { people } = PeopleOfAnswer.parse(
    await gateway.call({
      path: ['auth', 'peopleOf'],
      input: { laboratoryId, userIds: ids },
      origin: { from: 'host', actor: null },
    }),
  )
  const known = new Map(people.map((person) => [person.userId as string, person]))
  return sets
    .filter((set) => isPermitted(gateway, set, known.get(set.actorId) ?? null, isKnown))
    .map(({ id }) => id)
}

function isPermitted(
  gateway: Gateway,
  { domain, actorId, procedure, causedBy }: Authored,
  person: Person | null,
  isKnown: (changeSetId: string) => boolean,
): boolean {
  const isActive = person?.status === 'active'
  // What a service does by itself, and no door leads to: a reaction, which stands and falls with what it reacts to, and work
  // across domains that was taken up again for the person who began it.
  if (procedure === `${domain}.internal`) {
    const hasCause = causedBy !== null && isKnown(causedBy)
    return hasCause || isActive || actorId === `service:${domain}`
  }
  // Rows are changed by commands of their own domain alone.
  if (!procedure.startsWith(`${domain}.`)) return false
  const meta = gateway.catalogue.find(procedure.split('.'))?.meta
  // What only hosts call is nobody's work at a bench.
  if (meta?.kind !== 'command' || meta.internal) return false
  switch (meta.permission) {
    case 'public':
      return true
    // Somebody who was suspended meanwhile may have signed out, or changed a password that is good for nothing now.
    case 'signed-in':
      return person !== null
    default:
      return isActive && person.permissions.includes(meta.permission)
  }
}
