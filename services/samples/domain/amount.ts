import { Decimal } from 'decimal.js'
import { accept, type Decision, refuse } from './decision.ts'

/*
 * Amounts are never overwritten. What is there now is derived from movements, so that the work of people who did not
 * see each other adds up: two offline takes of 5 from 20 µL leave 10, in whatever order they arrive.
 *
 * A correction ("I measured 12") sets a new base. Clocks of workstations may be hours apart, so time does not decide
 * what the base contains: a correction names the movements its author could see (`covers`). It replaces those; every
 * other movement counts on top of it. A take that the author had not heard of is therefore subtracted from the
 * measured value: if in truth it happened before the measurement, the books show too little rather than too much, and
 * the next measurement puts it right. Of corrections that did not see each other the one with the greatest id holds
 * on every workstation, and the others are reported so that a person looks.
 */

/** Exact for every value that fits the database's numeric(30,10): sums and products are not rounded. */
const Exact = Decimal.clone({ precision: 80, toExpNeg: -40, toExpPos: 80 })

export const movementKinds = ['taken', 'added', 'corrected'] as const
export type MovementKind = (typeof movementKinds)[number]

interface QuantityRule {
  readonly name: string
  readonly unit: string
  readonly kinds: readonly MovementKind[]
  readonly whole: boolean
}

/** What can be counted of a sample. Concentrations are measured, not moved, so they are only ever corrected. */
export const quantityRules = {
  volume_ul: { name: 'volume', unit: 'µL', kinds: ['taken', 'added', 'corrected'], whole: false },
  mass_ng: { name: 'amount', unit: 'ng', kinds: ['taken', 'added', 'corrected'], whole: false },
  concentration_ng_per_ul: { name: 'concentration', unit: 'ng/µL', kinds: ['corrected'], whole: false },
  molarity_nm: { name: 'molarity', unit: 'nM', kinds: ['corrected'], whole: false },
  thaw_cycles: { name: 'thaw cycles', unit: 'thaw cycles', kinds: ['added', 'corrected'], whole: true },
} as const satisfies Record<string, QuantityRule>

export type Quantity = keyof typeof quantityRules

/** One append-only row. `value` is a decimal in the quantity's unit, never negative; `kind` gives the direction. */
export interface Movement {
  readonly id: string
  readonly quantity: Quantity
  readonly kind: MovementKind
  readonly value: string
  /** For a correction: ids of the movements of this quantity that its author saw. Otherwise empty. */
  readonly covers: readonly string[]
}

/** What the movements of one quantity add up to. */
export interface Balance {
  /** In the quantity's unit, without exponent or trailing zeros; null when nothing was ever recorded. */
  readonly value: string | null
  /** More was taken than was there: offline work collided, or someone overrode the rule. It needs a measurement. */
  readonly overdrawn: boolean
  /** The correction that is the base, if there is one. */
  readonly baseId: string | null
  /** Corrections that did not see the base, nor it them: two people measured, a person must look. */
  readonly competingCorrectionIds: readonly string[]
}

export interface MovementRequest {
  readonly id: string
  readonly quantity: Quantity
  readonly kind: MovementKind
  readonly value: string
  /** Permits taking more than the books show. Who may do so is the caller's check; the reason is required here. */
  readonly override: { readonly reason: string } | null
}

/** Derives what is there now. The order of `movements` does not matter and a movement given twice counts once. */
export function foldMovements(movements: readonly Movement[], quantity: Quantity): Balance {
  const own = distinctMovements(movements, quantity)
  const heads = correctionHeads(own)
  const base = heads.at(-1) ?? null
  const covered = new Set(base?.covers)
  let sum = new Exact(base?.value ?? 0)
  for (const movement of own) {
    if (covered.has(movement.id)) continue
    if (movement.kind === 'added') sum = sum.plus(movement.value)
    if (movement.kind === 'taken') sum = sum.minus(movement.value)
  }
  return {
    value: own.length === 0 ? null : formatDecimal(sum),
    overdrawn: sum.isNegative() && !sum.isZero(),
    baseId: base?.id ?? null,
    competingCorrectionIds: heads.slice(0, -1).map((correction) => correction.id),
  }
}

/**
 * Decides one movement given all movements of the sample known here, and fills in what a correction covers. Refused:
 * values that are no plain decimal, zero or negative moves, kinds the quantity does not have, and taking more than
 * there is unless it is overridden with a reason.
 */
