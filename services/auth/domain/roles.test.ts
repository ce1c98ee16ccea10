import { describe, expect, it } from 'vitest'
import {
  allPermissions,
  missingNeeds,
  permissionsInLaboratory,
  permissionsOf,
  permissionsOfPerson,
  roleNames,
  unknownPermissions,
} from './roles.ts'

describe('roles', () => {
  it('hold what the role below holds, and more', () => {
    for (const [index, name] of roleNames.entries()) {
      const below = roleNames[index - 1]
      if (below === undefined) continue
      expect(permissionsOf(name)).toEqual(expect.arrayContaining([...permissionsOf(below)]))
      expect(permissionsOf(name).length).toBeGreaterThan(permissionsOf(below).length)
    }
    expect([...permissionsOf('lab_administrator')].sort()).toEqual([...allPermissions].sort())
    expect(new Set(allPermissions).size).toBe(allPermissions.length)
  })

  it('let a guest read and nothing else', () => {
    expect(permissionsOf('guest').every((permission) => permission.endsWith(':read'))).toBe(true)
  })

  it('keep overriding and deleting from technicians, and people from all but administrators', () => {
    expect(permissionsOf('lab_technician')).not.toContain('storage:override')
    expect(permissionsOf('lab_technician')).not.toContain('samples:delete')
    expect(permissionsOf('principal_investigator')).not.toContain('users:manage')
  })

  it.each(roleNames)('%s may do nothing that lacks what it needs', (name) => {
    expect(missingNeeds(permissionsOf(name))).toEqual([])
  })

  it('hang together: who may receive may also give codes and places', () => {
    expect(missingNeeds(['samples:read', 'samples:create', 'barcodes:read', 'barcodes:link'])).toEqual([
      { permission: 'samples:create', missing: ['storage:place'] },
    ])
    expect(missingNeeds([])).toEqual([])
  })

  it('add up, with what a laboratory changed', () => {
    const edited = { guest: ['samples:read'], data_analyst: ['audit:read', 'gone:forever'] }
    expect(permissionsOfPerson(['guest', 'data_analyst'], edited)).toEqual(['samples:read', 'audit:read'])
    expect(permissionsInLaboratory('lab_administrator', { lab_administrator: [] })).toEqual(allPermissions)
    expect(permissionsOfPerson([], {})).toEqual([])
    expect(unknownPermissions(['samples:read', 'gone:forever'])).toEqual(['gone:forever'])
  })
})
