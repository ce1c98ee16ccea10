import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import type { AroundCall } from '../platform/gateway/http-front-door.ts'
import type { HubSync } from './sync/hub-sync.ts'

const WithCode = z.looseObject({ founderCode: z.string().max(200).optional() })

/**
 * A Hub that nobody has set up yet belongs to whoever operates it, and not to who finds it first: setting it up over the
 * network takes the code that lies in its folder. The code is used up by that.
 */
export function askForFounderCode({ trust }: Pick<HubSync, 'trust'>): AroundCall {
  return async ({ path, input }, next) => {
    if (path.join('.') !== 'auth.setUp') return next(input)
    const { founderCode = '', ...laboratory } = WithCode.parse(input)
    if (!(await trust.isFounderCode(founderCode)))
      throw new ORPCError('FOUNDER_CODE_NEEDED', {
        defined: true,
        status: 403,
        message: 'The code is not the one in founder-code.txt in the folder of this Hub, or is too old',
        data: { field: 'founderCode' },
      })
    const answer = await next(laboratory)
    await trust.endFounderCode(founderCode)
    return answer
  }
}
