import { useSyncExternalStore } from 'react'
import type { Container, StorageNode } from '../../../services/storage/contract.ts'
import { nothingPlacing, type Placing } from './placing.ts'

/** A placement of this sitting: it has a tick in the map, and its undo while that runs. */
export interface RecentPlacement {
  readonly boxId: string
  readonly position: string
  readonly containerId: string
  /** The undo that the scan line offers, by which its ring is found again. */
  readonly undo: () => Promise<void>
}

/** The one dialog that is open. */
export type StorageDialog =
  | { readonly kind: 'add'; readonly parent: StorageNode | null }
  | { readonly kind: 'edit'; readonly node: StorageNode }
  | { readonly kind: 'remove'; readonly node: StorageNode }
  | { readonly kind: 'find-space' }
  | { readonly kind: 'rack-scan'; readonly box: StorageNode }
  | { readonly kind: 'reserve'; readonly boxId: string; readonly labels: readonly string[] }
  | { readonly kind: 'out-of-use'; readonly boxId: string; readonly labels: readonly string[] }
  | { readonly kind: 'back-in-use'; readonly boxId: string; readonly labels: readonly string[] }
  | {
      readonly kind: 'override'
      readonly boxId: string
      readonly label: string | null
      readonly words: string
    }
  | { readonly kind: 'check-out'; readonly container: Container }
  | { readonly kind: 'dispose'; readonly container: Container }

interface Sitting {
  /** Whose sitting it is: nobody finds another person's tubes in hand. */
  readonly userId: string | null
  readonly placing: Placing
  readonly recent: readonly RecentPlacement[]
  readonly dialog: StorageDialog | null
}

const recentLength = 200
let sitting: Sitting = { userId: null, placing: nothingPlacing, recent: [], dialog: null }
const listeners = new Set<() => void>()

/*
 * Not React state: scans follow each other faster than the screen is drawn, and each must meet what the one before it
 * left. It also outlives the screen, so that a tube in hand is still in hand after a look at its sample.
 */
function set(change: Partial<Sitting>): void {
  sitting = { ...sitting, ...change }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What this person has in hand, looks at and placed. */
export function useSitting(): Sitting {
  return useSyncExternalStore(subscribe, () => sitting)
}

export function readPlacing(): Placing {
  return sitting.placing
}

/** Goes on from the state as it is at this moment. */
export function changePlacing(change: (placing: Placing) => Placing): void {
  set({ placing: change(sitting.placing) })
}

/** Begins a sitting; the one of somebody else is forgotten. */
export function beginSitting(userId: string): void {
  if (sitting.userId === userId) return
  set({ userId, placing: nothingPlacing, recent: [], dialog: null })
}

export function openDialog(dialog: StorageDialog): void {
  set({ dialog })
}

export function closeDialog(): void {
  set({ dialog: null })
}

export function notePlacements(placements: readonly RecentPlacement[]): void {
  set({ recent: [...placements, ...sitting.recent].slice(0, recentLength) })
}

/** Placements that were taken back are no news any more. */
export function forgetPlacements(containerIds: readonly string[]): void {
  set({ recent: sitting.recent.filter(({ containerId }) => !containerIds.includes(containerId)) })
}
