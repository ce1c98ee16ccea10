import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { HubRefused } from '../../main/sync/hub-connection.ts'
import { Machine } from '../../main/sync/testing/sync-network.ts'
import { send } from '../../main/testing/http-client.ts'
import { killLeftOvers } from '../../main/testing/workstation-process.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { hashEntry, hashPayload } from '../../platform/journal/entry.ts'
import { sync } from '../../platform/sync/contract.ts'
import { emptyLog } from '../../platform/sync/log.ts'
import { PullAnswer } from '../../platform/sync/wire.ts'
import { auth } from '../../services/auth/contract.ts'
import {
  attemptToSignIn,
  enrolOnWire,
  type MadeSet,
  migrationsHere,
  refusalOf,
  type WireWorkstation,
} from './testing/wire-workstation.ts'

const hub = new Machine({ program: resolve(import.meta.dirname, '../index.ts') })
let bench: WireWorkstation
let laboratoryId: string
let adminId: string

beforeAll(async () => {
  await hub.start()
  const { user, laboratory } = await (await hub.admin()).client(auth).me()
  laboratoryId = laboratory.id
  adminId = user.id
  bench = await enrolOnWire(hub.url, await newCode())
}, 180_000)
afterAll(async () => {
  await hub.remove()
  await killLeftOvers()
}, 60_000)

async function newCode(): Promise<string> {
  const { code } = await (await hub.admin()).client(sync).createEnrolmentCode({})
  return code
}

/** Something that anybody at a workstation may add to. */
function attempt(change: Partial<MadeSet> & { readonly rowId?: string; readonly of?: string } = {}): MadeSet {
  const { of = laboratoryId, ...rest } = change
  return attemptToSignIn({ laboratoryId: of, actorId: adminId }, rest)
}

function pull(workstation: WireWorkstation, after = 0, more = '') {
  return workstation.connection.ask(`/pull?after=${after}${more}`, PullAnswer)
}

