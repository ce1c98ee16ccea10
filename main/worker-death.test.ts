import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { ORPCError } from '@orpc/client'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeOf, startWorkstationHere, type WorkstationHere } from './testing/workstation-here.ts'

/** The newest worker of each name, as Node itself tells of them. */
const workers = new Map<string, Worker>()
const remember = (worker: Worker) => void workers.set(worker.threadName ?? '', worker)

let bench: WorkstationHere
let token: string

beforeAll(async () => {
  process.on('worker', remember)
  bench = await startWorkstationHere()
  await bench.wakeAll()
  token = await bench.signIn()
}, 120_000)
afterAll(async () => {
  await bench.close()
  process.off('worker', remember)
})

interface Allocation {
  readonly key: string
  readonly codes: readonly string[]
}

/** Enough that many calls are in hand when the first is answered. */
const codesEach = 100

async function allocate(key: string): Promise<Allocation> {
  const answer = await bench.call('barcodes.allocate', { kind: 'sample', count: codesEach }, { token, key })
  return { key, ...(answer as { readonly codes: readonly string[] }) }
}

/** As a client does it: what was not started or is unknown is asked for again with its key. */
async function allocateInTheEnd(key: string): Promise<Allocation> {
  for (;;) {
    try {
      return await allocate(key)
    } catch (error) {
      if (!(error instanceof ORPCError) || !['NOT_STARTED', 'OUTCOME_UNKNOWN'].includes(String(error.code)))
        throw error
      await delay(200)
    }
  }
}

test('a service that dies in the middle of calls takes nobody with it, and comes back with its data', async () => {
  const before = await allocate('before')
  const others = watchOthers()
  const keys = Array.from({ length: 30 }, (_, index) => `in-hand-${index}`)
  const startedAt = performance.now()
  const outcomes = keys.map((key) => codeOf(allocate(key)))
  await Promise.race(outcomes)
  await workers.get('barcodes')?.terminate()

  const codes = await Promise.all(outcomes)
  expect(performance.now() - startedAt, 'all are answered before their deadline').toBeLessThan(10_000)
  expect(new Set(codes)).toEqual(new Set(['OK', 'OUTCOME_UNKNOWN']))

  const settled = await Promise.all(keys.map(allocateInTheEnd))
  const given = [...before.codes, ...settled.flatMap((each) => each.codes)]
  expect(new Set(given).size).toBe(codesEach * (keys.length + 1))
  expect(await allocate('before')).toEqual(before)
  expect(await countCodes()).toBe(given.length)

  expect(await others.stop()).toEqual(new Set(otherPaths.map((path) => `${path} OK`)))
  const restarts = bench.workstation.gateway.services().map(({ name, restarts: times }) => [name, times])
  expect(Object.fromEntries(restarts)).toMatchObject({ barcodes: 1, auth: 0, storage: 0 })
})

test('it may die again and again: each command is done once', async () => {
  const before = await countCodes()
  const keys = Array.from({ length: 30 }, () => uuidv7())
  const work = Promise.all(keys.map(allocateInTheEnd))
  for (let death = 0; death < 3; death += 1) {
    await delay(100 + 150 * death)
    await workers.get('barcodes')?.terminate()
  }
  const settled = await work
  expect(new Set(settled.flatMap(({ codes }) => codes)).size).toBe(codesEach * keys.length)
  expect(await countCodes()).toBe(before + codesEach * keys.length)
})

test('when the service of sessions dies, people stay signed in', async () => {
  await workers.get('auth')?.terminate()
  await delay(10)
  const until = Date.now() + 20_000
  let outcome = ''
  while (outcome !== 'OK' && Date.now() < until) {
    outcome = await codeOf(bench.call('auth.me', undefined, { token }))
    expect(['OK', 'NOT_STARTED']).toContain(outcome)
    await delay(200)
  }
  expect(outcome).toBe('OK')
})

async function countCodes(): Promise<number> {
  const answer = await bench.call('barcodes.statistics', undefined, { token })
  const { counts } = answer as { readonly counts: readonly { readonly count: number }[] }
  return counts.reduce((total, { count }) => total + count, 0)
}

const otherPaths = ['auth.me', 'storage.zones', 'system.health']

/** Asks other services all the while, and tells what came of it. */
function watchOthers() {
  const seen = new Set<string>()
  const ended = new AbortController()
  const watch = async (path: string) => {
    while (!ended.signal.aborted) {
      seen.add(`${path} ${await codeOf(bench.call(path, undefined, { token }))}`)
      await delay(20)
    }
  }
  const all = Promise.all(otherPaths.map(watch))
  return {
    async stop() {
      ended.abort()
      await all
      return seen
    },
  }
}
