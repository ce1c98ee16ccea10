/**
 * The outcome of reading a code: the value, or the rule that was broken (a stable name, for programs and tests) and
 * the same in words for the person at the bench.
 */
export type Reading<T> = { readonly ok: true; readonly value: T } | Refusal

export interface Refusal {
  readonly ok: false
  readonly rule: string
  readonly problem: string
}

export function accept<T>(value: T): Reading<T> {
  return { ok: true, value }
}

export function refuse(rule: string, problem: string): Refusal {
  return { ok: false, rule, problem }
}
