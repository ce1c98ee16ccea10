import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type HttpAnswer, requestOf, send } from '../main/testing/http-client.ts'
import {
  administrator,
  type SignedIn,
  signInTo,
  type WorkstationProcess,
} from '../main/testing/workstation-process.ts'
import { writeSnapshotFile } from '../platform/database/snapshot-file.ts'
import { makeTestFolder } from '../platform/database/testing/test-folder.ts'
import { Catalogue, type KnownProcedure } from '../platform/gateway/catalogue.ts'
import { system } from '../platform/gateway/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { digestOf } from '../platform/sync/wire.ts'
import { services } from '../services/registry.ts'
import { samples } from '../services/samples/contract.ts'
import { shipments } from '../services/shipments/contract.ts'
import { storage } from '../services/storage/contract.ts'
import { mark, readWorld, settle, technician, type World } from './testing/settled-laboratory.ts'
import { openTwoLaboratories, type TwoLaboratories } from './testing/two-laboratories-on-a-hub.ts'
import {
  attemptToSignIn,
  enrolOnWire,
  refusalOf,
  type WireWorkstation,
  migrationsHere,
} from './sync/testing/wire-workstation.ts'

// Two laboratories on one Hub. The second one knows every id of the first, and asks every procedure with them.

const stranger = { email: 'stranger@example.org', password: 'twelve grey gulls 7' }
const reason = 'Because I can'

let laboratories: TwoLaboratories
let hub: WorkstationProcess
let theirs: SignedIn
let own: SignedIn
/** The workstation of the first laboratory, and what is in it. */
let atHome: WireWorkstation
let world: World
let before: string
/** The workstation of the second one, and who administers it. */
let workstation: WireWorkstation
let of: { readonly laboratoryId: string; readonly actorId: string }
/** Another laboratory, to which the first one has sent a parcel. */
let recipientId: string

beforeAll(async () => {
  laboratories = await openTwoLaboratories(stranger)
  ;({ hub, first: own, second: theirs } = laboratories)
  const administrator = { name: 'Third Person', email: 'third@kite.example', password: 'nine quiet kites 4' }
  const third = await laboratories.operator.addLaboratory({ laboratoryName: 'Kite Labs', administrator })
  recipientId = third.id
  ;({ world, workstation: atHome } = await settle(own, recipientId))
  workstation = await enrolOnWire(hub.url, (await theirs.client(sync).createEnrolmentCode({})).code)
  of = await whoIs(theirs)
}, 180_000)
afterAll(() => laboratories.close(), 60_000)

type Attempt = (of: World) => object