describe('pushing', () => {
  it('takes what was made, once, and the log has it', async () => {
    const id = randomUUID()
    const run = bench.runOf([attempt({ id }), attempt()])
    const answer = await bench.push(run)
    expect(answer.decided).toMatchObject([
      { changeSetId: id, outcome: 'applied', status: 'taken' },
      { outcome: 'applied' },
    ])
    expect(answer.pushed.sequence).toBe(2)
    // The answer may have got lost: the Hub says what it has.
    expect(await refusalOf(bench.connection.ask('/push', z.unknown(), { method: 'POST', json: run }))).toBe(
      '409 OUT_OF_TURN',
    )
    const { entries, head } = await pull(bench)
    expect(entries.filter(({ payload }) => payload.includes(id))).toHaveLength(1)
    expect(entries.at(-1)?.position).toBe(head.position)
  })

  it('answers a set that was decided before as it did then', async () => {
    const id = randomUUID()
    const rowId = randomUUID()
    await bench.push(bench.runOf([attempt({ id, rowId })]))
    const before = (await pull(bench)).head.position
    expect((await bench.push(bench.runOf([attempt({ id, rowId })]))).decided).toMatchObject([
      { outcome: 'applied' },
    ])
    expect((await pull(bench)).head.position).toBe(before)
  })

  it('refuses and records a run that was changed on the way, and takes the right one afterwards', async () => {
    const run = bench.runOf([attempt(), attempt()])
    const [first, second] = run.entries
    if (first === undefined || second === undefined) throw new Error('The run has two entries')
    const tampered = [
      {
        ...run,
        entries: [{ ...first, payload: first.payload?.replace('somebody@', 'nobody@') ?? null }, second],
      },
      { ...run, entries: [second] },
      { ...run, entries: [second, first] },
      { ...run, signature: bench.key.sign('journal-checkpoint', randomBytes(40)) },
    ]
    for (const one of tampered) expect(await refusalOf(bench.push(one))).toBe('422 TAMPERED')
    expect((await bench.push(run)).decided).toHaveLength(2)
    const { items } = await (await hub.admin()).client(sync).refusals()
    expect(items.slice(0, 4).map(({ code, workstationId }) => `${code} ${workstationId}`)).toEqual(
      Array.from({ length: 4 }, () => `TAMPERED ${bench.id}`),
    )
  })

  it('takes what several push at once, each its own, and what one may not push hinders no other', async () => {
    const [foreign, ...honest] = await Promise.all(
      [1, 2, 3].map(async () => enrolOnWire(hub.url, await newCode())),
    )
    if (foreign === undefined) throw new Error('There are three')
    const refused = refusalOf(foreign.push(foreign.runOf([attempt({ workstationId: bench.id })])))
    const pushed = honest.map(async (each) => {
      const ids = [randomUUID(), randomUUID()]
      const run = each.runOf(ids.map((id) => attempt({ id })))
      return { ids, answers: await Promise.allSettled([each.push(run), each.push(run)]) }
    })
    expect(await refused).toBe('403 FOREIGN_SET')
    for (const { ids, answers } of await Promise.all(pushed)) {
      const [taken, ...more] = answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(taken?.decided).toEqual(
        ids.map((changeSetId) => ({ changeSetId, outcome: 'applied', status: 'taken' })),
      )
      // The same run once more does not follow from what it left itself.
      expect(more).toEqual([])
      const [late] = answers.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
      expect(late instanceof HubRefused && late.code).toBe('OUT_OF_TURN')
    }
  })

  it('refuses what another workstation made, what is of another laboratory, and what leaves something out', async () => {
    const foreign = bench.runOf([attempt({ workstationId: randomUUID() })])
    expect(await refusalOf(bench.push(foreign))).toBe('403 FOREIGN_SET')
    const elsewhere = bench.runOf([attempt({ of: randomUUID() })])
    expect(await refusalOf(bench.push(elsewhere))).toBe('403 FOREIGN_SET')
    const { place } = bench
    bench.place = { ...place, sequence: place.sequence + 1 }
    expect(await refusalOf(bench.push(bench.runOf([attempt()])))).toBe('409 OUT_OF_TURN')
    bench.place = { sequence: place.sequence, hash: hashPayload('another').toString('hex') }
    expect(await refusalOf(bench.push(bench.runOf([attempt()])))).toBe('409 ANOTHER_JOURNAL')
    bench.place = place
  })

  it('refuses and records a journal that was written anew from its beginning', async () => {
    const client = (await hub.admin()).client(sync)
    const other = await enrolOnWire(hub.url, (await client.createEnrolmentCode({})).code)
    const beginning = other.place
    await other.push(other.runOf([attempt(), attempt()]))
    const end = other.place
    other.place = beginning
    expect(await refusalOf(other.push(other.runOf([attempt(), attempt(), attempt()])))).toBe(
      '409 ANOTHER_JOURNAL',
    )
    // One that ends before what is known may be an old run that comes late.
    expect(await refusalOf(other.push(other.runOf([attempt()])))).toBe('409 OUT_OF_TURN')
    const { items: refusals } = await client.refusals()
    expect(refusals.filter(({ workstationId }) => workstationId === other.id)).toMatchObject([
      { code: 'ANOTHER_JOURNAL', words: expect.stringContaining('another one') as string },
    ])
    other.place = end
    expect((await other.push(other.runOf([attempt()]))).decided).toMatchObject([{ status: 'taken' }])
  })

  it('lets nobody write into another laboratory, nor a row be made twice', async () => {
    const set = attempt()
    const [first] = set.changes as readonly {
      readonly key: { readonly id: string }
      readonly values: object
    }[]
    const elsewhere = { laboratory_id: randomUUID(), id: first?.key.id ?? '' }
    const smuggled = { ...first, key: elsewhere, values: { ...first?.values, ...elsewhere } }
    for (const changes of [[smuggled], [first, smuggled], [first, first]] as object[][])
      expect(await refusalOf(bench.push(bench.runOf([{ ...set, changes }])))).toBe('400 BAD_REQUEST')
  })

  it('names the place and the rule of what is not valid', async () => {
    const wrong = bench.runOf([attempt(), attempt({ changes: [{ table: 'sign in' }] })])
    const error = await bench.push(wrong).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    const token = await bench.token()
    const raw = async (body: BodyInit, headers: Record<string, string> = {}) => {
      const answer = await send({
        url: `${hub.url}/v1/sync/push`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        body,
      })
      return `${answer.status} ${JSON.stringify(answer.body)}`
    }
    expect(await raw('{')).toContain('400 {"code":"BAD_REQUEST","message":"The body is not JSON"')
    expect(await raw('{}')).toMatch(/^400 .*after/)
    expect(await raw('no gzip', { 'content-encoding': 'gzip' })).toMatch(/^400 .*not gzip/)
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect(await raw(new Uint8Array(bomb), { 'content-encoding': 'gzip' })).toMatch(/^413 /)
  })

  it('keeps what its author may not do any more for a person to look at, and takes what a person approves', async () => {
    const admin = await hub.admin()
    const user = await admin.client(auth).createUser({
      name: 'Leaving',
      email: 'leaving@example.org',
      password: 'nine patient otters',
      roles: ['lab_administrator'],
    })
    const given = { actorId: user.id, procedure: 'auth.createUser' }
    expect((await bench.push(bench.runOf([attempt(given)]))).decided).toMatchObject([{ outcome: 'applied' }])
    await admin.client(auth).setUserStatus({ id: user.id, status: 'suspended', reason: 'Left' })
    const rowId = randomUUID()
    const held = await bench.push(bench.runOf([attempt({ ...given, rowId })]))
    expect(held.decided).toMatchObject([{ outcome: 'review', status: 'waiting' }])
    const { items } = await admin.client(sync).workItems({})
    const [item] = items
    if (item === undefined) throw new Error('There is a work item')
    expect(item).toMatchObject({ kind: 'review', domain: 'auth', pushed: { actorId: user.id } })
    const resolution = {
      domain: 'auth',
      itemId: item.id,
      choice: { take: 'pushed' },
      reason: 'It was his shift',
    } as const
    await admin.client(sync).resolve(resolution)
    expect((await admin.client(sync).workItems({})).items).toEqual([])
    await expect(admin.client(sync).resolve(resolution)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const { entries } = await pull(bench)
    expect(entries.at(-1)?.payload).toContain(rowId)
  })

  it('refuses what only the Hub changes', async () => {
    const id = randomUUID()
    const change = {
      table: 'app_user',
      operation: 'insert',
      key: { laboratory_id: laboratoryId, id },
      replaces: null,
      values: { id, laboratory_id: laboratoryId, name: 'Mallory' },
      before: {},
    }
    const answer = await bench.push(
      bench.runOf([attempt({ procedure: 'auth.createUser', changes: [change] })]),
    )
    expect(answer.decided).toMatchObject([{ outcome: 'refused', status: 'waiting' }])
    const { items } = await (await hub.admin()).client(sync).workItems({})
    expect(items).toMatchObject([{ kind: 'refused', pushed: { changes: [{ table: 'app_user', id }] } }])
    // Nor does it come in by a person's decision about it, or about something else in the same domain.
    const { user } = await (await hub.admin()).client(auth).me()
    const promote = { table: 'app_user', values: { roles: '["guest"]' } }
    for (const edit of [
      { ...promote, id },
      { ...promote, id: user.id },
      { table: 'sign_in', id: randomUUID(), values: { email: 'mallory@example.org' } },
      { table: 'sign_in', id, values: { colour: 'green' } },
      { table: 'credential', id, values: { password_hash: 'x' } },
    ]) {
      const resolution = {
        ...{ domain: 'auth', itemId: items[0]?.id ?? '', reason: 'Because I can' },
        choice: { take: 'edits' as const, edits: [edit] },
      }
      await expect((await hub.admin()).client(sync).resolve(resolution)).rejects.toMatchObject({
        code: 'RULE_BROKEN',
      })
    }
    expect((await (await hub.admin()).client(auth).me()).user.roles).toEqual(user.roles)
  })

  it('holds for a person what its procedure does not allow, and what this version has no place for', async () => {
    const [first] = attempt().changes as readonly { readonly values: object }[]
    const held = [
      // A query writes nothing, and rows of one domain are changed by its own commands alone.
      attempt({ procedure: 'auth.me' }),
      attempt({ procedure: 'samples.accession' }),
      // What only hosts call.
      attempt({ procedure: 'auth.takeCredentials' }),
      attempt({ procedure: 'samples.internal', causedBy: randomUUID() }),
      attempt({ changes: [{ ...first, values: { ...first?.values, colour: 'green' } }] }),
    ]
    const { decided } = await bench.push(bench.runOf(held))
    expect(decided.map(({ status }) => status)).toEqual(held.map(() => 'waiting'))
    const client = (await hub.admin()).client(sync)
    const all = await client.workItems({})
    expect(all.total).toBe(all.items.length)
    expect(all.total).toBeGreaterThanOrEqual(held.length)
    // The oldest are enough for a person who decides one after the other, who is told how many there are.
    expect(await client.workItems({ limit: 2 })).toEqual({ items: all.items.slice(0, 2), total: all.total })
  })

  it('takes what a service did by itself only beside what it reacted to', async () => {
    const nobody = { actorId: randomUUID(), procedure: 'auth.internal' }
    const cause = randomUUID()
    const sets = [
      attempt({ id: cause }),
      attempt({ ...nobody, causedBy: cause }),
      // Neither the company of the one before nor a cause that nobody has seen makes these somebody's work.
      attempt({ ...nobody, causedBy: null }),
      attempt({ ...nobody, causedBy: randomUUID() }),
      attempt({ ...nobody, actorId: 'service:samples', causedBy: null }),
    ]
    const { decided } = await bench.push(bench.runOf(sets))
    expect(decided.map(({ outcome }) => outcome)).toEqual([
      ...['applied', 'applied'],
      ...['review', 'review', 'review'],
    ])
  })

  it('caps a clock that runs ahead, and says so', async () => {
    const id = randomUUID()
    const ahead = 5 * 60 * 60_000
    const answer = await bench.push(bench.runOf([attempt({ id, clock: Date.now() + ahead })]))
    expect(answer.clockAheadMs).toBeGreaterThan(ahead - 60_000)
    const entry = (await pull(bench)).entries.find(({ payload }) => payload.includes(id))
    const time = /"hybridLogicalTime":"(\d{13})/.exec(entry?.payload ?? '')?.[1]
    expect(Number(time)).toBeLessThanOrEqual(Date.now() + 5_000)
  })
})

describe('pulling', () => {
  it('gives the chain from any position on, each entry following from the one before', async () => {
    const { entries, head } = await pull(bench)
    let previous: Uint8Array = Buffer.from(emptyLog.hash, 'hex')
    for (const { position, hash, payload } of entries) {
      previous = hashEntry(previous, position, hashPayload(payload))
      expect(Buffer.from(previous).toString('hex')).toBe(hash)
    }
    const third = entries[2]
    const rest = await pull(bench, 3, `&hash=${third?.hash ?? ''}&limit=2`)
    expect(rest.entries).toEqual(entries.slice(3, 5))
    expect(rest.head).toEqual(head)
  })

  it('refuses to go on from another history', async () => {
    expect(await refusalOf(pull(bench, 3, `&hash=${emptyLog.hash}`))).toBe('409 ANOTHER_LOG')
    expect(await refusalOf(pull(bench, 100_000))).toBe('409 ANOTHER_LOG')
    expect(await refusalOf(bench.connection.ask('/pull?after=x', z.unknown()))).toBe('400 BAD_REQUEST')
  })

  it('tells at once that the log has grown', async () => {
    const { head } = await pull(bench)
    const response = await bench.connection.open('/events')
    const reader = (response.body ?? failing()).pipeThrough(new TextDecoderStream()).getReader()
    const seen: string[] = []
    const grown = (async () => {
      while (!seen.join('').includes(`{"position":${head.position + 1}}`)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`The feed ended: ${seen.join('')}`)
        seen.push(value)
      }
    })()
    await bench.push(bench.runOf([attempt()]))
    await grown
    await reader.cancel()
  })

  it('gives snapshots by domain, in parts, with their place in the log', async () => {
    const whole = await bench.connection.open('/snapshot?domain=auth')
    const bytes = Buffer.from(await whole.arrayBuffer())
    const sha256 = whole.headers.get('x-tracseq-sha256') ?? ''
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    const position = Number(whole.headers.get('x-tracseq-position'))
    const { entries } = await pull(bench, position - 1)
    expect(entries[0]).toMatchObject({ position, hash: whole.headers.get('x-tracseq-hash') })
    expect(entries.slice(1).filter(({ domain }) => domain === 'auth')).toEqual([])
    const part = await bench.connection.open(`/snapshot?domain=auth&sha256=${sha256}`, {
      headers: { range: 'bytes=100-' },
    })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100))).toBe(true)
    expect(await refusalOf(bench.connection.open(`/snapshot?domain=auth&sha256=${'0'.repeat(64)}`))).toBe(
      '410 GONE',
    )
    expect(await refusalOf(bench.connection.open('/snapshot?domain=elsewhere'))).toBe('404 NOT_FOUND')
  })
})

