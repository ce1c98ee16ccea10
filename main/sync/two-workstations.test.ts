import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { system } from '../../platform/gateway/contract.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import { sync } from '../../platform/sync/contract.ts'
import { auth } from '../../services/auth/contract.ts'
import { barcodes } from '../../services/barcodes/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { createHttpClient } from '../testing/http-client.ts'
import { killLeftOvers } from '../testing/workstation-process.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  statusOf,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'
import { hub } from '../../hub/contract.ts'
import { openOperatorToken } from '../../hub/operator.ts'

let network: SyncNetwork
let one: Machine
let two: Machine

beforeAll(async () => {
  network = await openSyncNetwork()
}, 180_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
}, 60_000)

async function receive(machine: Machine, name: string): Promise<string> {
  const client = (await machine.admin()).client(samples)
  const { sample } = await client.receive({ sample: { name, type: 'DNA' }, containerKind: 'tube' })
  return sample.id
}

async function namesAt(machine: Machine): Promise<readonly string[]> {
  const { items } = await (await machine.admin()).client(samples).list({ limit: 500 })
  return items.map(({ name }) => name).sort()
}

async function untilSeen(machine: Machine, name: string): Promise<void> {
  await until(async () => ((await namesAt(machine)).includes(name) ? true : null))
}

describe('a workstation with data', () => {
  it('founds its laboratory at the Hub, with everything and everybody in it', async () => {
    one = await startWithWork()
    expect(await untilCaughtUp(one)).toMatchObject({ state: 'online', lag: 0 })
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(one))
    const here = await (await one.admin()).client(auth).me()
    const there = await (await network.hub.admin()).client(auth).me()
    expect({ ...there.user, lastSignInAt: null }).toEqual({ ...here.user, lastSignInAt: null })
  }, 180_000)

  it('cannot do so twice, nor with a code that is wrong', async () => {
    const client = (await one.admin()).client(sync)
    const operator = createHttpClient(network.hub.url, hub, openOperatorToken(network.hub.home))
    const { code } = await operator.createFounderCode({})
    const given = { hubUrl: network.proxy.url, code }
    await expect(client.enroll(given)).rejects.toMatchObject({ code: 'ALREADY_ENROLLED' })
    await expect(createHttpClient(one.url, sync, null).join(given)).rejects.toMatchObject({
      code: 'CODE_REFUSED',
    })
  })

  async function startWithWork(): Promise<Machine> {
    const machine = await network.found()
    return machine
  }
})

describe('an empty workstation', () => {
  it('joins the laboratory and has what it has', async () => {
    await receive(one, 'Before the second')
    two = await network.join()
    await untilCaughtUp(two)
    await untilCaughtUp(one)
    expect(await contentsOf(two)).toEqual(await contentsOf(one))
  }, 180_000)
})

describe('two workstations', () => {
  it('have what is received at the other, and the Hub has it too', async () => {
    await receive(one, 'From the first')
    await receive(two, 'From the second')
    await Promise.all([untilSeen(two, 'From the first'), untilSeen(one, 'From the second')])
    await Promise.all([untilCaughtUp(one), untilCaughtUp(two)])
    expect(await contentsOf(two)).toEqual(await contentsOf(one))
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(one))
  }, 120_000)

  it('go on without the network, and come together when it is back', async () => {
    network.proxy.leadTo(null)
    for (let index = 0; index < 5; index += 1) {
      await receive(one, `Apart one ${index}`)
      await receive(two, `Apart two ${index}`)
    }
    await until(async () => ((await statusOf(one)).state === 'offline' ? true : null))
    const waiting = await statusOf(one)
    expect(waiting.pending.find(({ domain }) => domain === 'samples')?.sets).toBeGreaterThanOrEqual(5)
    const resolution = {
      domain: 'samples',
      itemId: crypto.randomUUID(),
      choice: { take: 'hub' },
      reason: null,
    } as const
    await expect((await one.admin()).client(sync).resolve(resolution)).rejects.toMatchObject({
      code: 'OFFLINE',
    })
    network.proxy.leadTo(network.hub.url)
    for (const machine of [one, two]) await (await machine.admin()).client(sync).goNow({})
    await Promise.all([untilSeen(two, 'Apart one 4'), untilSeen(one, 'Apart two 4')])
    await Promise.all([untilCaughtUp(one), untilCaughtUp(two)])
    expect(await contentsOf(two)).toEqual(await contentsOf(one))
  }, 120_000)

  it('wait while somebody pauses them', async () => {
    const client = (await one.admin()).client(sync)
    expect(await client.pause({})).toMatchObject({ state: 'paused' })
    await receive(one, 'While paused')
    await receive(two, 'Meanwhile')
    await untilCaughtUp(two)
    expect(await namesAt(one)).not.toContain('Meanwhile')
    await client.resume({})
    await Promise.all([untilSeen(two, 'While paused'), untilSeen(one, 'Meanwhile')])
  }, 120_000)

  it('have the Hub’s signature under their journal, which a verification compares', async () => {
    await untilCaughtUp(one)
    const proof = await (await one.admin()).client(system).verifyJournal()
    expect(proof).toMatchObject({ status: 'whole', problems: [] })
    const hubFingerprint = openWorkstationKey(network.hub.home).fingerprint
    expect(proof.countersigned).toMatchObject({ by: hubFingerprint })
    expect(proof.countersigned?.upTo).toBeGreaterThan(0)
    expect(proof.words).toContain(`${hubFingerprint} has countersigned them up to entry`)
  })

  it('go on when the journal of one is lost with much that waits: the Hub gets all, and notes that it was begun anew', async () => {
    await untilCaughtUp(one)
    network.proxy.leadTo(null)
    const codes = await allocateCodes(one, 2_100)
    await one.stop()
    for (const name of ['journal.sqlite', 'journal.sqlite-wal', 'journal.sqlite-shm'])
      rmSync(join(one.home, name), { force: true })
    await one.start()
    network.proxy.leadTo(network.hub.url)
    await (await one.admin()).client(sync).goNow({})
    await untilCaughtUp(one, 120_000)
    const atHub = new Set((await contentsOf(network.hub)).codes.map(({ text }) => text))
    expect(codes.filter((text) => !atHub.has(text))).toEqual([])
    await receive(one, 'After the loss')
    await receive(two, 'Beside it')
    await Promise.all([untilSeen(two, 'After the loss'), untilSeen(one, 'Beside it')])
    await Promise.all([untilCaughtUp(one), untilCaughtUp(two)])
    expect(await contentsOf(two)).toEqual(await contentsOf(one))
    const proof = await (await one.admin()).client(system).verifyJournal()
    expect(proof).toMatchObject({ status: 'whole', problems: [] })
  }, 240_000)

  /** Each is a change set of its own. */
  async function allocateCodes(machine: Machine, count: number): Promise<readonly string[]> {
    const { allocate } = (await machine.admin()).client(barcodes)
    const codes: string[] = []
    while (codes.length < count) {
      const some = await Promise.all(Array.from({ length: 20 }, () => allocate({ kind: 'box' })))
      codes.push(...some.flatMap((answer) => answer.codes))
    }
    return codes
  }
})
