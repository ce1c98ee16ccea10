import { isInBrowser } from '../bridge.ts'
import type { IconName } from '../components/drawings.tsx'

export interface ScreenEntry {
  readonly key:
    | 'bench'
    | 'samples'
    | 'storage'
    | 'receive'
    | 'shipments'
    | 'devices'
    | 'sync'
    | 'audit'
    | 'system'
    | 'people'
  readonly path:
    | '/bench'
    | '/samples'
    | '/storage'
    | '/receive'
    | '/shipments'
    | '/devices'
    | '/sync'
    | '/audit'
    | '/system'
    | '/people'
  readonly icon: IconName
  /** Who lacks it does not see the entry. */
  readonly permission: string | null
  /** Below the line: the workstation itself, not the work. */
  readonly below: boolean
  /** About the machine the app runs on: a browser has none of it. */
  readonly desktopOnly?: boolean
}

/** The rail from the top: Alt 1 is the first. A new screen is a line here, a route, and a namespace of words. */
export const screens: readonly ScreenEntry[] = [
  { key: 'bench', path: '/bench', icon: 'bench', permission: null, below: false },
  { key: 'samples', path: '/samples', icon: 'tube', permission: 'samples:read', below: false },
  { key: 'storage', path: '/storage', icon: 'freezer', permission: 'storage:read', below: false },
  { key: 'receive', path: '/receive', icon: 'receive', permission: 'imports:read', below: false },
  { key: 'shipments', path: '/shipments', icon: 'truck', permission: 'shipments:read', below: false },
  {
    key: 'devices',
    path: '/devices',
    icon: 'scanner',
    permission: 'devices:read',
    below: true,
    desktopOnly: true,
  },
  { key: 'sync', path: '/sync', icon: 'sync', permission: 'sync:read', below: true },
  { key: 'audit', path: '/audit', icon: 'shield', permission: 'audit:read', below: true },
  { key: 'system', path: '/system', icon: 'pulse', permission: 'system:read', below: true },
  { key: 'people', path: '/people', icon: 'people', permission: 'users:read', below: true },
]

/** The screens a person with these permissions sees, in the order of the rail. */
export function screensFor(permissions: readonly string[]): readonly ScreenEntry[] {
  return screens.filter(
    ({ permission, desktopOnly }) =>
      (permission === null || permissions.includes(permission)) && !(desktopOnly === true && isInBrowser()),
  )
}
