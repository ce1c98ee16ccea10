import { join } from 'node:path'
import { services } from '../services/registry.ts'
import { resolveSession, setUpFrom, wakeSubscribers } from '../services/host.ts'
import { Gateway } from '../platform/gateway/gateway.ts'
import { type Log, type LogLevel, openLog } from '../platform/gateway/log.ts'
import { createSystemService } from '../platform/gateway/system-service.ts'
import { type OtlpSettings, startOtlpExport } from '../platform/gateway/otlp-export.ts'
import { openHome } from '../platform/host/home.ts'
import { createFileStore, secretsFolder } from '../platform/journal/secret-store.ts'
import { openWorkstationKey } from '../platform/journal/workstation-key.ts'
import { type HubLog, startHubLog } from './log/hub-log.ts'
import { createHubService } from './hub-service.ts'
import { openOperatorToken, recogniseOperator } from './operator.ts'
import { openPostgresServer } from './postgres.ts'
import { openShipments } from './shipments/open-shipments.ts'
import { type HubSync, openHubSync } from './sync/hub-sync.ts'

export interface HubOptions {
  readonly home: string
  readonly version: string
  readonly logLevel: LogLevel
  /** Where `drizzle/` and `resources/` lie. */
  readonly root: string
  /** A PostgreSQL server of the laboratory's own; without it the Hub runs one under its home. */
  readonly databaseUrl: string | undefined
  /** How many workers each service runs at once. */
  readonly instances?: number
  /** Where traces go; nowhere when left out. */
  readonly traces?: OtlpSettings
  /** Calls in a minute by which one address may try passwords, PINs and refresh tokens. */
  readonly guessesPerMinute?: number
}

/** A running Hub: the services on PostgreSQL behind one gateway. Its front doors are opened by whoever started it. */
export interface Hub {
  readonly home: string
  readonly gateway: Gateway
  readonly log: Log
  readonly hubLog: HubLog
  readonly sync: HubSync
  /** Whether the log can be written. */
  isReady(): boolean
  /** Makes the first laboratory from outside of a screen; nothing happens when there is one. */
  setUpFrom(administrator: { readonly email: string; readonly password: string }): Promise<void>
  /** Lets calls in hand finish, then closes services, log and server, in this order. */
  close(): Promise<void>
}

const defaultInstances = 2
const defaultGuessesPerMinute = 30
/** A laboratory may share one address; a single program that goes beyond this is out of hand. */
const addressLimit = { calls: 20_000, perSeconds: 10 }
/** Sessions are few and short; one worker keeps their order without asking anybody. */
const aloneServices: ReadonlySet<string> = new Set(['auth'])

/** Composes the platform with the services, as a workstation does; only the databases and the log are others. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const home = openHome(options.home)
  const closers: (() => Promise<void> | void)[] = [() => home.release()]
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const log = openLog({ home: home.path, level: options.logLevel, stderr: false })
    closers.push(() => log.close())
    const server = await openPostgresServer({
      home: home.path,
      databaseUrl: options.databaseUrl,
      databases: ['events', 'sync', ...services.map(({ name }) => name)].map(databaseOf),
      log: (words) => log.write('warn', words, { step: 'postgres' }),
    })
    closers.push(() => server.close())
    const key = openWorkstationKey(home.path)
    const hubLog = await startHubLog({
      url: server.urlOf(databaseOf('events')),
      key,
      log: (words) => log.write('warn', words, { step: 'log' }),
    })
    closers.push(() => hubLog.close())
    const traces =
      options.traces === undefined
        ? null
        : startOtlpExport(options.traces, {
            version: options.version,
            log: (words) => log.write('warn', words, { step: 'traces' }),
          })
    closers.push(() => traces?.close())
    const recognise = recogniseOperator(openOperatorToken(home.path))
    const gateway: Gateway = new Gateway({
      services: services.map((service) => ({
        ...service,
        instances: aloneServices.has(service.name) ? 1 : (options.instances ?? defaultInstances),
      })),
      log,
      bootData: (domain) => ({
        home: home.path,
        database: { kind: 'postgres', url: server.urlOf(databaseOf(domain)) },
        migrations: join(options.root, 'drizzle'),
        resources: join(options.root, 'resources'),
        workstation: home.workstation,
        logLevel: options.logLevel,
      }),
      openJournalPort: () => hubLog.createPort(),
      async resolveSession(token) {
        const operator = recognise(token)
        return operator === null ? resolveSession(gateway, token) : { actor: operator }
      },
      sessionDomain: 'auth',
      addressLimit,
      guessLimit: { calls: options.guessesPerMinute ?? defaultGuessesPerMinute, perSeconds: 60 },
      ...(traces === null ? {} : { onSpan: traces.add }),
    })
    closers.push(() => gateway.close())
    gateway.addLocal(
      createSystemService({
        gateway,
        journal: hubLog.client,
        home: home.path,
        version: options.version,
        secrets: createFileStore(secretsFolder(home.path)),
        auditOf: hubLog.auditOf,
        filesPerLaboratory: true,
      }),
    )
    const sync = await openHubSync({
      home: home.path,
      url: server.urlOf(databaseOf('sync')),
      key,
      gateway,
      hubLog,
      domains: services.map(({ name }) => name),
    })
    closers.push(() => sync.close())
    gateway.addLocal(createHubService(gateway, sync.trust))
    const shipments = await openShipments({
      url: server.urlOf(databaseOf('sync')),
      gateway,
      decisions: sync.decisions,
      journal: hubLog.client,
    })
    closers.push(() => shipments.close())
    closers.push(wakeSubscribers(gateway, hubLog.client))
    for (const { name } of services) gateway.wake(name)
    sync.start()
    shipments.start()
    return {
      home: home.path,
      gateway,
      log,
      hubLog,
      sync,
      isReady: () => hubLog.client.state.writable,
      setUpFrom: (administrator) => setUpFrom(gateway, administrator),
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

function databaseOf(domain: string): string {
  return `tracseq_${domain}`
}
