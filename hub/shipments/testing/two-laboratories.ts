import { PGlite } from '@electric-sql/pglite'
import { v7 as uuidv7 } from 'uuid'
import type { Actor } from '../../../platform/contract/envelope.ts'
import type { ServiceDefinition } from '../../../platform/service/implementation.ts'
import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { barcodesService } from '../../../services/barcodes/service.ts'
import { samplesService } from '../../../services/samples/service.ts'
import { storageService } from '../../../services/storage/service.ts'
import type { LaboratoryClient, OpenWork, Surroundings } from '../laboratory-client.ts'
import { type Asker, ShipmentStore } from '../shipment-store.ts'
import { type Desk, Shipments } from '../shipments.ts'

/** What travels between laboratories. */
export const shippedDomains = [
  barcodesService,
  storageService,
  samplesService,
] as unknown as ServiceDefinition[]

interface Call {
  readonly name: string
  readonly input: unknown
}

/** A laboratory of the Hub: a person's desk in it, and its domains. */
export interface TestLaboratory extends LaboratoryClient {
  readonly desk: Desk
  readonly name: string
  readonly boxId: string
}

/** A Hub's services on real databases with laboratories on it, and its shipments. */
export interface TestHub {
  readonly bench: ServiceBench
  readonly laboratories: readonly TestLaboratory[]
  readonly shipments: Shipments
  readonly store: ShipmentStore
  /** What waits for decisions, in any laboratory. */
  readonly work: OpenWork[]
  /** What could not be finished. */
  readonly said: string[]
  /** What shipments asked of the domains. */
  readonly calls: Call[]
  readonly around: Surroundings
  /** The Hub is cut off at the call of a domain with this number from now: before it, or when its answer is lost. */
  cutAt(call: number, when: 'before' | 'after'): void
  /** Calls go through again. */
  mend(): void
  laboratory(index: number): TestLaboratory
  close(): Promise<void>
}

/** What stops the Hub in the middle; no domain said it. */
class CutOff extends Error {
  override readonly name = 'CutOff'
}

export async function openTestHub(count: number): Promise<TestHub> {
  const bench = await openServiceBench(shippedDomains, { isHub: true, workstationId: 'hub' })
  const database = await PGlite.create()
  const store = await ShipmentStore.open(database)
  const ids = Array.from({ length: count }, () => uuidv7())
  const nameOf = (id: string) => `Laboratory ${'ABCDEF'[ids.indexOf(id)] ?? '?'}`
  const work: OpenWork[] = []
  const said: string[] = []
  const calls: Call[] = []
  let cut: { left: number; readonly when: 'before' | 'after' } | null = null

  const clientOf = (actor: Actor, isWatched: boolean): LaboratoryClient => {
    const bind = (client: unknown) =>
      new Proxy(client as Record<string, (input: unknown, options: unknown) => Promise<unknown>>, {
        get: (target, name) => async (input: unknown) => {
          if (isWatched) calls.push({ name: String(name), input })
          if (isWatched && cut !== null) cut.left -= 1
          const isCut = isWatched && cut !== null && cut.left <= 0
          if (isCut && cut?.when === 'before') throw new CutOff()
          const answer = await target[String(name)]?.(input, { context: { actor } })
          if (isCut) throw new CutOff()
          return answer
        },
      })
    return {
      samples: bind(bench.client(samplesService)) as unknown as LaboratoryClient['samples'],
      storage: bind(bench.client(storageService)) as unknown as LaboratoryClient['storage'],
      barcodes: bind(bench.client(barcodesService)) as unknown as LaboratoryClient['barcodes'],
    }
  }
  const actorIn = (laboratoryId: string, by: Asker | null): Actor => ({
    ...bench.actor,
    ...{ laboratoryId, userId: by?.userId ?? 'service:shipments', name: by?.name ?? 'shipments' },
  })
  const around: Surroundings = {
    at: (laboratoryId, by) => clientOf(actorIn(laboratoryId, by), true),
    laboratories: () => Promise.resolve(ids.map((id) => ({ id, name: nameOf(id) }))),
    openWork: () => Promise.resolve(work),
    async openContested(laboratoryId) {
      for (const domain of ['barcodes', 'samples'])
        await bench.syncOf(domain).syncOpenContested({ laboratoryId })
    },
    journal: {
      // A restart opens it anew.
      domainHead: (domain) => bench.journal.domainHead(domain),
      readDomain: (request) => bench.journal.readDomain(request),
    },
    log: (words, { error }) => said.push(`${words}: ${String(error)}`),
  }
  const shipments = new Shipments(store, around)

  const laboratories: TestLaboratory[] = []
  for (const laboratoryId of ids) {
    const desk = { userId: uuidv7(), name: `Person of ${nameOf(laboratoryId)}`, laboratoryId }
    const client = clientOf(actorIn(laboratoryId, desk), false)
    const freezer = await client.storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const box = { kind: 'box', parentId: freezer.id, name: 'Box 1', rows: 9, columns: 9 } as const
    const { id: boxId } = await client.storage.createNode(box)
    laboratories.push({ ...client, desk, name: nameOf(laboratoryId), boxId })
  }
  return {
    ...{ bench, laboratories, shipments, store, work, said, calls, around },
    cutAt(call, when) {
      cut = { left: call, when }
    },
    mend() {
      cut = null
    },
    laboratory(index) {
      const found = laboratories[index]
      if (found === undefined) throw new Error(`There is no laboratory ${index}`)
      return found
    },
    async close() {
      await bench.close()
      await database.close()
    },
  }
}

/** The domains of a machine that has one laboratory. */
export function laboratoryAt(bench: ServiceBench): LaboratoryClient {
  return {
    samples: bench.client(samplesService),
    storage: bench.client(storageService),
    barcodes: bench.client(barcodesService),
  }
}

/** Whether a sample is here: `live` may be worked with, `stub` was shipped. */
export async function presenceOf(
  { samples }: TestLaboratory,
  sampleId: string,
): Promise<'live' | 'stub' | 'unknown'> {
  const [found] = await samples.getMany({ ids: [sampleId] })
  if (found === undefined) return 'unknown'
  return found.shippedTo === null ? 'live' : 'stub'
}
