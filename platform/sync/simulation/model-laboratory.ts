import { deriveId } from '../change-set.ts'
import type { SyncRules } from '../rules.ts'
import { authSyncRules } from '../../../services/auth/domain/sync-rules.ts'
import { barcodesSyncRules } from '../../../services/barcodes/domain/sync-rules.ts'
import { samplesSyncRules } from '../../../services/samples/domain/sync-rules.ts'
import { storageSyncRules } from '../../../services/storage/domain/sync-rules.ts'
import { templatesSyncRules } from '../../../services/templates/domain/sync-rules.ts'
import { type Desk, type Draft, type SimulatedEvent, Writing } from './draft.ts'
import { followCode, followContainer, receive, sampleWork } from './model-samples.ts'
import { furnish, place, register, storageWork } from './model-storage.ts'

/** The real rules of all domains. */
export const laboratoryRules: SyncRules = {
  auth: authSyncRules,
  barcodes: barcodesSyncRules,
  samples: samplesSyncRules,
  storage: storageSyncRules,
  templates: templatesSyncRules,
}

const otherWork: readonly ((desk: Desk) => Draft | null)[] = [
  linkCode,
  linkCode,
  releaseCode,
  draftTemplate,
  editTemplate,
  editTemplate,
  advanceTemplate,
  startImport,
  saveImportRow,
  signIn,
]

/** Something that a person does now at a desk; null when there was nothing to do. */
export function doSomeWork(desk: Desk): Draft | null {
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const kinds = [sampleWork, storageWork, storageWork, otherWork]
    const draft = desk.chance.pick(desk.chance.pick(kinds) ?? sampleWork)?.(desk) ?? null
    if (draft !== null) return draft
  }
  return null
}

/** What a domain writes because of an event of another one. */
export function react(desk: Desk, domain: string, event: SimulatedEvent): Draft | null {
  if (domain === 'storage') return followContainer(desk, event)
  return domain === 'barcodes' ? followCode(desk, event) : null
}

/** What only the Hub's administrators do: people and their roles. */
export function administer(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'auth')
  const role = desk.chance.pick(writing.all('role'))
  const person = desk.chance.pick(writing.all('app_user'))
  if (role !== undefined && desk.chance.happens(0.6)) {
    writing.update('role', role.id ?? '', {
      permissions: JSON.stringify([`right-${desk.chance.below(100)}`]),
    })
    return writing.finish('auth.updateRole')
  }
  if (person === undefined) return null
  writing.update('app_user', person.id ?? '', { status: person.status === 'active' ? 'suspended' : 'active' })
  return writing.finish('auth.updateUser')
}

/** What is there on the first day: people, rooms, and a few tubes that everybody works with. */
export const firstDay: readonly ((desk: Desk) => Draft | null)[] = [
  furnish,
  ...Array.from({ length: 3 }, () => receive),
  ...Array.from({ length: 3 }, () => register),
  ...Array.from({ length: 2 }, () => place),
  draftTemplate,
]

/** The laboratory itself, its people and what they may do. */
export function foundLaboratory(desk: Desk, people: readonly string[]): Draft | null {
  const writing = new Writing(desk, 'auth')
  writing.insert('laboratory', { name: 'The laboratory', created_at: desk.now() }, desk.laboratoryId)
  writing.insert('role', { name: 'lab_technician', permissions: null })
  for (const id of people) {
    const address = `${id}@laboratory.example`
    const said = {
      email: address,
      email_key: address,
      name: id,
      status: 'active',
      roles: '[]',
      badge_code: null,
    }
    writing.insert('app_user', { ...said, created_at: desk.now(), created_by: 'founder' }, id)
  }
  return writing.finish('auth.found')
}

/** Pre-printed codes are few here, so that two workstations link the same one. */
function linkCode(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'barcodes')
  const samples = desk.rows.all('samples', 'sample').filter((row) => row.state !== 'deleted')
  const sample = desk.chance.pick(samples)
  const text = `EXT-${desk.chance.below(8)}`
  const isTaken = writing.all('code').some((row) => row.lookup_key === text && row.state !== 'released')
  if (sample === undefined || isTaken) return null
  const id = writing.insert('code', {
    ...{ text, lookup_key: text, source: 'external', state: 'linked', thing_kind: 'sample' },
    ...{ thing_id: sample.id ?? null, workstation_part: null, counter: null, contested: 'false' },
    ...{ created_at: desk.now(), created_by: desk.personId },
  })
  writing.announce('linked', { codeId: id, code: text, thingId: sample.id ?? null })
  return writing.finish('barcodes.link')
}

