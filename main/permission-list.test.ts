import { expect, it } from 'vitest'
import { Catalogue } from '../platform/gateway/catalogue.ts'
import { system } from '../platform/gateway/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { allPermissions, permissionsOf, roleNames } from '../services/auth/domain/roles.ts'
import { shipments } from '../services/shipments/contract.ts'
import { services } from '../services/registry.ts'
import { devices } from './devices/contract.ts'

/** Asked for by an input of a procedure, beyond what the procedure itself declares. */
const askedOfInputs = ['storage:override']

it('the permissions of roles are exactly those that contracts ask for', () => {
  const catalogue = new Catalogue()
  for (const { name, contract } of services) catalogue.add(name, contract)
  catalogue.add('system', system)
  catalogue.add('devices', devices)
  catalogue.add('sync', sync)
  catalogue.add('shipments', shipments)
  const declared = catalogue.list().map(({ meta }) => meta.permission as string | undefined)
  expect(declared.length).toBeGreaterThan(100)
  expect(declared).not.toContain(undefined)
  const needed = declared.filter((permission) => permission !== 'public' && permission !== 'signed-in')
  expect([...allPermissions].sort()).toEqual([...new Set([...needed, ...askedOfInputs])].sort())
  expect([...new Set(roleNames.flatMap(permissionsOf))].sort()).toEqual([...allPermissions].sort())
})
