import type { RowImage } from '../change-set.ts'
import { foldMovements, decideMovement, type MovementKind } from '../../../services/samples/domain/amount.ts'
import { checkCustody, type CustodyKind, nextCustodyKinds } from '../../../services/samples/domain/custody.ts'
import { decideTransition, nextStates, type SampleState } from '../../../services/samples/domain/lifecycle.ts'
import { custodyAfter, stateAfter, type StorageNews } from '../../../services/samples/domain/storage-news.ts'
import { toCustodyEvent, toMovement } from '../../../services/samples/domain/sync-rules.ts'
import { type Desk, type Draft, type SimulatedEvent, Writing } from './draft.ts'

/** What people do to samples in the model laboratory, by the rules of the domain itself. Null: there was nothing to do. */
export const sampleWork: readonly ((desk: Desk) => Draft | null)[] = [
  receive,
  editFields,
  editFields,
  changeState,
  changeState,
  remove,
  addNote,
  moveAmount,
  moveAmount,
  recordCustody,
  recordCustody,
  settleFork,
  makeAliquots,
  addType,
]

export function receive(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  if (writing.all('sample').length > 8) return null
  addSample(writing, `S-${desk.chance.below(1000)}`, desk.chance.happens(0.8) ? 'validated' : 'pending')
  return writing.finish('samples.accession')
}

function addSample(writing: Writing, name: string, state: SampleState): string {
  const { desk } = writing
  const now = desk.now()
  const nothing = ['client_id', 'donor', 'project', 'collected_on', 'concentration_ng_per_ul', 'taxon_id']
  const id = writing.insert('sample', {
    ...Object.fromEntries([...nothing, 'code', 'location', 'import_id'].map((column) => [column, null])),
    ...{ name, type: 'dna', state, priority: 'normal', extra: '{}', created_at: now, updated_at: now },
    ...{ created_by: desk.personId, created_by_id: desk.personId, written_revision: desk.changeSetId },
  })
  addMovement(writing, id, 'added', '20', [])
  addCustody(writing, id, 'received', null, [])
  return id
}

function editFields(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const sample = pickSample(writing)
  if (sample === null || nextStates(sample.state as SampleState).length === 0) return null
  const column =
    desk.chance.pick(['name', 'donor', 'project', 'priority', 'concentration_ng_per_ul']) ?? 'name'
  const value =
    column === 'priority' ? desk.chance.pick(['low', 'high', 'stat']) : `${desk.chance.below(1000)}`
  writing.update('sample', sample.id ?? '', {
    [column]: value ?? null,
    updated_at: desk.now(),
    written_revision: desk.changeSetId,
  })
  addHistory(writing, sample.id ?? '', 'updated')
  return writing.finish('samples.update')
}

function changeState(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const sample = pickSample(writing)
  if (sample === null) return null
  // Most work goes on; ends are rarer, or there would soon be nothing left to work with.
  const next = nextStates(sample.state as SampleState).filter(
    (state) =>
      ['validated', 'in_sequencing', 'completed', 'pending'].includes(state) || desk.chance.happens(0.15),
  )
  const to = desk.chance.pick(next)
  if (to === undefined || !decideTransition(sample.state as SampleState, to, { reason: 'work' }).ok)
    return null
  writing.update('sample', sample.id ?? '', { state: to, updated_at: desk.now() })
  addHistory(writing, sample.id ?? '', to)
  return writing.finish('samples.changeState')
}

function remove(desk: Desk): Draft | null {
  if (!desk.chance.happens(0.3)) return null
  const writing = new Writing(desk, 'samples')
  const sample = pickSample(writing)
  if (sample === null || !decideTransition(sample.state as SampleState, 'deleted', { reason: 'mistake' }).ok)
    return null
  writing.update('sample', sample.id ?? '', { state: 'deleted', updated_at: desk.now() })
  return writing.finish('samples.remove')
}

function addNote(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const sample = pickSample(writing)
  if (sample === null) return null
  writing.insert('sample_note', { sample_id: sample.id ?? null, note: desk.newId(), ...occasion(desk) })
  return writing.finish('samples.addNote')
}

