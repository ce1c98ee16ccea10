import { z } from 'zod'

/** Domains that the Hub alone answers; a workstation passes on what its people ask of them. */
export const passedOnDomains = ['shipments'] as const

/** `POST passed-on`: what somebody signed in at the workstation asks of the Hub. */
export const PassedOnRequest = z.strictObject({
  domain: z.enum(passedOnDomains),
  procedure: z.string().max(100),
  input: z.unknown(),
  actor: z.strictObject({ userId: z.uuid(), name: z.string().max(200) }),
  /** Of commands: the same key answers the same again, also when no answer came. */
  idempotencyKey: z.string().max(200).nullable(),
})
export type PassedOnRequest = z.output<typeof PassedOnRequest>

export const PassedOnAnswer = z.object({ answer: z.unknown() })

/** The Hub answers within the procedure's own deadline; this much is for the way. */
export const passingOnMs = 5_000
