import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { HubConnection } from '../../main/sync/hub-connection.ts'
import { Machine } from '../../main/sync/testing/sync-network.ts'
import { send } from '../../main/testing/http-client.ts'
import { killLeftOvers } from '../../main/testing/workstation-process.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { composePayload, hashEntry, hashPayload } from '../../platform/journal/entry.ts'
import {
  fingerprintOf,
  openWorkstationKey,
  type WorkstationKey,
} from '../../platform/journal/workstation-key.ts'
import { type BundleHeader, BundleWriter, openBundle } from '../../platform/sync/bundle.ts'
import { LogPart, type ManifestToHub, ManifestToWorkstation } from '../../platform/sync/bundle-content.ts'
import { BroughtBundle, sync } from '../../platform/sync/contract.ts'
import { emptyLog } from '../../platform/sync/log.ts'
import { endBytes, type JournalPlace, type PushRun, verifyRun } from '../../platform/sync/push-run.ts'
import { sealingKeyFrom, stateSealingKey } from '../../platform/sync/sealing-key.ts'
import { ChallengeAnswer } from '../../platform/sync/wire.ts'
import { auth } from '../../services/auth/contract.ts'
import {
  attemptToSignIn,
  enrolOnWire,
  type MadeSet,
  migrationsHere,
  type WireWorkstation,
} from './testing/wire-workstation.ts'

const hub = new Machine({ program: resolve(import.meta.dirname, '../index.ts') })
const folder = makeTestFolder('tracseq-hub-bundles-')
const begin: JournalPlace = { sequence: 0, hash: emptyLog.hash }
let laboratoryId: string
let adminId: string
let hubKey: string
let hubSealing: KeyObject

beforeAll(async () => {
  await hub.start()
  const { user, laboratory } = await (await hub.admin()).client(auth).me()
  laboratoryId = laboratory.id
  adminId = user.id
  const { body } = await send({
    url: `${hub.url}/v1/sync/challenge`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ nonce: 'AAAA' }),
  })
  hubKey = ChallengeAnswer.parse(body).hubKey
  const bench = await newBench()
  bench.connection.onContact = ({ sealing }) => {
    hubSealing = sealingKeyFrom(sealing?.publicKey ?? '')
    return Promise.resolve()
  }
  await bench.connection.meet()
}, 180_000)
afterAll(async () => {
  await hub.remove()
  await killLeftOvers()
}, 60_000)

async function newBench(): Promise<WireWorkstation> {
  const { code } = await (await hub.admin()).client(sync).createEnrolmentCode({})
  return enrolOnWire(hub.url, code)
}

/** Something that anybody at a workstation may add to. */
function attempts(count: number, change: Partial<MadeSet> = {}): readonly MadeSet[] {
  return Array.from({ length: count }, () => attemptToSignIn({ laboratoryId, actorId: adminId }, change))
}

/** Runs of the workstation's journal from a place on, as if they had not been pushed. */
function runsOf(bench: WireWorkstation, from: JournalPlace, sizes: readonly number[]): readonly PushRun[] {
  const { place } = bench
  bench.place = from
  const runs = sizes.map((size) => {
    const run = bench.runOf(attempts(size))
    bench.place = verifyRun(run, bench.key.publicKey)
    return run
  })
  bench.place = place
  return runs
}

interface Said {
  readonly header?: Partial<BundleHeader>
  readonly manifest?: Partial<ManifestToHub>
  readonly signer?: WorkstationKey
  readonly recipient?: KeyObject
}

async function bundleOf({ key }: WireWorkstation, runs: readonly PushRun[], said: Said = {}): Promise<File> {
  const path = join(folder, randomUUID())
  const about = {
    id: randomUUID(),
    direction: 'to-hub' as const,
    laboratoryId,
    from: (said.signer ?? key).fingerprint,
    to: fingerprintOf(hubKey),
    madeAt: new Date().toISOString(),
    ...said.header,
  }
  const recipient = said.recipient ?? hubSealing
  const writer = await BundleWriter.create({ path, about, signer: said.signer ?? key, recipient })
  for (const run of runs) await writer.add(run)
  const after = runs[0]?.after ?? begin
  await writer.finish({ after: after.sequence, upTo: after.sequence }, {
    changes: runs.flatMap(({ entries }) => entries).length,
    firstAt: null,
    lastAt: null,
    isWhole: true,
    migrations: Object.fromEntries(Object.entries(migrationsHere()).map(([name, all]) => [name, [...all]])),
    enrolledAt: begin,
    after,
    followed: { position: 0, hash: emptyLog.hash },
    ...said.manifest,
  } satisfies ManifestToHub)
  await writer.close()
  return new File([readFileSync(path)], 'a.tracseq-bundle')
}

