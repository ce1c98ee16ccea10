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
import { Catalogue, type KnownProcedure } from '../platform/gateway/catalogue.ts'
import { system } from '../platform/gateway/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { services } from '../services/registry.ts'
import { samples } from '../services/samples/contract.ts'
import { shipments } from '../services/shipments/contract.ts'
import { storage } from '../services/storage/contract.ts'
import { templates } from '../services/templates/contract.ts'
import { openTwoLaboratories, type TwoLaboratories } from './testing/two-laboratories-on-a-hub.ts'
import { enrolOnWire, type WireWorkstation } from './sync/testing/wire-workstation.ts'

// Two laboratories on one Hub. The second one knows every id of the first, and asks every procedure with them.

const stranger = { email: 'stranger@example.org', password: 'twelve grey gulls 7' }
/** In every text of the first laboratory, and in none of the second. */
const mark = 'Heron'
const reason = 'Because I can'

let laboratories: TwoLaboratories
let hub: WorkstationProcess
let theirs: SignedIn
let own: SignedIn
let world: World
let before: string

beforeAll(async () => {
  laboratories = await openTwoLaboratories(stranger)
  ;({ hub, first: own, second: theirs } = laboratories)
  world = await settle(own)
  before = await readWorld(own)
}, 180_000)
afterAll(() => laboratories.close(), 60_000)

type World = Awaited<ReturnType<typeof settle>>

/** Makes one of everything in a laboratory and gives all the ids. */
async function settle(person: SignedIn) {
  const [people, codes, tubes, places, sheets] = [
    person.client(auth),
    person.client(barcodes),
    person.client(samples),
    person.client(storage),
    person.client(templates),
  ]
  const user = await people.createUser({
    name: `${mark} Technician`,
    email: 'tech@heron.example',
    password: 'seven-blue-centrifuges-9',
    roles: ['lab_technician'],
  })
  const freezer = await places.createNode({ kind: 'freezer', name: `${mark} freezer`, zone: 'minus_80' })
  const inside = { parentId: freezer.id, rows: 4, columns: 4 }
  const box = await places.createNode({ kind: 'box', name: `${mark} box`, ...inside })
  const received = await tubes.receive(
    {
      sample: { name: `${mark} tube`, type: 'dna', volumeUl: '50', project: `${mark} project` },
      placement: { boxId: box.id },
    },
    { context: { key: 'first-tube', correlationId: `${mark}-click` } },
  )
  const parent = await tubes.accession({ sample: { name: `${mark} parent`, type: 'dna' } })
  await tubes.relate({ childId: received.sample.id, parentId: parent.id, relationship: 'aliquot_of' })
  const loose = await places.createContainer({ label: `${mark} loose` })
  await places.reserve({
    boxId: box.id,
    positions: ['D4'],
    until: '2099-01-01T00:00:00Z',
    reservedFor: `${mark} guest`,
  })
  const custody = await tubes.custody({ id: received.sample.id })
  const code = await codes.resolve({ text: received.code })
  const given = await codes.allocate({ kind: 'sample' })
  const draft = await sheets.createDraft({ name: `${mark} sheet` })
  const file = new File(
    [`Sample name;Sample type;Volume\n${mark} row;DNA;20\n${mark} other;RNA;30\n`],
    `${mark}.csv`,
  )
  const stored = await storeFile(person, file)
  const opened = await sheets.openImport({ fileSha256: stored, fileName: `${mark}.csv` })
  const { sessionId } = await people.me()
  const audit = await person.client(system).searchAudit({ limit: 1 })
  const enrolment = await person.client(sync).createEnrolmentCode({})
  const workstation = await enrolOnWire(hub.url, enrolment.code)
  const [types] = await Promise.all([tubes.addType({ name: `${mark} type`, letter: 'Q' })])
  return {
    sampleId: received.sample.id,
    sampleRevision: received.sample.revision,
    parentId: parent.id,
    containerId: received.containerId,
    looseId: loose.id,
    boxId: box.id,
    boxRevision: box.revision,
    freezerId: freezer.id,
    code: received.code,
    looseCode: given.codes[0] ?? '',
    codeId: code.matches[0]?.id ?? '',
    custodyId: custody.events[0]?.id ?? '',
    userId: user.id,
    userRevision: user.revision,
    email: user.email,
    sessionId,
    accessToken: person.token,
    templateId: draft.id,
    templateRevision: draft.revision,
    importId: opened.id,
    fileSha256: stored,
    auditSequence: audit.items[0]?.sequence ?? 0,
    correlationId: `${mark}-click`,
    typeKey: types.key,
    workstationId: workstation.id,
  }
}

