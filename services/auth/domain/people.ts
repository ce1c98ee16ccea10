import { ruleBroken } from '../../../platform/contract/refusal.ts'
import type { RoleName } from './roles.ts'

export const userStatuses = ['active', 'inactive', 'suspended', 'deleted'] as const
export type UserStatus = (typeof userStatuses)[number]

interface Standing {
  readonly status: UserStatus
  readonly roles: readonly RoleName[]
}

/** A deleted person stays deleted: the e-mail address may belong to somebody else by now. */
export function checkStatusChange(from: UserStatus, to: UserStatus): void {
  if (from === 'deleted' && to !== 'deleted') {
    throw ruleBroken('deleted-stays', 'A deleted person cannot come back: add the person anew', 'status')
  }
}

/** Somebody must be able to manage people: the last active administrator is neither removed nor demoted. */
export function checkAdministratorStays(
  before: Standing,
  after: Standing,
  otherAdministrators: number,
): void {
  if (otherAdministrators > 0 || !administers(before) || administers(after)) return
  throw ruleBroken(
    'last-administrator',
    'This is the last active administrator: make somebody else one first. Nothing was changed.',
  )
}

function administers({ status, roles }: Standing): boolean {
  return status === 'active' && roles.includes('lab_administrator')
}
