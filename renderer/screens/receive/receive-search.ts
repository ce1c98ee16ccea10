import { z } from 'zod'

/** Which import stands open, as it stands in the address. */
export const ReceiveSearch = z.object({ import: z.string().optional().catch(undefined) })
