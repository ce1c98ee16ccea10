import { z } from 'zod'

/** Which people the list shows and who stands open, as it stands in the address. */
export const PeopleSearch = z.object({
  search: z.string().max(200).optional().catch(undefined),
  all: z.boolean().optional().catch(undefined),
  person: z.string().optional().catch(undefined),
})
