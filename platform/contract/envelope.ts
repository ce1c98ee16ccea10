import { z } from 'zod'

/** Who acts. A service acts for itself only when it reacts to an event; then `service` names it. */
export const Actor = z.object({
  userId: z.string(),
  name: z.string(),
  sessionId: z.string().nullable(),
  laboratoryId: z.string(),
  permissions: z.array(z.string()),
  service: z.string().nullable(),
})
export type Actor = z.infer<typeof Actor>

/**
 * What travels beside a call's input on every hop. The gateway makes it; a service trusts it, since only the gateway
 * holds the other end of its port.
 */
export const Envelope = z.object({
  actor: Actor.nullable(),
  correlationId: z.string(),
  /** Set on commands; the same key answers the same again. */
  idempotencyKey: z.string().nullable(),
  /** Instant (milliseconds since the epoch) after which nobody waits for the answer. */
  deadlineAt: z.number(),
  /** W3C trace context, so that spans join across ports. */
  traceParent: z.string().nullable(),
})
export type Envelope = z.infer<typeof Envelope>

/** Headers a front door accepts. On a MessagePort they travel the same way as over HTTP. */
export const callHeaders = {
  authorization: 'authorization',
  idempotencyKey: 'idempotency-key',
  deadlineMs: 'x-deadline-ms',
  correlationId: 'x-correlation-id',
  traceParent: 'traceparent',
} as const

/** By this header a page in a browser says what it is; only pages of the Hub's own origin can send it. */
export const clientHeader = { name: 'x-tracseq-client', browser: 'browser' } as const

/** The one header by which the gateway hands its envelope to a service. */
export const envelopeHeader = 'x-tracseq-envelope'
