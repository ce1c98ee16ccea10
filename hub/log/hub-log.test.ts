import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { composePayload, type NewJournalEntry } from '../../platform/journal/entry.ts'
import { connectJournal, type JournalClient } from '../../platform/journal/journal-client.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import {
  makeServerDatabase,
  onServer,
  type ServerDatabase,
} from '../../platform/database/testing/on-server.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { type HubLog, startHubLog } from './hub-log.ts'

const key = openWorkstationKey(makeTestFolder('tracseq-hub-log-'))
const laboratories = [randomUUID(), randomUUID()]
let url: string
let log: HubLog
let database: ServerDatabase

beforeEach(async () => {
  database = await makeServerDatabase(inject('postgresUrl'))
  url = database.url
  log = await open()
})
afterEach(async () => {
  await log.close()
  await database.drop()
})

function open(): Promise<HubLog> {
  return startHubLog({ url, key, checkpointEvery: 50, log: () => undefined })
}

function entryOf(domain: string, domainSequence: number, laboratoryId: string, words = 'x'): NewJournalEntry {
  const metadata = {
    kind: 'change',
    domain,
    domainSequence,
    changeSetId: `${domain}-${domainSequence}`,
    origin: 'local',
    actorId: 'somebody',
    workstationId: 'hub',
    hybridLogicalTime: '',
    reason: null,
    correlationId: 'c',
    recordedAt: '2026-11-21T10:00:00.000Z',
    eventNames: domainSequence % 2 === 0 ? ['Happened'] : [],
  } as const
  return { ...metadata, payload: composePayload(metadata, { laboratoryId, words }) }
}

const laboratoryFor = (index: number) => laboratories[index % 2] ?? ''

describe('entries of many writers', () => {
  it('stand dense and in the order of their domains, and a reader skips none while they are written', async () => {
    const domains = ['auth', 'barcodes', 'samples', 'storage']
    const clients = await Promise.all(domains.map(() => connectJournal(log.createPort())))
    const seen: number[] = []
    const written = new AbortController()
    const reading = (async () => {
      const reader = await connectJournal(log.createPort())
      for (let ended = false; !ended;) {
        const wasWritten = written.signal.aborted
        const entries = await reader.read({ afterSequence: seen.at(-1) ?? 0, limit: 100 })
        seen.push(...entries.map(({ sequence }) => sequence))
        ended = entries.length === 0 && wasWritten
      }
      reader.close()
    })()
    await Promise.all(
      domains.map(async (domain, writer) => {
        const client = clients[writer]
        if (client === undefined) throw new Error('Each domain has a client')
        for (let from = 1; from <= 200; from += 20) {
          const batch = Array.from({ length: 20 }, (_, index) => from + index)
          await Promise.all(
            batch.map((sequence) => client.append(entryOf(domain, sequence, laboratoryFor(sequence)))),
          )
        }
      }),
    )
    written.abort()
    await reading
    expect(seen).toEqual(Array.from({ length: 800 }, (_, index) => index + 1))
    for (const domain of domains) {
      const own = await log.client.readDomain({ domain, afterDomainSequence: 0, limit: 1_000 })
      expect(own.map(({ domainSequence }) => domainSequence)).toEqual(
        Array.from({ length: 200 }, (_, index) => index + 1),
      )
    }
    const positions = await onServer(url, (client) =>
      client.query<{ last: number; rows: number }>(
        'select max(position)::int as last, count(*)::int as rows from entry group by laboratory_id',
      ),
    )
    expect(positions.rows).toEqual([
      { last: 400, rows: 400 },
      { last: 400, rows: 400 },
    ])
    expect(await log.client.verify()).toMatchObject({ status: 'whole', entries: 800 })
    expect(await log.client.read({ afterSequence: 0, eventNames: ['Happened'], limit: 3 })).toHaveLength(3)
    for (const client of clients) client.close()
  })

  it('are refused out of turn, answered again the same, and never exist twice', async () => {
    const first = await log.client.append(entryOf('samples', 1, laboratoryFor(0)))
    await expect(log.client.append(entryOf('samples', 3, laboratoryFor(0)))).rejects.toMatchObject({
      code: 'DOMAIN_SEQUENCE_GAP',
    })
    expect(await log.client.append(entryOf('samples', 1, laboratoryFor(0)))).toEqual(first)
    await expect(log.client.append(entryOf('samples', 1, laboratoryFor(0), 'other'))).rejects.toMatchObject({
      code: 'FORK',
    })
    expect(await log.client.head()).toEqual(first)
  })
})

