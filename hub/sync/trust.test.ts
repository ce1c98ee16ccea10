import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  makeServerDatabase,
  onServer,
  type ServerDatabase,
} from '../../platform/database/testing/on-server.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { startTestGateway } from '../../platform/gateway/testing/test-gateway.ts'
import { hashEntry } from '../../platform/journal/entry.ts'
import {
  openWorkstationKey,
  verifySignature,
  type WorkstationKey,
} from '../../platform/journal/workstation-key.ts'
import { hubMarkOf, parseEnrolmentCode } from '../../platform/sync/enrolment-code.ts'
import { emptyLog } from '../../platform/sync/log.ts'
import { endBytes, type PushRun } from '../../platform/sync/push-run.ts'
import { challengeBytes, enrolmentBytes, identityBytes } from '../../platform/sync/wire.ts'
import { askForFounderCode } from '../first-laboratory.ts'
import { Decisions } from './decisions.ts'
import { Domains } from './domains.ts'
import { Intake } from './intake.ts'
import { SyncStore } from './sync-store.ts'
import { Trust, type TrustTimes } from './trust.ts'

const hubKey = openWorkstationKey(makeTestFolder('tracseq-trust-'))
const laboratoryId = randomUUID()
let database: ServerDatabase
const known = new Set<string>()
let store: SyncStore
let trust: Trust

beforeEach(async () => {
  database = await makeServerDatabase(inject('postgresUrl'))
  store = await SyncStore.open(database.url, () => undefined)
  trust = trustWith({})
})
afterEach(async () => {
  await store.close()
  await database.drop()
})

function trustWith(times: Partial<TrustTimes>): Trust {
  return new Trust({
    store,
    key: hubKey,
    isKnownLaboratory: (id) => Promise.resolve(known.has(id)),
    log: () => undefined,
    times,
  })
}

interface Bench {
  readonly id: string
  readonly name: string
  readonly key: WorkstationKey
  readonly laboratory: { readonly id: string; readonly name: string } | null
}

function makeBench(laboratory: Bench['laboratory'] = null): Bench {
  return {
    id: randomUUID(),
    name: 'Bench',
    key: openWorkstationKey(makeTestFolder('tracseq-trust-')),
    laboratory,
  }
}

async function newCode(of: string | null = laboratoryId): Promise<string> {
  const { code } = await trust.createCode({
    laboratoryId: of,
    administratorsOffline: false,
    createdBy: 'somebody',
  })
  return code
}

async function enrol(bench: Bench, code: string, by: Trust = trust) {
  const { challenge } = await by.challenge({ nonce: randomBytes(32).toString('base64') })
  const secret = parseEnrolmentCode(code)?.secret ?? ''
  return by.enrol({
    secret,
    challenge,
    workstation: { id: bench.id, name: bench.name, publicKey: bench.key.publicKey },
    laboratory: bench.laboratory,
    signature: bench.key.sign('enrolment', enrolmentBytes(challenge, hubKey.publicKey, secret)),
  })
}

async function askForToken(
  bench: Bench,
  change: { challenge?: string; key?: WorkstationKey } = {},
  by: Trust = trust,
) {
  const challenge = change.challenge ?? (await by.challenge({ nonce: 'AAAA' })).challenge
  const { answer } = await by.token({
    fingerprint: bench.key.fingerprint,
    challenge,
    signature: (change.key ?? bench.key).sign('hub-challenge', challengeBytes(challenge, hubKey.publicKey)),
    migrations: { samples: ['one'] },
    clock: new Date(Date.now() - 3 * 60 * 60_000).toISOString(),
  })
  return answer
}

async function refusals(): Promise<readonly string[]> {
  const { rows } = await onServer(database.url, (client) =>
    client.query<{ code: string; words: string }>('select code, words from refusal order by id'),
  )
  return rows.map(({ code, words }) => `${code}: ${words}`)
}

