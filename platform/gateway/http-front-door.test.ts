import { request } from 'node:http'
import type { OpenAPI } from '@orpc/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commonError } from './faults.ts'
import { type HttpFrontDoor, openHttpFrontDoor } from './http-front-door.ts'
import { eventually, startTestGateway, type TestGateway } from './testing/test-gateway.ts'

let running: TestGateway
let door: HttpFrontDoor
let ready: boolean

beforeEach(async () => {
  running = startTestGateway()
  ready = true
  door = await openHttpFrontDoor(running.gateway, {
    host: '127.0.0.1',
    port: 0,
    title: 'TracSeq Bench',
    version: '1.2.3',
    isReady: () => ready,
    loopbackOnly: true,
    largestJsonBytes: 2_000,
  })
})
afterEach(async () => {
  await door.close()
  await running.stop()
})

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

async function ask(
  method: string,
  path: string,
  options: { body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(door.url + path, {
    method,
    headers: {
      authorization: 'Bearer technician',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: options.body }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
}

/** fetch will not send a Host of one's own. */
function askWithHeaders(
  headers: Record<string, string>,
): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    request(`${door.url}/health`, { headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }))
    })
      .on('error', reject)
      .end()
  })
}

describe('calls', () => {
  test('a query with path, numbers, booleans and lists in its address', async () => {
    const { status, body } = await ask('GET', '/v1/alpha/things/a%20b?limit=7&all=false&states=new')
    expect({ status, body }).toEqual({
      status: 200,
      body: { id: 'a b', limit: 7, all: false, states: ['new'] },
    })
    const several = await ask('GET', '/v1/alpha/things/1?states=new&states=old')
    expect(several.body).toEqual({ id: '1', limit: 50, states: ['new', 'old'] })
  })

  test('a command with its key, its correlation id and its answer', async () => {
    const { status, body, headers } = await ask('POST', '/v1/alpha/write', {
      body: '{"note":"hello"}',
      headers: { 'idempotency-key': 'k-1', 'x-correlation-id': 'click-1' },
    })
    expect({ status, body }).toEqual({ status: 200, body: { note: 'hello', idempotencyKey: 'k-1' } })
    expect(headers.get('x-correlation-id')).toBe('click-1')
    const log = running
      .logLines()
      .find((line) => line['correlationId'] === 'click-1' && line['step'] === 'gateway')
    expect(log).toMatchObject({ service: 'alpha', code: 'OK', userId: 'technician' })
  })

  test('an empty body stands for an empty object', async () => {
    expect(await ask('POST', '/v1/alpha/limited', { body: '' })).toMatchObject({ status: 200, body: {} })
    expect(await ask('POST', '/v1/alpha/limited')).toMatchObject({ status: 200, body: {} })
  })
})

function shape(code: string, data: unknown = null) {
  return { code, message: expect.any(String) as string, data }
}

describe('errors have one shape', () => {
  test.each([
    [
      'GET',
      '/v1/alpha/fail?how=rule',
      undefined,
      {},
      422,
      shape('RULE_BROKEN', { rule: 'manners', field: 'how' }),
    ],
    [
      'GET',
      '/v1/alpha/fail?how=defect',
      undefined,
      {},
      500,
      shape('INTERNAL_SERVER_ERROR', { correlationId: expect.any(String) }),
    ],
    [
      'GET',
      '/v1/alpha/things/1?limit=many',
      undefined,
      {},
      400,
      shape('BAD_REQUEST', { issues: [expect.objectContaining({ path: ['limit'] })] }),
    ],
    ['GET', '/v1/alpha/who-am-i', undefined, { authorization: '' }, 401, shape('UNAUTHORIZED')],
    [
      'GET',
      '/v1/alpha/who-am-i',
      undefined,
      { authorization: 'Bearer locked' },
      401,
      shape('SESSION_LOCKED'),
    ],
    [
      'POST',
      '/v1/alpha/write',
      '{"note":""}',
      { authorization: 'Bearer guest' },
      403,
      shape('FORBIDDEN', { permission: 'test:write' }),
    ],
    [
      'GET',
      '/v1/alpha/hidden',
      undefined,
      {},
      404,
      shape('NOT_FOUND', { kind: 'route', id: 'GET /v1/alpha/hidden' }),
    ],
    [
      'GET',
      '/v1/nothing?a=1',
      undefined,
      {},
      404,
      shape('NOT_FOUND', { kind: 'route', id: 'GET /v1/nothing' }),
    ],
    ['GET', '/elsewhere', undefined, {}, 404, shape('NOT_FOUND', { kind: 'route', id: 'GET /elsewhere' })],
    [
      'GET',
      '/v1/alpha/write',
      undefined,
      {},
      404,
      shape('NOT_FOUND', { kind: 'route', id: 'GET /v1/alpha/write' }),
    ],
    ['POST', '/v1/alpha/write', '{"note":', {}, 400, shape('BAD_REQUEST')],
    ['POST', '/v1/alpha/write', '{"__proto__":{}}', {}, 400, shape('BAD_REQUEST')],
    [
      'POST',
      '/v1/alpha/write',
      `{"note":"${'x'.repeat(3_000)}"}`,
      {},
      413,
      shape('PAYLOAD_TOO_LARGE', { largestBytes: 2_000 }),
    ],
    [
      'POST',
      '/v1/alpha/slow-write',
      '{"ms":5000}',
      {},
      504,
      shape('OUTCOME_UNKNOWN', { why: expect.any(String) }),
    ],
    ['GET', '/v1/alpha/echo?note=x', undefined, { 'x-deadline-ms': 'soon' }, 400, shape('BAD_REQUEST')],
  ] as const)('%s %s %s', async (method, path, body, headers, status, expected) => {
    // A deadline counts from the call, so the start of the worker does not belong to this test.
    await ask('GET', '/v1/alpha/echo?note=awake')
    const answer = await ask(method, path, {
      ...(body === undefined ? {} : { body }),
      headers: { ...headers },
    })
    expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expected })
    expect(answer.headers.get('x-correlation-id')).toMatch(/./)
  })
})

