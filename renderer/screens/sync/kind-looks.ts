import type { IconName } from '../../components/drawings.tsx'
import type { StatusTone } from '../../components/status.tsx'
import type { ItemKind } from './proposals.ts'

/** How an item looks beside its word. */
export const kindLooks: Readonly<Record<ItemKind, readonly [StatusTone, IconName]>> = {
  conflict: ['bad', 'split'],
  contested: ['bad', 'warn'],
  refused: ['bad', 'ban'],
  review: ['warn', 'person'],
  parked: ['idle', 'pause'],
  notice: ['warn', 'note'],
}
