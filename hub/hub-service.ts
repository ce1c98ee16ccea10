import { implement } from '@orpc/server'
import type { Envelope } from '../platform/contract/envelope.ts'
import type { Gateway, LocalService } from '../platform/gateway/gateway.ts'
import { createLocalService } from '../platform/gateway/local-service.ts'
import { hub, Laboratories, Laboratory, SigningKey } from './contract.ts'
import { operatorId } from './operator.ts'
import type { Trust } from './sync/trust.ts'

/** The Hub's own domain: what its operator may ask. The work is auth's and sync's. */
export function createHubService(gateway: Gateway, trust: Trust): LocalService {
  const os = implement(hub).$context<{ readonly envelope: Envelope }>()
  const ask = (procedure: string, input: unknown, { idempotencyKey, deadlineAt }: Envelope) =>
    gateway.call({
      path: ['auth', procedure],
      input,
      origin: {
        from: 'host',
        actor: null,
        deadlineMs: deadlineAt - Date.now(),
        ...(idempotencyKey === null ? {} : { idempotencyKey }),
      },
    })
  return createLocalService({
    name: 'hub',
    contract: hub,
    procedures: os.router({
      laboratories: os.laboratories.handler(async ({ context }) =>
        Laboratories.parse(await ask('laboratories', undefined, context.envelope)),
      ),
      addLaboratory: os.addLaboratory.handler(async ({ input, context }) =>
        Laboratory.parse(await ask('addLaboratory', input, context.envelope)),
      ),
      createFounderCode: os.createFounderCode.handler(({ input }) =>
        trust.createCode({ laboratoryId: null, ...input, createdBy: operatorId }),
      ),
      rotateSigningKey: os.rotateSigningKey.handler(async ({ context }) =>
        SigningKey.parse(await ask('rotateSigningKey', {}, context.envelope)),
      ),
    }),
  })
}
