import type { AnySchema } from '@orpc/contract'
import { z } from 'zod'

/**
 * Turns the texts of a query string into what the schema wants: numbers, booleans, and a list where a name occurs once.
 * What does not fit stays as it is, so that the service's own words about it reach the caller.
 */
export function coerceQuery(schema: AnySchema | undefined, value: unknown): unknown {
  return schema instanceof z.ZodType ? coerce(schema, value) : value
}

function coerce(schema: z.ZodType, value: unknown): unknown {
  if (value === undefined) return value
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return coerceInner(schema.unwrap(), value)
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodReadonly || schema instanceof z.ZodCatch)
    return coerceInner(schema.unwrap(), value)
  if (schema instanceof z.ZodPipe) return coerceInner(schema.in, value)
  if (schema instanceof z.ZodObject) return coerceFields(schema, value)
  if (schema instanceof z.ZodArray) return coerceItems(schema, value)
  if (schema instanceof z.ZodUnion) return coerceToFirstFit(schema.options, value)
  if (typeof value !== 'string') return value
  if (schema instanceof z.ZodNumber) return readNumber(value)
  if (schema instanceof z.ZodBoolean) return readBoolean(value)
  if (schema instanceof z.ZodLiteral)
    return (
      [readNumber(value), readBoolean(value)].find((candidate) => schema.safeParse(candidate).success) ??
      value
    )
  return value
}

/** Inner types of zod's wrappers are typed as its core's; all of ours are made by zod itself. */
function coerceInner(schema: unknown, value: unknown): unknown {
  return schema instanceof z.ZodType ? coerce(schema, value) : value
}

function coerceFields(schema: z.ZodObject, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, coerceInner(schema.shape[name], field)]),
  )
}

function coerceItems(schema: z.ZodArray, value: unknown): unknown {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  return items.map((item) => coerceInner(schema.element, item))
}

function coerceToFirstFit(options: readonly unknown[], value: unknown): unknown {
  for (const option of options) {
    const coerced = coerceInner(option, value)
    if (option instanceof z.ZodType && option.safeParse(coerced).success) return coerced
  }
  return value
}

function readNumber(text: string): unknown {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}

function readBoolean(text: string): unknown {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  return text
}
