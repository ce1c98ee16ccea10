import { implement } from '@orpc/server'
import type { Envelope } from '../../platform/contract/envelope.ts'
import { notFound, Refusal } from '../../platform/contract/refusal.ts'
import type { LocalService } from '../../platform/gateway/gateway.ts'
import { createLocalService } from '../../platform/gateway/local-service.ts'
import { BundleProblem } from '../../platform/sync/bundle.ts'
import { sync } from '../../platform/sync/contract.ts'
import { compareVersions } from '../../platform/sync/versions.ts'
import { viewOfItem } from '../../platform/sync/work-item-view.ts'
import type { HubSync } from './hub-sync.ts'
import { SyncProblem } from './sync-problem.ts'

const shownRefusals = 200

/** The contract `sync` as the Hub answers it: for the laboratory of whoever asks. */
export function createHubSyncService(hub: HubSync): LocalService {
  return createLocalService({
    name: 'sync',
    contract: sync,
    procedures: implementSync(hub),
    explain: (error) =>
      error instanceof SyncProblem
        ? new Refusal(error.code, error.message, error.data)
        : error instanceof BundleProblem
          ? new Refusal('BUNDLE_REFUSED', error.message, { why: error.fault })
          : error,
  })
}

function implementSync({ reader, decisions, domains, trust, store, feed, bundles }: HubSync) {
  const os = implement(sync).$context<{ envelope: Envelope }>()
  const atWorkstation = () => {
    throw new Refusal('AT_WORKSTATION_ONLY', 'This is done at a workstation: the Hub has no Hub above it')
  }
  const laboratoryOf = ({ envelope }: { envelope: Envelope }) => envelope.actor?.laboratoryId ?? ''
  const status = async (laboratoryId: string) => {
    const { position } = await reader.laboratoryHead(laboratoryId)
    return {
      state: 'hub' as const,
      words: 'This is the Hub: workstations follow it.',
      hubUrl: null,
      laboratoryId: laboratoryId === '' ? null : laboratoryId,
      lastContactAt: null,
      lastPushAt: null,
      lastPullAt: null,
      pending: [],
      position,
      lag: 0,
      clockSkewMs: 0,
      offlineUntil: null,
    }
  }
  return os.router({
    status: os.status.handler(({ context }) => status(laboratoryOf(context))),
    goNow: os.goNow.handler(({ context }) => status(laboratoryOf(context))),
    pause: os.pause.handler(atWorkstation),
    resume: os.resume.handler(atWorkstation),
    enroll: os.enroll.handler(atWorkstation),
    join: os.join.handler(atWorkstation),
    workItems: os.workItems.handler(async ({ context, input }) => {
      if (input.domain !== undefined && !domains.has(input.domain)) return { items: [], total: 0 }
      const laboratoryId = laboratoryOf(context)
      const open = await decisions.openItemsWithRows(laboratoryId, input)
      const known = await store.workstationsOf(laboratoryId)
      const nameOf = (id: string) => known.find((each) => each.id === id)?.name ?? null
      return {
        items: open.items.map(({ item, openedAt }) =>
          viewOfItem(item, openedAt, { here: open.rows, nameOf }),
        ),
        total: open.total,
      }
    }),
    resolve: os.resolve.handler(async ({ context, input }) => {
      await decisions.resolve(laboratoryOf(context), input, context.envelope.actor?.userId ?? '')
      return {}
    }),
    workstations: os.workstations.handler(async ({ context }) => {
      const laboratoryId = laboratoryOf(context)
      const head = await reader.laboratoryHead(laboratoryId)
      const known = await store.workstationsOf(laboratoryId)
      const migrations = await domains.migrations()
      return {
        items: known.map((each) => ({
          id: each.id,
          name: each.name,
          fingerprint: each.fingerprint,
          enrolledAt: each.enrolledAt,
          lastSeenAt: each.lastSeenAt,
          position: each.position,
          lag: Math.max(0, head.position - each.position),
          clockSkewMs: each.clockSkewMs,
          schema: each.lastSeenAt === null ? null : compareVersions(each.migrations, migrations),
          revokedAt: each.revokedAt,
        })),
      }
    }),
    refusals: os.refusals.handler(async ({ context }) => ({
      items: await store.refusals(laboratoryOf(context), shownRefusals),
    })),
    createEnrolmentCode: os.createEnrolmentCode.handler(({ context, input }) =>
      trust.createCode({
        laboratoryId: laboratoryOf(context),
        administratorsOffline: input.administratorsOffline,
        createdBy: context.envelope.actor?.userId ?? '',
      }),
    ),
    makeBundle: os.makeBundle.handler(({ context, input: { workstationId } }) => {
      if (workstationId === null)
        throw new Refusal('BAD_REQUEST', 'workstationId: say for which workstation the bundle is')
      return bundles.make(laboratoryOf(context), workstationId)
    }),
    bundle: os.bundle.handler(async ({ context, input }) => {
      const file = await bundles.find(input.id, laboratoryOf(context))
      if (file === null) throw notFound('bundle', input.id)
      return file
    }),
    bringBundle: os.bringBundle.handler(({ context, input }) =>
      bundles.bring(laboratoryOf(context), input.file),
    ),
    proveAtHub: os.proveAtHub.handler(() => ({ outcome: 'no-hub' as const })),
    // What is here is found without asking.
    fetchFile: os.fetchFile.handler(() => ({ outcome: 'not-at-hub' as const })),
    revokeWorkstation: os.revokeWorkstation.handler(async ({ context, input }) => {
      if (!(await store.revoke(laboratoryOf(context), input.id, input.reason)))
        throw notFound('workstation', input.id)
      feed.drop(input.id)
      return {}
    }),
  })
}