async function storeFile(person: SignedIn, file: File): Promise<string> {
  const form = new FormData()
  form.append('file', file)
  const { body } = await send({
    url: `${hub.url}/v1/system/files`,
    method: 'POST',
    headers: { authorization: `Bearer ${person.token}` },
    body: form,
  })
  return z.object({ sha256: z.string() }).parse(body).sha256
}

/** All that a person of a laboratory can read of it, as text; two equal texts mean that nothing was changed. */
async function readWorld(person: SignedIn): Promise<string> {
  const [tubes, places] = [person.client(samples), person.client(storage)]
  return JSON.stringify(
    await Promise.all([
      person.client(auth).listUsers({}),
      person.client(auth).listRoles(),
      person.client(auth).sessions({ all: true }),
      person.client(barcodes).list({ limit: 500 }),
      person.client(barcodes).statistics(),
      tubes.list({ limit: 500 }),
      tubes.types(),
      tubes.sagas({}),
      tubes.timeline({ id: world.sampleId, limit: 500 }),
      tubes.custody({ id: world.sampleId }),
      tubes.lineage({ id: world.sampleId }),
      places.tree({}),
      places.boxMap({ boxId: world.boxId }),
      places.listContainers({ limit: 500 }),
      places.history({ limit: 500 }),
      person.client(templates).list({ limit: 500 }),
      person.client(sync).workstations(),
      person.client(templates).listImports({ limit: 500 }),
      person.client(templates).importRows({ id: world.importId }),
    ]),
  )
}

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
  'sync.bundle': ({ sampleId: id }) => ({ id }),
  'shipments.get': ({ sampleId: id }) => ({ id }),
  'shipments.send': ({ sampleId, parentId }) => ({ sampleIds: [sampleId], toLaboratoryId: parentId, reason }),
  'shipments.cancel': ({ sampleId: id }) => ({ id, reason }),
  'shipments.checkOff': ({ sampleId: id }) => ({ id, sampleIds: [id], present: true }),
  'shipments.turnBack': ({ sampleId: id }) => ({ id, reason }),
  'shipments.receive': ({ sampleId: id }) => ({ id }),
  'shipments.sendBack': ({ sampleId: id }) => ({ id, reason }),
  'sync.resolve': ({ sampleId: itemId }) => ({ domain: 'samples', itemId, choice: { take: 'hub' } }),
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
  'shipments.check': ({ sampleId }) => ({ sampleIds: [sampleId] }),
  'shipments.recognise': ({ code }) => ({ lookupKeys: [code] }),
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
  let workstation: WireWorkstation
  beforeAll(async () => {
    const { code } = await theirs.client(sync).createEnrolmentCode({})
    workstation = await enrolOnWire(hub.url, code)
  })

  it('pulls its own log and nothing of this one', async () => {
    const answer = await workstation.connection.open('/pull?after=0')
    const text = await answer.text()
    expect(text).toContain('Osprey')
    expectNothingIn(text, {})
  })

  it('does not find the files of this one', async () => {
    const asked = workstation.connection.open(`/files/${world.fileSha256}`)
    await expect(asked).rejects.toMatchObject({ status: 404 })
  })

  it.each(services)('gets a snapshot of $name with nothing of this one', async ({ name }) => {
    const answer = await workstation.connection.open(`/snapshot?domain=${name}`)
    const file = Buffer.from(await answer.arrayBuffer())
    // A line that says what it is, then the content, packed.
    const text = gunzipSync(file.subarray(file.indexOf(10) + 1)).toString()
    expect(text).toContain('laboratory_id')
    expectNothingIn(text, {})
  })

  it('is told nothing of its people', async () => {
    expectNothingIn(await (await workstation.connection.open('/people')).text(), {})
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
    expect(await readWorld(own)).toBe(before)
    // And what they made is nowhere here.
    expect(before).not.toContain('Mine')
    const found = await own.client(samples).list({ search: 'Mine' })
    expect(found.items).toEqual([])
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

function listProcedures(): readonly KnownProcedure[] {
  const catalogue = new Catalogue()
  for (const { name, contract } of services) catalogue.add(name, contract)
  catalogue.add('system', system)
  catalogue.add('sync', sync)
  catalogue.add('shipments', shipments)
  return catalogue.list().filter(({ meta }) => !meta.internal)
}
