import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { DatabaseFork } from '../database/recovery.ts'
import { MigrationMismatch, readMigrations } from '../database/migrate.ts'
import {
  type DomainDatabaseOptions,
  markDamaged,
  openWorkstationDatabase,
} from '../database/domain-database.ts'
import { EntryLost, ReplayDiffers } from '../database/replay.ts'
import { connectJournal } from '../journal/journal-client.ts'
import type { FromService, ServiceBoot, ToService } from './boot.ts'
import type { Contract, ServiceDefinition } from './implementation.ts'
import { fullWords, startService } from './start-service.ts'

/** The body of a domain's worker: opens its database, serves its port, answers its supervisor. */
export function serveDomain<C extends Contract>(definition: ServiceDefinition<C>): void {
  const supervisor = parentPort
  if (supervisor === null) throw new Error('A domain is served in a worker thread')
  const boot = workerData as ServiceBoot
  const report = (message: FromService) => supervisor.postMessage(message)
  open(definition as unknown as ServiceDefinition, boot, report).catch((error: unknown) => {
    if (isRefusal(error)) {
      report({ type: 'refused', code: error.name, words: error.message })
      return
    }
    throw error
  })

  async function open(
    service: ServiceDefinition,
    { domain, database: place, ...rest }: ServiceBoot,
    tell: typeof report,
  ): Promise<void> {
    const startedAt = performance.now()
    const journal = await connectJournal(rest.journalPort)
    const options: DomainDatabaseOptions = {
      domain,
      tables: service.tables,
      journal,
      workstationId: rest.workstation.id,
      platformMigrations: readMigrations(join(rest.migrations, 'platform')),
      migrations: readMigrations(join(rest.migrations, domain)),
      // A server's databases have backups of their own kind.
      snapshots: place.kind === 'pglite' ? join(rest.home, 'snapshots', domain) : null,
      onProgress: (words, part) => tell({ type: 'opening', words, long: part === 'long' }),
      onTrouble: (message, error) =>
        tell({ type: 'log', level: 'warn', message, fields: { error: fullWords(error) } }),
    }
    const { database, recovery } =
      place.kind === 'pglite'
        ? await openWorkstationDatabase({ ...options, ...place })
        : await openOnServer({ ...options, url: place.url })
    const running = await startService(service, {
      ...rest,
      database,
      journal,
      isHub: place.kind === 'postgres',
      report: tell,
      onDamage: (error) => {
        if (place.kind === 'pglite') markDamaged(place.directory)
        endSoon(error)
      },
    })
    database.stopped.addEventListener('abort', () => endSoon(database.stopped.reason))
    const size = sizeWatch(() => database.sizeInBytes())
    parentPort?.on('message', (message: ToService) => {
      switch (message.type) {
        case 'ping': {
          const { calls, long } = running.inFlight()
          if (calls === 0) size.refresh()
          tell({
            type: 'pong',
            ping: message.ping,
            inFlight: calls,
            longRunning: long,
            heapUsedBytes: process.memoryUsage().heapUsed,
            databaseBytes: size.bytes(),
            confirmedSequence: database.confirmedSequence,
          })
          break
        }
        case 'close':
          void close()
          break
      }
    })
    tell({ type: 'ready', openedInMs: performance.now() - startedAt, recovery })

    async function close(): Promise<void> {
      await running.stop()
      await database.close()
      journal.close()
      tell({ type: 'closed' })
      parentPort?.close()
    }
  }
}

/** A workstation has no use for the server's driver, and would load it at the start of every service. */
async function openOnServer(options: DomainDatabaseOptions & { readonly url: string }) {
  const { openServerDatabase } = await import('../database/server-database.ts')
  return openServerDatabase(options)
}

/** The database's size, asked for now and then and only while nobody else wants the connection. */
function sizeWatch(measure: () => Promise<number>) {
  let bytes = 0
  let askedAt = Number.NEGATIVE_INFINITY
  return {
    bytes: () => bytes,
    refresh() {
      if (performance.now() - askedAt < 60_000) return
      askedAt = performance.now()
      measure().then(
        (measured) => {
          bytes = measured
        },
        // The number is for people to look at; a database that cannot tell its size says so in every other call.
        () => undefined,
      )
    },
  }
}

/** Ends the worker as failed, after the calls in hand have had their answer; the supervisor starts it anew. */
function endSoon(error: unknown): void {
  setTimeout(() => {
    throw error
  }, answersTakeMs)
}

const answersTakeMs = 200

/** Reasons not to open at all: restarting would not change them, a person must decide. */
function isRefusal(error: unknown): error is Error {
  const kinds = [DatabaseFork, MigrationMismatch, ReplayDiffers, EntryLost]
  return kinds.some((kind) => error instanceof kind)
}
