import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createORPCClient } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpFrontDoor, openHttpFrontDoor } from '../../platform/gateway/http-front-door.ts'
import { alpha } from '../../platform/gateway/testing/test-contract.ts'
import { startTestGateway, type TestGateway } from '../../platform/gateway/testing/test-gateway.ts'
import { type CallContext, makeCallLink } from './call-link.ts'
import { makeHttpWire } from './http-wire.ts'

const contracts = { alpha }
let running: TestGateway
let door: HttpFrontDoor
let seen: (string | undefined)[]

beforeAll(async () => {
  running = startTestGateway()
  seen = []
  door = await openHttpFrontDoor(running.gateway, {
    host: '127.0.0.1',
    port: 0,
    title: 'TracSeq Hub',
    version: '1.2.3',
    isReady: () => true,
    loopbackOnly: false,
    aroundCall: ({ input, request }, next) => {
      seen.push(request.headers['x-tracseq-client']?.toString())
      return next(input)
    },
  })
})
afterAll(async () => {
  await door.close()
  await running.stop()
})

function connect(url = door.url, token: string | null = 'technician') {
  const refusals: string[] = []
  const link = makeCallLink({
    wire: makeHttpWire(contracts, url),
    contracts,
    readToken: () => token,
    onSessionRefused: (code) => refusals.push(code),
    wait: async () => undefined,
  })
  const client: ContractRouterClient<typeof contracts, CallContext> = createORPCClient(link)
  return { client, refusals }
}

test('queries and commands are the same as over a port', async () => {
  const { client } = connect()
  expect(await client.alpha.search({ id: 'a b/c', limit: 7, all: false, states: ['new', 'old'] })).toEqual({
    id: 'a b/c',
    limit: 7,
    all: false,
    states: ['new', 'old'],
  })
  expect(await client.alpha.search({ id: '1' })).toEqual({ id: '1', limit: 50 })
  expect(await client.alpha.write({ note: 'hello' })).toMatchObject({ note: 'hello' })
  const { userId, correlationId } = await client.alpha.whoAmI()
  expect(userId).toBe('technician')
  expect(correlationId).toMatch(/^[0-9a-f-]{36}$/)
  expect(new Set(seen)).toEqual(new Set(['browser']))
})

describe('refusals keep their code, words, status and data', () => {
  test.each([
    [
      'a rule',
      () => connect().client.alpha.fail({ how: 'rule' }),
      { code: 'RULE_BROKEN', status: 422, data: { rule: 'manners' } },
    ],
    ['a defect', () => connect().client.alpha.fail({ how: 'defect' }), { code: 'INTERNAL_SERVER_ERROR' }],
    [
      'a missing permission',
      () => connect(door.url, 'guest').client.alpha.write({ note: '' }),
      { code: 'FORBIDDEN', status: 403, data: { permission: 'test:write' } },
    ],
    [
      'a bad input',
      () => connect().client.alpha.search({ id: '1', limit: 0 }),
      { code: 'BAD_REQUEST', data: { issues: [{ path: ['limit'] }] } },
    ],
  ])('%s', async (_, act, expected) => {
    await expect(act()).rejects.toMatchObject(expected)
  })

  test('a session that ended, or is locked, is told to the session', async () => {
    for (const [token, code] of [
      ['nonsense', 'UNAUTHORIZED'],
      ['locked', 'SESSION_LOCKED'],
    ] as const) {
      const { client, refusals } = connect(door.url, token)
      await expect(client.alpha.whoAmI()).rejects.toMatchObject({ code })
      expect(refusals).toEqual([code])
    }
  })
})

describe('a Hub that is not there', () => {
  test('is no defect: a query was not started, of a command nobody knows', async () => {
    const { client } = connect('http://127.0.0.1:1')
    await expect(client.alpha.echo({ note: 'x' })).rejects.toMatchObject({
      code: 'NOT_STARTED',
      data: { why: 'The Hub cannot be reached' },
    })
    await expect(client.alpha.write({ note: 'x' })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  })

  test('behind a proxy is told by the proxy, in words of its own', async () => {
    let status = 503
    const proxy = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { client } = connect(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    await expect(client.alpha.echo({ note: 'x' })).rejects.toMatchObject({ code: 'NOT_STARTED' })
    status = 502
    await expect(client.alpha.write({ note: 'x' })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await new Promise((resolve) => proxy.close(resolve))
  })
})