describe('files', () => {
  it('travel by their hash, and another content is not taken for them', async () => {
    const content = randomBytes(300_000)
    const sha256 = createHash('sha256').update(content).digest('hex')
    const file = join(makeTestFolder('tracseq-wire-'), 'file')
    writeFileSync(file, content)
    const { connection } = bench
    await expect(connection.open(`/files/${sha256}`, { method: 'HEAD' })).rejects.toThrow()
    const other = createHash('sha256').update('other').digest('hex')
    expect(await refusalOf(connection.open(`/files/${other}`, { method: 'PUT', file }))).toBe(
      '422 WRONG_CONTENT',
    )
    await connection.open(`/files/${sha256}`, { method: 'PUT', file })
    const there = await connection.open(`/files/${sha256}`, { headers: { range: 'bytes=1000-' } })
    expect(Buffer.from(await there.arrayBuffer()).equals(content.subarray(1_000))).toBe(true)
    expect(
      (await connection.open(`/files/${sha256}`, { method: 'HEAD' })).headers.get('content-length'),
    ).toBe('300000')
    expect(await refusalOf(connection.open('/files/..%2f..%2fsync.json'))).toBe('400 BAD_REQUEST')
  })
})

describe('versions', () => {
  it('a workstation that is behind may push and not pull, one that is ahead neither', async () => {
    const here = migrationsHere()
    const older = await enrolOnWire(hub.url, await newCode(), {
      migrations: { ...here, samples: here['samples']?.slice(0, -1) ?? [] },
    })
    expect((await older.push(older.runOf([attempt()]))).decided).toMatchObject([{ outcome: 'applied' }])
    expect(await refusalOf(pull(older))).toBe('426 WORKSTATION_TOO_OLD')
    expect(await refusalOf(older.connection.open('/snapshot?domain=auth'))).toBe('426 WORKSTATION_TOO_OLD')
    const newer = await enrolOnWire(hub.url, await newCode(), {
      migrations: { ...here, sequencing: ['20270101_runs'] },
    })
    expect(await refusalOf(newer.push(newer.runOf([attempt()])))).toBe('409 HUB_TOO_OLD')
    expect(await refusalOf(pull(newer))).toBe('409 HUB_TOO_OLD')
  })
})

