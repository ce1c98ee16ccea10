import { writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  callFromDoor,
  codeOf,
  eventually,
  startTestGateway,
  technician,
  type TestGateway,
} from './testing/test-gateway.ts'

let running: TestGateway
afterEach(() => running.stop())

function stateOf(name: string): string | undefined {
  return running.gateway.services().find((service) => service.name === name)?.state
}

describe('a worker that misbehaves', () => {
  test('one that ends answers at once, is started again, and leaves others alone', async () => {
    running = startTestGateway()
    const { gateway } = running
    expect(await callFromDoor(gateway, 'alpha.echo', { note: 'before' })).toEqual({ note: 'before' })
    await callFromDoor(gateway, 'beta.echo', { note: 'awake' })
    const startedAt = Date.now()
    const [query, command, other] = await Promise.all([
      codeOf(callFromDoor(gateway, 'alpha.slow', { ms: 900 })),
      codeOf(callFromDoor(gateway, 'alpha.leaveWriting')),
      callFromDoor(gateway, 'beta.echo', { note: 'beta' }),
    ])
    expect([query, command, other]).toEqual(['NOT_STARTED', 'OUTCOME_UNKNOWN', { note: 'beta' }])
    expect(Date.now() - startedAt).toBeLessThan(900)
    expect(await codeOf(callFromDoor(gateway, 'alpha.write', { note: '' }))).toBe('NOT_STARTED')
    await eventually('alpha is back', () => stateOf('alpha') === 'ready')
    expect(await callFromDoor(gateway, 'alpha.echo', { note: 'after' })).toEqual({ note: 'after' })
    expect(gateway.services().find(({ name }) => name === 'alpha')?.restarts).toBe(1)
  })

  test('one that throws ends in a defect with its correlation id, or in the rule it names', async () => {
    running = startTestGateway()
    const defect = gatewayError(callFromDoor(running.gateway, 'alpha.fail', { how: 'defect' }))
    expect(await defect).toMatchObject({
      code: 'INTERNAL_SERVER_ERROR',
      data: { correlationId: expect.any(String) },
    })
    const rule = gatewayError(callFromDoor(running.gateway, 'alpha.fail', { how: 'rule' }))
    expect(await rule).toMatchObject({ code: 'RULE_BROKEN', data: { rule: 'manners', field: 'how' } })
  })

  test('one that hangs is ended when heartbeats are missing, and callers are answered by their deadline', async () => {
    running = startTestGateway()
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: 'awake' })
    const startedAt = Date.now()
    expect(await codeOf(callFromDoor(gateway, 'alpha.hang', { ms: 60_000 }))).toBe('NOT_STARTED')
    // The deadline is one second; the rest is for a machine that is busy with other tests.
    expect(Date.now() - startedAt).toBeLessThan(1_500)
    expect(await callFromDoor(gateway, 'beta.echo', { note: 'beta' })).toEqual({ note: 'beta' })
    await eventually('alpha was started again', async () => {
      const status = gateway.services().find(({ name }) => name === 'alpha')
      return status?.restarts === 1 && status.state === 'ready'
    })
  })

  test('a busy but declared long operation is not taken for a hang', async () => {
    running = startTestGateway()
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: 'awake' })
    expect(await codeOf(callFromDoor(gateway, 'alpha.hangLong', { ms: 1_600 }))).toBe('NOT_STARTED')
    await eventually(
      'alpha answers again',
      async () => (await codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }))) === 'OK',
    )
    expect(gateway.services().find(({ name }) => name === 'alpha')?.restarts).toBe(0)
  })

  test('one that is merely slow is left alone: its heart beats', async () => {
    running = startTestGateway()
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: 'awake' })
    expect(await codeOf(callFromDoor(gateway, 'alpha.slowWrite', { ms: 1_600 }))).toBe('OUTCOME_UNKNOWN')
    await new Promise((resolve) => setTimeout(resolve, 900))
    expect(gateway.services().find(({ name }) => name === 'alpha')).toMatchObject({
      restarts: 0,
      state: 'ready',
    })
  })

  test('a crash loop is said in words, refuses at once, and ends when the cause is gone', async () => {
    running = startTestGateway({ timing: { firstBackOffMs: 100 } })
    const { gateway, home } = running
    writeFileSync(join(home, 'alpha-crash'), '')
    expect(await codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }))).toBe('NOT_STARTED')
    await eventually('it has failed twice', () =>
      (gateway.services().find(({ name }) => name === 'alpha')?.words ?? '').includes('2 times in a row'),
    )
    const { words } = gateway.services().find(({ name }) => name === 'alpha') ?? {}
    expect(words).toMatch(
      /The service alpha ended 2 times in a row\. It failed: The database is on fire\. It is started again in 200 ms\./,
    )
    rmSync(join(home, 'alpha-crash'))
    await eventually('alpha is well', () => stateOf('alpha') === 'ready')
  })

  test('a recovery that says what it does takes the time it needs, and a silent start is ended', async () => {
    running = startTestGateway({ timing: { readyWithinMs: 2_000 } })
    const { gateway, home } = running
    const status = (name: string) => gateway.services().find((each) => each.name === name)
    writeFileSync(join(home, 'alpha-recovers'), '')
    writeFileSync(join(home, 'beta-hangs'), '')
    gateway.wake('beta')
    const answer = callFromDoor(gateway, 'alpha.echo', { note: 'made anew' })
    await eventually('alpha says how far it is', () => status('alpha')?.words === '3 of 5 parts are replayed')
    const hurried = gatewayError(callFromDoor(gateway, 'alpha.echo', { note: '' }, { deadlineMs: 100 }))
    expect(await hurried).toMatchObject({
      code: 'NOT_STARTED',
      data: { why: expect.stringMatching(/was not ready in time: \d of 5 parts are replayed/) as string },
    })
    expect(await answer).toEqual({ note: 'made anew' })
    expect(status('alpha')).toMatchObject({ state: 'ready', restarts: 0, words: null })
    expect(status('beta')?.words).toMatch(/It was not ready within 2000 ms/)
  })

  test('one that refuses to open is not started again until a person says so', async () => {
    running = startTestGateway()
    const { gateway, home } = running
    writeFileSync(join(home, 'alpha-refuse'), '')
    const refusal = await gatewayError(callFromDoor(gateway, 'alpha.echo', { note: '' }))
    expect(refusal).toMatchObject({ code: 'NOT_STARTED', data: { why: 'The journal tells another story' } })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(gateway.services().find(({ name }) => name === 'alpha')).toMatchObject({
      state: 'refused',
      restarts: 0,
    })
    rmSync(join(home, 'alpha-refuse'))
    gateway.retry('alpha')
    await eventually('alpha opens', () => stateOf('alpha') === 'ready')
  })
})

