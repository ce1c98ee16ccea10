import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import type { AroundCall } from '../platform/gateway/http-front-door.ts'
import type { HubSync } from './sync/hub-sync.ts'

const WithCode = z.looseObject({ founderCode: z.string().max(200).optional() })

export interface FirstLaboratoryOptions extends Pick<HubSync, 'trust'> {
  /** Rejects when an address asks too often. */
  readonly admit: (address: string) => Promise<void>
  /** Whether the Hub has a laboratory already: then nobody can set it up any more, with or without a code. */
  readonly isSetUp: () => Promise<boolean>
}

/**
 * A Hub that nobody has set up yet belongs to whoever operates it, and not to who finds it first: setting it up over the
 * network takes the code that lies in its folder. The code is used up by that.
 */
export function askForFounderCode({ trust, admit, isSetUp }: FirstLaboratoryOptions): AroundCall {
  return async ({ path, input, request }, next) => {
    if (path.join('.') !== 'auth.setUp') return next(input)
    const given = WithCode.safeParse(input)
    // The contract names what is wrong with it.
    if (!given.success) return next(input)
    const { founderCode = '', ...laboratory } = given.data
    await admit(request.ip)
    // Whoever did not get the first answer asks again, and hears what became of it.
    if (await isSetUp()) return next(laboratory)
    if (!(await trust.isFounderCode(founderCode)))
      throw new ORPCError('FOUNDER_CODE_NEEDED', {
        defined: true,
        status: 403,
        message:
          'The code is not the one in founder-code.txt in the folder of this Hub, or is too old: the Hub makes a new one when it starts',
        data: { field: 'founderCode' },
      })
    const answer = await next(laboratory)
    await trust.endFounderCode(founderCode)
    return answer
  }
}