/** The id is not known to whoever is of another laboratory: 404. */
const unknown: Readonly<Record<string, Attempt>> = {
  'auth.revokeSession': ({ sessionId }) => ({ sessionId }),
  'auth.getUser': ({ userId: id }) => ({ id }),
  'auth.updateUser': ({ userId: id, userRevision: revision }) => ({ id, revision, name: 'Mine' }),
  'auth.setUserStatus': ({ userId: id }) => ({ id, status: 'deleted', reason }),
  'auth.resetPassword': ({ userId: id }) => ({ id, newPassword: 'twelve grey gulls 8', reason }),
  'barcodes.unlink': ({ codeId }) => ({ codeId, reason }),
  'samples.get': ({ sampleId: id }) => ({ id }),
  'samples.timeline': ({ sampleId: id }) => ({ id }),
  'samples.custody': ({ sampleId: id }) => ({ id }),
  'samples.lineage': ({ sampleId: id }) => ({ id }),
  'samples.duplicates': ({ sampleId: id }) => ({ id }),
  'samples.update': ({ sampleId: id, sampleRevision: revision }) => ({
    id,
    revision,
    fields: { name: 'Mine' },
  }),
  'samples.changeState': ({ sampleId: id }) => ({ id, to: 'discarded', reason }),
  'samples.recordMovement': ({ sampleId: id }) => ({ id, kind: 'taken', quantity: '10', reason }),
  'samples.addNote': ({ sampleId: id }) => ({ id, note: 'Mine' }),
  'samples.relate': ({ sampleId: childId, parentId }) => ({ childId, parentId, relationship: 'aliquot_of' }),
  'samples.makeAliquots': ({ sampleId: id }) => ({ id, volumesUl: ['1'] }),
  'samples.recordCustody': ({ sampleId: id, custodyId }) => ({
    id,
    kind: 'shipped',
    holder: 'Me',
    predecessorId: custodyId,
    reason,
  }),
  'samples.remove': ({ sampleId: id }) => ({ id, reason }),
  'storage.getNode': ({ boxId: id }) => ({ id }),
  'storage.tree': ({ freezerId: rootId }) => ({ rootId }),
  'storage.updateNode': ({ boxId: id, boxRevision: revision }) => ({ id, revision, name: 'Mine' }),
  'storage.removeNode': ({ boxId: id }) => ({ id, reason }),
  'storage.boxMap': ({ boxId }) => ({ boxId }),
  'storage.getContainer': ({ containerId: id }) => ({ id }),
  'storage.updateContainer': ({ containerId: id }) => ({ id, label: 'Mine', reason }),
  'storage.removeContainer': ({ looseId: id }) => ({ id, reason }),
  'storage.place': ({ looseId: containerId, boxId }) => ({ containerId, target: { boxId, position: 'B2' } }),
  'storage.move': ({ containerId, boxId }) => ({ containerId, target: { boxId, position: 'B2' } }),
  'storage.moveMany': ({ containerId, boxId }) => ({
    moves: [{ containerId, target: { boxId, position: 'B2' } }],
  }),
  'storage.takeOut': ({ containerId }) => ({ containerId, reason }),
  'storage.checkOut': ({ containerId }) => ({ containerId }),
  'storage.returnToPlace': ({ containerId }) => ({ containerId }),
  'storage.dispose': ({ containerId }) => ({ containerId, reason }),
  'storage.reserve': ({ boxId }) => ({
    boxId,
    positions: ['C1'],
    until: '2099-01-01T00:00:00Z',
    reservedFor: 'Me',
  }),
  'storage.cancelReservation': ({ boxId }) => ({ boxId, positions: ['D4'] }),
  'storage.setOutOfUse': ({ boxId }) => ({ boxId, positions: ['C1'], outOfUse: true, reason }),
  'storage.readRackScan': ({ boxId, code }) => ({ boxId, text: `A01,${code}` }),
  'storage.applyRackScan': ({ boxId, code }) => ({ boxId, text: `A01,${code}` }),
  'templates.get': ({ templateId: id }) => ({ id }),
  'templates.createDraft': ({ templateId: fromId }) => ({ name: 'Mine', fromId }),
  'templates.updateDraft': ({ templateId: id, templateRevision: revision }) => ({
    id,
    revision,
    name: 'Mine',
  }),
  'templates.changeState': ({ templateId: id }) => ({ id, to: 'archived', reason }),
  'templates.openImport': ({ fileSha256 }) => ({ fileSha256, fileName: 'mine.csv' }),
  'templates.getImport': ({ importId: id }) => ({ id }),
  'templates.importRows': ({ importId: id }) => ({ id }),
  'templates.importProblems': ({ importId: id }) => ({ id }),
  'templates.findImportRow': ({ importId: id }) => ({ id, text: 'row' }),
  'templates.mapColumns': ({ importId: id }) => ({ id, headerRow: 1 }),
  'templates.correctCells': ({ importId: id }) => ({ id, skipRows: [2] }),
  'templates.applyImport': ({ importId: id }) => ({ id }),
  'templates.undoImport': ({ importId: id }) => ({ id, reason }),
  'templates.abandonImport': ({ importId: id }) => ({ id }),
  'system.auditEntry': ({ auditSequence: sequence }) => ({ sequence }),
  'sync.revokeWorkstation': ({ workstationId: id }) => ({ id, reason }),
  'sync.makeBundle': ({ workstationId }) => ({ workstationId }),
  'sync.bundle': ({ bundleId: id }) => ({ id }),
  'shipments.get': ({ shipmentId: id }) => ({ id }),
  'shipments.send': ({ sampleId }) => ({ sampleIds: [sampleId], toLaboratoryId: recipientId, reason }),
  'shipments.cancel': ({ shipmentId: id }) => ({ id, reason }),
  'shipments.checkOff': ({ shipmentId: id, shippedId }) => ({ id, sampleIds: [shippedId], present: true }),
  'shipments.turnBack': ({ shipmentId: id }) => ({ id, reason }),
  'shipments.receive': ({ shipmentId: id }) => ({ id }),
  'shipments.sendBack': ({ shipmentId: id }) => ({ id, reason }),
  'sync.resolve': ({ workItemId: itemId }) => ({ domain: 'auth', itemId, choice: { take: 'hub' } }),
}

