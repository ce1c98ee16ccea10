import { type ClientLink, ORPCError } from '@orpc/client'
import { expect, test } from 'vitest'
import { auth } from '../../services/auth/contract.ts'
import { type CallLinkOptions, correlationOf, makeCallLink, type WireContext } from './call-link.ts'

interface Seen {
  readonly headers: Record<string, string>
}

function setUp(answers: readonly (() => unknown)[], options: Partial<CallLinkOptions> = {}) {
  const seen: Seen[] = []
  const waits: number[] = []
  const refusals: string[] = []
  const wire: ClientLink<WireContext> = {
    call: async (_path, _input, { context }) => {
      seen.push({ headers: context.headers })
      return answers[seen.length - 1]?.()
    },
  }
  const link = makeCallLink({
    wire,
    contracts: { auth },
    readToken: () => 'token-1',
    onSessionRefused: (code) => refusals.push(code),
    wait: async (milliseconds) => void waits.push(milliseconds),
    ...options,
  })
  return { link, seen, waits, refusals }
}

function fail(code: string): () => never {
  return () => {
    throw new ORPCError(code)
  }
}

test('a command whose outcome is unknown is repeated under the same key until it is known', async () => {
  const { link, seen, waits } = setUp([fail('OUTCOME_UNKNOWN'), fail('OUTCOME_UNKNOWN'), () => 'done'])
  expect(await link.call(['auth', 'lock'], {}, { context: {} })).toBe('done')
  const keys = seen.map(({ headers }) => headers['idempotency-key'])
  expect(keys).toEqual([keys[0], keys[0], keys[0]])
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer token-1', 'x-deadline-ms': '10000' })
  expect(waits).toEqual([250, 1_000])
})

test('after three repeats the error is shown, with the id it has in the log', async () => {
  const { link, seen } = setUp(Array.from({ length: 9 }, () => fail('OUTCOME_UNKNOWN')))
  const error: unknown = await link
    .call(['auth', 'lock'], {}, { context: {} })
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(seen).toHaveLength(4)
  expect(correlationOf(error)).toBe(seen[0]?.headers['x-correlation-id'])
})

test('queries carry no key and are not repeated; a feed carries no deadline', async () => {
  const { link, seen } = setUp([fail('OUTCOME_UNKNOWN'), () => 'feed'])
  await expect(link.call(['auth', 'me'], undefined, { context: {} })).rejects.toMatchObject({ status: 500 })
  await link.call(['auth', 'me'], undefined, { context: { feed: true } })
  expect(seen[0]?.headers).not.toHaveProperty('idempotency-key')
  expect(seen[1]?.headers).not.toHaveProperty('x-deadline-ms')
})

test('the session hears of its end, but not of the end of one that was replaced meanwhile', async () => {
  const { link, refusals } = setUp([fail('SESSION_LOCKED')])
  await expect(link.call(['auth', 'me'], undefined, { context: {} })).rejects.toThrow()
  expect(refusals).toEqual(['SESSION_LOCKED'])

  let token = 'old'
  const replaced = setUp(
    [
      () => {
        token = 'new'
        return fail('UNAUTHORIZED')()
      },
    ],
    { readToken: () => token },
  )
  await expect(replaced.link.call(['auth', 'me'], undefined, { context: {} })).rejects.toThrow()
  expect(replaced.refusals).toEqual([])
})

test('a caller who stops waiting is not told that the outcome is unknown', async () => {
  const stop = new AbortController()
  const { link, seen } = setUp([
    () => {
      stop.abort()
      throw new DOMException('stopped', 'AbortError')
    },
  ])
  await expect(link.call(['auth', 'lock'], {}, { context: {}, signal: stop.signal })).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(seen).toHaveLength(1)
})
