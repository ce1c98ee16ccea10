import { ORPCError } from '@orpc/client'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { PassedOnRequest } from '../../platform/sync/passed-on.ts'
import type { People } from './people.ts'
import { SyncProblem } from './sync-problem.ts'
import type { Workstation } from './sync-store.ts'

/** What workstations pass on to domains that the Hub alone answers, for people who may ask it at the Hub. */
export class PassedOn {
  readonly #gateway: Gateway
  readonly #people: Pick<People, 'requirePermission'>

  constructor(gateway: Gateway, people: Pick<People, 'requirePermission'>) {
    this.#gateway = gateway
    this.#people = people
  }

  async ask({ laboratoryId }: Pick<Workstation, 'laboratoryId'>, request: PassedOnRequest): Promise<unknown> {
    const { domain, procedure, input, actor, idempotencyKey } = request
    const path = [domain, procedure]
    const meta = this.#gateway.catalogue.find(path)?.meta
    if (meta === undefined || meta.internal)
      throw new SyncProblem(404, 'NOT_FOUND', `The Hub has no ${path.join('.')}: it may be older or newer`)
    const { permission } = meta
    // What people are called is the Hub's own word: shipments keep it, in both laboratories.
    const { userId, name } = await this.#people.requirePermission(laboratoryId, actor.userId, permission)
    const asker = { userId, name, sessionId: null, laboratoryId, permissions: [permission], service: null }
    try {
      return await this.#gateway.call({
        ...{ path, input },
        origin: { from: 'host', actor: asker, ...(idempotencyKey === null ? {} : { idempotencyKey }) },
      })
    } catch (error) {
      if (!(error instanceof ORPCError) || error.status >= 500) throw error
      const said = error as ORPCError<string, unknown>
      throw new SyncProblem(said.status, said.code, said.message, said.data)
    }
  }
}
