import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { duplexPair } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import {
  makeServerDatabase,
  onServer,
  type ServerDatabase,
} from '../../platform/database/testing/on-server.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { composePayload } from '../../platform/journal/entry.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import { type HubLog, startHubLog } from '../log/hub-log.ts'
import { HeadFeed } from './head-feed.ts'

const laboratoryId = randomUUID()
const failures: unknown[] = []
let database: ServerDatabase
let log: HubLog
let feed: HeadFeed
let server: Server
let entries = 0

beforeAll(async () => {
  database = await makeServerDatabase(inject('postgresUrl'))
  const key = openWorkstationKey(makeTestFolder('tracseq-head-feed-'))
  log = await startHubLog({ url: database.url, key, log: () => undefined })
  feed = new HeadFeed(log.reader, log.client, (error) => failures.push(error))
  const workstation = { id: randomUUID(), laboratoryId }
  server = createServer((_request, response) => feed.follow(workstation, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  feed.close()
  server.closeAllConnections()
  server.close()
  await log.close()
  await database.drop()
})

async function grow(): Promise<void> {
  entries += 1
  const metadata = {
    kind: 'change',
    domain: 'samples',
    domainSequence: entries,
    changeSetId: randomUUID(),
    origin: 'local',
    actorId: 'somebody',
    workstationId: 'hub',
    hybridLogicalTime: '',
    reason: null,
    correlationId: 'c',
    recordedAt: new Date().toISOString(),
    eventNames: [],
  } as const
  await log.client.append({ ...metadata, payload: composePayload(metadata, { laboratoryId }) })
}

/** A workstation that reads. Ends with the feed. */
async function listen(): Promise<{ readonly heard: () => string; readonly stop: () => void }> {
  const { port } = server.address() as AddressInfo
  const stopping = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: stopping.signal })
  let heard = ''
  const reading = (async () => {
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) heard += text
  })()
  reading.catch(() => undefined)
  return { heard: () => heard, stop: () => stopping.abort() }
}

it('lets go of a workstation that does not read, and goes on telling the others', async () => {
  const reader = await listen()
  // A line that takes a few hundred bytes: a network takes millions before it takes no more.
  const [deaf, served] = duplexPair({ highWaterMark: 256 })
  server.emit('connection', served)
  deaf.write('GET / HTTP/1.1\r\nHost: hub\r\n\r\n')
  const last = entries + 100
  while (!served.destroyed && entries < last) {
    await grow()
    await delay(35)
  }
  expect(served.destroyed).toBe(true)
  await grow()
  await vi.waitFor(() => expect(reader.heard()).toContain(`{"position":${entries}}`))
  reader.stop()
  expect(failures).toEqual([])
})

describe('a log that cannot be asked', () => {
  it('is reported, and told of when it has grown again', async () => {
    const reader = await listen()
    await vi.waitFor(() => expect(reader.heard()).toContain('position'))
    await onServer(database.url, (client) => client.query('alter table entry rename to away'))
    const other = await listen()
    await vi.waitFor(() => expect(failures).toMatchObject([{ message: 'relation "entry" does not exist' }]))
    await onServer(database.url, (client) => client.query('alter table away rename to entry'))
    await grow()
    for (const each of [reader, other])
      await vi.waitFor(() => expect(each.heard()).toContain(`{"position":${entries}}`))
    reader.stop()
    other.stop()
  })
})
