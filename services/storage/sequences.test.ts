import fc from 'fast-check'
import { ORPCError } from '@orpc/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Container, StorageNode } from './contract.ts'
import { positionKey } from './containers.ts'
import { recountCapacity } from './domain/capacity.ts'
import { openStorageBench, type StorageBench } from './testing/storage-bench.ts'

type ContainerId = Container['id']
type NodeId = StorageNode['id']

let on: StorageBench
beforeAll(async () => {
  on = await openStorageBench()
})
afterAll(() => on.bench.close())

const acts = [
  'create',
  'place',
  'place anywhere',
  'move',
  'swap',
  'take out',
  'check out',
  'return',
  'return elsewhere',
  'dispose',
  'reserve',
  'use reservation',
  'cancel',
  'out of use',
  'into use',
] as const

const step = fc.record({
  act: fc.constantFrom(...acts),
  tube: fc.nat(4),
  other: fc.nat(4),
  box: fc.nat(1),
  position: fc.constantFrom('A1', 'a02', 'B1', 'B 2'),
})
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

/** What a refusal may be: anything else is a defect and fails the property. */
const expected = new Set(['POSITION_TAKEN', 'BOX_FULL', 'RULE_BROKEN', 'NOT_FOUND'])

it('any sequence of work keeps capacity, places and histories', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
      const freezer = await on.makeFreezer()
      const size = { freezerId: freezer.id, rows: 2, columns: 2 }
      const boxes = [await on.makeBox(size), await on.makeBox(size)]
      const boxIds = boxes.map(({ id }) => id)
      const tubes: ContainerId[] = []
      for (let index = 0; index < 5; index += 1) tubes.push((await on.makeTube()).id)
      for (const each of steps) {
        await attempt(each, boxIds, tubes)
        await check(freezer.id, boxIds, tubes)
      }
      await checkHistories(tubes)
    }),
    { numRuns: 12, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
  )
}, 120_000)

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})

async function attempt({ act, ...on }: Step, boxIds: readonly NodeId[], tubes: ContainerId[]): Promise<void> {
  const containerId = pick(tubes, on.tube)
  const boxId = pick(boxIds, on.box)
  try {
    await perform(act, { containerId, boxId, other: pick(tubes, on.other), position: on.position }, tubes)
  } catch (error) {
    if (!isRefusal(error) || !expected.has(error.code)) throw error
  }
}

function isRefusal(error: unknown): error is ORPCError<string, unknown> {
  return error instanceof ORPCError
}

async function perform(
  act: Step['act'],
  where: {
    readonly containerId: ContainerId
    readonly boxId: NodeId
    readonly other: ContainerId
    readonly position: string
  },
  tubes: ContainerId[],
): Promise<unknown> {
  const { containerId, boxId, other, position } = where
  const { storage } = on
  const target = { boxId, position }
  const positions = [position]
  switch (act) {
    case 'create':
      return tubes.push((await on.makeTube()).id)
    case 'place':
      return storage.place({ containerId, target })
    case 'place anywhere':
      return storage.place({ containerId, target: { boxId } })
    case 'move':
      return storage.move({ containerId, target })
    case 'swap': {
      const [mine, theirs] = await Promise.all([
        storage.getContainer({ id: containerId }),
        storage.getContainer({ id: other }),
      ])
      if (mine.place === null || theirs.place === null) return null
      return storage.moveMany({
        moves: [
          { containerId, target: { boxId: theirs.place.boxId, position: theirs.place.position } },
          { containerId: other, target: { boxId: mine.place.boxId, position: mine.place.position } },
        ],
      })
    }
    case 'take out':
      return storage.takeOut({ containerId, reason: 'property' })
    case 'check out':
      return storage.checkOut({ containerId })
    case 'return':
      return storage.returnToPlace({ containerId })
    case 'return elsewhere':
      return storage.returnToPlace({ containerId, target })
    case 'dispose':
      return storage.dispose({ containerId, reason: 'property' })
    case 'reserve': {
      const until = new Date(Date.now() + 3_600_000).toISOString()
      return storage.reserve({ boxId, positions, until, reservedFor: 'property' })
    }
    case 'use reservation':
      return storage.place({ containerId, target: { ...target, useReservation: true } })
    case 'cancel':
      return storage.cancelReservation({ boxId, positions })
    case 'out of use':
      return storage.setOutOfUse({ boxId, positions, outOfUse: true, reason: 'property' })
    case 'into use':
      return storage.setOutOfUse({ boxId, positions, outOfUse: false, reason: 'property' })
  }
}

/** Capacity in tree and boxes equals a recount of the positions, and every container is where it says. */
async function check(
  freezerId: NodeId,
  boxIds: readonly NodeId[],
  tubes: readonly ContainerId[],
): Promise<void> {
  const maps = await Promise.all(boxIds.map((boxId) => on.storage.boxMap({ boxId })))
  const positions = maps.flatMap((map) => map.positions)
  const tree = new Map((await on.storage.tree({ rootId: freezerId })).map((node) => [node.id, node.capacity]))
  expect(tree.get(freezerId)).toEqual(recountCapacity(positions.map(({ state }) => state)))
  for (const map of maps) expect(tree.get(map.box.id)).toEqual(map.box.capacity)

  const held = maps.flatMap((map) =>
    map.positions.flatMap(({ label, state, container }) =>
      container === null ? [] : [[container.id, positionKey(map.box.id, label), state] as const],
    ),
  )
  expect(new Set(held.map(([id]) => id)).size).toBe(held.length)
  const shown = new Map(held.map(([id, place, state]) => [id, { place, state }]))
  for (const { containerId, state, boxId, position } of await on.storage.locate({
    containerIds: [...tubes],
  })) {
    const at = shown.get(containerId)
    const place = boxId === null || position === null ? null : positionKey(boxId, position)
    expect([state, at?.place ?? null]).toEqual([state, place])
    const held = {
      unplaced: undefined,
      disposed: undefined,
      placed: 'occupied',
      checked_out: 'reserved',
    } as const
    expect(at?.state).toBe(held[state])
  }
}

/** Each history is one chain from the registration to where the container is now. */
async function checkHistories(tubes: readonly ContainerId[]): Promise<void> {
  const now = new Map(
    (await on.storage.locate({ containerIds: [...tubes] })).map((each) => [each.containerId, each]),
  )
  for (const containerId of tubes) {
    const { items } = await on.storage.history({ containerId, limit: 200 })
    expect(items.map(({ broken }) => broken)).toEqual(items.map(() => null))
    expect(items.at(-1)?.what).toBe('registered')
    const [last] = items
    const at = now.get(containerId)
    const end = at?.state === 'placed' ? { boxId: at.boxId, position: at.position } : null
    expect(last?.toPosition ?? null).toEqual(end)
  }
  expect((await on.storage.capacityCheck()).differences).toEqual([])
}

function pick<Each>(all: readonly Each[], index: number): Each {
  const found = all[index % all.length]
  if (found === undefined) throw new Error('There is nothing to pick from')
  return found
}
