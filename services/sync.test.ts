import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { blood } from './samples/testing/samples-bench.ts'
import { type Bench, openSyncedLaboratory, type SyncedLaboratory } from './testing/synced-laboratory.ts'

describe('two workstations and a Hub', () => {
  let laboratory: SyncedLaboratory
  let first: Bench
  let second: Bench

  beforeAll(async () => {
    laboratory = await openSyncedLaboratory(2)
    const [one, two] = laboratory.workstations
    if (one === undefined || two === undefined) throw new Error('There are two')
    first = one
    second = two
  }, 120_000)
  afterAll(() => laboratory.close())
  afterEach(() => {
    for (const { bench } of [laboratory.hub, first, second]) expect(bench.logs).toEqual([])
  })

  async function expectEqual() {
    const atHub = await laboratory.readRows(laboratory.hub)
    expect(await laboratory.readRows(first)).toEqual(atHub)
    expect(await laboratory.readRows(second)).toEqual(atHub)
    return atHub
  }

  it('have the same rows after what one of them did', async () => {
    const freezer = await first.storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const box = await first.storage.createNode({
      ...{ kind: 'box', parentId: freezer.id, name: 'Box 1', rows: 9, columns: 9 },
    })
    await first.samples.receive({ sample: blood({ name: 'S-1' }), placement: { boxId: box.id } })
    await laboratory.syncAll()
    const rows = await expectEqual()
    expect(rows['samples/sample']?.map(({ name }) => name)).toEqual(['S-1'])
    expect(await laboratory.openItems()).toEqual([])
  })
})
