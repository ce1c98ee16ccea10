import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Container } from './contract.ts'
import { fixturePath, hasFixtures } from '../testing/fixtures.ts'
import { openStorageBench, type StorageBench } from './testing/storage-bench.ts'

const scans = fixturePath('rack-scans/sanger-limber/common_file_handling')

let on: StorageBench
beforeAll(async () => {
  on = await openStorageBench()
})
afterAll(() => on.bench.close())

describe('a whole-rack scan', () => {
  it('says of every position how it differs from the books', async () => {
    const { box, tubes } = await rackOf(['A1', 'A2', 'A3', 'B1'])
    const [a1, a2, a3, b1] = tubes
    const elsewhere = await tubeWithCode()
    const other = await on.makeBox()
    await on.storage.place({ containerId: elsewhere.id, target: { boxId: other.id, position: 'C3' } })
    const fresh = await tubeWithCode()
    const text = [
      `A1,${a1.code}`,
      `A2,${a3.code}`,
      `A3,NO READ`,
      `B1,`,
      `B2,${elsewhere.code}`,
      `B3,${fresh.code.toLowerCase()}`,
      `C1,NEVER-SEEN-1`,
      `C2,EMPTY`,
    ].join('\n')
    const read = await on.storage.readRackScan({ boxId: box.id, text })
    expect(read.reads.map((each) => [each.position, each.result, each.label, each.expected])).toEqual([
      ['A1', 'as_expected', a1.label, a1.label],
      ['A2', 'moved_here', a3.label, a2.label],
      ['A3', 'empty', null, a3.label],
      ['B2', 'moved_here', elsewhere.label, null],
      ['B3', 'new_here', fresh.label, null],
      ['C1', 'unknown_code', null, null],
      ['C2', 'empty', null, null],
      ['B1', 'unreadable', null, b1.label],
    ])
    expect(read.problems).toEqual([
      { row: 4, position: 'B1', message: 'Tube rack scan tube barcode cannot be empty, in row 4 [B1]' },
    ])
    expect(read.reads[3]?.sentence).toContain(`${other.name}, C3`)
    // Reading changes nothing.
    expect((await on.storage.getContainer({ id: a3.id })).place?.position).toBe('A3')

    const applied = await on.storage.applyRackScan({ boxId: box.id, text })
    expect(
      applied.results.map((each) => [each.row, each.ok ? each.value.place?.position : each.error.code]),
    ).toEqual([
      [1, 'A1'],
      [2, 'POSITION_TAKEN'],
      [5, 'B2'],
      [6, 'B3'],
      [7, 'UNKNOWN_CODE'],
    ])
    const [, refused] = applied.results
    expect(refused?.ok === false && refused.error.message).toContain(`A2 holds ${a2.label}`)
    expect(applied.problems.map(({ position }) => position)).toEqual(['B1'])
    expect((await on.storage.getContainer({ id: elsewhere.id })).place?.boxId).toBe(box.id)
    const [event] = (await on.storage.history({ containerId: elsewhere.id })).items
    expect(event).toMatchObject({ what: 'moved', reason: 'Read by a whole-rack scan', broken: null })
  })

  it('takes over a rearranged rack: swaps, chains, new and checked-out tubes, in few change sets', async () => {
    const { box, tubes } = await rackOf(['A1', 'A2', 'A3', 'B1'])
    const [a1, a2, a3, b1] = tubes
    await on.storage.checkOut({ containerId: b1.id })
    const fresh = await tubeWithCode()
    // A1 and A2 change places; A3 goes where the checked-out tube was, which is back elsewhere; a new one follows A3.
    const text = [
      `A2,${a1.code}`,
      `A1,${a2.code}`,
      `B1,${a3.code}`,
      `C1,${b1.code}`,
      `A3,${fresh.code}`,
    ].join('\r\n')
    const before = await on.bench.journal.domainHead('storage')
    const { results, problems } = await on.storage.applyRackScan({ boxId: box.id, text })
    const after = await on.bench.journal.domainHead('storage')
    expect(problems).toEqual([])
    expect(results.map((each) => each.ok && [each.value.label, each.value.place?.position])).toEqual([
      [a1.label, 'A2'],
      [a2.label, 'A1'],
      [a3.label, 'B1'],
      [b1.label, 'C1'],
      [fresh.label, 'A3'],
    ])
    expect((after?.domainSequence ?? 0) - (before?.domainSequence ?? 0)).toBe(2)
    const again = await on.storage.applyRackScan({ boxId: box.id, text })
    expect(again.results).toEqual(results)
    expect((await on.storage.capacityCheck()).differences).toEqual([])
  })

  it('lists tubes that are missing, and leaves them where the books have them', async () => {
    const { box, tubes } = await rackOf(['A1', 'A2'])
    const [a1, a2] = tubes
    const text = `A1,${a1.code}\nA2,NO READ`
    const { results, problems } = await on.storage.applyRackScan({ boxId: box.id, text })
    expect(results).toMatchObject([{ ok: true, row: 1 }])
    expect(problems).toMatchObject([{ position: 'A2', message: expect.stringContaining(a2.label) as string }])
    expect((await on.storage.getContainer({ id: a2.id })).place?.position).toBe('A2')
  })

  it('answers the same again for the same key', async () => {
    const box = await on.makeBox()
    const tube = await tubeWithCode()
    const input = { boxId: box.id, text: `A1,${tube.code}` }
    const first = await on.storage.applyRackScan(input, { context: { key: 'scan of the rack' } })
    expect(await on.storage.applyRackScan(input, { context: { key: 'scan of the rack' } })).toEqual(first)
    expect((await on.storage.history({ containerId: tube.id })).items).toHaveLength(2)
  })

  it('is not applied to another place than the rack it names', async () => {
    const box = await on.makeBox()
    const other = await on.makeBox()
    const tube = await tubeWithCode()
    const text = `${other.code ?? ''},A1,${tube.code}`
    expect((await on.storage.readRackScan({ boxId: box.id, text })).problems).toMatchObject([
      { row: null, message: expect.stringContaining('not of') as string },
    ])
    await expect(on.storage.applyRackScan({ boxId: box.id, text })).rejects.toMatchObject({
      code: 'RULE_BROKEN',
      data: { rule: 'rack_scan_of_another_place' },
    })
    expect(await on.storage.applyRackScan({ boxId: other.id, text })).toMatchObject({
      results: [{ ok: true }],
    })
  })

  it('finds a tube by the code of its sample, unless the sample has several', async () => {
    const box = await on.makeBox()
    const sampleId = uuidv7()
    await on.barcodes.link({ text: 'CLIENT-7', thing: { kind: 'sample', id: sampleId } })
    const first = await on.storage.createContainer({ label: 'only tube', sampleId })
    const text = 'A1,CLIENT-7'
    expect((await on.storage.readRackScan({ boxId: box.id, text })).reads).toMatchObject([
      { result: 'new_here', containerId: first.id },
    ])
    await on.storage.createContainer({ label: 'second tube', sampleId })
    const { results, problems } = await on.storage.applyRackScan({ boxId: box.id, text })
    expect(results).toMatchObject([{ ok: false, row: 1, error: { code: 'UNKNOWN_CODE' } }])
    expect(problems).toMatchObject([
      { row: 1, position: 'A1', message: expect.stringContaining('several') as string },
    ])
  })

  it('keeps to the zones, row by row', async () => {
    const box = await on.makeBox({ zone: 'minus_20' })
    const [rna, dna] = [await tubeWithCode('RNA'), await tubeWithCode('DNA')]
    const { results } = await on.storage.applyRackScan({
      boxId: box.id,
      text: `A1,${rna.code}\nA2,${dna.code}`,
    })
    expect(results).toMatchObject([
      { ok: false, row: 1, error: { code: 'ZONE_NOT_ALLOWED' } },
      { ok: true, row: 2, value: { place: { position: 'A2' } } },
    ])
  })

  it('reports a disposed tube in its row', async () => {
    const box = await on.makeBox()
    const tube = await tubeWithCode()
    await on.storage.dispose({ containerId: tube.id, reason: 'empty' })
    const { results } = await on.storage.applyRackScan({ boxId: box.id, text: `A1,${tube.code}` })
    expect(results).toMatchObject([{ ok: false, row: 1, error: { code: 'RULE_BROKEN' } }])
  })
})