function moveAmount(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const sample = pickSample(writing)
  if (sample === null) return null
  const known = movementsOf(writing, sample.id ?? '')
  const kind = desk.chance.pick(['taken', 'taken', 'added', 'corrected'] as const) ?? 'taken'
  const request = { id: desk.newId(), quantity: 'volume_ul', kind, override: null } as const
  const decision = decideMovement(known, { ...request, value: String(1 + desk.chance.below(8)) })
  if (!decision.ok) return null
  addMovement(writing, sample.id ?? '', kind, decision.value.value, decision.value.covers)
  return writing.finish('samples.moveAmount')
}

function recordCustody(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const sample = pickSample(writing)
  if (sample === null) return null
  const { heads } = checkCustody(chainOf(writing, sample.id ?? ''))
  const head = desk.chance.pick(heads)
  if (head === undefined) return null
  const possible = nextCustodyKinds(head.state).filter(
    (kind) => kind !== 'disposed' && kind !== 'consumed' && kind !== 'received_elsewhere',
  )
  const kind = head.state === 'in_transit' ? 'received_elsewhere' : desk.chance.pick(possible)
  if (kind === undefined || head.state === null) return null
  addCustody(writing, sample.id ?? '', kind, head.eventId, [])
  return writing.finish('samples.recordCustody')
}

function settleFork(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const forked = writing
    .all('sample')
    .filter((row) => checkCustody(chainOf(writing, row.id ?? '')).heads.length > 1)
  const sample = desk.chance.pick(forked)
  if (sample === undefined) return null
  const { heads } = checkCustody(chainOf(writing, sample.id ?? ''))
  const [head, ...others] = heads
  const kind = desk.chance.pick(nextCustodyKinds(head?.state ?? null))
  if (head === undefined || head.state === null || kind === undefined || kind === 'received_elsewhere')
    return null
  addCustody(
    writing,
    sample.id ?? '',
    kind,
    head.eventId,
    others.map(({ eventId }) => eventId),
  )
  return writing.finish('samples.recordCustody')
}

function makeAliquots(desk: Desk): Draft | null {
  const writing = new Writing(desk, 'samples')
  const mother = pickSample(writing)
  if (mother === null || ['rejected', 'discarded', 'archived', 'deleted'].includes(mother.state ?? ''))
    return null
  const left = foldMovements(movementsOf(writing, mother.id ?? ''), 'volume_ul').value
  if (left === null || Number(left) < 4) return null
  addMovement(writing, mother.id ?? '', 'taken', '4', [])
  const childId = addSample(writing, `${mother.name ?? ''}-A`, 'validated')
  const relation = { child_id: childId, parent_id: mother.id ?? null, kind: 'aliquot_of' }
  writing.insert('sample_relation', { ...relation, ...occasion(desk) })
  return writing.finish('samples.makeAliquots')
}

function addType(desk: Desk): Draft | null {
  if (!desk.chance.happens(0.3)) return null
  const writing = new Writing(desk, 'samples')
  const key = `type_${desk.chance.below(3)}`
  const letter = desk.chance.pick(['F', 'G', 'H']) ?? 'F'
  if (writing.all('sample_type').some((row) => row.key === key || row.letter === letter)) return null
  const made = { created_at: desk.now(), created_by: desk.personId }
  writing.insert('sample_type', { key, name: key, letter, contested: 'false', ...made })
  return writing.finish('samples.addType')
}

