import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningJournal, startJournal } from '../journal/start-journal.ts'
import { ChangeFeed, type ChangeHint } from './change-feed.ts'
import { openHttpFrontDoor } from './http-front-door.ts'
import { createSystemService } from './system-service.ts'
import { codeOf, openTestClient, startTestGateway, type TestGateway } from './testing/test-gateway.ts'

let running: TestGateway
let journal: RunningJournal

beforeEach(async () => {
  running = startTestGateway()
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

function as(token: string) {
  return { context: { headers: { authorization: `Bearer ${token}` } } }
}

async function next(feed: AsyncIterator<ChangeHint>): Promise<readonly string[]> {
  const { value, done } = await feed.next()
  if (done === true) throw new Error('The feed has ended')
  return value.domains
}

test('what one window changes the other hears of, and another laboratory does not', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => openTestClient(running.gateway, name))
  if (one === undefined || two === undefined || three === undefined) throw new Error('three windows')
  expect(await codeOf(two.client.system.changes())).toBe('UNAUTHORIZED')
  const feed = await two.client.system.changes(undefined, as('guest'))
  const strange = await three.client.system.changes(undefined, as('stranger'))
  expect(await next(feed)).toEqual([])
  expect(await next(strange)).toEqual([])

  await one.client.alpha.write({ note: '' }, as('technician'))
  expect(await next(feed)).toEqual(['alpha'])
  await three.client.beta.write({ note: '' }, as('stranger'))
  expect(await next(strange)).toEqual(['beta'])
  for (const { close } of [one, two, three]) close()
})

test('a browser hears of it as server-sent events, and no open feed keeps the door from closing', async () => {
  const door = await openHttpFrontDoor(running.gateway, {
    host: '127.0.0.1',
    port: 0,
    title: 'TracSeq Hub',
    version: '1.2.3',
    isReady: () => true,
    loopbackOnly: true,
  })
  const address = `${door.url}/v1/system/changes`
  expect((await fetch(address)).status).toBe(401)
  const response = await fetch(address, { headers: { authorization: 'Bearer technician' } })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const { client, close } = openTestClient(running.gateway)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let told = ''
  let written = false
  while (!told.includes('{"domains":["alpha"]}')) {
    const chunk = await reader?.read()
    if (chunk === undefined || chunk.done) throw new Error(`The feed ended with ${told}`)
    told += chunk.value
    if (told.includes('{"domains":[]}') && !written) {
      written = true
      await client.alpha.write({ note: '' }, as('technician'))
    }
  }
  close()
  const startedAt = performance.now()
  await door.close()
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

test('changes that come fast are told at once and then together, and none is lost', async () => {
  const feed = new ChangeFeed()
  const stop = new AbortController()
  const hints: (readonly string[])[] = []
  const reading = (async () => {
    for await (const { domains } of feed.follow('laboratory', stop.signal)) {
      hints.push(domains)
      if (domains.includes('storage')) stop.abort()
    }
  })()
  await Promise.resolve()
  for (let change = 0; change < 1_000; change += 1) {
    feed.tell('laboratory', 'samples')
    feed.tell('another laboratory', 'auth')
    if (change % 100 === 0) await new Promise((resume) => setTimeout(resume, 10))
  }
  feed.tell('laboratory', 'storage')
  await reading
  expect(hints).toEqual([[], ['samples'], ['samples', 'storage']])
})
