import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { Machine, until } from '../main/sync/testing/sync-network.ts'
import { type Engine } from '../platform/database/engine.ts'
import { openPostgres } from '../platform/database/postgres-engine.ts'
import { rowsOf, type Transaction } from '../platform/database/transaction.ts'
import { auth } from '../services/auth/contract.ts'
import { fillWithSamples } from '../services/samples/testing/many-samples.ts'
import { fillWithCodes } from './filled-laboratory.ts'

const program = resolve(import.meta.dirname, '../hub/index.ts')
/** Everybody here calls from one address. */
const ownEnvironment: Environment = { TRACSEQ_HUB_GUESSES_PER_MINUTE: '10000' }
const awakeWithinMs = 120_000

type Environment = Readonly<Record<string, string>>

/** A real Hub in a process of its own, on its embedded PostgreSQL, with one laboratory. */
export interface BenchHub {
  readonly machine: Machine
  readonly laboratoryId: string
  readonly administratorId: string
  /** One of its databases, as the server's administrator, whom row-level security does not bind. */
  readonly urlOf: (domain: string) => string
  /** Runs work as the server's administrator in one transaction of a domain's database. */
  asAdministrator<T>(domain: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Ends it and starts it again on its home; other things may stand in its environment then. */
  restart(environment?: Environment): Promise<void>
  close(): Promise<void>
}

/** Starts a Hub on a new home and waits until all its services are there. */
export async function openBenchHub(extra: Environment = {}): Promise<BenchHub> {
  let environment = { ...ownEnvironment, ...extra }
  const machine = new Machine({
    program,
    get environment() {
      return environment
    },
  })
  const urlOf = (domain: string) => administratorUrl(machine.home, domain)
  try {
    await machine.start()
    const { user, laboratory } = await (await machine.admin()).client(auth).me()
    await untilAwake(machine)
    return {
      machine,
      laboratoryId: laboratory.id,
      administratorId: user.id,
      urlOf,
      asAdministrator: (domain, work) => usingEngine(urlOf(domain), (engine) => engine.transact(work)),
      async restart(other = {}) {
        await machine.stop()
        environment = { ...ownEnvironment, ...other }
        await machine.start()
        await untilAwake(machine)
      },
      close: () => machine.remove(),
    }
  } catch (error) {
    await machine.remove()
    throw error
  }
}

/**
 * Lets the Hub's databases fill themselves: samples with their amounts, history and tubes, and a code for each, as one who
 * looks at a Hub that has worked for years would find them. No change sets were made for these rows, so its log is short,
 * and the tubes stand in no boxes.
 */
export async function fillHub(hub: BenchHub, size: number): Promise<void> {
  await usingEngine(hub.urlOf('samples'), (engine) =>
    fillWithSamples({ asOwner: (work) => engine.transact(work) }, hub.laboratoryId, size),
  )
  await usingEngine(hub.urlOf('barcodes'), (engine) =>
    fillWithCodes({ asOwner: (work) => engine.transact(work) }, hub.laboratoryId, size),
  )
}

/** The tables of a domain whose rows workstations have as well. */
export async function listTravellingTables(tx: Transaction): Promise<readonly string[]> {
  const rows = await rowsOf<{ name: string }>(
    tx,
    sql`select table_name as name from platform.synced_table
      where policy <> 'local' and to_regclass(table_name) is not null order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Waits until every service of a Hub that was just started can be called. */
async function untilAwake(machine: Machine): Promise<void> {
  const Ready = z.object({ services: z.record(z.string(), z.object({ state: z.string() })) })
  await until(async () => {
    const answer = await fetch(`${machine.url}/health/ready`)
    const { services } = Ready.parse(await answer.json())
    return Object.values(services).every(({ state }) => state === 'ready') ? services : null
  }, awakeWithinMs)
}

async function usingEngine<T>(url: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = openPostgres(url, () => undefined)
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

function administratorUrl(home: string, domain: string): string {
  const [, , , port = ''] = readFileSync(join(home, 'postgres/data/postmaster.pid'), 'utf8').split('\n')
  const password = readFileSync(join(home, 'postgres/administrator'), 'utf8')
  return `postgres://postgres:${password}@127.0.0.1:${port}/tracseq_${domain}`
}
