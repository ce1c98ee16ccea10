import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FinishedSpan } from '../service/boot.ts'
import { readOtlpSettings, startOtlpExport } from './otlp-export.ts'
import { openTestClient, startTestGateway } from './testing/test-gateway.ts'

interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

let collector: Server
let endpoint: string
let received: Received[]
let answers: number[]

beforeEach(async () => {
  received = []
  answers = []
  collector = createServer((request, response) => {
    let text = ''
    request.on('data', (part: Buffer) => (text += part.toString()))
    request.on('end', () => {
      const status = answers.shift() ?? 200
      if (status === 200)
        received.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) })
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
})
afterEach(() => new Promise((resolve) => collector.close(resolve)))

function exporter(words: string[] = []) {
  const settings = readOtlpSettings(
    { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=se%20cret, x = y' },
    'tracseq-hub',
  )
  if (settings === null) throw new Error('No collector is configured')
  return startOtlpExport(settings, { version: '1.2.3', log: (line) => words.push(line) })
}

const span: FinishedSpan = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: null,
  name: 'gateway alpha.echo',
  startedAt: 1_700_000_000_000.25,
  durationMs: 1.5,
  ok: false,
  attributes: { correlationId: 'click-1', from: 'door', rows: 3, cached: true },
}

it('sends spans as the collector wants them', async () => {
  const sending = exporter()
  sending.add(span)
  await sending.close()
  expect(received).toHaveLength(1)
  expect(received[0]).toMatchObject({ path: '/v1/traces', headers: { 'api-key': 'se cret', x: 'y' } })
  expect(received[0]?.body).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'tracseq-hub' } },
            { key: 'service.version', value: { stringValue: '1.2.3' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'tracseq', version: '1.2.3' },
            spans: [
              {
                traceId: 'a'.repeat(32),
                spanId: 'b'.repeat(16),
                name: 'gateway alpha.echo',
                kind: 2,
                startTimeUnixNano: '1700000000000250000',
                endTimeUnixNano: '1700000000001750000',
                attributes: [
                  { key: 'correlationId', value: { stringValue: 'click-1' } },
                  { key: 'from', value: { stringValue: 'door' } },
                  { key: 'rows', value: { doubleValue: 3 } },
                  { key: 'cached', value: { boolValue: true } },
                ],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  })
})

it('joins the steps of one call, of the host and of its service', async () => {
  const sending = exporter()
  const running = startTestGateway({ onSpan: sending.add })
  const { client, close } = openTestClient(running.gateway)
  await client.alpha.write(
    { note: 'hello' },
    { context: { headers: { authorization: 'Bearer technician' } } },
  )
  close()
  await running.stop()
  await sending.close()
  const spans = received.flatMap(({ body }) => spansOf(body))
  const host = spans.find(({ name }) => name === 'gateway alpha.write')
  const service = spans.find(({ parentSpanId }) => parentSpanId === host?.spanId)
  expect(service).toMatchObject({ traceId: host?.traceId, kind: 1 })
})

it('keeps what a collector that is away did not take, and says so once', async () => {
  const words: string[] = []
  answers = [503]
  const sending = exporter(words)
  sending.add(span)
  // The first round comes by itself.
  await expect.poll(() => words, { timeout: 5_000 }).toHaveLength(1)
  expect(words[0]).toMatch(/cannot be sent to http.*503/)
  await sending.close()
  expect(received).toHaveLength(1)
  expect(words[1]).toMatch(/sent again/)
})

it('is asked for by the names that OpenTelemetry gives', () => {
  expect(readOtlpSettings({}, 'hub')).toBeNull()
  const set = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }
  expect(readOtlpSettings({ ...set, OTEL_SDK_DISABLED: 'true' }, 'hub')).toBeNull()
  expect(readOtlpSettings({ ...set, OTEL_SERVICE_NAME: 'ours' }, 'hub')).toEqual({
    url: 'http://collector:4318/v1/traces',
    headers: {},
    serviceName: 'ours',
  })
  const own = { ...set, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:4318/otlp' }
  expect(readOtlpSettings(own, 'hub')?.url).toBe('http://other:4318/otlp')
  expect(() => readOtlpSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector' }, 'hub')).toThrow(
    'no address',
  )
})

interface SentSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
}

function spansOf(body: unknown): readonly SentSpan[] {
  const { resourceSpans } = body as {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
    }[]
  }
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}
