import { MessageChannel } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { openPortFrontDoor } from './port-front-door.ts'
import {
  codeOf,
  eventually,
  openTestClient,
  startTestGateway,
  type TestGateway,
} from './testing/test-gateway.ts'

let running: TestGateway
afterEach(() => running.stop())

const signedIn = { context: { headers: { authorization: 'Bearer technician' } } }

test('a typed client over a real port: answers, typed errors, sessions, internal procedures', async () => {
  running = startTestGateway()
  const { client, close } = openTestClient(running.gateway)
  expect(await client.alpha.echo({ note: 'hello' })).toEqual({ note: 'hello' })
  expect(await client.alpha.whoAmI(undefined, signedIn)).toMatchObject({
    userId: 'technician',
    idempotencyKey: null,
  })
  expect(await codeOf(client.alpha.whoAmI())).toBe('UNAUTHORIZED')
  expect(await codeOf(client.alpha.hidden(undefined, signedIn))).toBe('NOT_FOUND')
  const error: unknown = await client.alpha.fail({ how: 'rule' }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'RULE_BROKEN', defined: true, status: 422, data: { rule: 'manners' } })
  close()
})

test('a query whose caller leaves is no error of the service', async () => {
  running = startTestGateway()
  const { client, close } = openTestClient(running.gateway)
  const leaving = new AbortController()
  const answer = client.alpha.slow({ ms: 400 }, { signal: leaving.signal })
  await eventually('the query is under way', () =>
    running.gateway.services().some(({ name, inFlight }) => name === 'alpha' && inFlight === 1),
  )
  leaving.abort()
  await expect(answer).rejects.toThrow()
  await eventually('the query is counted', () => running.gateway.figures('alpha').calls === 1)
  expect(running.gateway.figures('alpha').errors).toBe(0)
  expect(running.logLines().filter(({ level }) => level === 'warn')).toEqual([])
  close()
})

test('an idempotency key is passed on, made when there is none, and refused when it is nonsense', async () => {
  running = startTestGateway()
  const { client, close } = openTestClient(running.gateway)
  const write = (key?: string) =>
    client.alpha.write(
      { note: '' },
      {
        context: {
          headers: {
            authorization: 'Bearer technician',
            ...(key === undefined ? {} : { 'idempotency-key': key }),
          },
        },
      },
    )
  expect((await write('scan-17')).idempotencyKey).toBe('scan-17')
  expect((await write()).idempotencyKey).toMatch(/^[0-9a-f-]{36}$/)
  expect(await codeOf(write('two words'))).toBe('BAD_REQUEST')
  close()
})

test('one correlation id in the answer, the log and the joined spans of gateway and service', async () => {
  running = startTestGateway()
  const { client, answers, close } = openTestClient(running.gateway)
  const headers = { authorization: 'Bearer technician', 'x-correlation-id': 'click-42' }
  await client.alpha.write({ note: '' }, { context: { headers } })
  expect(answers.at(-1)).toMatchObject({ 'x-correlation-id': 'click-42' })
  await eventually(
    'the span of the service arrived',
    () => running.gateway.traces.find('click-42').length === 2,
  )
  const [gateway, service] = running.gateway.traces.find('click-42')
  expect(gateway).toMatchObject({
    name: 'gateway alpha.write',
    ok: true,
    attributes: { correlationId: 'click-42', code: 'OK' },
  })
  expect(service).toMatchObject({
    name: 'alpha.write service',
    traceId: gateway?.traceId,
    parentSpanId: gateway?.spanId,
  })
  const steps = running.logLines().filter((line) => line['correlationId'] === 'click-42')
  expect(steps.map((line) => line['step']).sort()).toEqual(['gateway', 'service'])
  expect(running.logLines().every((line) => 'correlationId' in line)).toBe(true)
  await client.alpha.echo({ note: '' })
  expect(answers.at(-1)).toMatchObject({ 'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/) })
  close()
})

test('what is no call is refused and hurts nobody', async () => {
  running = startTestGateway()
  const { client, port, close } = openTestClient(running.gateway)
  for (const nonsense of [
    '{',
    '7',
    '{"i":"1"}',
    '{"i":"1","p":{"u":7}}',
    new Uint8Array([255, 1]),
    { i: 1 },
    null,
  ])
    port.postMessage(nonsense)
  expect(await client.alpha.echo({ note: 'still there' })).toEqual({ note: 'still there' })
  expect(running.logLines().filter((line) => line['msg'] === 'A message on a port was refused')).toHaveLength(
    7,
  )
  close()
})

test("a port with Electron's manners works as well", async () => {
  running = startTestGateway()
  const { port1, port2 } = new MessageChannel()
  const electronPort = {
    on(type: 'message' | 'close', listener: (event: { readonly data: unknown }) => void) {
      port1.on(type, (data: unknown) => listener({ data }))
    },
    postMessage: (message: unknown) => port1.postMessage(message),
    start: () => port1.start(),
  }
  openPortFrontDoor(running.gateway, electronPort, 'window-2')
  const answered = new Promise((resolve) => port2.once('message', resolve))
  port2.postMessage(JSON.stringify({ i: '1', p: { u: '/alpha/echo', b: { json: { note: 'hello' } } } }))
  expect(JSON.parse(String(await answered))).toMatchObject({ i: '1', p: { b: { json: { note: 'hello' } } } })
  port1.close()
})