/** Answers, and finds nothing of the other laboratory. */
const empty: Readonly<Record<string, Attempt>> = {
  'auth.listUsers': ({ email: search }) => ({ search }),
  'auth.signIns': ({ userId }) => ({ userId }),
  'auth.sessions': () => ({ all: true }),
  'auth.listRoles': () => ({}),
  'barcodes.resolve': ({ code: text }) => ({ text }),
  'barcodes.validate': ({ code: text }) => ({ text }),
  'barcodes.codesOf': ({ containerId: id }) => ({ kind: 'container', id }),
  'barcodes.list': ({ code: search }) => ({ search }),
  'barcodes.statistics': () => ({}),
  'samples.list': ({ importId }) => ({ importId, withDeleted: true }),
  'samples.counts': () => ({}),
  'samples.facts': ({ sampleId, parentId }) => ({ ids: [sampleId, parentId] }),
  'samples.types': () => ({}),
  'samples.sagas': () => ({}),
  'storage.zones': () => ({}),
  'storage.nodeHistory': ({ boxId: id }) => ({ id }),
  'storage.findSpace': () => ({ count: 1 }),
  'storage.listContainers': ({ sampleId, boxId }) => ({ sampleId, boxId }),
  'storage.containersOfSamples': ({ sampleId }) => ({ sampleIds: [sampleId] }),
  'storage.locate': ({ sampleId, containerId }) => ({ sampleIds: [sampleId], containerIds: [containerId] }),
  'storage.history': ({ containerId }) => ({ containerId }),
  'storage.capacityCheck': () => ({}),
  'templates.list': () => ({ limit: 500 }),
  'templates.listImports': () => ({ limit: 500 }),
  'system.searchAudit': () => ({ limit: 500 }),
  'system.trace': ({ correlationId: id }) => ({ id }),
  'sync.status': () => ({}),
  'shipments.list': () => ({}),
  'shipments.laboratories': () => ({}),
  'shipments.check': ({ sampleId, shippedId }) => ({ sampleIds: [sampleId, shippedId] }),
  'shipments.recognise': ({ shippedKey }) => ({ lookupKeys: [shippedKey] }),
  'sync.goNow': () => ({}),
  'sync.workItems': () => ({}),
  'sync.workstations': () => ({}),
  'sync.refusals': () => ({}),
  'auth.me': () => ({}),
  'auth.status': () => ({}),
}

/** Says that the place is not known, as a rule about the field it was given in. */
const ruledOut: Readonly<Record<string, Attempt>> = {
  'storage.createNode': ({ freezerId: parentId }) => ({ kind: 'shelf', name: 'Mine', parentId }),
}

/** A result for each row, and none of them right. */
const rows: Readonly<Record<string, Attempt>> = {
  'samples.updateBatch': ({ sampleId: id, sampleRevision: revision }) => ({
    rows: [{ id, revision, fields: { name: 'Mine' } }],
  }),
  'samples.changeStateBatch': ({ sampleId, parentId }) => ({
    ids: [sampleId, parentId],
    to: 'discarded',
    reason,
  }),
  'samples.undoReceive': ({ sampleId }) => ({ sampleIds: [sampleId], reason }),
  'samples.receiveBatch': ({ boxId }) => ({
    rows: [{ sample: { name: 'Mine', type: 'dna' }, placement: { boxId } }],
  }),
}

/** Takes an id as a name for something of one's own; the other laboratory's thing under it is another thing. */
const ownThing: Readonly<Record<string, Attempt>> = {
  'samples.accession': ({ sampleId: id, importId }) => ({
    id,
    importId,
    sample: { name: 'Mine', type: 'dna' },
  }),
  'samples.receive': ({ code }) => ({ sample: { name: 'Mine', type: 'dna' }, code, codeConfirmed: true }),
  'barcodes.link': ({ looseCode: text, containerId: id }) => ({
    text,
    thing: { kind: 'container', id },
    confirmed: true,
  }),
  'barcodes.allocateFor': ({ boxId: id }) => ({ kind: 'box', thing: { kind: 'storage-node', id } }),
  'storage.createContainer': ({ looseId: id, sampleId }) => ({ id, sampleId, label: 'Mine' }),
  'auth.createUser': ({ email }) => ({
    name: 'Mine',
    email,
    password: 'twelve grey gulls 9',
    roles: ['guest'],
  }),
}

