import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sync } from '../../platform/sync/contract.ts'
import { auth } from '../../services/auth/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { templates } from '../../services/templates/contract.ts'
import { HttpProblem } from '../testing/http-client.ts'
import { storeFile } from '../testing/store-file.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import {
  founderCode,
  Machine,
  openSyncNetwork,
  statusOf,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'

let network: SyncNetwork
const one = new Machine({})
let two: Machine
let laboratoryId: string

beforeAll(async () => {
  network = await openSyncNetwork()
}, 180_000)
afterAll(async () => {
  await one.remove()
  await network.close()
  await killLeftOvers()
}, 60_000)

/** A sheet with two tubes, opened as an import. */
async function openSheet(machine: Machine, mark: string) {
  const text = `Sample name;Sample type;Volume\n${mark} first;DNA;20\n${mark} second;RNA;30\n`
  const person = await machine.admin()
  const fileSha256 = await storeFile(person, new File([text], `${mark}.csv`))
  const { id } = await person.client(templates).openImport({ fileSha256, fileName: `${mark}.csv` })
  return { id, fileSha256 }
}

/** What somebody reads in an import there, or the words of the refusal. */
async function readSheet(machine: Machine, id: string): Promise<string | readonly unknown[]> {
  try {
    const { rows } = await (await machine.admin()).client(templates).importRows({ id })
    return rows.map(({ cells }) => Object.values(cells).map((cell) => cell.value)[0])
  } catch (error) {
    if (error instanceof HttpProblem && error.status === 404) return error.message
    throw error
  }
}

const pathAt = (machine: Machine, sha256: string) =>
  machine === network.hub
    ? join(machine.home, 'files', laboratoryId, sha256)
    : join(machine.home, 'files', sha256)

const untilThere = (machine: Machine, sha256: string) =>
  until(() => Promise.resolve(existsSync(pathAt(machine, sha256)) ? true : null))

const untilRow = (machine: Machine, id: string) =>
  until(async () => {
    const { items } = await (await machine.admin()).client(templates).listImports({ limit: 100 })
    return items.some((each) => each.id === id) ? true : null
  })

const goNow = async (machine: Machine) => (await machine.admin()).client(sync).goNow({})

describe('the file of an import', () => {
  it('comes to the Hub with a founder who opened it before', async () => {
    await one.start()
    const { id, fileSha256 } = await openSheet(one, 'Early')
    const code = await founderCode(network.hub)
    await (await one.admin()).client(sync).enroll({ hubUrl: network.proxy.url, code })
    laboratoryId = (await (await one.admin()).client(auth).me()).laboratory.id
    await untilThere(network.hub, fileSha256)
    expect(await readSheet(network.hub, id)).toEqual(['Early first', 'Early second'])
    expect(readFileSync(pathAt(network.hub, fileSha256))).toEqual(readFileSync(pathAt(one, fileSha256)))
  }, 180_000)

  it('comes to a workstation that joins, which then needs no Hub to read it', async () => {
    const { items } = await (await one.admin()).client(templates).listImports({})
    const [early] = items
    if (early === undefined) throw new Error('The first import is gone')
    two = await network.join()
    await untilThere(two, early.fileSha256)
    network.proxy.leadTo(null)
    expect(await readSheet(two, early.id)).toEqual(['Early first', 'Early second'])
    network.proxy.leadTo(network.hub.url)
  }, 180_000)

  it('lets another workstation go on with the import, and the Hub as well', async () => {
    const { id } = await openSheet(one, 'Shared')
    await untilRow(two, id)
    const there = (await two.admin()).client(templates)
    const mapped = await there.mapColumns({ id, columns: [{ column: 'C', fieldKey: null, use: 'extra' }] })
    expect(mapped.columns.find(({ column }) => column === 'C')).toMatchObject({ use: 'extra' })
    await there.applyImport({ id })
    await until(async () => ((await there.getImport({ id })).summary.saved === 2 ? true : null))
    await untilCaughtUp(two)
    const { items } = await (await network.hub.admin()).client(samples).list({ search: 'Shared' })
    expect(items.map(({ name }) => name).toSorted()).toEqual(['Shared first', 'Shared second'])
    const other = await openSheet(one, 'For the Hub')
    await untilRow(network.hub, other.id)
    const atHub = (await network.hub.admin()).client(templates)
    await atHub.applyImport({ id: other.id })
    await until(async () => ((await atHub.getImport({ id: other.id })).summary.saved === 2 ? true : null))
  }, 120_000)

  it('comes from the Hub where it was opened there', async () => {
    const { id, fileSha256 } = await openSheet(network.hub, 'At the Hub')
    await Promise.all([untilThere(one, fileSha256), untilThere(two, fileSha256)])
    await untilRow(one, id)
    expect(await readSheet(one, id)).toEqual(['At the Hub first', 'At the Hub second'])
  }, 120_000)

  it('waits with the rows while the network is away, and is there when they are', async () => {
    network.proxy.leadTo(null)
    const { id, fileSha256 } = await openSheet(one, 'Apart')
    await until(async () => ((await statusOf(one)).state === 'offline' ? true : null))
    expect(existsSync(pathAt(network.hub, fileSha256))).toBe(false)
    network.proxy.leadTo(network.hub.url)
    for (const machine of [one, two]) await goNow(machine)
    await untilRow(two, id)
    expect(existsSync(pathAt(network.hub, fileSha256))).toBe(true)
    expect(await readSheet(two, id)).toEqual(['Apart first', 'Apart second'])
  }, 120_000)
})

