import { createORPCClient } from '@orpc/client'
import { Pool } from 'pg'
import type { Actor } from '../../platform/contract/envelope.ts'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import { createDomainSyncClient } from '../../platform/sync/domain-client.ts'
import { Laboratories } from '../contract.ts'
import type { Decisions } from '../sync/decisions.ts'
import type { Asker } from './shipment-store.ts'
import type { LaboratoryClient, Surroundings } from './laboratory-client.ts'
import { ShipmentStore } from './shipment-store.ts'
import { createShipmentsService } from './shipments-service.ts'
import { Shipments } from './shipments.ts'

export interface ShipmentsOptions {
  /** The database `tracseq_sync`. */
  readonly url: string
  readonly gateway: Gateway
  readonly decisions: Pick<Decisions, 'openItemsAbout'>
  readonly journal: Pick<JournalClient, 'onAppended' | 'domainHead' | 'readDomain'>
}

const goOnEveryMs = 10_000
const tellAfterMs = 1_000

/** Opens the Hub's shipments and their contract. Work goes on from `start`, when the services run. */
export async function openShipments({ url, gateway, decisions, journal }: ShipmentsOptions) {
  const pool = new Pool({ connectionString: url, max: 2 })
  const log = (words: string, fields: Readonly<Record<string, unknown>>) =>
    gateway.log.write('warn', words, { step: 'shipments', ...fields })
  pool.on('error', (error) => log('A connection was lost', { error }))
  const shipments = new Shipments(
    await ShipmentStore.open(pool),
    surroundings({ gateway, decisions, journal }, log),
  )
  gateway.addLocal(createShipmentsService(shipments))

  const onFailure = (error: unknown) => log('Shipments could not go on', { error })
  const steps = again(() => shipments.goOn(), onFailure)
  const telling = again(() => shipments.tellSenders(), onFailure)
  let timer: NodeJS.Timeout | null = null
  let soon: NodeJS.Timeout | null = null
  const forget = journal.onAppended(() => {
    soon ??= setTimeout(() => {
      soon = null
      telling.ask()
    }, tellAfterMs)
  })
  return {
    start() {
      // The log's hints may be lost, so it is looked for news now and then as well.
      const goOn = () => {
        steps.ask()
        telling.ask()
      }
      goOn()
      timer = setInterval(goOn, goOnEveryMs)
    },
    async close() {
      forget()
      if (timer !== null) clearInterval(timer)
      if (soon !== null) clearTimeout(soon)
      await Promise.all([steps.ended(), telling.ended()])
      await pool.end()
    },
  }
}

/** Work that is done once more when it is asked for, after the run that is under way; however often that was. */
function again(work: () => Promise<void>, onFailure: (error: unknown) => void) {
  let running: Promise<void> | null = null
  let isAsked = false
  const ask = (): void => {
    isAsked = true
    running ??= run()
  }
  const run = async () => {
    while (isAsked) {
      isAsked = false
      await work().catch(onFailure)
    }
    running = null
  }
  return { ask, ended: () => running ?? Promise.resolve() }
}

function surroundings(
  { gateway, decisions, journal }: Pick<ShipmentsOptions, 'gateway' | 'decisions' | 'journal'>,
  log: Surroundings['log'],
): Surroundings {
  const clientOf = (domain: string, actor: Actor): unknown =>
    createORPCClient({
      call: (path, input) =>
        gateway.call({ path: [domain, ...path], input, origin: { from: 'host', actor } }),
    })
  return {
    at(laboratoryId, by) {
      const actor = actorFor(laboratoryId, by)
      return {
        samples: clientOf('samples', actor) as LaboratoryClient['samples'],
        storage: clientOf('storage', actor) as LaboratoryClient['storage'],
        barcodes: clientOf('barcodes', actor) as LaboratoryClient['barcodes'],
      }
    },
    async laboratories() {
      const origin = { from: 'host', actor: null } as const
      const all = await gateway.call({ path: ['auth', 'laboratories'], input: undefined, origin })
      return Laboratories.parse(all).map(({ id, name }) => ({ id, name }))
    },
    async openWork(laboratoryId, ids) {
      const open = await decisions.openItemsAbout(laboratoryId, ids)
      return open.map(({ item }) => {
        const text = JSON.stringify(item)
        return { words: item.words, isAbout: (id) => text.includes(id) }
      })
    },
    async openContested(laboratoryId) {
      for (const domain of domainsThatArrive)
        await createDomainSyncClient(gateway, domain).syncOpenContested({ laboratoryId })
    },
    journal,
    log,
  }
}

/** Where what arrives may contradict what is there: codes, and the letters of types. */
const domainsThatArrive = ['barcodes', 'samples'] as const

/** Permissions were asked at the front door; beyond it only the Hub's own procedures are called. */
function actorFor(laboratoryId: string, by: Asker | null): Actor {
  return {
    userId: by?.userId ?? 'service:shipments',
    name: by?.name ?? 'shipments',
    sessionId: null,
    laboratoryId,
    permissions: ['samples:read'],
    service: 'shipments',
  }
}