/** Nothing in their input could name a thing of anybody. */
const nameless = [
  ...['auth.setUp', 'auth.login', 'auth.refresh', 'auth.logout', 'auth.lock', 'auth.unlock'],
  ...['auth.changePassword', 'auth.setPin', 'auth.updateRole', 'barcodes.allocate'],
  ...['samples.addType', 'samples.accessionBatch'],
  ...['system.health', 'system.services', 'system.wakeService', 'system.memory', 'system.journal'],
  ...['system.verifyJournal', 'system.changes', 'system.storeFile', 'system.metrics'],
  ...[
    'sync.pause',
    'sync.resume',
    'sync.enroll',
    'sync.join',
    'sync.createEnrolmentCode',
    'sync.bringBundle',
  ],
]

const procedures = listProcedures()

// First: a person of the second laboratory will give the ids of the first one to things of their own.
describe('a workstation of another laboratory', () => {
  const post = (path: string, json: object) =>
    workstation.connection.ask(path, z.unknown(), { method: 'POST', json })

  it('hears of its own log, and a person of their own changes, while the first laboratory writes', async () => {
    const [ours, strange] = [await openFeeds(own, atHome), await openFeeds(theirs, workstation)]
    await own.client(storage).createContainer({ label: `${mark} later` })
    expect(await ours.hints()).toEqual({ domains: ['storage'] })
    expect(await ours.heads()).toEqual({ position: ours.head + 1 })
    // Had anything of that come here, it would have come before what is written now.
    await theirs.client(barcodes).allocate({ kind: 'sample' })
    expect(await strange.hints()).toEqual({ domains: ['barcodes'] })
    expect(await strange.heads()).toEqual({ position: strange.head + 1 })
    await Promise.all([ours.close(), strange.close()])
    before = await readWorld(own, world)
  })

  it('pulls its own log and nothing of this one, nor goes on from a place in it', async () => {
    const answer = await workstation.connection.open('/pull?after=0')
    const text = await answer.text()
    expect(text).toContain('Osprey')
    expectNothingIn(text, {})
    for (const after of [1, 2, 3])
      expect(await refusalOf(workstation.connection.open(`/pull?after=${after}&hash=${world.logHash}`))).toBe(
        '409 ANOTHER_LOG',
      )
  })

  it('does not find the files of this one, nor its snapshots', async () => {
    const { connection } = workstation
    const path = `/files/${world.fileSha256}`
    expect(await refusalOf(connection.open(path))).toBe('404 NOT_FOUND')
    await expect(connection.open(path, { method: 'HEAD' })).rejects.toThrow()
    const asksFor = { sha256: [world.fileSha256] }
    expect(await post('/files/lacking', asksFor)).toEqual({ lacking: asksFor.sha256 })
    expect(
      await atHome.connection.ask('/files/lacking', z.unknown(), { method: 'POST', json: asksFor }),
    ).toEqual({ lacking: [] })
    const asked = connection.open(`/snapshot?domain=samples&sha256=${world.snapshotSha256}`)
    expect(await refusalOf(asked)).toBe('410 GONE')
  })

  it.each(services)('gets a snapshot of $name with nothing of this one', async ({ name }) => {
    const answer = await workstation.connection.open(`/snapshot?domain=${name}`)
    const file = Buffer.from(await answer.arrayBuffer())
    // A line that says what it is, then the content, packed.
    const text = gunzipSync(file.subarray(file.indexOf(10) + 1)).toString()
    expect(text).toContain('laboratory_id')
    expectNothingIn(text, {})
  })

  it('is told nothing of its people, and proves nothing of them', async () => {
    expectNothingIn(await (await workstation.connection.open('/people')).text(), {})
    const { userId } = world
    expect(await post('/proof', { userId, password: technician.password })).toEqual({ outcome: 'wrong' })
  })

  it('decides none of its work items, for whomever it says', async () => {
    const chosen = { domain: 'auth', itemId: world.workItemId, choice: { take: 'hub' }, reason }
    expect(await refusalOf(post('/resolution', { ...chosen, actorId: of.actorId }))).toBe('404 NOT_FOUND')
    for (const actorId of [world.userId, (await whoIs(own)).actorId])
      expect(await refusalOf(post('/resolution', { ...chosen, actorId }))).toBe('403 FORBIDDEN')
  })

  const passedOn = Object.entries(unknown).filter(([label]) => label.startsWith('shipments.'))
  it.each(passedOn)('%s, passed on: does not know it, for whomever it says', async (label, attempt) => {
    const asked = {
      ...{ domain: 'shipments', procedure: label.split('.')[1], input: attempt(world) },
      // The key of the parcel, which is another one here.
      idempotencyKey: 'first-parcel',
    }
    const ask = (userId: string) => refusalOf(post('/passed-on', { ...asked, actor: { userId } }))
    expect(await ask(of.actorId)).toBe('404 NOT_FOUND')
    expect(await ask((await whoIs(own)).actorId)).toBe('403 FORBIDDEN')
  })

  it('founds nothing in it, nor under its name', async () => {
    const founding = { files: { samples: world.fileSha256 }, credentials: [] }
    expect(await refusalOf(post('/found', founding))).toBe('403 NOT_FOUNDER')
    const theFirst = await whoIs(own)
    const enrol = async (id: string) => {
      const { code } = await laboratories.operator.createFounderCode({})
      return enrolOnWire(hub.url, code, { laboratory: { id, name: 'Plover Labs' } })
    }
    expect(await refusalOf(enrol(theFirst.laboratoryId))).toBe('409 LABORATORY_KNOWN')
    const founded = randomUUID()
    const founder = await enrol(founded)
    const found = (files: object) =>
      founder.connection.ask('/found', z.unknown(), {
        ...{ method: 'POST', json: { files, credentials: [{ userId: world.userId, passwordHash: 'x' }] } },
      })
    const theirFile = Object.fromEntries(services.map(({ name }) => [name, world.fileSha256]))
    expect(await refusalOf(found(theirFile))).toBe('409 FILE_MISSING')
    // Files that it made itself, with rows for the laboratory that it knows, and for tables that do not travel.
    const files: Record<string, string> = {}
    for (const { name } of services) files[name] = await bringRows(founder, name, [])
    for (const [table, row] of smuggled(theFirst.laboratoryId)) {
      const asked = found({ ...files, auth: await bringRows(founder, 'auth', [[table, row]]) })
      expect([table, await refusalOf(asked)]).toEqual([table, '400 BAD_REQUEST'])
    }
    // No snapshot at all, and one whose row is none.
    const scrap = join(makeTestFolder('tracseq-founder-'), 'scrap')
    writeFileSync(scrap, randomBytes(5_000))
    const [[table, row] = ['', {}]] = smuggled(founded)
    const scraps = [
      await bringFile(founder, scrap),
      await bringRows(founder, 'auth', [[table, { ...row, id: 'no id' }]]),
    ]
    for (const auth of scraps) expect(await refusalOf(found({ ...files, auth }))).toBe('400 BAD_REQUEST')
    // Columns of another version would be left out without a word.
    const older = await bringRows(founder, 'auth', [], migrationsOf('auth').slice(0, -1))
    expect(await refusalOf(found({ ...files, auth: older }))).toBe('409 CONFLICT')
  })

  it('is not opened by a token of a person', async () => {
    for (const path of ['pull?after=0', 'people', `files/${world.fileSha256}`]) {
      const answer = await send({
        url: `${hub.url}/v1/sync/${path}`,
        method: 'GET',
        headers: { authorization: `Bearer ${own.token}` },
      })
      expect([path, answer.status]).toEqual([path, 401])
    }
  })
})

