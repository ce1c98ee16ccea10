import type { PositionState } from './occupancy.ts'

export const capacityLevels = ['normal', 'warning', 'critical'] as const
export type CapacityLevel = (typeof capacityLevels)[number]

/** Positions of a box, or of everything below a node, by state. The four states always add up to `positions`. */
export interface Capacity {
  readonly positions: number
  readonly occupied: number
  readonly reserved: number
  readonly outOfUse: number
  readonly available: number
  readonly level: CapacityLevel
}

/** In whole percent of what can be used: normal < 80 ≤ warning < 95 ≤ critical. */
export const capacityLimits = { warningPercent: 80, criticalPercent: 95 } as const

type Counts = Omit<Capacity, 'level' | 'positions'>

const counterOf = {
  available: 'available',
  occupied: 'occupied',
  reserved: 'reserved',
  out_of_use: 'outOfUse',
} as const satisfies Record<PositionState, keyof Counts>

const nothing: Counts = { occupied: 0, reserved: 0, outOfUse: 0, available: 0 }

/** Counts position by position, with states as read at one instant. Every capacity that is shown must equal this. */
export function recountCapacity(states: Iterable<PositionState>): Capacity {
  const counts = { ...nothing }
  for (const state of states) counts[counterOf[state]] += 1
  return complete(counts)
}

/** The capacity of a box with so many positions, from what was counted in it; the rest is available. */
export function countedCapacity(positions: number, counted: Omit<Counts, 'available'>): Capacity {
  const { occupied, reserved, outOfUse } = counted
  return complete({ occupied, reserved, outOfUse, available: positions - occupied - reserved - outOfUse })
}

/** The capacity of a node from those of the boxes below it. */
export function addCapacities(capacities: Iterable<Capacity>): Capacity {
  const counts = { ...nothing }
  for (const capacity of capacities) {
    for (const counter of Object.values(counterOf)) counts[counter] += capacity[counter]
  }
  return complete(counts)
}

/**
 * How full a node is. Reserved positions count as taken, since nobody can be sent there; those out of use count
 * neither as space nor as taken. Positions that are all out of use are critical: nothing fits.
 */
export function judgeCapacity(counts: Counts): CapacityLevel {
  const taken = counts.occupied + counts.reserved
  const usable = taken + counts.available
  if (usable === 0) return counts.outOfUse === 0 ? 'normal' : 'critical'
  // Compared as integers: 4 of 5 is exactly 80 %, which a quotient of floats need not be.
  if (taken * 100 >= capacityLimits.criticalPercent * usable) return 'critical'
  return taken * 100 >= capacityLimits.warningPercent * usable ? 'warning' : 'normal'
}

function complete(counts: Counts): Capacity {
  const { occupied, reserved, outOfUse, available } = counts
  const positions = occupied + reserved + outOfUse + available
  return { positions, occupied, reserved, outOfUse, available, level: judgeCapacity(counts) }
}
