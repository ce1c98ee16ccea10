import { Refusal } from '../../platform/contract/refusal.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { samplesEvents } from './contract.ts'
import { brokenRule } from './decisions.ts'
import { decideTransition, nextStates, type SampleState, type SampleTransition } from './domain/lifecycle.ts'
import { stateLine, tell } from './history.ts'
import { hasPlacedContainer } from './placements.ts'
import { occasionOf } from './people.ts'
import { holdSample, type SampleRow, updateSample } from './sample-rows.ts'

/**
 * Moves a sample along its life. A pending one that lies in a place already goes on to `in_storage` when it is
 * validated: storage has told of it before.
 */
export async function changeStateOf(
  scope: WriteScope,
  id: string,
  to: SampleState,
  reason: string | null,
): Promise<SampleRow> {
  const row = await holdSample(scope.tx, id)
  const first = decide(row, to, reason)
  const steps = [first]
  if (row.state === 'pending' && to === 'validated' && (await hasPlacedContainer(scope.tx, id))) {
    steps.push(decide({ ...row, state: to }, 'in_storage', null))
  }
  const occasion = occasionOf(scope)
  await tell(
    scope,
    steps.map((step) => stateLine(scope, id, occasion, step)),
  )
  if (to === 'deleted')
    scope.announce(samplesEvents.SampleRemoved, { sampleId: id, reason: first.reason ?? '' })
  const last = steps.at(-1) ?? first
  return updateSample(scope, id, { state: last.to, updatedAt: occasion.at })
}

function decide(row: SampleRow, to: SampleState, reason: string | null): SampleTransition {
  const decision = decideTransition(row.state, to, { reason })
  if (decision.ok) return decision.value
  const { refusal } = decision
  if (refusal.rule === 'sample_reason_required') throw brokenRule(refusal, 'reason')
  throw new Refusal('TRANSITION_NOT_ALLOWED', refusal.message, {
    from: row.state,
    to,
    allowed: nextStates(row.state),
  })
}