describe('a person of another laboratory', () => {
  it('is asked about here with every procedure there is', () => {
    const asked = [unknown, empty, ruledOut, rows, ownThing].flatMap((table) => Object.keys(table))
    expect([...asked, ...nameless].sort()).toEqual(procedures.map(({ label }) => label).sort())
  })

  it.each(Object.entries(unknown))('%s: does not know it', async (label, attempt) => {
    const answer = await ask(label, attempt(world))
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([404, expect.any(String)])
    expect(answer.body).toMatchObject({ code: 'NOT_FOUND' })
    expectNothingOf(answer, attempt(world))
  })

  it.each(Object.entries(empty))('%s: finds nothing', async (label, attempt) => {
    const answer = await ask(label, attempt(world))
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([200, expect.any(String)])
    expectNothingOf(answer, attempt(world))
  })

  it.each(Object.entries(ruledOut))('%s: knows no such place', async (label, attempt) => {
    const answer = await ask(label, attempt(world))
    expect(answer).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('not known here') },
    })
    expectNothingOf(answer, attempt(world))
  })

  it.each(Object.entries(rows))('%s: does nothing with any row', async (label, attempt) => {
    const answer = await ask(label, attempt(world))
    expect(answer.status).toBe(200)
    const results = z
      .array(z.object({ ok: z.literal(false), error: z.object({ code: z.string(), message: z.string() }) }))
      .parse(answer.body)
    // A tube that finds no box is taken back whole, which is a code of its own.
    for (const { error } of results) {
      expect(['NOT_FOUND', 'SAGA_COMPENSATED']).toContain(error.code)
      expect(error.message).toMatch(/is known here/)
    }
    expectNothingOf(answer, attempt(world))
  })

  it.each(Object.entries(ownThing))('%s: makes something of their own', async (label, attempt) => {
    const answer = await ask(label, attempt(world))
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([200, expect.any(String)])
    expectNothingOf(answer, attempt(world))
  })

  it('has changed nothing, whatever was asked', async () => {
    expect(await readWorld(own, world)).toEqual(before)
    // And what they made is nowhere here.
    expect(before).not.toContain('Mine')
    const found = await own.client(samples).list({ search: 'Mine' })
    expect(found.items).toEqual([])
  })
})

