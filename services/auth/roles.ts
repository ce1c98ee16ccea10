import { and, eq } from 'drizzle-orm'
import type { z } from 'zod'
import { changedMeanwhile, notFound, ruleBroken } from '../../platform/contract/refusal.ts'
import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { authEvents, type Role } from './contract.ts'
import {
  allPermissions,
  missingNeeds,
  permissionsInLaboratory,
  type RoleName,
  unknownPermissions,
} from './domain/roles.ts'
import { refuseMoreThanOwn } from './own-limits.ts'
import { role } from './schema.ts'

type RoleRow = typeof role.$inferSelect

/** A role as the contract shows it. */
export function toRole(row: RoleRow): z.input<typeof Role> {
  const edited = row.permissions === null ? {} : { [row.name]: row.permissions }
  const held = permissionsInLaboratory(row.name, edited)
  return {
    id: row.id,
    name: row.name,
    permissions: allPermissions.filter((permission) => held.includes(permission)),
    revision: row.revision,
  }
}

export const updateRole = writes(
  async (
    scope: WriteScope,
    input: { name: RoleName; revision: string; permissions: string[]; reason: string },
  ) => {
    if (input.name === 'lab_administrator') {
      throw ruleBroken('administrator-holds-all', 'The administrator may do everything, always', 'name')
    }
    const unknown = unknownPermissions(input.permissions)
    if (unknown.length > 0) {
      throw ruleBroken('permission-unknown', `There is no permission ${unknown.join(', ')}`, 'permissions')
    }
    const [lacking] = missingNeeds(input.permissions)
    if (lacking !== undefined) {
      throw ruleBroken(
        'permission-needs-others',
        `${lacking.permission} is worth nothing without ${lacking.missing.join(' and ')}: give both or neither`,
        'permissions',
      )
    }
    const { tx, laboratoryId } = scope
    const own = and(eq(role.laboratoryId, laboratoryId), eq(role.name, input.name))
    const [known] = await tx.select().from(role).where(own).for('update')
    if (known === undefined) throw notFound('role', input.name)
    if (known.revision !== input.revision) throw changedMeanwhile(`The role ${input.name}`)
    refuseMoreThanOwn(scope.actor, input.permissions)
    const permissions = [...new Set(input.permissions)].sort()
    const [row] = await tx.update(role).set({ permissions }).where(own).returning()
    if (row === undefined) throw notFound('role', input.name)
    scope.announce(authEvents.RoleChanged, { name: row.name })
    return toRole(row)
  },
)
