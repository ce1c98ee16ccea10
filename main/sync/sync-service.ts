import { implement } from '@orpc/server'
import type { Envelope } from '../../platform/contract/envelope.ts'
import { notFound, Refusal } from '../../platform/contract/refusal.ts'
import type { Gateway, LocalService } from '../../platform/gateway/gateway.ts'
import { createLocalService } from '../../platform/gateway/local-service.ts'
import { BundleProblem } from '../../platform/sync/bundle.ts'
import { sync } from '../../platform/sync/contract.ts'
import { createDomainSyncClient } from '../../platform/sync/domain-client.ts'
import type { WorkItem } from '../../platform/sync/work-item.ts'
import { viewOfItem } from '../../platform/sync/work-item-view.ts'
import { LaboratoryHereAnswer } from '../../services/auth/contract.ts'
import type { SyncClient } from './sync-client.ts'

/** The contract `sync` as a workstation answers it. */
export function createSyncService(
  client: SyncClient,
  gateway: Gateway,
  domains: readonly string[],
): LocalService {
  const os = implement(sync).$context<{ envelope: Envelope }>()
  const atHub = () => {
    throw new Refusal('AT_HUB_ONLY', 'This is done at the Hub')
  }
  const requireHub = () => {
    if (!client.isEnrolled)
      throw new Refusal('RULE_BROKEN', 'This workstation has no Hub', { rule: 'enrolled' })
  }
  return createLocalService({
    name: 'sync',
    contract: sync,
    explain: (error) =>
      error instanceof BundleProblem
        ? new Refusal('BUNDLE_REFUSED', error.message, { why: error.fault })
        : error,
    procedures: os.router({
      status: os.status.handler(() => client.status()),
      goNow: os.goNow.handler(() => {
        client.goNow()
        return client.status()
      }),
      pause: os.pause.handler(() => {
        requireHub()
        client.pause()
        return client.status()
      }),
      resume: os.resume.handler(() => {
        requireHub()
        client.resume()
        return client.status()
      }),
      enroll: os.enroll.handler(({ input }) => client.enrol(input)),
      join: os.join.handler(async ({ input }) => {
        // Anybody may ask for this, so it is for a workstation with nobody in it.
        const { laboratory } = LaboratoryHereAnswer.parse(
          await gateway.call({
            path: ['auth', 'laboratoryHere'],
            input: undefined,
            origin: { from: 'host', actor: null },
          }),
        )
        if (laboratory !== null)
          throw new Refusal(
            'CODE_REFUSED',
            `The laboratory ${laboratory.name} is set up here: somebody who manages it can take it to the Hub`,
          )
        return client.enrol(input)
      }),
      workItems: os.workItems.handler(async ({ context, input }) => {
        const laboratoryId = context.envelope.actor?.laboratoryId ?? ''
        const { limit } = input
        const asked = domains.filter((domain) => input.domain === undefined || domain === input.domain)
        const answers = await Promise.all(
          asked.map((domain) =>
            createDomainSyncClient(gateway, domain).syncWorkItems({ laboratoryId, withRows: true, limit }),
          ),
        )
        const nameOf = (id: string) => client.nameOf(id)
        const items = answers.flatMap((answer) =>
          answer.items.map(({ item, openedAt }) =>
            viewOfItem(item as WorkItem, openedAt, { here: answer.rows, nameOf }),
          ),
        )
        if (items.some(({ pushed }) => pushed?.workstationName === null)) client.learnNames()
        return {
          items: items.toSorted((left, right) => left.openedAt.localeCompare(right.openedAt)).slice(0, limit),
          total: answers.reduce((sum, { total }) => sum + total, 0),
        }
      }),
      resolve: os.resolve.handler(async ({ context, input }) => {
        await client.resolve(input, context.envelope.actor?.userId ?? '')
        return {}
      }),
      makeBundle: os.makeBundle.handler(({ input: { workstationId } }) => {
        if (workstationId !== null) return atHub()
        return client.makeBundle()
      }),
      bundle: os.bundle.handler(async ({ input }) => {
        const file = await client.findBundle(input.id)
        if (file === null) throw notFound('bundle', input.id)
        return file
      }),
      bringBundle: os.bringBundle.handler(({ input }) => client.bringBundle(input.file)),
      proveAtHub: os.proveAtHub.handler(({ input }) => client.prove(input)),
      fetchFile: os.fetchFile.handler(async ({ input }) => ({
        outcome: await client.fetchFile(input.sha256),
      })),
      workstations: os.workstations.handler(atHub),
      refusals: os.refusals.handler(atHub),
      createEnrolmentCode: os.createEnrolmentCode.handler(atHub),
      revokeWorkstation: os.revokeWorkstation.handler(atHub),
    }),
  })
}
