import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { composePayload, type EntryMetadata } from '../journal/entry.ts'
import { SecretUnreadable } from '../journal/secret-store.ts'
import { type RunningJournal, startJournal } from '../journal/start-journal.ts'
import { openHttpFrontDoor } from './http-front-door.ts'
import { createSystemService, describeVerification } from './system-service.ts'
import {
  callFromDoor,
  codeOf,
  eventually,
  startTestGateway,
  technician,
  type TestGateway,
} from './testing/test-gateway.ts'

const auditor = {
  ...technician,
  permissions: ['system:read', 'system:operate', 'audit:read', 'audit:verify', 'files:store'],
}
let running: TestGateway
let journal: RunningJournal

beforeEach(async () => {
  running = startTestGateway({
    resolveSession: async (token) => ({ actor: token === 'auditor' ? auditor : technician }),
  })
  journal = await startJournal({
    home: running.home,
    author: { actorId: 'system', workstationId: 'workstation', hybridLogicalTime: () => '0' },
    reserveBytes: 0,
  })
  const { gateway, home } = running
  gateway.addLocal(createSystemService({ gateway, journal: journal.client, home, version: '1.2.3' }))
})
afterEach(async () => {
  await journal.close()
  await running.stop()
})

function ask(procedure: string, input?: unknown): Promise<unknown> {
  return callFromDoor(running.gateway, `system.${procedure}`, input, { token: 'auditor' })
}

async function append(number: number, reason: string): Promise<void> {
  const metadata: EntryMetadata = {
    kind: 'change',
    domain: 'alpha',
    domainSequence: number,
    changeSetId: `change-${number}`,
    origin: 'local',
    actorId: 'technician',
    workstationId: 'workstation',
    hybridLogicalTime: String(number),
    reason,
    correlationId: `click-${number}`,
    recordedAt: '2026-01-31T08:00:00.000Z',
    eventNames: ['ThingHappened'],
  }
  await journal.client.append({ ...metadata, payload: composePayload(metadata, { changed: number }) })
}

test('health is for everybody, the rest by permission', async () => {
  expect(await callFromDoor(running.gateway, 'system.health', undefined, { token: null })).toMatchObject({
    status: 'ok',
    version: '1.2.3',
  })
  expect(await codeOf(callFromDoor(running.gateway, 'system.verifyJournal'))).toBe('FORBIDDEN')
  expect(await codeOf(callFromDoor(running.gateway, 'system.memory', undefined, { token: null }))).toBe(
    'UNAUTHORIZED',
  )
})

test('services tell state, load and speed; a sleeping one can be woken', async () => {
  await callFromDoor(running.gateway, 'alpha.echo', { note: '' })
  await codeOf(callFromDoor(running.gateway, 'alpha.fail', { how: 'rule' }))
  const services = await ask('services')
  expect(services).toEqual([
    expect.objectContaining({
      name: 'alpha',
      state: 'ready',
      calls: 2,
      errors: 1,
      breaker: 'closed',
      restarts: 0,
    }),
    expect.objectContaining({ name: 'beta', state: 'asleep', calls: 0, p50Ms: null, uptimeMs: null }),
    expect.objectContaining({ name: 'system', state: 'ready' }),
  ])
  await ask('wakeService', { name: 'beta' })
  await eventually('beta is awake', () =>
    running.gateway.services().some(({ name, state }) => name === 'beta' && state === 'ready'),
  )
  expect(await codeOf(ask('wakeService', { name: 'gamma' }))).toBe('NOT_FOUND')
})

test('memory of the process', async () => {
  const memory = await ask('memory')
  expect(memory).toMatchObject({ rssBytes: expect.any(Number), heapUsedBytes: expect.any(Number) })
})