function releaseCode(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'barcodes')
  const code = desk.chance.pick(writing.all('code').filter((row) => row.state === 'linked'))
  if (code === undefined) return null
  writing.update('code', code.id ?? '', { state: 'released' })
  const said = { codeId: code.id ?? null, code: code.text ?? null, thingId: code.thing_id ?? null }
  writing.announce('released', said)
  return writing.finish('barcodes.unlink')
}

function draftTemplate(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'templates')
  const name = desk.chance.pick(['Manifest', 'manifest', 'Pooling']) ?? 'Manifest'
  const versions = writing.all('template').filter((row) => row.name?.toLowerCase() === name.toLowerCase())
  if (versions.length > 2) return null
  const version = versions.reduce((greatest, row) => Math.max(greatest, Number(row.version)), 0) + 1
  writing.insert('template', {
    ...{
      name,
      version: String(version),
      state: 'draft',
      built_in: 'false',
      description: '',
      definition: '{}',
    },
    ...{ contested: 'false', created_at: desk.now(), created_by: desk.personId, published_at: null },
  })
  return writing.finish('templates.create')
}

function editTemplate(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'templates')
  const template = desk.chance.pick(writing.all('template').filter((row) => row.state === 'draft'))
  if (template === undefined) return null
  const column = desk.chance.pick(['definition', 'description']) ?? 'definition'
  writing.update('template', template.id ?? '', { [column]: JSON.stringify({ fields: desk.newId() }) })
  return writing.finish('templates.update')
}

function advanceTemplate(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'templates')
  const template = desk.chance.pick(writing.all('template').filter((row) => row.state !== 'archived'))
  if (template === undefined) return null
  const next = { draft: 'published', published: 'deprecated', deprecated: 'archived' }[template.state ?? '']
  const published = template.state === 'draft' ? desk.now() : (template.published_at ?? null)
  writing.update('template', template.id ?? '', { state: next ?? null, published_at: published })
  return writing.finish('templates.publish')
}

function startImport(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'templates')
  if (writing.all('import').length > 0) return null
  const counts = {
    rows: '3',
    good: '3',
    to_confirm: '0',
    with_errors: '0',
    skipped: '0',
    leading_zeros_kept: '0',
  }
  writing.insert('import', {
    ...{ state: 'checking', file_name: 'samples.xlsx', file_sha256: 'ab', template_id: desk.newId() },
    ...{ choices: '{}', facts: '{}', ...counts, created_at: desk.now(), created_by: desk.personId },
  })
  return writing.finish('templates.startImport')
}

/** A row of an import has the same id wherever it is saved. */
function saveImportRow(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'templates')
  const parent = desk.chance.pick(writing.all('import'))
  if (parent === undefined) return null
  const row = String(1 + desk.chance.below(3))
  const id = deriveId(parent.id ?? '', `row ${row}`)
  const counted = { good: String(desk.chance.below(4)) }
  if (writing.row('import_row', id) === null) {
    const said = { import_id: parent.id ?? null, row, state: 'saved', sample_id: desk.newId(), code: null }
    writing.insert('import_row', { ...said, problem: null }, id)
  } else writing.update('import_row', id, { state: desk.chance.pick(['undone', 'saved']) ?? null })
  writing.update('import', parent.id ?? '', counted)
  return writing.finish('templates.applyImport')
}

function signIn(desk: Desk): Draft | null {
  if (!desk.chance.happens(0.3)) return null
  const writing = new Writing(desk, 'auth')
  const said = { email: desk.personId, user_id: desk.personId, outcome: 'signed_in', workstation: 'bench' }
  writing.insert('sign_in', { ...said, at: desk.now() })
  return writing.finish('auth.signIn')
}

/** What nobody at the Hub ever gave. */
export const forgedPermissions = '["everything"]'

/** A workstation that was tampered with gives itself rights. The Hub must not take it. */
export function forgeRole(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'auth')
  const role = desk.chance.pick(writing.all('role'))
  if (role === undefined) return null
  writing.update('role', role.id ?? '', { permissions: forgedPermissions })
  return writing.finish('auth.updateRole')
}
