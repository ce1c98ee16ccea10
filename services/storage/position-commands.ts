import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { readBoxMap } from './box-map.ts'
import {
  decideBackInUse,
  decideCancelReservation,
  decideOutOfUse,
  decideReserve,
  type OccupancyDecision,
  type PositionFacts,
} from './domain/occupancy.ts'
import type { InputOf } from './inputs.ts'
import { writeMarks } from './marks.ts'
import { accepted, findSpot, gather, positionOf } from './situation.ts'

export const reserve = writes((scope: WriteScope, input: InputOf<'reserve'>) =>
  markAll(scope, input, (position) => decideReserve(position, input, scope.now)),
)

export const cancelReservation = writes((scope: WriteScope, input: InputOf<'cancelReservation'>) =>
  markAll(scope, input, decideCancelReservation),
)

export const setOutOfUse = writes((scope: WriteScope, input: InputOf<'setOutOfUse'>) =>
  markAll(scope, input, (position) =>
    input.outOfUse ? decideOutOfUse(position, input.reason, scope.now) : decideBackInUse(position),
  ),
)

/** Decides about each position once; one refusal leaves all as they were. */
async function markAll(
  scope: WriteScope,
  input: { readonly boxId: string; readonly positions: readonly string[] },
  decide: (position: PositionFacts) => OccupancyDecision,
) {
  const { boxId } = input
  const targets = input.positions.map((position) => ({ boxId, position, useReservation: false }))
  const situation = await gather(scope, [], targets)
  const positions = new Map(
    targets.map((target) => {
      const facts = positionOf(situation, findSpot(situation, target))
      return [facts.id, facts]
    }),
  )
  const changes = [...positions.values()].flatMap((position) => accepted(decide(position)).positions)
  await writeMarks(scope, situation, changes)
  return readBoxMap(scope.tx, boxId, scope.now)
}
