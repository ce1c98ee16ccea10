import { z } from 'zod'

/** A row as text, exactly as change capture writes it: no digit, zero or letter changes on the way. */
export const TravellingRow = z.object({ table: z.string(), row: z.record(z.string(), z.string().nullable()) })
export type TravellingRow = z.output<typeof TravellingRow>

/** A change set holds 1,000 rows, and what belongs together travels in one piece. */
export const travellingRowsAtMost = 900

/** Rows of one thing on their way to another laboratory. */
export const TravellingRows = z
  .array(TravellingRow)
  .max(
    travellingRowsAtMost,
    `Its history is too long to travel in one piece: at most ${travellingRowsAtMost} rows`,
  )