describe('not started or unknown', () => {
  test('a service that cannot be ready in time means not started, for commands too', async () => {
    running = startTestGateway()
    const outcome = gatewayError(
      callFromDoor(running.gateway, 'alpha.write', { note: '' }, { deadlineMs: 2 }),
    )
    expect(await outcome).toMatchObject({ code: 'NOT_STARTED' })
  })

  test('a command in flight when its worker hangs is unknown, a query is not started', async () => {
    running = startTestGateway({ timing: { heartbeatEveryMs: 20 } })
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: 'awake' })
    const outcomes = await Promise.all([
      codeOf(callFromDoor(gateway, 'alpha.hang', { ms: 60_000 })),
      codeOf(callFromDoor(gateway, 'alpha.slowWrite', { ms: 1 })),
    ])
    expect(outcomes).toEqual(['NOT_STARTED', 'OUTCOME_UNKNOWN'])
  })

  test('after closing nothing is started', async () => {
    running = startTestGateway()
    await callFromDoor(running.gateway, 'alpha.echo', { note: '' })
    await running.gateway.close()
    expect(await codeOf(callFromDoor(running.gateway, 'alpha.write', { note: '' }))).toBe('NOT_STARTED')
    expect(stateOf('alpha')).toBe('asleep')
  })
})

