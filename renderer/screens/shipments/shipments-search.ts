import { z } from 'zod'

/** Which shipments the list shows, as it stands in the address. */
export const ShipmentsSearch = z.object({ direction: z.enum(['in', 'out']).optional().catch(undefined) })
export type ShipmentsSearch = z.infer<typeof ShipmentsSearch>
