import { join, resolve } from 'node:path'
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { z } from 'zod'
import { system } from '../platform/gateway/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { type NodeId, storage } from '../services/storage/contract.ts'
import { send } from '../main/testing/http-client.ts'
import {
  killLeftOvers,
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from '../main/testing/workstation-process.ts'

const program = resolve(import.meta.dirname, 'index.ts')
const home = makeHome()
let hub: WorkstationProcess
let admin: SignedIn

async function start(): Promise<void> {
  hub = await startWorkstationProcess(home, { program })
  admin = await signInTo(hub)
}
beforeAll(start, 120_000)
afterAll(async () => {
  await hub.stop()
  await killLeftOvers()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

function receive(name: string, boxId?: z.infer<typeof NodeId>) {
  const sample = { name, type: 'DNA', volumeUl: '50' }
  const placement = boxId === undefined ? {} : { placement: { boxId } }
  return admin
    .client(samples)
    .receive({ sample, containerKind: 'tube', ...placement }, { context: { key: name.replace(' ', '-') } })
}

describe('a Hub with a PostgreSQL server of its own', () => {
  it('says what it is and that it is ready, to whoever asks', async () => {
    expect(await send({ url: `${hub.url}/health`, method: 'GET', headers: {} })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    })
    const { status, body } = await send({ url: `${hub.url}/openapi.json`, method: 'GET', headers: {} })
    expect(status).toBe(200)
    expect(body).toMatchObject({ openapi: '3.1.1', info: { title: 'TracSeq Hub' } })
    const docs = await send({ url: `${hub.url}/docs`, method: 'GET', headers: {} })
    expect(docs.status).toBe(200)
    expect(docs.headers.get('x-frame-options')).toBe('SAMEORIGIN')
    const metrics = await send({ url: `${hub.url}/metrics`, method: 'GET', headers: {} })
    expect(String(metrics.body)).toContain('tracseq_')
  })

  it('lets no other site read from it', async () => {
    const answer = await send({
      url: `${hub.url}/v1/samples`,
      method: 'GET',
      headers: { origin: 'https://elsewhere.example', authorization: `Bearer ${admin.token}` },
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('answers nobody without a token, and none that was altered', async () => {
    const get = (token: string) =>
      send({
        url: `${hub.url}/v1/samples`,
        method: 'GET',
        headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      })
    expect((await get('')).status).toBe(401)
    expect((await get(`${admin.token.slice(0, -4)}AAAA`)).status).toBe(401)
    expect((await get(admin.token)).status).toBe(200)
  })

  it('runs the services as a workstation does, several workers each', async () => {
    const received = await receive('One')
    expect(received).toMatchObject({ sample: { name: 'One', state: 'validated' } })
    expect(await receive('One')).toEqual(received)
    const found = await admin.client(barcodes).resolve({ text: received.code })
    expect(found.matches).toMatchObject([{ text: received.code, state: 'linked' }])
    const services = await admin.client(system).services()
    expect(services.find(({ name }) => name === 'samples')).toMatchObject({ instances: 2, state: 'ready' })
  })

  it('keeps one container per position when many workers place at once', async () => {
    const client = admin.client(storage)
    const freezer = await client.createNode({ kind: 'freezer', name: 'Freezer', zone: 'minus_20' })
    const box = await client.createNode({
      kind: 'box',
      name: 'Box',
      parentId: freezer.id,
      rows: 4,
      columns: 5,
    })
    const boxId = box.id
    const results = await Promise.allSettled(
      Array.from({ length: 24 }, (_, index) => receive(`Tube ${index}`, boxId)),
    )
    const placed = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.place?.position] : [],
    )
    expect(placed).toHaveLength(20)
    expect(new Set(placed).size).toBe(20)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(4)
  }, 60_000)
})

describe('a Hub that is killed', () => {
  afterEach(async () => {
    expect(await admin.client(system).verifyJournal()).toMatchObject({ status: 'whole' })
  })

  it('comes back with everything it answered, each once', async () => {
    const acknowledged: string[] = []
    const working = (async () => {
      for (let index = 0; ; index += 1) {
        await receive(`Kept ${index}`)
        acknowledged.push(`Kept ${index}`)
      }
    })().catch(() => undefined)
    await new Promise((done) => setTimeout(done, 2_500))
    await hub.kill()
    await working
    await start()
    const there = await namesOf('Kept')
    expect(acknowledged.length).toBeGreaterThan(0)
    for (const name of acknowledged) expect(there.filter((each) => each === name)).toEqual([name])
  }, 120_000)

  it('goes on when its PostgreSQL server ends in the middle of work', async () => {
    const acknowledged: string[] = []
    const over = new AbortController()
    const working = (async () => {
      for (let index = 0; !over.signal.aborted; index += 1) {
        // Refused while the server is away; the next one is another tube.
        await receive(`Through ${index}`).then(
          () => acknowledged.push(`Through ${index}`),
          () => delay(100),
        )
      }
    })()
    const patience = { timeout: 60_000, interval: 200 }
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(3), patience)
    const before = acknowledged.length
    const [pid] = readFileSync(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), 'SIGKILL')
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 3), patience)
    over.abort()
    await working
    const there = await namesOf('Through')
    for (const name of acknowledged) expect(there.filter((each) => each === name)).toEqual([name])
  }, 180_000)

  async function namesOf(search: string): Promise<readonly string[]> {
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await admin
        .client(samples)
        .list({ search, limit: 200, ...(cursor === undefined ? {} : { cursor }) })
      names.push(...page.items.map(({ name }) => name))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return names
  }
})

it('knows its people', async () => {
  expect(await admin.client(auth).me()).toMatchObject({ user: { roles: ['lab_administrator'] } })
})