export function decideMovement(known: readonly Movement[], request: MovementRequest): Decision<Movement> {
  const { quantity, kind } = request
  const rule: QuantityRule = quantityRules[quantity]
  if (!rule.kinds.includes(kind)) {
    return refuse('movement_kind_not_allowed', `The ${rule.name} of a sample cannot be ${kind}.`, rule.kinds)
  }
  const parsed = parseAmount(request.value, rule)
  if (!parsed.ok) return parsed
  const amount = parsed.value
  if (kind !== 'corrected' && amount.isZero()) {
    return refuse(
      'amount_zero',
      `Nothing would be ${kind}: the ${rule.name} must be more than 0 ${rule.unit}.`,
    )
  }
  if (kind === 'taken' && !isOverridden(request)) {
    const available = foldMovements(known, quantity).value
    if (available === null) {
      return refuse('amount_unknown', `The ${rule.name} is not recorded yet. Enter what is there first.`)
    }
    if (amount.greaterThan(available)) {
      return refuse(
        'amount_more_than_available',
        `There are ${available} ${rule.unit} left, ${formatDecimal(amount)} ${rule.unit} cannot be taken.`,
      )
    }
  }
  const covers = kind === 'corrected' ? distinctMovements(known, quantity).map((movement) => movement.id) : []
  return accept({ id: request.id, quantity, kind, value: formatDecimal(amount), covers })
}

/** Nanograms in a volume: µL × ng/µL, exact; null when either is unknown. */
export function deriveMassNg(volumeUl: string | null, concentrationNgPerUl: string | null): string | null {
  if (volumeUl === null || concentrationNgPerUl === null) return null
  return formatDecimal(new Exact(volumeUl).times(concentrationNgPerUl))
}

/** The exact sum of decimals. */
export function addAmounts(values: readonly string[]): string {
  return formatDecimal(values.reduce((sum, value) => sum.plus(value), new Exact(0)))
}

/** Below, at or above zero as the left decimal is less than, equal to or more than the right one. */
export function compareAmounts(left: string, right: string): number {
  return new Exact(left).comparedTo(right)
}

/** How often material may be frozen and thawed; RNA usually less often than DNA, so the laboratory sets it per type. */
export interface ThawLimits {
  readonly warningAt: number
  readonly maximum: number
}

export const defaultThawLimits: ThawLimits = { warningAt: 3, maximum: 5 }

/** Judges the number of thaws so far. `exceeded` means one thaw more than the maximum. */
export function judgeThawCycles(
  cycles: number,
  limits: ThawLimits = defaultThawLimits,
): 'normal' | 'warning' | 'exceeded' {
  if (cycles > limits.maximum) return 'exceeded'
  return cycles >= limits.warningAt ? 'warning' : 'normal'
}

function distinctMovements(movements: readonly Movement[], quantity: Quantity): readonly Movement[] {
  const own = movements.filter((movement) => movement.quantity === quantity)
  return [...new Map(own.map((movement) => [movement.id, movement])).values()].sort(compareIds)
}

/** Corrections that no other correction has seen, in the order of their ids. `own` is sorted. */
function correctionHeads(own: readonly Movement[]): readonly Movement[] {
  const corrections = own.filter((movement) => movement.kind === 'corrected')
  const seen = new Set(corrections.flatMap((correction) => correction.covers))
  return corrections.filter((correction) => !seen.has(correction.id))
}

function compareIds(left: Movement, right: Movement): number {
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0
}

function isOverridden(request: MovementRequest): boolean {
  return request.override !== null && request.override.reason.trim() !== ''
}

function parseAmount(text: string, rule: QuantityRule): Decision<Decimal> {
  const trimmed = text.trim()
  if (/^-/.test(trimmed)) {
    return refuse('amount_negative', `"${text}" is negative: the ${rule.name} is 0 ${rule.unit} or more.`)
  }
  if (/^\d*,\d+$/.test(trimmed)) {
    return refuse(
      'amount_not_a_number',
      `"${text}" has a comma: write the ${rule.name} with a point, as in 0.5.`,
    )
  }
  if (!/^\d{1,20}(\.\d{1,10})?$/.test(trimmed)) {
    return refuse(
      'amount_not_a_number',
      `"${text}" is not a ${rule.name} in ${rule.unit}: write a number such as 12.5, with at most 10 decimals.`,
    )
  }
  const amount = new Exact(trimmed)
  if (rule.whole && !amount.isInteger()) {
    return refuse('amount_not_whole', `"${text}" is not a whole number: ${rule.name} are counted.`)
  }
  return accept(amount)
}

function formatDecimal(value: Decimal): string {
  return value.isZero() ? '0' : value.toFixed()
}
