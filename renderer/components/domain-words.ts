import type { z } from 'zod'
import type { SampleState as SampleStateSchema } from '../../services/samples/contract.ts'
import type { ContainerState as ContainerStateSchema } from '../../services/storage/contract.ts'

export type SampleState = z.infer<typeof SampleStateSchema>
export type ContainerState = z.infer<typeof ContainerStateSchema>