describe('circuit breaker', () => {
  test('opens after faults of the service, not after refusals, and closes again', async () => {
    running = startTestGateway({ breaker: { faults: 3, firstWaitMs: 600, longestWaitMs: 600 } })
    const { gateway } = running
    const breaker = () => gateway.services().find(({ name }) => name === 'alpha')?.breaker
    for (let call = 0; call < 6; call += 1) {
      await codeOf(callFromDoor(gateway, 'alpha.fail', { how: call % 2 === 0 ? 'rule' : 'defect' }))
      await codeOf(callFromDoor(gateway, 'alpha.search', { id: 1, limit: 'many' }))
    }
    expect(breaker()).toBe('closed')
    await Promise.all([1, 2, 3].map(() => codeOf(callFromDoor(gateway, 'alpha.slow', { ms: 1_100 }))))
    expect(breaker()).toBe('open')
    const startedAt = Date.now()
    expect(await codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }))).toBe('NOT_STARTED')
    expect(Date.now() - startedAt).toBeLessThan(500)
    expect(await codeOf(callFromDoor(gateway, 'beta.echo', { note: '' }))).toBe('OK')
    await new Promise((resolve) => setTimeout(resolve, 650))
    expect(await codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }))).toBe('OK')
    expect(breaker()).toBe('closed')
  })

  test('of two workers the one that does not answer is left alone, and comes back', async () => {
    running = startTestGateway({
      definition: { instances: 2 },
      breaker: { faults: 1, firstWaitMs: 300, longestWaitMs: 300 },
      // It is busy for a while, and not dead.
      timing: { heartbeatsMissing: 1_000 },
    })
    const { gateway } = running
    const alpha = () => gateway.services().find(({ name }) => name === 'alpha')
    gateway.wake('alpha')
    await eventually('both are ready', () => alpha()?.readyInstances === 2)
    expect(await codeOf(callFromDoor(gateway, 'alpha.hang', { ms: 3_000 }))).not.toBe('OK')
    // More than the other one has in hand, so that some would go to the one that hangs.
    const calls = Array.from({ length: 8 }, () => codeOf(callFromDoor(gateway, 'alpha.slow', { ms: 100 })))
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['OK']))
    expect(alpha()?.breaker).toBe('closed')
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    // Tried again, it answers. Then two calls that keep a thread busy go on side by side: one behind the other, the second
    // would be late.
    expect(await codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }))).toBe('OK')
    const busy = [1, 2].map(() => codeOf(callFromDoor(gateway, 'alpha.hang', { ms: 600 })))
    expect(await Promise.all(busy)).toEqual(['OK', 'OK'])
  })

  test('a caller in a hurry does not open it', async () => {
    running = startTestGateway({ breaker: { faults: 2 } })
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: '' })
    for (let call = 0; call < 4; call += 1)
      await codeOf(callFromDoor(gateway, 'alpha.slow', { ms: 50 }, { deadlineMs: 20 }))
    expect(gateway.services().find(({ name }) => name === 'alpha')?.breaker).toBe('closed')
  })
})

describe('limits', () => {
  test('too many calls are refused with a time to wait, but never those caused by a scan', async () => {
    running = startTestGateway({ rateLimit: { calls: 3, perSeconds: 60 } })
    const { gateway } = running
    const limited = await Promise.all([1, 2, 3, 4].map(() => codeOf(callFromDoor(gateway, 'alpha.limited'))))
    expect(limited.sort()).toEqual(['OK', 'OK', 'OK', 'TOO_MANY_REQUESTS'])
    const refusal = await gatewayError(callFromDoor(gateway, 'alpha.limited'))
    expect(refusal).toMatchObject({ data: { retryAfterMs: expect.any(Number) } })
    const scans = await Promise.all(
      Array.from({ length: 10 }, () => codeOf(callFromDoor(gateway, 'alpha.write', { note: '' }))),
    )
    expect(new Set(scans)).toEqual(new Set(['OK']))
    expect(await codeOf(callFromDoor(gateway, 'alpha.limited', {}, { token: 'guest' }))).toBe('OK')
  })

  test('calls in flight are capped per service', async () => {
    running = startTestGateway({ definition: { maximumInFlight: 2 } })
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: '' })
    const calls = [1, 2, 3].map(() => codeOf(callFromDoor(gateway, 'alpha.slow', { ms: 100 })))
    expect((await Promise.all(calls)).sort()).toEqual(['BUSY', 'OK', 'OK'])
    expect(await codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }))).toBe('OK')
  })

  test('several workers of a service share its load', async () => {
    running = startTestGateway({ definition: { instances: 2, maximumInFlight: 20 } })
    const { gateway } = running
    gateway.wake('alpha')
    await eventually('both are ready', () =>
      gateway.services().some(({ name, readyInstances }) => name === 'alpha' && readyInstances === 2),
    )
    const order: string[] = []
    await Promise.all([
      callFromDoor(gateway, 'alpha.hang', { ms: 200 }).then(() => order.push('hang')),
      callFromDoor(gateway, 'alpha.echo', { note: '' }).then(() => order.push('echo')),
    ])
    expect(order).toEqual(['echo', 'hang'])
  })
})

