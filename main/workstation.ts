import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { Actor } from '../platform/contract/envelope.ts'
import { resolveSession, setUpFrom, wakeSubscribers } from '../services/host.ts'
import { services } from '../services/registry.ts'
import { shipments } from '../services/shipments/contract.ts'
import { readMigrations } from '../platform/database/migrate.ts'
import { findTemplate } from '../platform/database/template.ts'
import { Gateway } from '../platform/gateway/gateway.ts'
import { type Log, type LogLevel, openLog } from '../platform/gateway/log.ts'
import type { AnyMessagePort } from '../platform/gateway/message-port.ts'
import { openPortFrontDoor } from '../platform/gateway/port-front-door.ts'
import { createSystemService } from '../platform/gateway/system-service.ts'
import { HybridClock } from '../platform/service/hybrid-clock.ts'
import { createFileStore, secretsFolder, type SecretStore } from '../platform/journal/secret-store.ts'
import { startJournal } from '../platform/journal/start-journal.ts'
import { readPrivateKey, workstationKeyFrom } from '../platform/journal/workstation-key.ts'
import { openSealingKey } from '../platform/sync/sealing-key.ts'
import type { DeviceProcess } from './devices/device-host.ts'
import { createDeviceService } from './devices/device-service.ts'
import { SyncClient } from './sync/sync-client.ts'
import { createPassingOnService } from './sync/passing-on.ts'
import { createSyncService } from './sync/sync-service.ts'
import { openHome } from '../platform/host/home.ts'

export interface WorkstationOptions {
  readonly home: string
  readonly version: string
  readonly logLevel: LogLevel
  readonly logToStderr: boolean
  /** Where `drizzle/`, `resources/` and the prepared database lie: the repository, or the packaged application. */
  readonly root: string
  readonly spawnDeviceProcess: (log: (words: string) => void) => DeviceProcess
  /** Keeps the workstation's key; plain files in the home when left out. */
  readonly secrets?: SecretStore
  /** Free bytes below which new work is refused; tests make it small. */
  readonly reserveBytes?: number
  /** After how long a service nobody calls is put to sleep. */
  readonly idleAfterMs?: number
  /** Where the Hub is by now, if not where the enrolment says. */
  readonly hubUrl?: string
}

/** A running workstation: all of TracSeq Bench but its windows. */
export interface Workstation {
  readonly home: string
  readonly name: string
  readonly gateway: Gateway
  readonly log: Log
  /** Serves a window over its port. */
  connectWindow(port: AnyMessagePort, name: string): void
  /** Makes the laboratory from outside of a window; nothing happens when there is one. */
  setUpFrom(administrator: { readonly email: string; readonly password: string }): Promise<void>
  /** Who holds an access token. Throws when nobody does. */
  actorOf(accessToken: string): Promise<Actor>
  /** Lets calls in hand finish, then closes databases, devices and the journal, in this order. */
  close(): Promise<void>
}

/**
 * Composes the platform with the services. Everything is started here and closed in the opposite order; the services
 * themselves start when first needed. Throws {@link import('../platform/host/home.ts').HomeUnusable} when the home may not be used.
 */