describe('the door itself', () => {
  test('foreign hosts and origins are turned away', async () => {
    expect(await askWithHeaders({ host: 'evil.example' })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    })
    const foreignPage = await ask('GET', '/v1/alpha/echo?note=x', {
      headers: { origin: 'https://evil.example' },
    })
    expect(foreignPage).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    expect(await ask('GET', '/health', { headers: { origin: door.url } })).toMatchObject({ status: 200 })
  })

  test('health, readiness, metrics', async () => {
    expect(await ask('GET', '/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', version: '1.2.3' },
    })
    expect(await ask('GET', '/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'ready', services: { alpha: { state: 'asleep' } } },
    })
    ready = false
    expect(await ask('GET', '/health/ready')).toMatchObject({ status: 503 })
    await ask('GET', '/v1/alpha/echo?note=x')
    const { body } = await ask('GET', '/metrics')
    expect(body).toContain('tracseq_calls_total{service="alpha",procedure="echo",code="OK"} 1')
    expect(body).toMatch(/tracseq_service_ready\{service="alpha"\} 1/)
    expect(body).toContain('tracseq_gateway_share_seconds_bucket')
  })

  test('not ready while a service fails', async () => {
    await ask('GET', '/v1/beta/leave')
    await eventually('it is said', async () => (await ask('GET', '/health/ready')).status === 503, 2_000)
    await eventually('it is over', async () => (await ask('GET', '/health/ready')).status === 200)
  })

  test('no other site may read from it: there is no word of CORS, asked for or not', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' }
      const answer = await ask(method, '/v1/alpha/echo?note=x', { headers })
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  test('a body without a declared length, or with too large a one, is not read', async () => {
    const put = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sending = request(`${door.url}/v1/alpha/write`, { method: 'POST', headers }, (response) => {
          response.resume()
          resolve(response.statusCode)
          sending.destroy()
        }).on('error', reject)
        sending.flushHeaders()
      })
    const type = { 'content-type': 'application/octet-stream' }
    expect(await put({ ...type, 'transfer-encoding': 'chunked' })).toBe(411)
    expect(await put({ ...type, 'content-length': String(60 * 1024 * 1024) })).toBe(413)
  })

  test('while it closes, what runs ends, and what comes is refused in words', async () => {
    await ask('GET', '/v1/alpha/echo?note=awake')
    const slow = ask('GET', '/v1/alpha/slow?ms=400')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = door.close()
    const refused = await ask('GET', '/v1/alpha/echo?note=late')
    expect(refused).toMatchObject({ status: 503, body: shape('NOT_STARTED', { why: expect.any(String) }) })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.headers.get('connection')).toBe('close')
    expect(await slow).toMatchObject({ status: 200 })
    await closed
    await expect(ask('GET', '/health')).rejects.toThrow()
  })

  test('a further route of the host is refused in the same shape', async () => {
    const wider = await openHttpFrontDoor(running.gateway, {
      ...{ host: '127.0.0.1', port: 0, title: 'TracSeq Hub', version: '1.2.3', isReady: () => true },
      loopbackOnly: true,
      addRoutes: (app) => {
        app.get('/busy', () => {
          throw commonError('BUSY')
        })
        app.get('/defect', () => {
          throw new Error('a defect')
        })
      },
    })
    const busy = await fetch(`${wider.url}/busy`)
    expect({ status: busy.status, body: await busy.json() }).toEqual({ status: 429, body: shape('BUSY') })
    expect(busy.headers.get('retry-after')).toBe('1')
    const defect = await fetch(`${wider.url}/defect`)
    expect(defect.status).toBe(500)
    expect(await defect.text()).not.toContain('a defect')
    await wider.close()
  })

  test('closing waits no longer than it may', async () => {
    const hasty = await openHttpFrontDoor(running.gateway, {
      ...{ host: '127.0.0.1', port: 0, title: 'TracSeq Bench', version: '1.2.3', isReady: () => true },
      loopbackOnly: true,
      closeWithinMs: 100,
    })
    await ask('GET', '/v1/alpha/echo?note=awake')
    const slow = fetch(`${hasty.url}/v1/alpha/slow?ms=900`).catch(() => 'cut off')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const startedAt = performance.now()
    await hasty.close()
    expect(performance.now() - startedAt).toBeLessThan(700)
    expect(await slow).toBe('cut off')
  })

  test('closing lets a running request end', async () => {
    await ask('GET', '/v1/alpha/echo?note=awake')
    const slow = ask('GET', '/v1/alpha/slow?ms=150')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await door.close()
    expect(await slow).toMatchObject({ status: 200 })
    await expect(ask('GET', '/health')).rejects.toThrow()
  })
})

