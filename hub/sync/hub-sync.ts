import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { LogLevel } from '../../platform/gateway/log.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { writeWhole } from '../../platform/journal/durable-files.ts'
import { createFileStore, secretsFolder } from '../../platform/journal/secret-store.ts'
import { FileShelf } from '../../platform/sync/file-shelf.ts'
import { openSealingKey, stateSealingKey } from '../../platform/sync/sealing-key.ts'
import type { HubLog } from '../log/hub-log.ts'
import type { LogReader } from '../log/log-reader.ts'
import { HubBundles } from './bundles.ts'
import { Decisions } from './decisions.ts'
import { Domains } from './domains.ts'
import { Founding } from './founding.ts'
import { HeadFeed } from './head-feed.ts'
import { createHubSyncService } from './hub-sync-service.ts'
import { Intake } from './intake.ts'
import { People } from './people.ts'
import { Snapshots } from './snapshots.ts'
import { SyncStore } from './sync-store.ts'
import { Trust, type TrustTimes } from './trust.ts'

export interface HubSyncOptions {
  readonly home: string
  /** The database `tracseq_sync`. */
  readonly url: string
  readonly key: WorkstationKey
  readonly gateway: Gateway
  readonly hubLog: HubLog
  readonly domains: readonly string[]
  readonly times?: Partial<TrustTimes>
}

/** The Hub's side of sync; its routes are opened by `serveSync`. */
export interface HubSync {
  readonly store: SyncStore
  readonly trust: Trust
  readonly domains: Domains
  readonly decisions: Decisions
  readonly intake: Intake
  readonly bundles: HubBundles
  readonly founding: Founding
  readonly people: People
  readonly snapshots: Snapshots
  /** Another laboratory's files are nowhere to be found. */
  readonly filesOf: (laboratoryId: string) => FileShelf
  readonly reader: LogReader
  readonly feed: HeadFeed
  readonly log: (level: LogLevel, words: string, fields?: Readonly<Record<string, unknown>>) => void
  /** What must be done once the services run: goes on with what waits, and makes a code while nobody could. */
  start(): void
  close(): Promise<void>
}

const founderCodeFile = 'founder-code.txt'
/** Who made the code in it. */
const codeMaker = 'hub'
const againAfterMs = 3_000

/** Puts the Hub's side of sync together. Nothing is asked of the services before `start`. */
export async function openHubSync(options: HubSyncOptions): Promise<HubSync> {
  const { gateway, hubLog, key, home } = options
  const log: HubSync['log'] = (level, words, fields = {}) =>
    gateway.log.write(level, words, { step: 'sync', ...fields })
  const store = await SyncStore.open(options.url, (error) => log('warn', 'A connection was lost', { error }))
  const domains = new Domains(gateway, options.domains)
  const people = new People(gateway, store)
  const decisions = new Decisions(gateway, domains)
  const filesOf = (laboratoryId: string) => new FileShelf(home, laboratoryId)
  const { reader } = hubLog
  const sealingKey = openSealingKey(createFileStore(secretsFolder(home)))
  const trust = new Trust({
    store,
    key,
    sealing: stateSealingKey(sealingKey, key),
    isKnownLaboratory: (laboratoryId) => people.isKnown(laboratoryId),
    log: (words) => log('warn', words),
    ...(options.times === undefined ? {} : { times: options.times }),
  })
  const snapshots = new Snapshots(domains, reader)
  const feed = new HeadFeed(reader, hubLog.client, (error) =>
    log('warn', 'Workstations could not be told that the log has grown', { error }),
  )
  const intake = new Intake({ store, trust, decisions, domains, key })
  const bundles = new HubBundles({
    ...{ home, store, intake, reader, domains, key, sealingKey },
    log: (words, fields) => log('info', words, fields),
  })
  const ending = new AbortController()
  const sync: HubSync = {
    store,
    trust,
    domains,
    decisions,
    intake,
    bundles,
    founding: new Founding({ gateway, store, domains, decisions, filesOf, reader }),
    people,
    snapshots,
    filesOf,
    reader,
    feed,
    log,
    start() {
      void goOnUntilDone(
        () => goOn(sync, gateway, home),
        () => ending.signal.aborted,
        (error) => log('warn', 'What waits could not be gone on with; it is tried again', { error }),
      )
    },
    async close() {
      ending.abort()
      feed.close()
      await snapshots.close()
      await store.close()
    },
  }
  gateway.addLocal(createHubSyncService(sync))
  return sync
}

/** Services may take long to start; what must be done after a start is tried until it is. */
async function goOnUntilDone(
  work: () => Promise<void>,
  isClosing: () => boolean,
  onFailure: (error: unknown) => void,
): Promise<void> {
  while (!isClosing()) {
    try {
      await work()
      return
    } catch (error) {
      if (!isClosing()) onFailure(error)
      await delay(againAfterMs, undefined, { ref: false })
    }
  }
}

/** After a start: what waited for something that was settled just before the stop is decided. */
async function goOn(
  { store, trust, decisions, log }: HubSync,
  gateway: Gateway,
  home: string,
): Promise<void> {
  // A question waits ten seconds; a first start takes longer.
  await gateway.wakeInTurn(['auth'])
  const laboratories = await store.laboratories()
  for (const laboratoryId of laboratories)
    await decisions.inTurn(laboratoryId, () => decisions.decideWaiting(laboratoryId))
  const path = join(home, founderCodeFile)
  // Codes of earlier starts lie in no file any more.
  await store.endCodesOf(codeMaker)
  const laboratoriesHere = await gateway.call({
    path: ['auth', 'laboratories'],
    input: undefined,
    origin: { from: 'host', actor: null },
  })
  if (laboratories.length > 0 || (Array.isArray(laboratoriesHere) && laboratoriesHere.length > 0)) {
    rmSync(path, { force: true })
    return
  }
  // As long as there is nobody who could sign in and make a code, whoever holds the Hub's files may found a laboratory.
  if (existsSync(path)) rmSync(path)
  const { code } = await trust.createCode({
    laboratoryId: null,
    administratorsOffline: true,
    createdBy: codeMaker,
  })
  writeWhole(path, `${code}\n`)
  log('info', `A code for the founder of a laboratory is in ${path}`)
}
