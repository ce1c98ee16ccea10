import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { system } from '../platform/gateway/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { verifyTwice } from './testing/evidence.ts'
import { insist } from './testing/ledger.ts'
import {
  killLeftOvers,
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
} from './testing/workstation-process.ts'

/** More than a domain's database keeps of what it gave to the journal (2,000). */
const commands = Number(process.env['TRACSEQ_COMMANDS'] ?? 3_000)
const warmUp = 500
const inHand = 8
/** It is measured on the way as well: after a tenth, the half and all of them. */
const marks = [0, commands / 10, commands / 2, commands].map(Math.floor)
const portions = marks.slice(1).map((to, index) => [marks[index] ?? 0, to] as const)
const megabyte = 1024 * 1024

const home = makeHome()
afterEach(killLeftOvers)
afterAll(() => rmSync(home, { recursive: true, force: true }))

test(
  `${commands} commands leave logs and memory within bounds`,
  async ({ annotate }) => {
    const workstation = await startWorkstationProcess(home)
    const admin = await insist(() => signInTo(workstation))
    await allocate(admin, 'warm', warmUp)
    const sizes: Size[] = []
    for (const [from, to] of portions) {
      await allocate(admin, `load-${from}`, to - from)
      const now = await measure(admin)
      sizes.push(now)
      await annotate(`After ${to} commands: ${describeSize(now)}`)
      expect(now.databaseLogMegabytes).toBeLessThan(200)
      expect(now.journalLogMegabytes).toBeLessThan(64)
      // By the first mark the heaps have their working size; ten times as many commands must not make them larger.
      const atFirst = sizes[0]?.memoryMegabytes ?? 0
      expect(atFirst).toBeLessThan(1_100)
      expect(now.memoryMegabytes - atFirst).toBeLessThan(150)
    }
    const { counts } = await insist(() => admin.client(barcodes).statistics())
    expect(counts).toEqual([{ source: 'own', state: 'allocated', count: warmUp + commands }])
    await workstation.stop()
    expect(verifyTwice(home)).toMatchObject({ status: 0 })
  },
  120_000 + commands * 40,
)

test('when the whole journal is lost, what nobody holds any more is announced as a gap, and nothing else is lost', async () => {
  for (const file of ['journal.sqlite', 'journal.sqlite-wal', 'journal.sqlite-shm'])
    rmSync(join(home, file), { force: true })
  const workstation = await startWorkstationProcess(home)
  const admin = await insist(() => signInTo(workstation))
  const { counts } = await insist(() => admin.client(barcodes).statistics())
  expect(counts).toEqual([{ source: 'own', state: 'allocated', count: warmUp + commands }])

  const { epochs } = await admin.client(system).journal()
  const gap = epochs.at(-1)?.gaps.find(({ domain }) => domain === 'barcodes')
  expect(gap).toMatchObject({ lostFrom: 1 })
  const { items } = await admin
    .client(system)
    .searchAudit({ domain: 'barcodes', text: 'no longer in any journal' })
  expect(items).toMatchObject([{ kind: 'gap', sequence: gap?.sequence }])
  await allocate(admin, 'after', 10)
  await workstation.stop()
  expect(verifyTwice(home)).toMatchObject({ status: 0 })
}, 180_000)

/** Allocates one code after the other, several at once, as several people would. */
async function allocate(admin: SignedIn, name: string, count: number): Promise<void> {
  let next = 0
  const take = async () => {
    while (next < count) {
      next += 1
      const key = `${name}-${next}`
      await insist(() => admin.client(barcodes).allocate({ kind: 'sample', count: 1 }, { context: { key } }))
    }
  }
  await Promise.all(Array.from({ length: inHand }, take))
}

/** What may not grow with the number of commands. */
interface Size {
  readonly memoryMegabytes: number
  readonly databaseLogMegabytes: number
  readonly journalLogMegabytes: number
}

async function measure(admin: SignedIn): Promise<Size> {
  const { rssBytes } = await insist(() => admin.client(system).memory())
  return {
    memoryMegabytes: rssBytes / megabyte,
    databaseLogMegabytes: sizeOf(join(home, 'databases/barcodes/pg_wal')) / megabyte,
    journalLogMegabytes: sizeOf(home, /^journal\.sqlite-wal$/) / megabyte,
  }
}

function describeSize(size: Size): string {
  const [memory, database, journal] = [
    size.memoryMegabytes,
    size.databaseLogMegabytes,
    size.journalLogMegabytes,
  ].map((megabytes) => megabytes.toFixed(0)) as [string, string, string]
  return `${memory} MB of memory, ${database} MB of database log, ${journal} MB of journal log`
}

function sizeOf(folder: string, only = /./): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && only.test(entry.name))
    .reduce((total, entry) => total + statSync(join(folder, entry.name)).size, 0)
}
