import { type ClientLink, ORPCError } from '@orpc/client'
import type { AnyContractRouter } from '@orpc/contract'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import { z } from 'zod'
import { clientHeader } from '../../platform/contract/envelope.ts'
import { type WireContext, WireBroken } from './call-link.ts'

/** The one shape of every refusal over HTTP. */
const Problem = z.object({ code: z.string(), message: z.string(), data: z.unknown() })

/**
 * Calls over HTTP, as the Hub serves the contracts. It says that it is a page in a browser, whose refresh token the Hub
 * keeps in a cookie that no script can read.
 */
export function makeHttpWire(contracts: AnyContractRouter, origin: string): ClientLink<WireContext> {
  return new OpenAPILink<WireContext>(contracts, {
    url: origin,
    headers: ({ context }) => ({ ...context.headers, [clientHeader.name]: clientHeader.browser }),
    customErrorResponseBodyDecoder: (body, { status }) => {
      const problem = Problem.safeParse(body)
      if (!problem.success) return problemOfProxy(status)
      const { code, message, data } = problem.data
      return new ORPCError(code, { defined: true, status, message, data: data ?? undefined })
    },
    fetch: async (request, init) => {
      try {
        return await fetch(request, init)
      } catch (error) {
        // How fetch says that nobody answered, or that the line broke.
        if (error instanceof TypeError) throw new WireBroken('The Hub cannot be reached', { cause: error })
        throw error
      }
    },
  })
}

/** Whatever stands between a browser and the Hub answers in words of its own when the Hub is not there. */
function problemOfProxy(status: number): ORPCError<string, unknown> | null {
  const why = { why: `The answer ${status} is none of TracSeq` }
  if (status === 503) return new ORPCError('NOT_STARTED', { defined: true, status, data: why })
  if (status === 502 || status === 504)
    return new ORPCError('OUTCOME_UNKNOWN', { defined: true, status: 504, data: why })
  return null
}