describe('the journal', () => {
  test('its state, and its proof in words', async () => {
    await append(1, 'Received')
    await append(2, 'Stored')
    expect(await ask('journal')).toMatchObject({
      writable: true,
      why: null,
      head: { sequence: 2 },
      domains: [{ name: 'alpha', domainSequence: 2, sequence: 2 }],
      epochs: [{ number: 1, gaps: [] }],
    })
    expect(await ask('verifyJournal')).toMatchObject({
      status: 'whole',
      words: 'All 2 entries are whole: nothing was changed, removed or put in between.',
      firstBadSequence: null,
    })
  })

  test('a tail that the databases know and the file lacks is noticed', async () => {
    await append(1, 'Received')
    writeFileSync(join(running.home, 'alpha-head'), '3')
    await callFromDoor(running.gateway, 'alpha.echo', { note: '' })
    await eventually('alpha told its head', () =>
      running.gateway
        .services()
        .some(({ name, confirmedSequence }) => name === 'alpha' && confirmedSequence === 3),
    )
    expect(await ask('verifyJournal')).toMatchObject({ status: 'tail-short', entries: 1 })
    await append(2, 'Received')
    await append(3, 'Received')
    expect(await ask('verifyJournal')).toMatchObject({ status: 'whole', problems: [] })
  })

  test('search by what is known, page by page, and one entry with its payload', async () => {
    for (let number = 1; number <= 5; number += 1)
      await append(number, number % 2 === 0 ? 'Moved box' : 'Received')
    const byText = await ask('searchAudit', { text: 'moved' })
    expect(byText).toMatchObject({ items: [{ domainSequence: 4 }, { domainSequence: 2 }], nextCursor: null })
    expect(
      await ask('searchAudit', { correlationId: 'click-3', domain: 'alpha', eventName: 'ThingHappened' }),
    ).toMatchObject({
      items: [{ changeSetId: 'change-3', payloadRemoved: false }],
    })
    expect(await ask('searchAudit', { from: '2027-01-01T00:00:00Z' })).toEqual({
      items: [],
      nextCursor: null,
    })
    const first = await ask('searchAudit', { limit: 2 })
    expect(first).toMatchObject({ items: [{ sequence: 5 }, { sequence: 4 }], nextCursor: expect.any(String) })
    const cursor =
      typeof first === 'object' && first !== null && 'nextCursor' in first ? first.nextCursor : null
    expect(await ask('searchAudit', { limit: 2, cursor })).toMatchObject({
      items: [{ sequence: 3 }, { sequence: 2 }],
    })
    expect(await codeOf(ask('searchAudit', { cursor: 'not ours' }))).toBe('BAD_REQUEST')
    expect(await ask('auditEntry', { sequence: 1 })).toMatchObject({
      entry: { changeSetId: 'change-1' },
      payload: expect.stringContaining('"body":{"changed":1}'),
    })
    expect(await codeOf(ask('auditEntry', { sequence: 99 }))).toBe('NOT_FOUND')
  })

  test('each result of a proof has its words', () => {
    const result = { entries: 9, headHash: null, countersigned: null, firstBadSequence: null, problems: [] }
    expect(describeVerification({ ...result, status: 'tail-short' })).toContain('later ones that are missing')
    expect(
      describeVerification({
        ...result,
        status: 'broken',
        firstBadSequence: 4,
        problems: ['The hash differs.'],
      }),
    ).toBe('The journal is broken from entry 4 on. The hash differs.')
  })
})

describe('files', () => {
  const content = Buffer.from('@read\nACGT\n+\nIIII\n')
  const sha256 = createHash('sha256').update(content).digest('hex')

  test('are stored once under the hash of their content', async () => {
    const file = new File([content], 'reads.fastq')
    const answers = await Promise.all([ask('storeFile', { file }), ask('storeFile', { file })])
    const stored = { sha256, sizeBytes: content.length, name: 'reads.fastq' }
    expect(answers).toEqual([stored, stored])
    expect(readdirSync(join(running.home, 'files'))).toEqual([sha256])
    expect(readFileSync(join(running.home, 'files', sha256))).toEqual(content)
    expect(await codeOf(ask('storeFile', { file: 'no file' }))).toBe('BAD_REQUEST')
  })

  test('come over HTTP as a form', async () => {
    const door = await openHttpFrontDoor(running.gateway, {
      host: '127.0.0.1',
      port: 0,
      title: 'Test',
      version: '1.2.3',
      isReady: () => true,
      loopbackOnly: true,
      largestBodyBytes: 1_000,
    })
    const send = async (bytes: Uint8Array<ArrayBuffer>) => {
      const body = new FormData()
      body.set('file', new File([bytes], 'reads.fastq'))
      const response = await fetch(`${door.url}/v1/system/files`, {
        method: 'POST',
        // A form whose length is told, as curl and browsers do.
        ...(await withLength(body)),
      })
      return { status: response.status, body: await response.json() }
    }
    expect(await send(Uint8Array.from(content))).toEqual({
      status: 200,
      body: { sha256, sizeBytes: content.length, name: 'reads.fastq' },
    })
    expect(await send(new Uint8Array(2_000))).toMatchObject({
      status: 413,
      body: { code: 'PAYLOAD_TOO_LARGE' },
    })
    await door.close()
  })
})

