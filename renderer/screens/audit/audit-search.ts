import { z } from 'zod'

const words = (maximum: number) => z.string().max(maximum).optional().catch(undefined)

/** The filters of the audit trail, as they stand in the address, the entry that stands open, and a wish to verify. */
export const AuditSearch = z.object({
  domain: words(100),
  actorId: words(100),
  /** Calendar days of this workstation, both included. */
  from: words(10),
  to: words(10),
  text: words(200),
  eventName: words(100),
  correlationId: words(200),
  changeSetId: words(100),
  entry: z.number().int().min(1).optional().catch(undefined),
  verify: z.boolean().optional().catch(undefined),
})
export type AuditSearch = z.infer<typeof AuditSearch>
