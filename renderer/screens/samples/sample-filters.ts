import { z } from 'zod'
import { SampleState } from '../../../services/samples/contract.ts'

/** What the list shows: it stands in the address, so a view can be kept, sent and returned to. */
export const SampleFilters = z.object({
  search: z.string().max(200).optional().catch(undefined),
  state: SampleState.optional().catch(undefined),
  type: z.string().max(60).optional().catch(undefined),
  project: z.string().max(200).optional().catch(undefined),
  importId: z.uuid().optional().catch(undefined),
  sort: z
    .enum([
      'createdAt',
      '-createdAt',
      'name',
      '-name',
      'state',
      '-state',
      'type',
      '-type',
      'collectedOn',
      '-collectedOn',
    ])
    .optional()
    .catch(undefined),
})
export type SampleFilters = z.infer<typeof SampleFilters>

/** The filters without what is empty, so that addresses stay short and equal views have equal addresses. */
export function tidyFilters(filters: SampleFilters): SampleFilters {
  return Object.fromEntries(
    Object.entries(filters).filter(([, value]) => value !== undefined && value !== ''),
  )
}
