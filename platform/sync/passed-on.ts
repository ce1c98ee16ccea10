import { z } from 'zod'

/** Domains that the Hub alone answers; a workstation passes on what its people ask of them. */
export const passedOnDomains = ['shipments'] as const

/** `POST passed-on`: what somebody signed in at the workstation asks of the Hub. */
export const PassedOnRequest = z.strictObject({
  domain: z.enum(passedOnDomains),
  procedure: z.string().max(100),
  input: z.unknown(),
  actor: z.strictObject({ userId: z.uuid() }),
  /** Of commands: the same key answers the same again, also when no answer came. */
  idempotencyKey: z.string().max(200).nullable(),
})
export type PassedOnRequest = z.output<typeof PassedOnRequest>

export const PassedOnAnswer = z.object({ answer: z.unknown() })

/**
 * A workstation waits for the Hub until this much before the procedure's deadline: whoever asked is told that the Hub does
 * not answer, and not merely that time ran out.
 */
export const passingOnMs = 1_000
