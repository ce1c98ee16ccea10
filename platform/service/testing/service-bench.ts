import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { ContractRouterClient } from '@orpc/contract'
import { v7 as uuidv7 } from 'uuid'
import { type Actor, type Envelope, envelopeHeader } from '../../contract/envelope.ts'
import type { ProcedureMeta } from '../../contract/procedure.ts'
import type { MachineStop } from '../../database/testing/machine-stop.ts'
import { loseTestDatabase, openTestDatabase, type TestEngine } from '../../database/testing/test-database.ts'
import { makeTestFolder } from '../../database/testing/test-folder.ts'
import type { DomainDatabase } from '../../database/domain-database.ts'
import { readMigrations } from '../../database/migrate.ts'
import { Gateway } from '../../gateway/gateway.ts'
import { openLog } from '../../gateway/log.ts'
import { serveServicePort } from '../../gateway/service-door.ts'
import { createSystemService } from '../../gateway/system-service.ts'
import { connectJournal, type JournalClient } from '../../journal/journal-client.ts'
import { type RunningJournal, startJournal } from '../../journal/start-journal.ts'
import { type DomainSyncContract, domainSyncContract } from '../../sync/domain-contract.ts'
import type { FromService } from '../boot.ts'
import type { Contract, ServiceDefinition } from '../implementation.ts'
import { type RunningService, startService } from '../start-service.ts'

const repository = resolve(import.meta.dirname, '../../..')

export interface BenchCall {
  /** The same key answers the same again. */
  readonly key?: string
  readonly actor?: Actor
}

/** What a bench keeps its journal with. */
type BenchJournal = Pick<RunningJournal, 'client' | 'createPort' | 'close'>

/** Some services on real databases, a real journal and the real gateway, joined by real ports, in one thread. */
export interface ServiceBench {
  readonly home: string
  readonly journal: JournalClient
  readonly gateway: Gateway
  /** Who calls, when a call does not say otherwise. */
  readonly actor: Actor
  /** What services logged; a test that expects no defect asserts that it is empty. */
  readonly logs: readonly FromService[]
  client<C extends Contract>(definition: ServiceDefinition<C>): ContractRouterClient<C, BenchCall>
  /** What a domain offers its host for sync. */
  syncOf(name: string): ContractRouterClient<DomainSyncContract, BenchCall>
  database(name: string): DomainDatabase
  /** Waits until every service has reacted to every event. */
  settle(): Promise<void>
  /** Closes and reopens everything on the same files, as a restart does; some databases may be lost meanwhile. */
  restart(options?: { readonly losing?: readonly string[] }): Promise<void>
  close(): Promise<void>
}

interface OpenService {
  readonly name: string
  readonly running: RunningService
  readonly database: DomainDatabase
  readonly journal: JournalClient
}

interface OpenBench {
  readonly journal: BenchJournal
  readonly gateway: Gateway
  readonly services: readonly OpenService[]
}

/**
 * Opens services for a test. The actor holds the permissions given, by default all that the services' contracts name.
 */
