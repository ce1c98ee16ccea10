import { expect, test } from 'vitest'
import type { Permission } from '../contract/procedure.ts'
import { decidePermission } from './permission.ts'
import { guest, technician } from './testing/test-gateway.ts'

const service = { ...guest, userId: 'service', service: 'samples' }

test.each([
  ['public', null, { allowed: true }],
  ['signed-in', null, { allowed: false, code: 'UNAUTHORIZED' }],
  ['signed-in', guest, { allowed: true }],
  ['test:write', null, { allowed: false, code: 'UNAUTHORIZED' }],
  ['test:write', guest, { allowed: false, code: 'FORBIDDEN', permission: 'test:write' }],
  ['test:write', technician, { allowed: true }],
  ['test:writeall', technician, { allowed: false, code: 'FORBIDDEN', permission: 'test:writeall' }],
  ['test:write', service, { allowed: true }],
] as const)('%s asked by %o', (permission: Permission, actor, decision) => {
  expect(decidePermission({ permission }, actor)).toEqual(decision)
})
