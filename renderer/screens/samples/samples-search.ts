import { z } from 'zod'
import { SampleState } from '../../../services/samples/contract.ts'

/** The filters of the samples grid, as they stand in the address. What is not understood is left out. */
export const SamplesSearch = z.object({
  state: SampleState.optional().catch(undefined),
  search: z.string().max(200).optional().catch(undefined),
  sort: z.string().max(40).optional().catch(undefined),
})