export async function openServiceBench(
  definitions: readonly ServiceDefinition[],
  options: {
    readonly permissions?: readonly string[]
    /** Of a bench that plays one of several machines of a laboratory. */
    readonly laboratoryId?: string
    readonly workstationId?: string
    /** Who works there; nobody that any database knows when left out. */
    readonly userId?: string
    readonly isHub?: boolean
    /** The machine's clock in milliseconds, where it is wrong. */
    readonly wallClock?: () => number
    /** Opens what it keeps its journal with, the file of a workstation when left out. */
    readonly openJournal?: (home: string) => Promise<BenchJournal>
    readonly engine?: TestEngine
    /** Lets the machine stop in the middle of anything. */
    readonly stop?: MachineStop
  } = {},
): Promise<ServiceBench> {
  const home = makeTestFolder('tracseq-services-')
  mkdirSync(join(home, 'databases'), { recursive: true })
  const actor: Actor = {
    userId: options.userId ?? uuidv7(),
    name: 'Test technician',
    sessionId: uuidv7(),
    laboratoryId: options.laboratoryId ?? uuidv7(),
    permissions: [...(options.permissions ?? declaredPermissions(definitions))],
    service: null,
  }
  const logs: FromService[] = []
  const workstationId = options.workstationId ?? 'test-bench'
  const machine: Machine = {
    workstationId,
    isHub: options.isHub ?? false,
    engine: options.engine ?? 'of-run',
    stop: options.stop ?? null,
    wallClock: options.wallClock ?? (() => Date.now()),
    openJournal: options.openJournal ?? ((at) => openOwnJournal(at, workstationId)),
  }
  let open = await openAll(home, machine, definitions, logs)

  function clientOf(name: string): unknown {
    return createORPCClient({
      call: (path, input, { context }) => {
        const { key, actor: other } = context as BenchCall
        return open.gateway.call({
          path: [name, ...path],
          input,
          origin: {
            from: 'host',
            actor: other ?? actor,
            ...(key === undefined ? {} : { idempotencyKey: key }),
          },
        })
      },
    })
  }

  return {
    home,
    actor,
    logs,
    get journal() {
      return open.journal.client
    },
    get gateway() {
      return open.gateway
    },
    client<C extends Contract>({ name }: ServiceDefinition<C>) {
      return clientOf(name) as ContractRouterClient<C, BenchCall>
    },
    syncOf: (name) => clientOf(name) as ContractRouterClient<DomainSyncContract, BenchCall>,
    database(name) {
      const found = open.services.find((each) => each.name === name)
      if (found === undefined) throw new Error(`${name} is not on this bench`)
      return found.database
    },
    async settle() {
      // A reaction may announce events of its own; three rounds cover every chain there is.
      for (let round = 0; round < 3; round += 1) {
        for (const { running } of open.services) await running.caughtUp()
      }
    },
    async restart({ losing = [] } = {}) {
      await closeAll(open)
      for (const name of losing) await loseTestDatabase(join(home, 'databases', name), machine.engine)
      machine.stop?.mend()
      open = await openAll(home, machine, definitions, logs)
    },
    async close() {
      await closeAll(open)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

interface Machine {
  readonly workstationId: string
  readonly isHub: boolean
  readonly engine: TestEngine
  readonly stop: MachineStop | null
  readonly wallClock: () => number
  readonly openJournal: (home: string) => Promise<BenchJournal>
}

function openOwnJournal(home: string, workstationId: string): Promise<BenchJournal> {
  return startJournal({ home, author: { actorId: 'test', workstationId, hybridLogicalTime: () => '' } })
}

async function openAll(
  home: string,
  machine: Machine,
  definitions: readonly ServiceDefinition[],
  logs: FromService[],
): Promise<OpenBench> {
  const journal = await machine.openJournal(home)
  const gateway = new Gateway({
    services: [],
    bootData: () => {
      throw new Error('This bench starts no workers')
    },
    openJournalPort: () => journal.createPort(),
    resolveSession: () => Promise.resolve({ problem: 'UNAUTHORIZED' }),
    log: openLog({ home, level: 'error', stderr: false }),
  })
  gateway.addLocal(createSystemService({ gateway, journal: journal.client, home, version: 'test' }))
  const services: OpenService[] = []
  for (const definition of definitions) {
    services.push(await openOne(definition, { home, journal, gateway, machine, logs }))
  }
  return { journal, gateway, services }
}

async function openOne(
  definition: ServiceDefinition,
  around: {
    readonly home: string
    readonly journal: BenchJournal
    readonly gateway: Gateway
    readonly machine: Machine
    readonly logs: FromService[]
  },
): Promise<OpenService> {
  const { name } = definition
  const { home, gateway, machine } = around
  const { isHub, stop, wallClock } = machine
  const workstation = { id: machine.workstationId, name: 'Test bench' }
  const service = new MessageChannel()
  const outward = new MessageChannel()
  const link = new RPCLink<{ readonly envelope: Envelope }>({
    port: service.port1,
    headers: ({ context }) => ({ [envelopeHeader]: JSON.stringify(context.envelope) }),
  })
  service.port1.start()
  gateway.addLocal({
    name,
    contract: { ...definition.contract, ...domainSyncContract(name) },
    call: (procedure, input, envelope) => link.call([procedure], input, { context: { envelope } }),
  })
  serveServicePort(gateway, outward.port1, name)
  const journal = await connectJournal(around.journal.createPort())
  const { database } = await openTestDatabase(
    {
      domain: name,
      tables: definition.tables,
      journal,
      workstationId: workstation.id,
      platformMigrations: readMigrations(join(repository, 'drizzle/platform')),
      migrations: readMigrations(join(repository, 'drizzle', name)),
      directory: join(home, 'databases', name),
      snapshots: join(home, 'snapshots', name),
    },
    machine.engine,
    stop === null ? undefined : (engine) => stop.around(engine),
  )
  const running = await startService(definition, {
    database,
    journal,
    servicePort: service.port2,
    gatewayPort: outward.port2,
    workstation,
    home,
    resources: join(repository, 'resources'),
    follows: true,
    isHub,
    wallClock,
    report: (message) => {
      if (message.type === 'log') around.logs.push(message)
    },
    onDamage: (error) => {
      throw error
    },
  })
  return { name, running, database, journal }
}

async function closeAll(open: OpenBench): Promise<void> {
  for (const { running } of open.services) await running.stop()
  for (const { database, journal } of open.services) {
    await database.close()
    journal.close()
  }
  await open.gateway.close()
  await open.journal.close()
}

function declaredPermissions(definitions: readonly ServiceDefinition[]): readonly string[] {
  const all = definitions.flatMap(({ contract }) =>
    Object.values(contract).map((procedure) => (procedure['~orpc'].meta as ProcedureMeta).permission),
  )
  return [...new Set(all)]
}
