import { z } from 'zod'

/**
 * The errors any call may end with. Codes are stable: programs outside rely on them. A domain adds its own beside
 * these; whatever is neither is a defect and is shown as INTERNAL_SERVER_ERROR with its correlation id.
 */
export const commonErrors = {
  BAD_REQUEST: { status: 400, message: 'The input is not valid' },
  UNAUTHORIZED: { status: 401, message: 'Sign in first' },
  SESSION_LOCKED: { status: 401, message: 'The session is locked: unlock it first' },
  FORBIDDEN: {
    status: 403,
    message: 'Your role does not allow this',
    data: z.object({ permission: z.string() }),
  },
  NOT_FOUND: {
    status: 404,
    message: 'Not known here',
    data: z.object({ kind: z.string(), id: z.string() }).optional(),
  },
  CONFLICT: {
    status: 409,
    message: 'Someone else changed this meanwhile',
    data: z.object({ field: z.string().optional(), existing: z.string().optional() }).optional(),
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    message: 'This idempotency key was used for a different request',
  },
  RULE_BROKEN: {
    status: 422,
    message: 'A laboratory rule forbids this',
    data: z.object({
      rule: z.string(),
      field: z.string().optional(),
      allowed: z.array(z.string()).optional(),
    }),
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    message: 'Too many calls in a short time',
    data: z.object({ retryAfterMs: z.number() }).optional(),
  },
  BUSY: { status: 429, message: 'The service has as many calls in hand as it can take: try again' },
  /** Nothing was done: safe to repeat. */
  NOT_STARTED: {
    status: 503,
    message: 'Not started: nothing was changed, you can repeat it',
    data: z.object({ why: z.string() }).optional(),
  },
  /** It may have been done: repeat with the same idempotency key to learn the answer. */
  OUTCOME_UNKNOWN: {
    status: 504,
    message: 'The outcome is not known yet: repeat it with the same key to get the answer',
    data: z.object({ why: z.string() }).optional(),
  },
} as const
