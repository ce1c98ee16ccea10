import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { v7 as uuidv7 } from 'uuid'
import { openServiceBench, type ServiceBench } from '../../platform/service/testing/service-bench.ts'
import { barcodesService } from './service.ts'

let bench: ServiceBench
beforeAll(async () => {
  bench = await openServiceBench([barcodesService])
})
afterAll(() => bench.close())

const tube = () => ({ kind: 'container' as const, id: uuidv7() })

describe('codes of our own', () => {
  it('are never given out twice, ten thousand in a row', async () => {
    const barcodes = bench.client(barcodesService)
    const { codes } = await barcodes.allocate({ kind: 'sample', count: 10_000 })
    expect(new Set(codes).size).toBe(10_000)
    const { codes: more } = await barcodes.allocate({ kind: 'box', count: 5 })
    expect(more.every((code) => code.startsWith('BX-') && !codes.includes(code))).toBe(true)
  })

  it('answers the same again for the same key', async () => {
    const barcodes = bench.client(barcodesService)
    const first = await barcodes.allocate({ kind: 'rack', count: 3 }, { context: { key: 'again' } })
    expect(await barcodes.allocate({ kind: 'rack', count: 3 }, { context: { key: 'again' } })).toEqual(first)
    await expect(
      barcodes.allocate({ kind: 'rack', count: 4 }, { context: { key: 'again' } }),
    ).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
  })

  it('go on after a restart where they stopped', async () => {
    const before = await bench.client(barcodesService).allocate({ kind: 'sample', count: 1 })
    await bench.restart()
    const after = await bench.client(barcodesService).allocate({ kind: 'sample', count: 1 })
    expect(after.codes[0]).not.toBe(before.codes[0])
    expect(after.codes[0]?.slice(0, 8)).toBe(before.codes[0]?.slice(0, 8))
  })
})

describe('a code and its thing', () => {
  it('resolves however the code is spelled', async () => {
    const barcodes = bench.client(barcodesService)
    const thing = tube()
    const code = await barcodes.allocateFor({ kind: 'sample', thing })
    for (const spelling of [
      code.text,
      code.text.toLowerCase(),
      code.text.replaceAll('-', ''),
      `]d1${code.text}`,
    ]) {
      const { matches } = await barcodes.resolve({ text: spelling })
      expect(matches.map((match) => match.thing)).toEqual([thing])
    }
  })

  it('is refused for a second thing, and free again when it is taken off', async () => {
    const barcodes = bench.client(barcodesService)
    const linked = await barcodes.link({ text: 'FX00012345', thing: tube() })
    const other = tube()
    await expect(barcodes.link({ text: 'FX00012345', thing: other })).rejects.toMatchObject({
      code: 'CODE_TAKEN',
      status: 409,
      data: { thing: linked.thing },
    })
    await barcodes.unlink({ codeId: linked.id, reason: 'wrong tube' })
    expect(await barcodes.link({ text: 'FX00012345', thing: other })).toMatchObject({
      thing: other,
      state: 'linked',
    })
  })

  it('does not take an index sequence for a tube without confirmation', async () => {
    const barcodes = bench.client(barcodesService)
    await expect(barcodes.link({ text: 'ACGTTGCA', thing: tube() })).rejects.toMatchObject({
      code: 'INDEX_SEQUENCE',
    })
    expect(await barcodes.link({ text: 'ACGTTGCA', thing: tube(), confirmed: true })).toMatchObject({
      state: 'linked',
    })
  })

  it.each(['NO READ', ' ', 'a\u0000b'])('refuses %j as a code', async (text) => {
    const barcodes = bench.client(barcodesService)
    await expect(barcodes.link({ text, thing: tube() })).rejects.toMatchObject({
      code: expect.stringMatching(/NOT_A_CODE|BAD_REQUEST/) as string,
    })
  })

  it('does not take a product or a lot for one tube', async () => {
    const barcodes = bench.client(barcodesService)
    await expect(barcodes.link({ text: '(01)04012345678901(10)LOT7', thing: tube() })).rejects.toMatchObject({
      code: 'NOT_A_CODE',
    })
    const serial = '(01)04012345678901(21)88213'
    expect(await barcodes.link({ text: serial, thing: tube() })).toMatchObject({ state: 'linked' })
    const { matches } = await barcodes.resolve({ text: ']d201040123456789012188213' })
    expect(matches).toHaveLength(1)
  })

  it('belongs to one laboratory only', async () => {
    const barcodes = bench.client(barcodesService)
    await barcodes.link({ text: 'SHARED-1', thing: tube() })
    const stranger = { ...bench.actor, laboratoryId: uuidv7() }
    const seen = await barcodes.resolve({ text: 'SHARED-1' }, { context: { actor: stranger } })
    expect(seen.matches).toEqual([])
  })
})

it('writes no defect into the log', () => {
  expect(bench.logs).toEqual([])
})
