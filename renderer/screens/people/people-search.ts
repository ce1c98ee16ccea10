import { z } from 'zod'
import { RoleName } from '../../../services/auth/contract.ts'

/** Which people the list shows and who stands open, or which role, as it stands in the address. */
export const PeopleSearch = z.object({
  search: z.string().max(200).optional().catch(undefined),
  all: z.boolean().optional().catch(undefined),
  person: z.string().optional().catch(undefined),
  view: z.literal('roles').optional().catch(undefined),
  role: RoleName.optional().catch(undefined),
})
export type PeopleSearch = z.infer<typeof PeopleSearch>
