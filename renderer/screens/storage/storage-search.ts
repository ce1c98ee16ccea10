import { z } from 'zod'

/** What the storage screen shows, as it stands in the address: a freezer, shelf or rack; in a box a position. */
export const StorageSearch = z.object({
  node: z.string().optional().catch(undefined),
  position: z.string().max(12).optional().catch(undefined),
})
