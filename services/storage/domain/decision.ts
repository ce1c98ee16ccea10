/** A rule of the laboratory that says no: a stable name for programs, a plain sentence for people. */
export interface Refusal {
  readonly rule: string
  readonly message: string
  /** What would be accepted instead, where the rule can name it. */
  readonly allowed?: readonly string[]
}

/** What a rule answers: the value to write, or why not. Rules never throw for an expected outcome. */
export type Decision<Value, Why extends Refusal = Refusal> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: Why }

export function accept<Value>(value: Value): Decision<Value, never> {
  return { ok: true, value }
}

export function refuse(rule: string, message: string, allowed?: readonly string[]): Decision<never> {
  return { ok: false, refusal: { rule, message, ...(allowed === undefined ? {} : { allowed }) } }
}
