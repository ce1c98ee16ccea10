import { expect, it } from 'vitest'
import { judge } from './proof.ts'

const now = '2026-03-01T08:00:00.000Z'
const later = '2026-03-01T08:10:00.000Z'
const none = { failures: 0, lockedUntil: null }
const locked = { failures: 5, lockedUntil: later }

it.each([
  ['active', none, true, { kind: 'right', lockout: none }],
  ['active', { failures: 4, lockedUntil: null }, true, { kind: 'right', lockout: none }],
  ['active', none, false, { kind: 'wrong', lockout: { failures: 1, lockedUntil: null } }],
  ['active', locked, true, { kind: 'locked_out', until: later }],
  ['active', null, true, { kind: 'reset_required' }],
  ['suspended', none, true, { kind: 'not_active' }],
  ['suspended', none, false, { kind: 'wrong', lockout: { failures: 1, lockedUntil: null } }],
] as const)('judges %s, %j, right: %s', (status, lockout, right, verdict) => {
  expect(judge({ status, lockout, right }, now)).toEqual(verdict)
})