describe('a file that cannot travel', () => {
  it('holds up no rows; whoever misses it reads where it is, and it comes when it can', async () => {
    await (await one.admin()).client(sync).pause({})
    const { id, fileSha256 } = await openSheet(one, 'Mislaid')
    const aside = join(one.home, 'mislaid')
    renameSync(pathAt(one, fileSha256), aside)
    await (await one.admin()).client(sync).resume({})
    await untilRow(two, id)
    expect((await untilCaughtUp(one)).words).toContain('Files that have not come to both sides yet: 1.')
    const missing = /^The file Mislaid\.csv has not come to the Hub yet\./
    expect(await readSheet(two, id)).toMatch(missing)
    expect(await readSheet(network.hub, id)).toMatch(missing)
    renameSync(aside, pathAt(one, fileSha256))
    await goNow(one)
    await untilThere(network.hub, fileSha256)
    // Whoever asks does not wait for the next round.
    expect(await readSheet(two, id)).toEqual(['Mislaid first', 'Mislaid second'])
    await until(async () => ((await statusOf(one)).words.includes('Files') ? null : true))
  }, 120_000)

  it('is not taken as something else, and leaves nothing behind', async () => {
    const { id, fileSha256 } = await openSheet(one, 'Damaged')
    await untilRow(two, id)
    await untilThere(two, fileSha256)
    const whole = readFileSync(pathAt(network.hub, fileSha256))
    writeFileSync(pathAt(network.hub, fileSha256), 'Sample name;Sample type\nNot it;DNA\n')
    rmSync(pathAt(two, fileSha256))
    expect(await readSheet(two, id)).toMatch(
      /^The file Damaged\.csv is at the Hub or .* and could not be fetched from the Hub now\./,
    )
    expect(existsSync(pathAt(two, fileSha256))).toBe(false)
    expect(readdirSync(join(two.home, 'files')).filter((name) => name.startsWith('.'))).toEqual([])
    writeFileSync(pathAt(network.hub, fileSha256), whole)
    network.proxy.leadTo(null)
    expect(await readSheet(two, id)).toMatch(/and could not be fetched from the Hub now\./)
    network.proxy.leadTo(network.hub.url)
    expect(await readSheet(two, id)).toEqual(['Damaged first', 'Damaged second'])
    expect(readFileSync(pathAt(two, fileSha256))).toEqual(whole)
  }, 120_000)

  it('comes at last by a network that cuts and corrupts', async () => {
    network.proxy.behave({ cut: 0.05, corrupt: 0.1, delayMs: 0 })
    const { id, fileSha256 } = await openSheet(one, 'Through the storm')
    await until(async () => {
      await Promise.all([goNow(one), goNow(two)])
      return existsSync(pathAt(two, fileSha256)) ? true : null
    }, 90_000)
    expect(network.proxy.counts.corrupted).toBeGreaterThan(0)
    network.proxy.behave({ cut: 0, corrupt: 0, delayMs: 0 })
    await untilRow(two, id)
    for (const machine of [two, network.hub])
      expect(await readSheet(machine, id)).toEqual(['Through the storm first', 'Through the storm second'])
  }, 180_000)
})