describe('who may call what', () => {
  test('permissions, locked and unknown sessions, internal and unknown procedures', async () => {
    running = startTestGateway()
    const { gateway } = running
    const codes = await Promise.all([
      codeOf(callFromDoor(gateway, 'alpha.write', { note: '' })),
      codeOf(callFromDoor(gateway, 'alpha.write', { note: '' }, { token: 'guest' })),
      codeOf(callFromDoor(gateway, 'alpha.whoAmI', undefined, { token: 'guest' })),
      codeOf(callFromDoor(gateway, 'alpha.whoAmI', undefined, { token: null })),
      codeOf(callFromDoor(gateway, 'alpha.whoAmI', undefined, { token: 'stolen' })),
      codeOf(callFromDoor(gateway, 'alpha.whoAmI', undefined, { token: 'locked' })),
      codeOf(callFromDoor(gateway, 'alpha.echo', { note: '' }, { token: 'stolen' })),
      codeOf(callFromDoor(gateway, 'alpha.hidden')),
      codeOf(callFromDoor(gateway, 'alpha.nothing')),
      codeOf(callFromDoor(gateway, 'gamma.echo')),
    ])
    expect(codes).toEqual([
      'OK',
      'FORBIDDEN',
      'OK',
      'UNAUTHORIZED',
      'UNAUTHORIZED',
      'SESSION_LOCKED',
      'OK',
      'NOT_FOUND',
      'NOT_FOUND',
      'NOT_FOUND',
    ])
  })

  test('a service reaches internal procedures of another, as itself and as nobody else', async () => {
    running = startTestGateway()
    expect(await callFromDoor(running.gateway, 'alpha.askOther', { domain: 'beta' })).toEqual({
      caller: 'alpha',
    })
  })

  test('a command of the domain that keeps sessions makes the gateway ask again', async () => {
    let asked = 0
    running = startTestGateway({
      sessionDomain: 'beta',
      resolveSession: async () => {
        asked += 1
        return { actor: technician }
      },
    })
    const { gateway } = running
    const askWhoAmI = () => callFromDoor(gateway, 'alpha.whoAmI', undefined)
    await askWhoAmI()
    await askWhoAmI()
    await callFromDoor(gateway, 'alpha.limited')
    await callFromDoor(gateway, 'beta.echo', { note: '' })
    await askWhoAmI()
    expect(asked).toBe(1)
    await callFromDoor(gateway, 'beta.limited')
    await askWhoAmI()
    expect(asked).toBe(2)
  })

  test('what is wrong with a session is not remembered', async () => {
    let asked = 0
    running = startTestGateway({
      resolveSession: async () => {
        asked += 1
        return { problem: asked > 1 ? 'SESSION_LOCKED' : 'UNAUTHORIZED' }
      },
    })
    const { gateway } = running
    expect(await codeOf(callFromDoor(gateway, 'alpha.whoAmI'))).toBe('UNAUTHORIZED')
    expect(await codeOf(callFromDoor(gateway, 'alpha.whoAmI'))).toBe('SESSION_LOCKED')
  })
})

describe('sleep', () => {
  test('an idle service closes and is opened by a call or by an event it subscribes to', async () => {
    running = startTestGateway({ definition: { idleAfterMs: 150 } })
    const { gateway } = running
    await callFromDoor(gateway, 'alpha.echo', { note: '' })
    await eventually('alpha sleeps', () => stateOf('alpha') === 'asleep')
    expect(await callFromDoor(gateway, 'alpha.echo', { note: 'awake' })).toEqual({ note: 'awake' })
    await eventually('alpha sleeps again', () => stateOf('alpha') === 'asleep')
    gateway.wakeSubscribers(['NothingHappened'])
    expect(stateOf('alpha')).toBe('asleep')
    gateway.wakeSubscribers(['ThingHappened'])
    await eventually('alpha was woken', () => stateOf('alpha') === 'ready')
    expect(stateOf('beta')).toBe('asleep')
    expect(gateway.services().find(({ name }) => name === 'alpha')?.restarts).toBe(0)
  })
})

async function gatewayError(outcome: Promise<unknown>): Promise<unknown> {
  return outcome.then(
    () => null,
    (error: unknown) => error,
  )
}
