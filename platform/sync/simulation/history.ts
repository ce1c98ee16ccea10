import fc from 'fast-check'
import { Chance } from './chance.ts'
import { assertSound } from './invariants.ts'
import { type Step, type StepKind, World } from './world.ts'

/** How often each kind of step comes, in relation to the others. */
const weights: Readonly<Record<StepKind, number>> = {
  work: 30,
  react: 12,
  push: 10,
  pull: 10,
  deliver: 26,
  lose: 2,
  double: 3,
  part: 2,
  join: 3,
  stop: 1,
  'stop-hub': 1,
  sequence: 12,
  'hub-work': 4,
  administer: 1,
  resolve: 4,
  skew: 1,
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as StepKind),
    })),
  ),
  who: fc.nat(4),
  chance: fc.nat(),
  stopAfter: fc.option(fc.nat(6), { freq: 6 }),
})

/** Workstations and what happens to them, as it may happen in a laboratory. */
export const history = fc.record({
  size: fc.integer({ min: 3, max: 5 }),
  steps: fc.array(step, { minLength: 1, maxLength: 260, size: 'max' }),
})
export type History = typeof history extends fc.Arbitrary<infer Value> ? Value : never

/** Plays a history, heals the network, and lets people decide all that is open. Throws where something does not hold. */
export function play({ size, steps }: History): void {
  const world = new World(size)
  for (const each of steps) world.take(each)
  for (const workstation of world.workstations) {
    const misfolded = workstation.listMisfolded()
    if (misfolded.length > 0) throw new Error(`Folded wrongly: ${misfolded.join(', ')}`)
  }
  world.heal()
  assertSound(world)
  world.resolveEverything(new Chance(steps.length))
  world.heal()
  assertSound(world)
  if (world.hub.openItems.size > 0) throw new Error('Work items are open after everything was resolved')
}
