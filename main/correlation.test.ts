import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { system } from '../platform/gateway/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { requestOf, send } from './testing/http-client.ts'
import {
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from './testing/workstation-process.ts'

const home = makeHome()
let workstation: WorkstationProcess
let admin: SignedIn

beforeAll(async () => {
  workstation = await startWorkstationProcess(home)
  admin = await signInTo(workstation)
}, 120_000)
afterAll(async () => {
  await workstation.kill()
  rmSync(home, { recursive: true, force: true })
})

/** Services tell of their spans, and the log is written, a moment after the answer. */
const patience = { timeout: 5_000, interval: 50 }

const Payload = z.object({ entry: z.object({ correlationId: z.string(), changeSetId: z.string() }) })

test('one command is followed from its header to its journal entry by its correlation id', async () => {
  const correlationId = 'follow-me-1'
  const answer = await send(
    requestOf(workstation.url, barcodes.allocate, { kind: 'box', count: 1 }, { ...admin, correlationId }),
  )
  expect(answer.headers.get('x-correlation-id')).toBe(correlationId)

  const spans = await spansOf(correlationId, 4)
  const [gateway, service] = ['gateway barcodes.allocate', 'barcodes.allocate service'].map((name) =>
    spans.find((span) => span.name === name),
  )
  expect(spans.map(({ name, parentSpanId }) => ({ name, parentSpanId }))).toEqual(
    expect.arrayContaining([
      { name: 'gateway barcodes.allocate', parentSpanId: null },
      { name: 'barcodes.allocate service', parentSpanId: gateway?.spanId },
      { name: 'barcodes.allocate transaction', parentSpanId: service?.spanId },
      { name: 'barcodes.allocate journal', parentSpanId: service?.spanId },
    ]),
  )
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  for (const span of spans) expect(span).toMatchObject({ ok: true, attributes: { correlationId } })

  const { items } = await admin.client(system).searchAudit({ correlationId })
  expect(items).toMatchObject([{ domain: 'barcodes', kind: 'change', correlationId }])
  const { payload } = await admin.client(system).auditEntry({ sequence: items[0]?.sequence ?? 0 })
  expect(Payload.parse(JSON.parse(payload ?? '')).entry).toEqual(
    expect.objectContaining({ correlationId, changeSetId: items[0]?.changeSetId }),
  )

  await vi.waitFor(() => {
    const steps = linesOf(correlationId).map(({ step, service: domain }) => `${step} ${domain}`)
    expect(steps).toEqual(expect.arrayContaining(['gateway barcodes', 'service barcodes']))
  }, patience)
})

test('a command that spans domains carries one correlation id through all of them', async () => {
  const correlationId = 'follow-me-2'
  await admin
    .client(samples)
    .receive({ sample: { name: 'Followed', type: 'dna' } }, { context: { correlationId } })
  const { items } = await admin.client(system).searchAudit({ correlationId, limit: 100 })
  expect(new Set(items.map(({ domain }) => domain))).toEqual(new Set(['samples', 'barcodes', 'storage']))
  const spans = await spansOf(correlationId, 12)
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(spans.filter(({ parentSpanId }) => parentSpanId === null)).toHaveLength(1)
})

test('a refused call is found by the correlation id that was made for it', async () => {
  const answer = await send(
    requestOf(workstation.url, samples.get, { id: '00000000-0000-7000-8000-000000000000' }, admin),
  )
  expect(answer.status).toBe(404)
  const correlationId = answer.headers.get('x-correlation-id') ?? ''
  expect(correlationId).not.toBe('')
  expect(await admin.client(system).trace({ id: correlationId })).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'gateway samples.get', ok: false })]),
  )
})

test('no line of the log lacks a correlation id, and none holds a secret', () => {
  const lines = readLog()
  expect(lines.length).toBeGreaterThan(10)
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('correlationId')
  const text = lines.join('\n')
  expect(text).not.toContain('seven-blue-centrifuges')
  expect(text).not.toContain(admin.token)
})

function spansOf(correlationId: string, atLeast: number) {
  return vi.waitFor(async () => {
    const spans = await admin.client(system).trace({ id: correlationId })
    expect(spans.length).toBeGreaterThanOrEqual(atLeast)
    return spans
  }, patience)
}

const Line = z.object({ correlationId: z.string().nullable(), step: z.string(), service: z.string() })

function linesOf(correlationId: string) {
  return readLog()
    .map((line) => Line.safeParse(JSON.parse(line)).data)
    .filter((line) => line !== undefined)
    .filter((line) => line.correlationId === correlationId)
}

function readLog(): readonly string[] {
  return readFileSync(join(home, 'logs', 'tracseq.log'), 'utf8')
    .trim()
    .split('\n')
}
