/** The roles, low to high. */
export const roleNames = [
  'guest',
  'data_analyst',
  'research_scientist',
  'lab_technician',
  'principal_investigator',
  'lab_administrator',
] as const
export type RoleName = (typeof roleNames)[number]

/** What each role may do beyond the one below it. A test holds this list against all contracts. */
const additions = {
  guest: ['samples:read', 'storage:read', 'barcodes:read', 'sync:read'],
  data_analyst: ['imports:read', 'templates:read', 'shipments:read'],
  research_scientist: [
    'samples:create',
    'samples:edit',
    'barcodes:allocate',
    'barcodes:link',
    'storage:place',
    'imports:create',
    'imports:apply',
    'files:store',
  ],
  lab_technician: [
    'storage:manage',
    'shipments:send',
    'shipments:receive',
    'devices:read',
    'devices:manage',
    'system:read',
    'users:read',
  ],
  principal_investigator: [
    'samples:delete',
    'samples:manage',
    'storage:dispose',
    'storage:override',
    'templates:manage',
    'audit:read',
    'sync:resolve',
  ],
  lab_administrator: ['users:manage', 'sync:manage', 'system:operate', 'audit:verify'],
} as const satisfies Readonly<Record<RoleName, readonly `${string}:${string}`[]>>

export type Permission = (typeof additions)[RoleName][number]

/** Every permission there is. */
export const allPermissions: readonly Permission[] = roleNames.flatMap((name) => additions[name])

/** What a role may do as delivered, before a laboratory changes it. */
export function permissionsOf(role: RoleName): readonly Permission[] {
  return roleNames.slice(0, roleNames.indexOf(role) + 1).flatMap((name) => additions[name])
}

/** A laboratory's own changes to roles; what is missing is as delivered. */
export type EditedRoles = Readonly<Partial<Record<RoleName, readonly string[]>>>

/** What a role may do in a laboratory. The administrator's role holds everything, so that nobody is locked out. */
export function permissionsInLaboratory(role: RoleName, edited: EditedRoles): readonly string[] {
  if (role === 'lab_administrator') return allPermissions
  return edited[role] ?? permissionsOf(role)
}

/** What a person with these roles may do, in the order of {@link allPermissions}. */
export function permissionsOfPerson(roles: readonly RoleName[], edited: EditedRoles): readonly string[] {
  const held = new Set(roles.flatMap((role) => permissionsInLaboratory(role, edited)))
  return allPermissions.filter((permission) => held.has(permission))
}

/**
 * What a permission is worth nothing without. A received tube gets a code, a container and a place, so whoever may
 * receive may do each of these; and nobody can change what they may not see.
 */
const needs: Readonly<Partial<Record<Permission, readonly Permission[]>>> = {
  'barcodes:allocate': ['barcodes:read'],
  'barcodes:link': ['barcodes:read'],
  'storage:place': ['storage:read'],
  'storage:manage': ['storage:read'],
  'storage:dispose': ['storage:place'],
  'storage:override': ['storage:place'],
  'samples:create': ['samples:read', 'barcodes:link', 'storage:place'],
  'samples:edit': ['samples:read'],
  'samples:delete': ['samples:read'],
  'samples:manage': ['samples:read'],
  'templates:manage': ['templates:read'],
  'imports:read': ['templates:read'],
  'imports:create': ['imports:read', 'files:store'],
  'imports:apply': ['imports:create', 'samples:create'],
  'devices:manage': ['devices:read'],
  'users:manage': ['users:read'],
  'system:operate': ['system:read'],
  'audit:verify': ['audit:read'],
  'sync:resolve': ['sync:read'],
  'shipments:send': ['shipments:read', 'samples:edit', 'storage:place'],
  'shipments:receive': ['shipments:read', 'samples:create', 'storage:place'],
  'sync:manage': ['sync:read'],
}

/** For each permission of a bundle the ones it needs that the bundle lacks; empty for a bundle that hangs together. */
export function missingNeeds(
  permissions: readonly string[],
): readonly { readonly permission: Permission; readonly missing: readonly Permission[] }[] {
  return allPermissions
    .filter((permission) => permissions.includes(permission))
    .map((permission) => ({
      permission,
      missing: (needs[permission] ?? []).filter((needed) => !permissions.includes(needed)),
    }))
    .filter(({ missing }) => missing.length > 0)
}

/** Names that are no permission of this version. */
export function unknownPermissions(permissions: readonly string[]): readonly string[] {
  const known: ReadonlySet<string> = new Set(allPermissions)
  return permissions.filter((permission) => !known.has(permission))
}
