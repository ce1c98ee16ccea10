import { z } from 'zod'

/** Which part of sync is shown, and the work item that stands open, as it stands in the address. */
export const SyncSearch = z.object({
  view: z.enum(['conflicts', 'workstations']).optional().catch(undefined),
  item: z.string().max(100).optional().catch(undefined),
})
export type SyncSearch = z.infer<typeof SyncSearch>
