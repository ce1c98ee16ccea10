import { z } from 'zod'

/** Steps of an import that a person may choose; file and done follow from the import itself. */
export const ImportStep = z.enum(['columns', 'check', 'preview', 'done'])
export type ImportStep = z.infer<typeof ImportStep>

/** Which import stands open and at which step, or that tubes are received one by one, as it stands in the address. */
export const ReceiveSearch = z.object({
  import: z.uuid().optional().catch(undefined),
  step: ImportStep.optional().catch(undefined),
  one: z.boolean().optional().catch(undefined),
})
export type ReceiveSearch = z.infer<typeof ReceiveSearch>
