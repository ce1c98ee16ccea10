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
  guest: ['samples:read', 'storage:read', 'barcodes:read'],
  data_analyst: ['imports:read', 'templates:read'],
  research_scientist: [
    'samples:create',
    'samples:edit',
    'barcodes:allocate',
    'barcodes:link',
    'imports:create',
    'files:store',
  ],
  lab_technician: [
    'storage:place',
    'storage:manage',
    'imports:apply',
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
  ],
  lab_administrator: ['users:manage', 'system:operate', 'audit:verify'],
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

/** Names that are no permission of this version. */
export function unknownPermissions(permissions: readonly string[]): readonly string[] {
  const known: ReadonlySet<string> = new Set(allPermissions)
  return permissions.filter((permission) => !known.has(permission))
}