describe('a connection that breaks', () => {
  it('in the middle of writing loses nothing that was answered, and the log goes on', async () => {
    const answered: number[] = []
    let next = 1
    const until = Date.now() + 2_500
    const killing = (async () => {
      while (Date.now() < until) {
        await delay(400)
        await breakConnections()
      }
    })()
    while (Date.now() < until || answered.length === 0) {
      try {
        await log.client.append(entryOf('samples', next, laboratoryFor(next)))
        answered.push(next)
        next += 1
      } catch (error) {
        expect(error).toMatchObject({ code: 'JOURNAL_NOT_WRITABLE' })
        await delay(50)
      }
    }
    await killing
    await untilWritable(log.client)
    const { sequence } = await log.client.append(entryOf('samples', next, laboratoryFor(next)))
    expect(sequence).toBe(next)
    expect(answered).toEqual(Array.from({ length: next - 1 }, (_, index) => index + 1))
    expect(await log.client.verify()).toMatchObject({ status: 'whole', entries: next })
  }, 60_000)

  async function breakConnections(): Promise<void> {
    const name = new URL(url).pathname.slice(1)
    await onServer(inject('postgresUrl'), (client) =>
      client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]),
    )
  }

  async function untilWritable(client: JournalClient): Promise<void> {
    while (!client.state.writable) await delay(50)
  }
})

it('another instance of the Hub waits until this one has gone, and goes on where it stopped', async () => {
  await log.client.append(entryOf('samples', 1, laboratoryFor(0)))
  const second = open()
  const early = await Promise.race([second.then(() => 'opened'), delay(500).then(() => 'waits')])
  expect(early).toBe('waits')
  await log.close()
  log = await second
  expect(await log.client.append(entryOf('samples', 2, laboratoryFor(0)))).toMatchObject({ sequence: 2 })
})

describe('verifying', () => {
  it.each([
    [
      'a changed payload',
      `update entry set payload = replace(payload, '"x"', '"y"') where sequence = 30`,
      30,
    ],
    ['a missing entry', 'delete from entry where sequence = 30', 30],
    ['a changed hash', `update entry set hash = decode(repeat('00', 32), 'hex') where sequence = 30`, 30],
    ['a forged checkpoint', `update checkpoint set signature = 'AAAA'`, 60],
  ])('finds %s', async (_what, damage, where) => {
    for (let index = 1; index <= 60; index += 1)
      await log.client.append(entryOf('samples', index, laboratoryFor(0)))
    await log.client.checkpoint()
    expect(await log.client.verify()).toMatchObject({ status: 'whole', entries: 60 })
    await onServer(url, (client) => client.query(damage))
    const result = await log.client.verify()
    expect(result.status).toBe('broken')
    expect(result.firstBadSequence).toBeLessThanOrEqual(where)
    expect(result.problems[0]).toBeTruthy()
  })

  it('proves one laboratory its own chain, and tells it of no other', async () => {
    const [mine, theirs] = [laboratoryFor(0), laboratoryFor(1)]
    for (let index = 1; index <= 30; index += 1)
      await log.client.append(entryOf('samples', index, index % 3 === 0 ? theirs : mine))
    await log.client.checkpoint()
    await onServer(url, (client) =>
      client.query('delete from entry where laboratory_id = $1 and position = 4', [theirs]),
    )
    const [own, other] = [log.auditOf(mine), log.auditOf(theirs)]
    expect(await own.verify()).toMatchObject({ status: 'whole', entries: 20, problems: [] })
    expect(await other.verify()).toMatchObject({ status: 'broken', entries: 9 })
    expect(await own.head()).toMatchObject({ sequence: 20 })
    expect((await own.checkpoints(20)).map(({ sequence }) => sequence)).toEqual([20])
    expect(await own.domainHead('samples')).toMatchObject({ domainSequence: 29 })
    expect(await log.auditOf(randomUUID()).head()).toBeNull()
    expect(await log.auditOf(randomUUID()).domains()).toEqual([])
  })

  it('knows when databases are ahead of the log', async () => {
    await log.client.append(entryOf('samples', 1, laboratoryFor(0)))
    expect(await log.client.verify({ heads: [{ domain: 'samples', domainSequence: 7 }] })).toMatchObject({
      status: 'tail-short',
    })
  })
})