async function withLength(form: FormData) {
  const encoded = new Response(form)
  const type = encoded.headers.get('content-type') ?? ''
  return {
    body: await encoded.arrayBuffer(),
    headers: { authorization: 'Bearer auditor', 'content-type': type },
  }
}

test('a call can be followed by its correlation id, and metrics be read', async () => {
  await running.gateway.call({
    path: ['alpha', 'write'],
    input: { note: '' },
    correlationId: 'click-7',
    origin: { from: 'host', actor: technician },
  })
  await eventually('both spans are there', async () => {
    const spans = await ask('trace', { id: 'click-7' })
    return Array.isArray(spans) && spans.length === 2
  })
  const metrics = await ask('metrics')
  expect(metrics).toContainEqual(expect.objectContaining({ name: 'tracseq_calls_total' }))
})

describe('what each domain seals its secrets with', () => {
  const envelope = (service: string | null) => ({
    actor: { ...technician, service },
    correlationId: 'opening',
    idempotencyKey: null,
    deadlineAt: Date.now() + 5_000,
    traceParent: null,
  })
  const keyFor = async (domain: string, gateway = running.gateway) =>
    gateway.call({
      path: ['system', 'domainKey'],
      input: undefined,
      origin: { from: 'service', domain, envelope: envelope(domain) },
    })

  test('is a key of its own, the same at the next start', async () => {
    const key = await keyFor('alpha')
    expect(key).toEqual({ key: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string })
    expect(await keyFor('alpha')).toEqual(key)
    expect(await keyFor('beta')).not.toEqual(key)
    const next = startTestGateway()
    const { home } = running
    const options = { gateway: next.gateway, journal: journal.client, home, version: '1.2.3' }
    next.gateway.addLocal(createSystemService(options))
    expect(await keyFor('alpha', next.gateway)).toEqual(key)
    await next.stop()
  })

  test('is for services alone, not for whom they act', async () => {
    expect(await codeOf(ask('domainKey'))).toBe('NOT_FOUND')
    const origin = { from: 'service', domain: 'alpha', envelope: envelope(null) } as const
    const asked = running.gateway.call({ path: ['system', 'domainKey'], input: undefined, origin })
    expect(await codeOf(asked)).toBe('FORBIDDEN')
  })

  test('is another one for this start when it was sealed elsewhere, and the log says so', async () => {
    const next = startTestGateway()
    const secrets = {
      kept: 'sealed',
      read: () => {
        throw new SecretUnreadable('domain-keys.sealed was sealed on another computer')
      },
      write: () => undefined,
    }
    const { home } = next
    const options = { gateway: next.gateway, journal: journal.client, home, version: '1.2.3', secrets }
    next.gateway.addLocal(createSystemService(options))
    const key = await keyFor('alpha', next.gateway)
    expect(await keyFor('alpha', next.gateway)).toEqual(key)
    const warning = next.logLines().find(({ level }) => level === 'warn' || level === 40)
    expect(JSON.stringify(warning)).toContain('another computer')
    await next.stop()
  })
})

test('where laboratories share a host, each has its own files and sees its own calls', async () => {
  const shared = startTestGateway({ resolveSession: async (token) => ({ actor: personOf(token) }) })
  const { gateway, home } = shared
  const options = { gateway, journal: journal.client, home, version: '1.2.3', filesPerLaboratory: true }
  gateway.addLocal(createSystemService(options))
  const call = (path: string, token: string, input: unknown = {}, correlationId?: string) =>
    gateway.call({
      path: path.split('.'),
      input,
      ...(correlationId === undefined ? {} : { correlationId }),
      origin: {
        from: 'door',
        client: 'test',
        headers: { token, idempotencyKey: null, deadlineMs: null, traceParent: null },
      },
    })
  await call('system.storeFile', 'heron', { file: new File(['a manifest'], 'manifest.csv') })
  expect(readdirSync(join(home, 'files'))).toEqual(['heron'])
  expect(readdirSync(join(home, 'files', 'heron'))).toHaveLength(1)

  await call('alpha.write', 'heron', { note: 'ours' }, 'click-9')
  const own = await call('system.trace', 'heron', { id: 'click-9' })
  expect(own).toContainEqual(expect.objectContaining({ name: 'gateway alpha.write' }))
  expect(await call('system.trace', 'osprey', { id: 'click-9' })).toEqual([])
  await shared.stop()

  function personOf(laboratoryId: string) {
    return { ...auditor, permissions: [...auditor.permissions, 'test:write'], laboratoryId }
  }
})
