import { v7 as uuidv7 } from 'uuid'
import { Refusal } from '../../platform/contract/refusal.ts'
import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { brokenRule } from './decisions.ts'
import {
  decideMovement,
  foldMovements,
  type Movement,
  type MovementKind,
  type MovementRequest,
  type Quantity,
} from './domain/amount.ts'
import { addMovement } from './record-sample.ts'
import { holdSample, readMovements, requireKept, showSample } from './sample-rows.ts'

interface MovementInput {
  readonly id: string
  readonly amount: Extract<Quantity, 'volume_ul' | 'thaw_cycles'>
  readonly kind: MovementKind
  readonly quantity: string
  readonly reason: string
}

export const recordMovement = writes(async (scope: WriteScope, input: MovementInput) => {
  const row = await holdSample(scope.tx, input.id)
  requireKept(row)
  const known = (await readMovements(scope.tx, [row.id])).get(row.id) ?? []
  const movement = requireMovement(known, {
    id: uuidv7(),
    quantity: input.amount,
    kind: input.kind,
    value: input.quantity,
    override: null,
  })
  await addMovement(scope, row.id, movement, input.reason)
  return showSample(scope.tx, row)
})

/** The movement a rule accepts; taking too much is refused with what there is. */
export function requireMovement(known: readonly Movement[], request: MovementRequest): Movement {
  const decision = decideMovement(known, request)
  if (decision.ok) return decision.value
  if (decision.refusal.rule !== 'amount_more_than_available') throw brokenRule(decision.refusal, 'quantity')
  const available = foldMovements(known, request.quantity).value ?? '0'
  throw notEnough(decision.refusal.message, available, request.value)
}

export function notEnough(message: string, available: string, asked: string): Refusal {
  return new Refusal('NOT_ENOUGH', message, { available, asked })
}