/** What came of it, or why it was refused. */
async function bring(file: File): Promise<BroughtBundle | string> {
  const { token } = await hub.admin()
  const form = new FormData()
  form.append('file', file)
  const { status, body } = await send({
    url: `${hub.url}/v1/sync/bundles/brought`,
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  })
  if (status === 200) return BroughtBundle.parse(body)
  const problem = z.object({ code: z.string(), data: z.object({ why: z.string() }) }).parse(body)
  expect({ status, code: problem.code }).toEqual({ status: 422, code: 'BUNDLE_REFUSED' })
  return problem.data.why
}

async function newestRefusal() {
  return (await (await hub.admin()).client(sync).refusals()).items[0]
}

/** The first entries of a run as a run of their own. */
function beginningOf({ key }: WireWorkstation, run: PushRun, count: number): PushRun {
  const entries = run.entries.slice(0, count)
  let hash: Uint8Array = Buffer.from(run.after.hash, 'hex')
  for (const [index, { payloadHash }] of entries.entries())
    hash = hashEntry(hash, run.after.sequence + 1 + index, Buffer.from(payloadHash, 'hex'))
  const end = { sequence: run.after.sequence + count, hash: Buffer.from(hash).toString('hex') }
  return { ...run, entries, signature: key.sign('push', endBytes(end)) }
}

/** A run that begins with the entry by which a journal says that it was begun anew. */
function runAnew(bench: WireWorkstation, count: number): PushRun {
  const epoch = composePayload(
    {
      kind: 'epoch',
      domain: 'journal',
      domainSequence: 1,
      changeSetId: randomUUID(),
      origin: 'repair',
      actorId: 'tracseq',
      workstationId: bench.id,
      hybridLogicalTime: '1763715600000-0000-bench',
      reason: null,
      correlationId: randomUUID(),
      recordedAt: new Date().toISOString(),
      eventNames: [],
    },
    {},
  )
  const payloadHash = hashPayload(epoch)
  const start = {
    sequence: 1,
    hash: hashEntry(Buffer.from(begin.hash, 'hex'), 1, payloadHash).toString('hex'),
  }
  const [rest] = runsOf(bench, start, [count])
  if (rest === undefined) throw new Error('There is a run')
  const entries = [{ payloadHash: payloadHash.toString('hex'), payload: epoch }, ...rest.entries]
  return { ...rest, after: begin, entries }
}

describe('a bundle of a workstation', () => {
  it('is taken, also when a part of it, or all, has come over the network before', async () => {
    const bench = await newBench()
    const runs = runsOf(bench, begin, [4, 3])
    const [first, second] = runs
    if (first === undefined || second === undefined) throw new Error('There are runs')
    await bench.push(beginningOf(bench, first, 2))
    expect(await bring(await bundleOf(bench, runs))).toMatchObject({ taken: 5, known: 2, toDecide: 0 })
    expect(await bring(await bundleOf(bench, runs))).toMatchObject({ taken: 0, known: 7 })
    expect(await bring(await bundleOf(bench, [second]))).toMatchObject({ taken: 0, known: 3 })
    bench.place = verifyRun(second, bench.key.publicKey)
    await bench.push(bench.runOf(attempts(1)))
  })

  it('is not taken from its middle on, neither by a Hub that has nothing nor by one that has the beginning', async () => {
    const bench = await newBench()
    const [first, second, third] = runsOf(bench, begin, [2, 2, 2])
    if (first === undefined || second === undefined || third === undefined) throw new Error('There are runs')
    expect(await bring(await bundleOf(bench, [second, third]))).toBe('OUT_OF_TURN')
    expect(await bring(await bundleOf(bench, [first]))).toMatchObject({ taken: 2 })
    expect(await bring(await bundleOf(bench, [third]))).toBe('OUT_OF_TURN')
    expect(await bring(await bundleOf(bench, [second, third]))).toMatchObject({ taken: 4 })
  })

  it('is refused when it is of a copy of the workstation', async () => {
    const bench = await newBench()
    await bring(await bundleOf(bench, runsOf(bench, begin, [3])))
    for (const sizes of [[1], [2], [3], [2, 2], [5]])
      expect(await bring(await bundleOf(bench, runsOf(bench, begin, sizes)))).toBe('ANOTHER_HISTORY')
    expect(await newestRefusal()).toMatchObject({ workstationId: bench.id, code: 'BUNDLE_ANOTHER_HISTORY' })
  })

  it('is taken when the journal was lost and begun anew, which is recorded', async () => {
    const bench = await newBench()
    await bring(await bundleOf(bench, runsOf(bench, begin, [4])))
    const anew = runAnew(bench, 2)
    const after = verifyRun(anew, bench.key.publicKey)
    const runs = [anew, ...runsOf(bench, after, [3])]
    expect(await bring(await bundleOf(bench, runs))).toMatchObject({ taken: 5, known: 0 })
    const begunAnew = await newestRefusal()
    expect(begunAnew).toMatchObject({ workstationId: bench.id, code: 'JOURNAL_BEGUN_ANEW' })
    // Its beginning, brought once more, does not set back what the Hub has of it.
    expect(await bring(await bundleOf(bench, [anew]))).toMatchObject({ taken: 0, known: 2 })
    expect(await newestRefusal()).toEqual(begunAnew)
    bench.place = verifyRun(runs[1] ?? anew, bench.key.publicKey)
    await bench.push(bench.runOf(attempts(1)))
  })

  it('is refused when it is not what its sender may say, and that is recorded', async () => {
    const [bench, other] = [await newBench(), await newBench()]
    const runs = runsOf(bench, begin, [2])
    const stranger = openWorkstationKey(makeTestFolder('tracseq-hub-bundles-'))
    const cases: readonly (readonly [string, string, File])[] = [
      // By whom nobody knows, and by another workstation that has found it.
      ['FOREIGN', 'BUNDLE_FOREIGN', await bundleOf(bench, runs, { signer: stranger })],
      ['ALTERED', 'TAMPERED', await bundleOf(other, runs)],
      [
        'ALTERED',
        'BUNDLE_ALTERED',
        await bundleOf(bench, runs, { signer: stranger, header: { from: bench.key.fingerprint } }),
      ],
      ['FOREIGN', 'BUNDLE_FOREIGN', await bundleOf(bench, runs, { header: { laboratoryId: randomUUID() } })],
      [
        'WRONG_RECIPIENT',
        'BUNDLE_WRONG_RECIPIENT',
        await bundleOf(bench, runs, { header: { to: stranger.fingerprint } }),
      ],
      [
        'OTHER_KEY',
        'BUNDLE_OTHER_KEY',
        await bundleOf(bench, runs, { recipient: generateKeyPairSync('x25519').publicKey }),
      ],
      [
        'FOREIGN',
        'FOREIGN_SET',
        await bundleOf(bench, [bench.runOf(attempts(1, { workstationId: other.id }))]),
      ],
    ]
    for (const [why, code, file] of cases) {
      expect(await bring(file)).toBe(why)
      expect((await newestRefusal())?.code).toBe(code)
    }
    const ahead = { ...migrationsHere(), samples: [...(migrationsHere()['samples'] ?? []), '9999_later'] }
    const manifest = {
      migrations: Object.fromEntries(Object.entries(ahead).map(([name, all]) => [name, [...all]])),
    }
    expect(await bring(await bundleOf(bench, runs, { manifest }))).toBe('TOO_OLD_HERE')
    expect(await bring(await bundleOf(bench, runs))).toMatchObject({ taken: 2 })
  })
})