// Last: what it pushes names ids of the first laboratory in its own one.
describe('what a workstation of another laboratory pushes', () => {
  it('comes into no other laboratory: neither as its workstation nor over its rows', async () => {
    const theFirst = await whoIs(own)
    const foreign = [
      attemptToSignIn(theFirst),
      attemptToSignIn(of, { workstationId: world.workstationId }),
      attemptToSignIn({ ...of, laboratoryId: theFirst.laboratoryId }, { id: world.waitingSetId }),
    ]
    for (const set of foreign)
      expect(await refusalOf(workstation.push(workstation.runOf([set])))).toBe('403 FOREIGN_SET')
    const key = { laboratory_id: theFirst.laboratoryId, id: world.parentId }
    const change = {
      table: 'sample',
      key,
      operation: 'update',
      before: { name: 'Yours' },
      values: { name: 'Mine' },
    }
    const over = { domain: 'samples', procedure: 'samples.update' }
    const push = async (more: object, actorId = of.actorId) => {
      const changes = [{ ...change, replaces: randomUUID(), ...more }]
      const { decided } = await workstation.push(
        workstation.runOf([attemptToSignIn({ ...of, actorId }, { ...over, changes })]),
      )
      return decided.map(({ outcome }) => outcome)
    }
    expect(await refusalOf(push({}))).toBe('400 BAD_REQUEST')
    // Under the key of its own laboratory no such row is known, and whoever is not known there may do nothing.
    const ownKey = { laboratory_id: of.laboratoryId, id: world.parentId }
    expect(await push({ key: ownKey })).toEqual(['conflict'])
    expect(await push({ key: ownKey }, theFirst.actorId)).toEqual(['review'])
  })

  it('tells nothing of what became of change sets there', async () => {
    const outcomeOf = async (change: object) => {
      const { decided } = await workstation.push(workstation.runOf([attemptToSignIn(of, change)]))
      return decided.map(({ outcome }) => outcome)
    }
    for (const id of [world.droppedSetId, world.waitingSetId, randomUUID()]) {
      expect(await outcomeOf({ causedBy: id })).toEqual(['applied'])
      expect(await outcomeOf({ id })).toEqual(['applied'])
    }
  })

  it('has changed nothing there', async () => {
    expect(await readWorld(own, world)).toEqual(before)
    expect(await signInTo(hub, administrator)).toMatchObject({ url: hub.url })
  })
})

function ask(label: string, input: object): Promise<HttpAnswer> {
  const procedure = procedures.find((each) => each.label === label)
  if (procedure === undefined) throw new Error(`There is no procedure ${label}`)
  return send(requestOf(hub.url, procedure.contract, input, { token: theirs.token }))
}

