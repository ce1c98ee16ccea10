import { cpSync, rmSync } from 'node:fs'
import { findContradictions } from './evidence.ts'
import { type Beliefs, type Bench, benchOf, furnish, Technician } from './laboratory-load.ts'
import { insist, Ledger } from './ledger.ts'
import { createSeededRandom, type SeededRandom } from './seeded-random.ts'
import {
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from './workstation-process.ts'

/** A home with work in it, everything its people were told, and those who go on working there. */
export interface LivedInHome {
  readonly path: string
  readonly beliefs: Beliefs
  readonly ledger: Ledger<Bench>
  readonly technicians: readonly Technician[]
  readonly random: SeededRandom
}

export interface Visit {
  readonly workstation: WorkstationProcess
  readonly admin: SignedIn
  readonly bench: Bench
}

const settledWithinMs = 60_000

/** Sets up a laboratory with some boxes and technicians, and closes it again. */
export async function makeLivedInHome(
  seed: number,
  size: { readonly boxes: number; readonly technicians: number },
  path = makeHome(),
): Promise<LivedInHome> {
  const random = createSeededRandom(seed)
  const { workstation, bench } = await visit(path)
  const boxIds = await furnish(bench, size.boxes)
  await workstation.stop()
  const beliefs: Beliefs = { boxIds, tubes: [], looseCodes: [] }
  const technicians = Array.from(
    { length: size.technicians },
    (_, index) => new Technician(`t${index}`, createSeededRandom(random.between(0, 1e9)), beliefs),
  )
  return { path, beliefs, ledger: new Ledger(), technicians, random }
}

/** A database that is made anew takes as long as it has entries, and the machine may have other things to do. */
const awakeWithinMs = 90_000

/** Starts the workstation, signs in, and waits until the domains that a technician works with are open. */
export async function visit(
  path: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Visit> {
  const workstation = await startWorkstationProcess(path, { environment })
  const admin = await insist(() => signInTo(workstation), awakeWithinMs)
  const bench = benchOf(admin)
  await Promise.all([
    insist(() => bench.samples.list({ limit: 1 }), awakeWithinMs),
    insist(() => bench.storage.listContainers({ limit: 1 }), awakeWithinMs),
    insist(() => bench.barcodes.statistics(), awakeWithinMs),
  ])
  return { workstation, admin, bench }
}

/** Lets everybody work at once until told to stop, or until the workstation is gone; gives how much was done. */
export async function work(home: LivedInHome, bench: Bench, goesOn: () => boolean): Promise<number> {
  const done = await Promise.all(home.technicians.map((each) => each.work(bench, home.ledger, goesOn)))
  return done.reduce((total, each) => total + each, 0)
}

/** Lets everybody do so many things together. */
export function workSome(home: LivedInHome, bench: Bench, commands: number): Promise<number> {
  let left = commands
  return work(home, bench, () => (left -= 1) >= 0)
}

/** Asks again for all that is unknown, then holds the workstation against everything it confirmed. */
export async function contradictionsOf(home: LivedInHome, bench: Bench): Promise<readonly string[]> {
  await home.ledger.settle(bench, settledWithinMs)
  return findContradictions(bench, home.beliefs, home.ledger, home.random, { tubes: 20, repeats: 20 })
}

/** The same home in another place, so that a test may damage it. What its people believe is shared: do not work there. */
export function copyHome(home: LivedInHome, path: string): LivedInHome {
  rmSync(path, { recursive: true, force: true })
  cpSync(home.path, path, { recursive: true })
  return { ...home, path }
}
