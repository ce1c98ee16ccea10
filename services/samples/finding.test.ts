import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import type { Sample } from './contract.ts'
import { samplesService } from './service.ts'
import { fillWithSamples, sampleId } from './testing/many-samples.ts'

const many = 20_000
let bench: ServiceBench
beforeAll(async () => {
  bench = await openServiceBench([samplesService])
  await fillWithSamples(bench.database('samples'), bench.actor.laboratoryId, many)
  await fillWithSamples(bench.database('samples'), uuidv7(), 2_000)
}, 120_000)
afterAll(() => bench.close())

const samples = () => bench.client(samplesService)
type ListInput = Parameters<ReturnType<typeof samples>['list']>[0]

/** Every item of a list, page by page. */
async function collect(input: ListInput): Promise<readonly Sample[]> {
  const items: Sample[] = []
  let cursor: string | undefined
  do {
    const page = await samples().list({ limit: 500, ...input, ...(cursor === undefined ? {} : { cursor }) })
    items.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return items
}

describe('a list', () => {
  it.each([
    ['createdAt', (item: Sample) => item.createdAt],
    ['name', (item: Sample) => item.name],
    ['state', (item: Sample) => item.state],
    ['type', (item: Sample) => item.type],
    ['collectedOn', (item: Sample) => item.collectedOn ?? ''],
  ] as const)('sorted by %s has each sample once, in both directions', async (field, keyOf) => {
    const filter = { donor: 'D-7', withDeleted: true }
    const up = await collect({ ...filter, sort: field, limit: 7 })
    expect(new Set(up.map(({ id }) => id)).size).toBe(many / 500)
    expect(up.map(keyOf)).toEqual(up.map(keyOf).toSorted())
    const down = await collect({ ...filter, sort: `-${field}`, limit: 11 })
    expect(down.map(({ id }) => id)).toEqual(up.map(({ id }) => id).toReversed())
  })

  it.each<[ListInput, (item: Sample) => boolean, number]>([
    [{ state: 'validated' }, (item) => item.state === 'validated', many / 4],
    [{ state: ['pending', 'deleted'] }, ({ state }) => state === 'pending' || state === 'deleted', many / 2],
    [{ project: 'Project 3' }, (item) => item.project === 'Project 3' && item.state !== 'deleted', 0],
    [{ project: 'Project 4' }, (item) => item.project === 'Project 4', many / 20],
    [{ donor: 'D-12', withDeleted: true }, (item) => item.donor === 'D-12', many / 500],
    [{ importId: sampleId(3) }, (item) => item.importId === sampleId(3), 10],
    [{ search: 'c777' }, (item) => item.clientId?.startsWith('C-777') === true, 8],
    [{ search: 'ts test 0000777' }, (item) => item.code === 'TS-TEST-0000777-X', 1],
    [{ search: 'TSTEST0000777X' }, (item) => item.code === 'TS-TEST-0000777-X', 1],
    [{ search: 'ts-test-0000777' }, (item) => item.code === 'TS-TEST-0000777-X', 1],
    [{ search: 'Draw C-777 PATIENT' }, (item) => item.clientId?.startsWith('C-777') === true, 8],
    [{ search: 'patient', project: 'Project 4' }, (item) => item.project === 'Project 4', many / 20],
    [{ search: 'nothing like this' }, () => true, 0],
    [{ search: '---' }, () => true, 0],
  ])('filtered by %j', async (input, fits, expected) => {
    const items = await collect(input)
    expect(items.every(fits)).toBe(true)
    expect(items).toHaveLength(expected)
  })

  it('filtered by type takes names as well as keys', async () => {
    const [byKey, byName] = [
      await collect({ type: 'rna', donor: 'D-1' }),
      await collect({ type: 'RNA', donor: 'D-1' }),
    ]
    expect(byKey.length).toBeGreaterThan(0)
    expect(byName).toEqual(byKey)
    expect(byKey.every(({ type }) => type === 'rna')).toBe(true)
    await expect(samples().list({ type: 'moon dust' })).rejects.toMatchObject({ code: 'RULE_BROKEN' })
  })

  it('filtered by time includes both ends', async () => {
    const [after, before] = ['2026-01-01T00:10:00.000Z', '2026-01-01T00:20:00.000Z']
    const items = await collect({
      createdAfter: after,
      createdBefore: before,
      withDeleted: true,
      sort: 'createdAt',
    })
    expect(items).toHaveLength(601)
    expect([items[0]?.createdAt, items.at(-1)?.createdAt]).toEqual([after, before])
  })

  it('stays whole while samples are added between its pages', async () => {
    const first = await samples().list({ limit: 5 })
    await samples().accession({ sample: { name: 'Newcomer', type: 'dna' } })
    const second = await samples().list({ limit: 5, cursor: first.nextCursor ?? '' })
    const ids = [...first.items, ...second.items].map(({ id }) => id)
    expect(new Set(ids).size).toBe(10)
  })

  it.each(['not a cursor', Buffer.from('["x"]').toString('base64url')])(
    'refuses the cursor %j',
    async (cursor) => {
      await expect(samples().list({ cursor })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    },
  )
})

it('counts the states', async () => {
  const counts = await samples().counts()
  expect(counts.find(({ state }) => state === 'deleted')).toEqual({ state: 'deleted', count: many / 4 })
})

it('writes no defect into the log', () => {
  expect(bench.logs).toEqual([])
})