/** No text and no id of the first laboratory is in the answer, but what was in the question. */
function expectNothingOf({ body }: HttpAnswer, asked: object): void {
  expectNothingIn(JSON.stringify(body), asked)
}

function expectNothingIn(said: string, asked: object): void {
  const question = JSON.stringify(asked)
  const known = [mark, ...Object.values(world).map(String)]
  expect(known.filter((text) => text.length > 3 && said.includes(text) && !question.includes(text))).toEqual(
    [],
  )
}

async function whoIs(person: SignedIn) {
  const { user, laboratory } = await person.client(auth).me()
  return { laboratoryId: laboratory.id, actorId: user.id }
}

/** The feeds of a laboratory as a workstation and a person follow them, and where its log ends. */
async function openFeeds(person: SignedIn, { connection }: WireWorkstation) {
  const heads = eventsOf(await connection.open('/events'))
  const headers = { authorization: `Bearer ${person.token}` }
  const hints = eventsOf(await fetch(`${hub.url}/v1/system/changes`, { headers }))
  const { position: head } = z.object({ position: z.int() }).parse(await nextOf(heads))
  expect(await nextOf(hints)).toEqual({ domains: [] })
  return {
    head,
    heads: () => nextOf(heads),
    hints: () => nextOf(hints),
    close: () => Promise.all([heads.return(), hints.return()]),
  }
}

/** What a feed of server-sent events says, one after the other. */
async function* eventsOf({ body }: Response): AsyncGenerator<unknown, void> {
  let text = ''
  for await (const part of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const lines = `${text}${part}`.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length))
  }
}

async function nextOf(events: AsyncGenerator<unknown, void>): Promise<unknown> {
  const { value, done } = await events.next()
  if (done === true) throw new Error('The feed has ended')
  return value
}

type Row = readonly [table: string, cells: Readonly<Record<string, string>>]

/** An administrator of a laboratory with a password, and something of the platform's own. */
function smuggled(laboratoryId: string): readonly Row[] {
  const [id, at] = [randomUUID(), '2026-11-21T10:00:00.000+00:00']
  const person = { name: 'Mine', email: 'mine@plover.example', email_key: 'mine@plover.example' }
  const role = { status: 'active', roles: '["lab_administrator"]', created_at: at, created_by: id }
  return [
    ['app_user', { laboratory_id: laboratoryId, id, ...person, ...role }],
    ['credential', { laboratory_id: laboratoryId, user_id: world.userId, password_hash: 'x' }],
    ['platform.subscriber_cursor', { subscriber: 'mine', journal_sequence: '1', journal_hash: '' }],
  ]
}

function migrationsOf(domain: string): readonly string[] {
  return migrationsHere()[domain] ?? []
}

/** Puts a file of a founder's rows onto its shelf at the Hub, as snapshots of a workstation are written. */
async function bringRows(
  workstation: WireWorkstation,
  domain: string,
  rows: readonly Row[],
  migrations = migrationsOf(domain),
): Promise<string> {
  const header = {
    ...{ format: 1 as const, domain, sequence: 1, payloadHash: '', acknowledged: 0 },
    migrations: migrations.map((name) => ({ name, sha256: '' })),
    takenAt: new Date().toISOString(),
    tables: rows.map(([name, cells]) => ({ name, columns: Object.keys(cells), rows: 1 })),
  }
  const lines = rows.map(([, cells]) => JSON.stringify(Object.values(cells)))
  const pages = (async function* () {
    await Promise.resolve()
    yield lines
  })()
  const { path } = await writeSnapshotFile(makeTestFolder('tracseq-founder-'), header, pages)
  return bringFile(workstation, path)
}

async function bringFile({ connection }: WireWorkstation, path: string): Promise<string> {
  const sha256 = digestOf(readFileSync(path))
  await connection.open(`/files/${sha256}`, { method: 'PUT', file: path })
  return sha256
}

function listProcedures(): readonly KnownProcedure[] {
  const catalogue = new Catalogue()
  for (const { name, contract } of services) catalogue.add(name, contract)
  catalogue.add('system', system)
  catalogue.add('sync', sync)
  catalogue.add('shipments', shipments)
  return catalogue.list().filter(({ meta }) => !meta.internal)
}
