import { Refusal } from '../../platform/contract/refusal.ts'
import type { Decision, Refusal as RuleRefusal } from './domain/decision.ts'

/** The value a rule accepted; otherwise its refusal in the contract's words, `field` naming the input it is about. */
export function accepted<Value>(decision: Decision<Value>, field?: string): Value {
  if (decision.ok) return decision.value
  throw brokenRule(decision.refusal, field)
}

/** A rule's refusal as the contract's RULE_BROKEN. */
export function brokenRule({ rule, message, allowed }: RuleRefusal, field?: string): Refusal {
  return new Refusal('RULE_BROKEN', message, {
    rule,
    ...(field === undefined ? {} : { field }),
    ...(allowed === undefined ? {} : { allowed: [...allowed] }),
  })
}
