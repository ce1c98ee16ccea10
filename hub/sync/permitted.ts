import { z } from 'zod'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { ChangeSet } from '../../platform/sync/change-set.ts'
import { PeopleOfAnswer } from '../../services/auth/contract.ts'

type Author = Pick<ChangeSet, 'domain' | 'actorId' | 'procedure' | 'causedBy'>
type Person = z.output<typeof PeopleOfAnswer>['people'][number]

const UserId = z.uuid()
/** Which of these authors may do now what they did: `<person> <procedure>` for each that may. */
export async function listPermitted(
  gateway: Gateway,
  laboratoryId: string,
  authors: readonly Author[],
): Promise<readonly string[]> {
  const ids = [...new Set(authors.map(({ actorId }) => actorId))].filter((id) => UserId.safeParse(id).success)
  const { people } = PeopleOfAnswer.parse(
    await gateway.call({
      path: ['auth', 'peopleOf'],
      input: { laboratoryId, userIds: ids },
      origin: { from: 'host', actor: null },
    }),
  )
  const known = new Map(people.map((person) => [person.userId as string, person]))
  const permitted = authors.filter((author) =>
    isPermitted(gateway, author, known.get(author.actorId) ?? null),
  )
  return [...new Set(permitted.map(({ actorId, procedure }) => `${actorId} ${procedure}`))]
}

function isPermitted(
  gateway: Gateway,
  { domain, actorId, procedure, causedBy }: Author,
  person: Person | null,
): boolean {
  const isActive = person?.status === 'active'
  // What a service does by itself: reactions, and work across domains that was taken up again. A reaction stands and falls
  // with what it reacts to, and no door leads to such a procedure.
  if (procedure === `${domain}.internal`)
    return causedBy !== null || isActive || actorId.startsWith('service:')
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
