import type { z } from 'zod'

/** Where a subscription to an event runs: once where it happened, at the Hub, or on every copy (projections). */
export type RunsAt = 'origin' | 'hub' | 'everywhere'

/** A past-tense fact that a domain announces, with the shape of its data. */
export interface EventDefinition<Name extends string = string, Data extends z.ZodType = z.ZodType> {
  readonly name: Name
  readonly data: Data
}

/** Declares an event of a contract. Names are past tense and unique across domains: `SampleAccessioned`. */
export function event<Name extends string, Data extends z.ZodType>(
  name: Name,
  data: Data,
): EventDefinition<Name, Data> {
  return { name, data }
}