describe('enrolment', () => {
  it('lets a workstation in with a good code, which carries the mark of the Hub', async () => {
    const code = await newCode()
    expect(parseEnrolmentCode(code)?.hub).toBe(hubMarkOf(hubKey.publicKey))
    const bench = makeBench()
    expect(await enrol(bench, code)).toEqual({ laboratoryId, role: 'joiner' })
    expect(await store.workstationsOf(laboratoryId)).toMatchObject([{ id: bench.id, isFounder: false }])
  })

  it('answers the same workstation again the same, and no other one', async () => {
    const code = await newCode()
    const bench = makeBench()
    await enrol(bench, code)
    expect(await enrol(bench, code)).toEqual({ laboratoryId, role: 'joiner' })
    await expect(enrol(makeBench(), code)).rejects.toMatchObject({
      code: 'CODE_REFUSED',
      message: expect.stringContaining('used by another'),
    })
    await expect(enrol(bench, await newCode())).rejects.toMatchObject({ code: 'ALREADY_ENROLLED' })
    expect(await store.workstationsOf(laboratoryId)).toHaveLength(1)
  })

  it('lets one in when several ask with the same code at once', async () => {
    const code = await newCode()
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => enrol(makeBench(), code)))
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await store.workstationsOf(laboratoryId)).toHaveLength(1)
  })

  it('refuses a code that is too old, made up, or signed for by another key', async () => {
    const code = await newCode()
    await expect(enrol(makeBench(), code.replace(/^..../, '0000'))).rejects.toMatchObject({
      code: 'CODE_REFUSED',
    })
    const quick = trustWith({ codeLivesMs: 1 })
    const { code: old } = await quick.createCode({
      laboratoryId,
      administratorsOffline: false,
      createdBy: 'x',
    })
    await delay(20)
    await expect(enrol(makeBench(), old)).rejects.toMatchObject({
      message: expect.stringContaining('too old'),
    })
    const bench = makeBench()
    const forger = { ...bench, key: { ...bench.key, sign: makeBench().key.sign } }
    await expect(enrol(forger, code)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(await refusals()).toHaveLength(3)
  })

  it('refuses a copy of a home', async () => {
    const bench = makeBench()
    await enrol(bench, await newCode())
    const copy = { ...makeBench(), id: bench.id }
    await expect(enrol(copy, await newCode())).rejects.toMatchObject({ code: 'COPIED_HOME' })
  })

  it('takes data from a founder only, and a laboratory once', async () => {
    const own = { id: randomUUID(), name: 'Heron Genomics' }
    await expect(enrol(makeBench(own), await newCode())).rejects.toMatchObject({ code: 'HAS_DATA' })
    await expect(enrol(makeBench(), await newCode(null))).rejects.toMatchObject({ code: 'NOTHING_TO_FOUND' })
    expect(await enrol(makeBench(own), await newCode(null))).toEqual({
      laboratoryId: own.id,
      role: 'founder',
    })
    known.add(own.id)
    await expect(enrol(makeBench(own), await newCode(null))).rejects.toMatchObject({
      code: 'LABORATORY_KNOWN',
    })
  })
})

describe('setting up the first laboratory over the network', () => {
  const around = (isSetUp = false) =>
    askForFounderCode({ trust, admit: () => Promise.resolve(), isSetUp: () => Promise.resolve(isSetUp) })

  function setUp(founderCode?: string): Promise<unknown> {
    const input = { laboratoryName: 'Heron Genomics', ...(founderCode === undefined ? {} : { founderCode }) }
    const call = {
      path: ['auth', 'setUp'],
      input,
      request: { ip: '192.0.2.1' } as never,
      reply: null as never,
    }
    return around()(call, (passedOn) => Promise.resolve(passedOn))
  }

  it('takes the code of the operator, once, and tells nobody of it', async () => {
    const code = await newCode(null)
    expect(await setUp(code.toLowerCase())).toEqual({ laboratoryName: 'Heron Genomics' })
    await expect(setUp(code)).rejects.toMatchObject({ code: 'FOUNDER_CODE_NEEDED', status: 403 })
    // Nor is it good for a workstation any more.
    const own = { id: randomUUID(), name: 'Osprey Labs' }
    await expect(enrol(makeBench(own), code)).rejects.toMatchObject({ code: 'CODE_REFUSED' })
  })

  it('takes no other code', async () => {
    await newCode(null)
    for (const wrong of [undefined, '', 'nothing of the kind', await newCode()])
      await expect(setUp(wrong)).rejects.toMatchObject({ code: 'FOUNDER_CODE_NEEDED' })
    trust = trustWith({ codeLivesMs: 0 })
    await expect(setUp(await newCode(null))).rejects.toMatchObject({ code: 'FOUNDER_CODE_NEEDED' })
  })

  it('can be done again with the same code when it was not done', async () => {
    const code = await newCode(null)
    const call = {
      path: ['auth', 'setUp'],
      input: { founderCode: code },
      request: { ip: '192.0.2.1' } as never,
      reply: null as never,
    }
    const refused = around()(call, () => Promise.reject(new Error('The password is too common')))
    await expect(refused).rejects.toThrow('too common')
    expect(await setUp(code)).toEqual({ laboratoryName: 'Heron Genomics' })
  })
})