describe('limits', () => {
  const open = async (limits: object) => {
    await door.close()
    await running.stop()
    running = startTestGateway(limits)
    door = await openHttpFrontDoor(running.gateway, {
      ...{ host: '127.0.0.1', port: 0, title: 'TracSeq Hub', version: '1.2.3', isReady: () => true },
      loopbackOnly: false,
    })
  }
  const statuses = async (count: number, path: string, headers: Record<string, string> = {}) => {
    const answers: number[] = []
    for (let each = 0; each < count; each += 1)
      answers.push((await ask('POST', path, { body: '{}', headers })).status)
    return answers
  }

  test('of a person, who hears when to come again', async () => {
    await open({ rateLimit: { calls: 2, perSeconds: 60 } })
    expect(await statuses(3, '/v1/alpha/limited')).toEqual([200, 200, 429])
    const refused = await ask('POST', '/v1/alpha/limited', { body: '{}' })
    expect(refused.body).toEqual(shape('TOO_MANY_REQUESTS', { retryAfterMs: expect.any(Number) as number }))
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(50)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(await statuses(1, '/v1/alpha/limited', { authorization: 'Bearer guest' })).toEqual([200])
  })

  test('of an address, whoever calls from there, with whatever token', async () => {
    await open({ addressLimit: { calls: 3, perSeconds: 60 } })
    const bad = { authorization: 'Bearer nonsense' }
    expect(await statuses(3, '/v1/alpha/limited', bad)).toEqual([401, 401, 401])
    expect(await statuses(1, '/v1/alpha/limited', bad)).toEqual([429])
    expect(await statuses(1, '/v1/alpha/limited')).toEqual([429])
  })

  test('of what could be guessed, most strictly', async () => {
    await open({ guessLimit: { calls: 2, perSeconds: 60 } })
    expect(await statuses(3, '/v1/alpha/guess')).toEqual([200, 200, 429])
    expect(await statuses(1, '/v1/alpha/limited')).toEqual([200])
  })
})

test('the API describes itself, completely and without what is internal', async () => {
  const { body } = await ask('GET', '/openapi.json')
  const operation = (path: string, method: string, more: object) => ({
    [path]: { [method]: expect.objectContaining(more) },
  })
  expect(body).toMatchObject({
    openapi: expect.stringMatching(/^3\.1/),
    info: { title: 'TracSeq Bench', version: '1.2.3' },
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    paths: {
      ...operation('/v1/alpha/things/{id}', 'get', { security: [], summary: 'Answers its parsed input' }),
      ...operation('/v1/alpha/write', 'post', {
        tags: ['alpha'],
        parameters: expect.arrayContaining([
          expect.objectContaining({ name: 'Idempotency-Key', in: 'header' }),
        ]),
      }),
    },
  })
  const described = body as OpenAPI.Document
  const paths = Object.keys(described.paths ?? {})
  const shown = running.gateway.catalogue.list().filter(({ meta }) => !meta.internal)
  expect(paths.sort()).toEqual(shown.map(({ contract }) => contract['~orpc'].route.path).sort())
  expect(paths).not.toContain('/v1/alpha/hidden')
  const errors = JSON.stringify(described.paths?.['/v1/alpha/write']?.post?.responses['403'])
  expect(errors).toContain('"required":["code","message","data"]')
  expect(JSON.stringify(body)).not.toContain('"defined"')
})

test('the page to read it on loads nothing from anywhere', async () => {
  const { body, headers } = await ask('GET', '/docs')
  expect(headers.get('content-type')).toContain('text/html')
  expect(body).toContain('/v1/alpha/things/{id}')
  expect(body).not.toMatch(/<script|<link|<img|https?:\/\/|@import|url\(/)
})