export async function startWorkstation(options: WorkstationOptions): Promise<Workstation> {
  const home = openHome(options.home)
  const log = openLog({ home: home.path, level: options.logLevel, stderr: options.logToStderr })
  const clock = new HybridClock(home.workstation.id)
  const secrets = options.secrets ?? createFileStore(secretsFolder(home.path))
  const journalOpens = startJournal({
    home: home.path,
    secrets,
    author: {
      actorId: 'tracseq',
      workstationId: home.workstation.id,
      hybridLogicalTime: () => clock.tick(),
    },
    ...(options.reserveBytes === undefined ? {} : { reserveBytes: options.reserveBytes }),
  }).catch((error: unknown) => {
    home.release()
    throw error
  })
  // Each takes a good part of a second, in threads of its own.
  const [journal, wasmModule] = await Promise.all([journalOpens, compileDatabaseEngine()])
  log.write('info', `The workstation's key is kept ${secrets.kept}`)
  if (journal.unsigned !== null)
    log.write('warn', 'The journal is not signed while the key cannot be opened', { why: journal.unsigned })
  const template = findTemplate(
    templateFolder(options.root),
    readMigrations(join(options.root, 'drizzle', 'platform')),
  )

  const gateway: Gateway = new Gateway({
    services,
    log,
    bootData: (domain) => ({
      home: home.path,
      database: { kind: 'pglite', directory: join(home.path, 'databases', domain), template, wasmModule },
      migrations: join(options.root, 'drizzle'),
      resources: join(options.root, 'resources'),
      workstation: home.workstation,
      logLevel: options.logLevel,
    }),
    openJournalPort: () => journal.createPort(),
    resolveSession: (token) => resolveSession(gateway, token),
    sessionDomain: 'auth',
    ...(options.idleAfterMs === undefined ? {} : { timing: { idleAfterMs: options.idleAfterMs } }),
  })
  const devices = createDeviceService({
    home: home.path,
    journal: journal.client,
    log,
    spawn: () => options.spawnDeviceProcess((words) => log.write('warn', words, { step: 'devices' })),
  })
  const domains = services.map(({ name }) => name)
  const sync = new SyncClient({
    home: home.path,
    workstation: home.workstation,
    gateway,
    journal: journal.client,
    openKey: () => workstationKeyFrom(readPrivateKey(secrets)),
    openSealingKey: () => openSealingKey(secrets),
    domains,
    ...(options.hubUrl === undefined ? {} : { hubUrl: options.hubUrl }),
  })
  gateway.addLocal(
    createSystemService({
      gateway,
      journal: journal.client,
      home: home.path,
      version: options.version,
      secrets,
    }),
  )
  gateway.addLocal(devices.service)
  gateway.addLocal(createSyncService(sync, gateway, domains))
  gateway.addLocal(createPassingOnService(sync, 'shipments', shipments))
  await devices.start()
  const stopWaking = wakeSubscribers(gateway, journal.client)

  // The databases may be ahead of the journal, or behind it: every domain that has one says so at the start. One after
  // the other, sign-in first: all at once they would share two cores, and people would wait for the last of them.
  const present = services.filter(({ name }) => existsSync(join(home.path, 'databases', name)))
  void gateway.wakeInTurn(present.map(({ name }) => name)).then(() => sync.start())

  return {
    home: home.path,
    name: home.workstation.name,
    gateway,
    log,
    connectWindow: (port, name) => openPortFrontDoor(gateway, port, name),
    setUpFrom: (administrator) => setUpFrom(gateway, administrator),
    async actorOf(accessToken) {
      const session = await resolveSession(gateway, accessToken)
      if ('problem' in session) throw new Error('Nobody holds this access token')
      return session.actor
    },
    async close() {
      stopWaking()
      await sync.close()
      await devices.close()
      await gateway.close()
      await journal.close()
      log.close()
      home.release()
    },
  }
}

/** Where a laboratory's Hub is, as TRACSEQ_HUB_URL says. */
export function readHubUrl(text: string | undefined): { readonly hubUrl?: string } {
  return text === undefined || text === '' ? {} : { hubUrl: text.replace(/\/+$/, '') }
}

/** The version of this program. */
export function readVersion(root: string): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8')
  return String((JSON.parse(text) as { readonly version?: unknown }).version)
}

/** Where the prepared empty database is. A packaged application keeps it beside its archive: a folder in there cannot be copied. */
function templateFolder(root: string): string {
  return root.endsWith('.asar')
    ? join(dirname(root), 'database-template')
    : join(root, 'build', 'database-template')
}

/** Compiles PGlite once; every worker instantiates the same module. */
let databaseEngine: Promise<WebAssembly.Module> | null = null

/** Begins what every start needs and nothing else decides: it takes a quarter of a second, in threads of its own. */
export function compileDatabaseEngine(): Promise<WebAssembly.Module> {
  databaseEngine ??= compileFromDisk()
  return databaseEngine
}

async function compileFromDisk(): Promise<WebAssembly.Module> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  return WebAssembly.compile(readFileSync(resolve(dirname(entry), 'pglite.wasm')))
}
