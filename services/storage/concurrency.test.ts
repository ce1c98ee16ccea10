import { type SQL, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Container } from './contract.ts'
import { openStorageBench, type StorageBench } from './testing/storage-bench.ts'

let on: StorageBench
beforeAll(async () => {
  on = await openStorageBench()
})
afterAll(() => on.bench.close())

describe('fifty at once for ten positions', () => {
  it.each(['each at one of them', 'anywhere in the box'])('%s: ten win', async (how) => {
    const box = await on.makeBox({ rows: 2, columns: 5 })
    const { positions } = await on.storage.boxMap({ boxId: box.id })
    const tubes: Container[] = []
    for (let index = 0; index < 50; index += 1) tubes.push(await on.makeTube())
    const placed = await Promise.allSettled(
      tubes.map((tube, index) => {
        const position = positions[index % 10]?.label
        const exact = how === 'each at one of them' && position !== undefined
        const target = exact ? { boxId: box.id, position } : { boxId: box.id }
        return on.storage.place({ containerId: tube.id, target })
      }),
    )
    const winners = placed.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const losers = placed.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
    expect(new Set(winners.map(({ place }) => place?.position)).size).toBe(10)
    expect(winners).toHaveLength(10)
    expect(losers).toHaveLength(40)
    const code = how === 'anywhere in the box' ? 'BOX_FULL' : 'POSITION_TAKEN'
    for (const loser of losers) expect(loser).toMatchObject({ code, status: 409 })
    const { box: after, positions: filled } = await on.storage.boxMap({ boxId: box.id })
    expect(after.capacity).toMatchObject({ occupied: 10, available: 0, level: 'critical' })
    expect(new Set(filled.map(({ container }) => container?.id)).size).toBe(10)
    const losing = await on.storage.listContainers({ state: 'unplaced', limit: 500 })
    expect(losing.items.filter(({ id }) => tubes.some((tube) => tube.id === id))).toHaveLength(40)
  })

  it('two moves that cross, and a place between them, leave one container in each position', async () => {
    const box = await on.makeBox({ rows: 1, columns: 3 })
    const [a, b] = [await on.placeTube(box.id, 'A1'), await on.placeTube(box.id, 'A2')]
    const c = await on.makeTube()
    const at = (containerId: string, position: string) => ({
      containerId,
      target: { boxId: box.id, position },
    })
    await Promise.allSettled([
      on.storage.move(at(a.id, 'A3')),
      on.storage.move(at(b.id, 'A3')),
      on.storage.place(at(c.id, 'A1')),
      on.storage.moveMany({ moves: [at(a.id, 'A2'), at(b.id, 'A1')] }),
    ])
    const { positions } = await on.storage.boxMap({ boxId: box.id })
    const ids = positions.flatMap(({ container }) => container?.id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining([a.id, b.id]))
    expect((await on.storage.capacityCheck()).differences).toEqual([])
  })
})

it('is held by the database itself, whatever a program tries', async () => {
  const box = await on.makeBox({ rows: 1, columns: 2 })
  const [a, b] = [await on.placeTube(box.id, 'A1'), await on.placeTube(box.id, 'A2')]
  const steal = (set: SQL, containerId: string) =>
    on.bench.database('storage').asOwner(async (tx) => {
      await tx.execute(sql`select set_config('tracseq.change_set_id', ${a.revision}, true)`)
      await tx.execute(sql`update placement set ${set} where container_id = ${containerId}::uuid`)
    })
  const wordsOf = async (attempt: Promise<unknown>) => {
    const error: unknown = await attempt.catch((each: unknown) => each)
    return error instanceof Error && error.cause instanceof Error
      ? error.cause.message
      : 'nothing was refused'
  }
  expect(await wordsOf(steal(sql`position = 'A1'`, b.id))).toMatch(/one_container_per_position/)
  expect(await wordsOf(steal(sql`container_id = ${a.id}::uuid`, b.id))).toMatch(/one_position_per_container/)
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
