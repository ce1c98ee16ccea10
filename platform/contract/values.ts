import { z } from 'zod'

/** A piece of text that PostgreSQL and UTF-8 can hold: no NUL, no lone surrogate. */
export function text(maximumLength: number) {
  return z
    .string()
    .max(maximumLength, `At most ${maximumLength} characters`)
    .refine((value) => !value.includes('\u0000'), 'The character NUL is not allowed')
    .refine((value) => value.isWellFormed(), 'The text holds half of a character (a lone surrogate)')
}

/** Like {@link text}, but something must be there once blanks are taken away. */
export function requiredText(maximumLength: number) {
  return text(maximumLength).refine((value) => value.trim() !== '', 'This may not be empty')
}

/** A UUIDv7 with a brand, so that a sample's id cannot be passed where a container's is meant. */
export function id<Brand extends string>(brand: Brand) {
  return z.uuid(`Not a valid ${brand}`).brand<Brand>()
}

/** An instant in UTC as ISO 8601 text, milliseconds at most. */
export const Instant = z.iso.datetime({ message: 'Not an instant in UTC such as 2026-01-31T08:00:00Z' })

/** A calendar day without time zone, `2026-01-31`. */
export const Day = z.iso.date('Not a date such as 2026-01-31')

/** A decimal number as text, so that no digit is lost: at most 20 digits before and 10 after the point. */
export const DecimalText = z.string().regex(/^-?\d{1,20}(\.\d{1,10})?$/, 'Not a decimal number such as 12.5')

/** Yes or no. Over HTTP `true`, `false`, `1` and `0` arrive as such; any other word is refused and not taken for yes. */
export const YesNo = z.boolean('Neither true nor false')

/** Why something is done, in a person's words. */
export const Reason = requiredText(1_000)

/** Revision of a row: the change set that last wrote it. */
export const Revision = z.uuid()

/** What every list takes. `sort` is `field` or `-field`. */
export const listInput = {
  limit: z.number().int().min(1).max(500).default(50),
  cursor: text(500).optional(),
}

/** What every list returns. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

/** The answer for one row of a batch: one bad row leaves the others alone. */
export function rowResult<T extends z.ZodType>(value: T) {
  return z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), row: z.number().int(), value }),
    z.object({
      ok: z.literal(false),
      row: z.number().int(),
      error: z.object({ code: z.string(), message: z.string(), field: z.string().optional() }),
    }),
  ])
}