describe.runIf(hasFixtures)('scans of a real rack scanner', () => {
  const tubeCode = (number: number) => `AB100000${String(number).padStart(2, '0')}`
  const columnMajor = [1, 2].flatMap((column) => [...'ABCDEFGH'].map((row) => `${row}${column}`))
  let ids: readonly Container['id'][] = []

  beforeAll(async () => {
    const made: Container['id'][] = []
    for (let number = 1; number <= 16; number += 1) {
      const tube = await on.makeTube()
      await on.barcodes.link({ text: tubeCode(number), thing: { kind: 'container', id: tube.id } })
      made.push(tube.id)
    }
    ids = made
  })

  it.each(['tube_rack', 'tube_rack_with_rack_barcode'])(
    '%s: valid, with byte order mark, and with tubes taken away',
    async (folder) => {
      const box = await on.makeBox({ rows: 8, columns: 12 })
      const first = await apply(box.id, folder, 'valid')
      expect(first.problems).toEqual([])
      expect(first.results).toHaveLength(16)
      const where = await on.storage.locate({ containerIds: [...ids] })
      const positionOf = new Map(where.map((each) => [each.containerId, each.position]))
      expect(ids.map((id) => positionOf.get(id))).toEqual(columnMajor)
      const bom = await apply(box.id, folder, 'with_bom')
      expect(bom.results).toEqual(first.results)

      const { results, problems } = await apply(box.id, folder, 'with_missing_tubes')
      expect(results.filter(({ ok }) => ok)).toHaveLength(13)
      expect(problems.map(({ position }) => position)).toEqual(['C1', 'A2', 'G2'])
      expect((await on.storage.getNode({ id: box.id })).capacity.occupied).toBe(16)
      for (const containerId of ids) await on.storage.takeOut({ containerId, reason: 'next test' })
    },
  )

  it.each([
    [
      'with_invalid_positions',
      'Tube rack scan tube position contains an invalid coordinate, in row 9 [I1]',
      16,
    ],
    ['with_missing_values', 'Tube rack scan tube barcode cannot be empty, in row 3 [C1]', 15],
    ['with_duplicate_positions', 'Tube rack scan contains duplicate rack positions (A2,E2)', null],
    ['with_duplicate_tubes', 'Tube rack scan contains duplicate tube barcodes (AB10000009,AB10000011)', null],
  ])('tube_rack_scan_%s: the problem is named, the good reads are kept', async (name, message, kept) => {
    const box = await on.makeBox({ rows: 8, columns: 12 })
    const { results, problems } = await apply(box.id, 'tube_rack', name)
    expect(problems.map((problem) => problem.message)).toContain(message)
    const good = results.flatMap((each) => (each.ok ? [each.value.id] : []))
    if (kept !== null) expect(good).toHaveLength(kept)
    expect(good.length).toBeGreaterThan(0)
    expect((await on.storage.getNode({ id: box.id })).capacity.occupied).toBe(good.length)
    for (const containerId of good) await on.storage.takeOut({ containerId, reason: 'next test' })
  })

  it('a file that is no scan changes nothing', async () => {
    const box = await on.makeBox({ rows: 8, columns: 12 })
    const text = readFileSync(join(scans, '../test_file.txt'), 'utf8')
    const { results, problems } = await on.storage.applyRackScan({ boxId: box.id, text })
    expect(results).toEqual([])
    expect(problems).toHaveLength(6)
  })

  function apply(boxId: string, folder: string, name: string) {
    const text = readFileSync(join(scans, folder, `tube_rack_scan_${name}.csv`), 'utf8')
    return on.storage.applyRackScan({ boxId, text })
  }
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})

async function tubeWithCode(material = 'DNA') {
  const tube = await on.makeTube(material)
  const code = await on.barcodes.allocateFor({ kind: 'sample', thing: { kind: 'container', id: tube.id } })
  return { id: tube.id, label: tube.label, code: code.text }
}

async function rackOf<const Positions extends readonly string[]>(positions: Positions) {
  const box = await on.makeBox()
  const tubes: Awaited<ReturnType<typeof tubeWithCode>>[] = []
  for (const position of positions) {
    const tube = await tubeWithCode()
    await on.storage.place({ containerId: tube.id, target: { boxId: box.id, position } })
    tubes.push(tube)
  }
  return { box, tubes: tubes as { [Index in keyof Positions]: (typeof tubes)[number] } }
}