describe('whoever is not let in', () => {
  it('gets nothing: no token, a made-up one, a person’s, or that of a workstation that was revoked', async () => {
    const admin = await hub.admin()
    for (const token of ['', 'Bearer tsw_madeup', `Bearer ${admin.token}`]) {
      for (const path of [
        'pull?after=0',
        'events',
        'snapshot?domain=auth',
        'people',
        `files/${'0'.repeat(64)}`,
      ]) {
        const headers: Record<string, string> = token === '' ? {} : { authorization: token }
        const { status } = await send({ url: `${hub.url}/v1/sync/${path}`, method: 'GET', headers })
        expect(status, `${path} with ${token}`).toBe(401)
      }
    }
    const lost = await enrolOnWire(hub.url, await newCode())
    const feed = await lost.connection.open('/events')
    const { items } = await admin.client(sync).workstations({})
    expect(items.map(({ id }) => id)).toContain(lost.id)
    await admin.client(sync).revokeWorkstation({ id: lost.id, reason: 'Lost on the train' })
    await feed.text()
    expect(await refusalOf(pull(lost))).toBe('403 REVOKED')
    lost.connection.forgetToken()
    expect(await refusalOf(pull(lost))).toBe('403 REVOKED')
    expect(
      (await admin.client(sync).workstations({})).items.find(({ id }) => id === lost.id)?.revokedAt,
    ).not.toBeNull()
  })

  it('a workstation’s token is no person’s', async () => {
    const token = await bench.token()
    const { status } = await send({
      url: `${hub.url}/v1/samples`,
      method: 'GET',
      headers: { authorization: `Bearer ${token}` },
    })
    expect(status).toBe(401)
  })
})

function failing(): never {
  throw new Error('The feed has no body')
}