describe('a bundle for a workstation', () => {
  it('is made once the Hub knows its key, holds no secrets, and only that key opens it', async () => {
    const bench = await newBench()
    const admin = await hub.admin()
    const make = () => admin.client(sync).makeBundle({ workstationId: bench.id })
    await expect(make()).rejects.toMatchObject({ code: 'BUNDLE_REFUSED', data: { why: 'OTHER_KEY' } })
    const { privateKey } = generateKeyPairSync('x25519')
    const statement = stateSealingKey(privateKey, bench.key)
    const forged = { ...statement, signature: bench.key.sign('push', Buffer.from('')) }
    const met = (told: typeof statement) =>
      new HubConnection({ url: hub.url, hubKey }, bench.key, migrationsHere(), told).meet()
    await expect(met(forged)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await expect(make()).rejects.toMatchObject({ code: 'BUNDLE_REFUSED' })
    await met(statement)
    await bench.push(bench.runOf(attempts(2)))
    const { id, name } = await make()
    expect(name).toMatch(/^hub-to-wire-\d{4}-\d\d-\d\d-\d\d-\d\d\.tracseq-bundle$/)
    const answer = await fetch(`${hub.url}/v1/sync/bundles/${id}`, {
      headers: { authorization: `Bearer ${admin.token}` },
    })
    expect(answer.headers.get('content-disposition')).toContain(name)
    const path = join(folder, id)
    writeFileSync(path, Buffer.from(await answer.arrayBuffer()))
    const bundle = await openBundle(path, () => hubKey)
    expect(bundle.header).toMatchObject({ from: fingerprintOf(hubKey), to: bench.key.fingerprint })
    const manifest = await bundle.manifest(ManifestToWorkstation, privateKey)
    expect(manifest).toMatchObject({ pushed: bench.place, isWhole: true, after: { position: 0 } })
    const { entries } = await bundle.part(0, LogPart, privateKey)
    expect(entries.at(-1)?.position).toBe(manifest.head.position)
    expect(JSON.stringify([manifest, entries])).not.toMatch(/argon2|passwordHash|password_hash/)
    await expect(bundle.manifest(ManifestToWorkstation, hubSealing)).rejects.toMatchObject({
      fault: 'OTHER_KEY',
    })
    await bundle.close()
  })
})
