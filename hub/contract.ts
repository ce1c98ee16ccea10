import { z } from 'zod'
import { command, domainContract, query } from '../platform/contract/procedure.ts'
import { Instant } from '../platform/contract/values.ts'
import { EnrolmentCode } from '../platform/sync/contract.ts'
import { NewLaboratory, passwordErrors } from '../services/auth/contract.ts'

/** No role holds it: only who can read the Hub's own files may operate the Hub. */
export const operatorPermission = 'hub:operate'

export const Laboratory = z.object({ id: z.string(), name: z.string() })
export const Laboratories = z.array(Laboratory.extend({ createdAt: Instant }))
export const SigningKey = z.object({ kid: z.string() })

/** What the operator of a Hub asks, who belongs to none of its laboratories and sees nothing of them but their names. */
export const hub = domainContract('hub', {
  laboratories: query({
    permission: operatorPermission,
    path: '/laboratories',
    summary: 'The laboratories of this Hub, oldest first',
  }).output(Laboratories),
  addLaboratory: command({
    permission: operatorPermission,
    path: '/laboratories',
    summary: 'Add a laboratory with its first administrator',
    secretAnswer: true,
  })
    .errors(passwordErrors)
    .input(NewLaboratory)
    .output(Laboratory),
  createFounderCode: command({
    permission: operatorPermission,
    path: '/founder-codes',
    summary: 'Make a code with which one workstation brings a laboratory of its own to this Hub',
    secretAnswer: true,
  })
    .input(
      z.object({
        /** Whether administrators may sign in there while the Hub is out of reach. */
        administratorsOffline: z.boolean().default(true),
      }),
    )
    .output(EnrolmentCode),
  rotateSigningKey: command({
    permission: operatorPermission,
    summary:
      'Sign access tokens with a new key from now on; what older keys signed stays good until it expires',
  })
    .input(z.object({}))
    .output(SigningKey),
})
