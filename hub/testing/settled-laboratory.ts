import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { HubConnection } from '../../main/sync/hub-connection.ts'
import { storeFile } from '../../main/testing/store-file.ts'
import type { SignedIn } from '../../main/testing/workstation-process.ts'
import { system } from '../../platform/gateway/contract.ts'
import { sync } from '../../platform/sync/contract.ts'
import { stateSealingKey } from '../../platform/sync/sealing-key.ts'
import { PullAnswer, snapshotHeaders } from '../../platform/sync/wire.ts'
import { auth } from '../../services/auth/contract.ts'
import { barcodes } from '../../services/barcodes/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { shipments } from '../../services/shipments/contract.ts'
import { storage } from '../../services/storage/contract.ts'
import { templates } from '../../services/templates/contract.ts'
import {
  attemptToSignIn,
  enrolOnWire,
  migrationsHere,
  type WireWorkstation,
} from '../sync/testing/wire-workstation.ts'

/** In every text of a settled laboratory. */
export const mark = 'Heron'

/** What the technician of a settled laboratory signs in with. */
export const technician = { email: 'tech@heron.example', password: 'seven-blue-centrifuges-9' }

/** The ids of all that is in a settled laboratory. */
export type World = Awaited<ReturnType<typeof settle>>['world']

/** Makes one of everything in a laboratory, a parcel to another one among it, and gives all the ids. */
export async function settle(person: SignedIn, recipientId: string) {
  const [people, codes, tubes, places, sheets] = [
    person.client(auth),
    person.client(barcodes),
    person.client(samples),
    person.client(storage),
    person.client(templates),
  ]
  const { email, password } = technician
  const user = await people.createUser({
    ...{ name: `${mark} Technician`, email, password },
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
  const types = await tubes.addType({ name: `${mark} type`, letter: 'Q' })
  const workstation = await enrolOnWire(person.url, (await person.client(sync).createEnrolmentCode({})).code)
  const world = {
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
    ...(await shipTo(person, recipientId)),
    ...(await syncWith(person, workstation)),
  }
  return { world, workstation }
}

/** A parcel that is under way to another laboratory. */
async function shipTo(person: SignedIn, toLaboratoryId: string) {
  const sample = { name: `${mark} parcel`, type: 'dna', volumeUl: '5' }
  const { sample: shipped, code } = await person.client(samples).receive({ sample, containerKind: 'tube' })
  const { meaning } = await person.client(barcodes).resolve({ text: code })
  const order = { sampleIds: [shipped.id], toLaboratoryId, reason: `${mark} sequencing` }
  const sent = await person.client(shipments).send(order, { context: { key: 'first-parcel' } })
  return { shippedId: shipped.id, shippedKey: meaning.lookupKeys[0] ?? '', shipmentId: sent.id }
}

/** What a workstation leaves at the Hub: an open work item, a change set that was dropped, a bundle and a snapshot for it. */
async function syncWith(person: SignedIn, workstation: WireWorkstation) {
  const client = person.client(sync)
  const { user, laboratory } = await person.client(auth).me()
  const of = { laboratoryId: laboratory.id, actorId: user.id }
  const forbidden = (id: string) => {
    const key = { laboratory_id: laboratory.id, id }
    const change = { table: 'app_user', operation: 'insert', key, replaces: null, before: {} }
    const values = { ...key, name: `${mark} Mallory` }
    return attemptToSignIn(of, { id, procedure: 'auth.createUser', changes: [{ ...change, values }] })
  }
  const [droppedSetId, waitingSetId] = [randomUUID(), randomUUID()]
  await workstation.push(workstation.runOf([forbidden(droppedSetId), forbidden(waitingSetId)]))
  const { items } = await client.workItems({})
  const itemOf = (set: string) => items.find(({ pushed }) => pushed?.changeSetId === set)?.id ?? ''
  const dropped = { domain: 'auth', itemId: itemOf(droppedSetId), choice: { take: 'hub' } } as const
  await client.resolve({ ...dropped, reason: `${mark} decides` })
  // What reacts to it is not taken either; from then on the Hub knows by heart what became of it.
  await workstation.push(workstation.runOf([attemptToSignIn(of, { causedBy: droppedSetId })]))

  const sealing = stateSealingKey(generateKeyPairSync('x25519').privateKey, workstation.key)
  const address = { url: person.url, hubKey: workstation.hubKey }
  await new HubConnection(address, workstation.key, migrationsHere(), sealing).meet()
  const bundle = await client.makeBundle({ workstationId: workstation.id })
  const snapshot = await workstation.connection.open('/snapshot?domain=samples')
  await snapshot.arrayBuffer()
  const { head } = await workstation.connection.ask('/pull?after=0', PullAnswer)
  return {
    ...{ droppedSetId, waitingSetId, workItemId: itemOf(waitingSetId), bundleId: bundle.id },
    snapshotSha256: snapshot.headers.get(snapshotHeaders.sha256) ?? '',
    logHash: head.hash,
  }
}

/** All that a person of a laboratory can read of it, as text; two equal texts mean that nothing was changed. */
export async function readWorld(person: SignedIn, world: World): Promise<string> {
  const [tubes, places] = [person.client(samples), person.client(storage)]
  return JSON.stringify(
    await Promise.all([
      person.client(auth).listUsers({}),
      person.client(auth).listRoles(),
      person.client(auth).sessions({ all: true }),
      person.client(auth).signIns({ limit: 500 }),
      person.client(barcodes).list({ limit: 500 }),
      person.client(barcodes).statistics(),
      tubes.list({ limit: 500 }),
      tubes.types(),
      tubes.sagas({}),
      tubes.timeline({ id: world.sampleId, limit: 500 }),
      tubes.custody({ id: world.sampleId }),
      tubes.custody({ id: world.shippedId }),
      tubes.lineage({ id: world.sampleId }),
      places.tree({}),
      places.boxMap({ boxId: world.boxId }),
      places.listContainers({ limit: 500 }),
      places.history({ limit: 500 }),
      person.client(templates).list({ limit: 500 }),
      person.client(templates).listImports({ limit: 500 }),
      person.client(templates).importRows({ id: world.importId }),
      person.client(sync).workstations(),
      person.client(sync).workItems({}),
      person.client(sync).refusals(),
      person.client(shipments).list({}),
      person.client(shipments).get({ id: world.shipmentId }),
    ]),
  )
}