/** What samples write when storage tells of a container, as their subscription does. */
export function followContainer(desk: Desk, event: SimulatedEvent): Draft | null {
  const writing = new Writing(desk, 'samples')
  const { containerId, sampleId, to = null } = event.data
  const sample = writing.row('sample', sampleId)
  const what = event.name as StorageNews
  if (containerId === undefined || containerId === null || sampleId === undefined) return null
  const state = { placed: 'placed', moved: 'placed', returned: 'placed', taken_out: 'unplaced' }[
    what as string
  ]
  const link = { sample_id: sampleId, state: state ?? what, place: to }
  if (writing.row('sample_container', containerId) === null) {
    const rest = { placement_ahead: 'false', by_receive: 'false', received_place: null }
    writing.insert('sample_container', { ...link, ...rest }, containerId)
  } else writing.update('sample_container', containerId, link)
  if (sample === null || sample.state === 'deleted') return writing.finish('samples.follow')

  const others = writing
    .all('sample_container')
    .filter((row) => row.sample_id === sampleId && row.id !== containerId)
  const known = {
    placed: others.some((row) => row.state === 'placed' || row.state === 'checked_out'),
    alive: others.some((row) => row.state !== 'disposed'),
  }
  const next = stateAfter(what, sample.state as SampleState, known)
  const { heads } = checkCustody(chainOf(writing, sample.id ?? ''))
  const head = heads.at(-1) ?? null
  let predecessorId = head?.eventId ?? null
  for (const kind of custodyAfter(what, head === null ? 'not_begun' : (head.state ?? 'unknown'), known)) {
    predecessorId = addCustody(writing, sample.id ?? '', kind, predecessorId, [])
  }
  addHistory(writing, sample.id ?? '', what)
  const step = { state: next ?? sample.state ?? null, location: to }
  if (step.state !== sample.state || step.location !== sample.location) {
    writing.update('sample', sample.id ?? '', { ...step, updated_at: desk.now() })
  }
  return writing.finish('samples.follow')
}

/** What samples write when barcodes tell of a code. */
export function followCode(desk: Desk, event: SimulatedEvent): Draft | null {
  const writing = new Writing(desk, 'samples')
  const { codeId, code = null, thingId = null } = event.data
  if (codeId === undefined || codeId === null) return null
  const live = event.name === 'linked' ? 'true' : 'false'
  if (writing.row('sample_code', codeId) === null) {
    const link = { code, thing_kind: 'sample', thing_id: thingId, live, linked_at: desk.now() }
    writing.insert('sample_code', link, codeId)
  } else writing.update('sample_code', codeId, { live })
  const sample = writing.row('sample', thingId)
  const shown = live === 'true' ? code : null
  if (sample !== null && sample.code !== shown) writing.update('sample', sample.id ?? '', { code: shown })
  return writing.finish('samples.follow')
}

function pickSample(writing: Writing): RowImage | null {
  return writing.desk.chance.pick(writing.all('sample').filter((row) => row.state !== 'deleted')) ?? null
}

function movementsOf(writing: Writing, sampleId: string) {
  return writing
    .all('amount_movement')
    .filter((row) => row.sample_id === sampleId)
    .map(toMovement)
}

function chainOf(writing: Writing, sampleId: string) {
  return writing
    .all('custody_event')
    .filter((row) => row.sample_id === sampleId)
    .map(toCustodyEvent)
}

function addMovement(
  writing: Writing,
  sampleId: string,
  kind: MovementKind,
  value: string,
  covers: readonly string[],
): void {
  const said = { sample_id: sampleId, quantity: 'volume_ul', kind, value, covers: JSON.stringify(covers) }
  writing.insert('amount_movement', { ...said, reason: 'work', ...occasion(writing.desk) })
}

function addCustody(
  writing: Writing,
  sampleId: string,
  kind: CustodyKind,
  predecessorId: string | null,
  settlesIds: readonly string[],
): string {
  const { desk } = writing
  return writing.insert('custody_event', {
    ...{ sample_id: sampleId, kind, predecessor_id: predecessorId, settles_ids: JSON.stringify(settlesIds) },
    ...{
      holder: desk.personId,
      place: null,
      to_laboratory_id: kind === 'shipped' ? desk.laboratoryId : null,
    },
    ...{ reason: null, ...occasion(desk) },
  })
}

function addHistory(writing: Writing, sampleId: string, what: string): void {
  const said = { sample_id: sampleId, lane: 'record', what, detail: '{}', reason: null }
  writing.insert('sample_history', { ...said, ...occasion(writing.desk) })
}

function occasion(desk: Desk): RowImage {
  return { at: desk.now(), by: desk.personId, by_id: desk.personId }
}
