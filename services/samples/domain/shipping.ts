import type { CustodyReport } from './custody.ts'
import type { SampleState } from './lifecycle.ts'

/** What is known of a sample when it is to leave for another laboratory. */
export interface ShippingFacts {
  readonly name: string
  readonly state: SampleState
  /** Where it is already, in words; null while it is here. */
  readonly shippedTo: string | null
  readonly custody: CustodyReport
  readonly hasCheckedOutTube: boolean
  /** Names of work across domains that is under way with it. */
  readonly openWork: readonly string[]
}

/** States in which there is nothing that could be packed, or it lies on an instrument. */
const stays: readonly SampleState[] = ['in_sequencing', 'discarded', 'archived', 'deleted']

/** Why a sample may not be shipped, in words that name it; empty when it may. */
export function listObstacles(facts: ShippingFacts): readonly string[] {
  const { name, state, shippedTo, custody, openWork } = facts
  if (shippedTo !== null) return [`${name} was shipped to ${shippedTo} already.`]
  const obstacles: string[] = []
  if (stays.includes(state)) obstacles.push(`${name} is ${state.replaceAll('_', ' ')}: it stays here.`)
  if (custody.problems.length > 0)
    obstacles.push(
      `The chain of custody of ${name} must be settled first: ${custody.problems[0]?.message ?? ''}`,
    )
  const held = custody.heads.at(-1)?.state ?? null
  if (held === 'ended') obstacles.push(`${name} is used up or disposed of.`)
  if (held === 'in_transit') obstacles.push(`${name} is on its way already.`)
  if (facts.hasCheckedOutTube || held === 'checked_out')
    obstacles.push(`${name} is checked out: bring it back to its place first.`)
  for (const work of openWork)
    obstacles.push(`Work on ${name} is not finished: ${work}. Wait, or look into it.`)
  return obstacles
}