describe('a token', () => {
  it('is given for a signed challenge, names its workstation, and tells how far the clocks are apart', async () => {
    const bench = makeBench()
    await enrol(bench, await newCode())
    const { token, pushed } = await askForToken(bench)
    expect(pushed).toBeNull()
    expect(await trust.holderOf(`Bearer ${token}`)).toMatchObject({ id: bench.id, laboratoryId })
    const [seen] = await store.workstationsOf(laboratoryId)
    expect(seen?.clockSkewMs).toBeGreaterThan(3 * 60 * 60_000 - 60_000)
    expect(seen?.migrations).toEqual({ samples: ['one'] })
  })

  it('is refused for a challenge that was answered before, is too old, or was never given', async () => {
    const bench = makeBench()
    await enrol(bench, await newCode())
    const { challenge } = await trust.challenge({ nonce: 'AAAA' })
    await askForToken(bench, { challenge })
    await expect(askForToken(bench, { challenge })).rejects.toMatchObject({ status: 401 })
    await expect(askForToken(bench, { challenge: 'bWFkZSB1cA==' })).rejects.toMatchObject({ status: 401 })
    const quick = trustWith({ challengeLivesMs: 1 })
    const { challenge: old } = await quick.challenge({ nonce: 'AAAA' })
    await delay(20)
    await expect(askForToken(bench, { challenge: old })).rejects.toMatchObject({ status: 401 })
    expect(await refusals()).toHaveLength(3)
  })

  it('is refused to another key, to a stranger, and to a workstation that was revoked', async () => {
    const bench = makeBench()
    await enrol(bench, await newCode())
    const { token } = await askForToken(bench)
    await expect(askForToken(bench, { key: makeBench().key })).rejects.toMatchObject({ status: 401 })
    await expect(askForToken(makeBench())).rejects.toMatchObject({ status: 401 })
    expect(await store.revoke(randomUUID(), bench.id, 'not ours')).toBe(false)
    expect(await store.revoke(laboratoryId, bench.id, 'Lost')).toBe(true)
    await expect(askForToken(bench)).rejects.toMatchObject({ status: 403, code: 'REVOKED' })
    await expect(trust.holderOf(`Bearer ${token}`)).rejects.toMatchObject({ status: 403, code: 'REVOKED' })
    expect((await refusals()).filter((each) => each.startsWith('REVOKED'))).toHaveLength(2)
  })

  it('opens nothing once it is over, and neither does one that was never given', async () => {
    const bench = makeBench()
    await enrol(bench, await newCode())
    const { token } = await askForToken(bench, {}, trustWith({ tokenLivesMs: 1 }))
    await delay(20)
    await expect(trust.holderOf(`Bearer ${token}`)).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('over'),
    })
    await expect(trust.holderOf('Bearer tsw_nothing')).rejects.toMatchObject({ status: 401 })
    await expect(trust.holderOf(undefined)).rejects.toMatchObject({ status: 401 })
    await expect(trust.holderOf('Bearer somebody')).rejects.toMatchObject({ status: 401 })
  })

  it('comes with a proof of who the Hub is', async () => {
    const nonce = randomBytes(32).toString('base64')
    const { challenge, hubKey: given, signature } = await trust.challenge({ nonce })
    const data = identityBytes(nonce, challenge)
    expect(verifySignature({ publicKey: given, purpose: 'hub-identity', data, signature })).toBe(true)
    expect(verifySignature({ publicKey: given, purpose: 'hub-challenge', data, signature })).toBe(false)
  })
})

/** A journal's first entry, which holds nothing to be decided. */
function quietRunOf({ key }: Bench): PushRun {
  const payloadHash = '0'.repeat(64)
  const chained = hashEntry(Buffer.from(emptyLog.hash, 'hex'), 1, Buffer.from(payloadHash, 'hex'))
  const end = { sequence: 1, hash: Buffer.from(chained).toString('hex') }
  return {
    after: { sequence: 0, hash: emptyLog.hash },
    entries: [{ payloadHash, payload: null }],
    signature: key.sign('push', endBytes(end)),
  }
}

describe('a run that waits its turn', () => {
  it('is not taken when its workstation is revoked meanwhile', async () => {
    const { gateway, stop } = startTestGateway({ services: [] })
    try {
      const domains = new Domains(gateway, [])
      const decisions = new Decisions(gateway, domains)
      const intake = new Intake({ store, trust, decisions, domains, key: hubKey })
      const [kept, lost] = [makeBench(), makeBench()]
      for (const bench of [kept, lost]) await enrol(bench, await newCode())
      const workstations = await store.workstationsOf(laboratoryId)
      const before = Promise.withResolvers<undefined>()
      const turn = decisions.inTurn(laboratoryId, () => before.promise)
      const pushes = [kept, lost].map((bench) => {
        const workstation = workstations.find(({ id }) => id === bench.id)
        if (workstation === undefined) throw new Error('It is enrolled')
        return intake.push(workstation, quietRunOf(bench))
      })
      await store.revoke(laboratoryId, lost.id, 'Lost')
      before.resolve(undefined)
      await turn
      expect(await Promise.allSettled(pushes)).toMatchObject([
        { status: 'fulfilled', value: { pushed: { sequence: 1 } } },
        { status: 'rejected', reason: { status: 403, code: 'REVOKED' } },
      ])
      expect((await store.workstationBy('id', kept.id))?.pushed?.sequence).toBe(1)
      expect((await store.workstationBy('id', lost.id))?.pushed).toBeNull()
      expect(await refusals()).toEqual([expect.stringMatching(/^REVOKED/)])
    } finally {
      await stop()
    }
  })
})
