import { describe, expect, it } from 'vitest'
import { addressOf, type RowImage } from '../../../platform/sync/change-set.ts'
import type { LogEntryBody } from '../../../platform/sync/log.ts'
import type { StandingItem } from '../../../platform/sync/work-item.ts'
import { findBroken, findMisdecided, type LaboratoryRows } from './laboratory-invariants.ts'

/** A box with a tube in A1 and one that is checked out from A2; samples, codes and a template. */
const sound: LaboratoryRows = {
  'storage/storage_node': [{ id: 'box', removed_at: null }],
  'storage/container': [
    { id: 'tube-1', state: 'placed' },
    { id: 'tube-2', state: 'checked_out' },
    { id: 'tube-3', state: 'unplaced' },
  ],
  'storage/placement': [
    placement('place-1', 'tube-1', 'A1'),
    { ...placement('place-2', 'tube-2', 'A2'), kept: 'true' },
    { ...placement('place-3', 'tube-3', 'A1'), live: 'false' },
  ],
  'storage/position_mark': [
    { id: 'mark-1', box_id: 'box', position: 'B1', live: 'true', contested: 'false' },
    { id: 'mark-2', box_id: 'box', position: 'B1', live: 'false', contested: 'false' },
  ],
  'storage/container_event': [
    { id: 'told-1', container_id: 'tube-1', predecessor_id: null },
    { id: 'told-2', container_id: 'tube-1', predecessor_id: 'told-1' },
    { id: 'told-3', container_id: 'tube-2', predecessor_id: null },
    { id: 'told-4', container_id: 'tube-3', predecessor_id: null },
  ],
  'barcodes/code': [
    { id: 'code-1', lookup_key: 'X', state: 'linked', contested: 'false' },
    { id: 'code-2', lookup_key: 'X', state: 'released', contested: 'false' },
  ],
  'templates/template': [
    { id: 'form-1', name: 'Form', version: '1', contested: 'false' },
    { id: 'form-2', name: 'Form', version: '2', contested: 'false' },
  ],
  'samples/sample': [{ id: 'sample', state: 'in_storage' }],
  'samples/sample_history': [
    history('pending', 'validated'),
    history('validated', 'in_storage'),
    { id: 'other', sample_id: 'sample', what: 'updated', detail: '{}' },
  ],
  // Two followed the first without knowing of each other, and a person settled it.
  'samples/custody_event': [
    custody('held-1', null),
    custody('held-2', 'held-1'),
    custody('held-3', 'held-1'),
    { ...custody('held-4', 'held-2'), settles_ids: '["held-3"]' },
  ],
}
const nobody = { open: [], acknowledged: [] }

function placement(id: string, container: string, position: string): RowImage {
  const state = { live: 'true', kept: 'false', contested: 'false' }
  return { id, container_id: container, box_id: 'box', position, ...state }
}

function custody(id: string, predecessor: string | null): RowImage {
  return { id, sample_id: 'sample', predecessor_id: predecessor, settles_ids: '[]' }
}

function history(from: string, to: string): RowImage {
  return { id: to, sample_id: 'sample', what: 'state_changed', detail: JSON.stringify({ from, to }) }
}

/** The sound laboratory with rows of one table added, or others in place of those with the same id. */
function withRows(table: string, ...changed: readonly RowImage[]): LaboratoryRows {
  const ids = new Set(changed.map(({ id }) => id))
  return { ...sound, [table]: [...(sound[table] ?? []).filter(({ id }) => !ids.has(id)), ...changed] }
}

function shown(kind: string, domain: string, table: string, ...ids: readonly string[]): StandingItem {
  const rows = ids.map((id) => addressOf(domain, table, id))
  return { kind, id: 'item', domain, set: null, words: '', subject: rows[0] ?? '', rows }
}

describe('what must be true of a laboratory', () => {
  it('finds nothing in one that is sound', () => {
    expect(findBroken(sound, nobody, [])).toEqual([])
  })

  it.each<[string, LaboratoryRows, readonly string[]]>([
    [
      'two containers in one position',
      withRows('storage/placement', placement('place-1', 'tube-1', 'A3'), {
        ...placement('place-2', 'tube-2', 'A3'),
        kept: 'true',
      }),
      ['2 rows of storage/placement have the box_id and position box A3'],
    ],
    [
      'one container in two positions',
      withRows('storage/placement', placement('place-4', 'tube-1', 'A4')),
      ['2 rows of storage/placement have the container_id tube-1'],
    ],
    [
      'a position that is marked twice',
      withRows('storage/position_mark', {
        ...{ id: 'mark-2', box_id: 'box', position: 'B1', live: 'true', contested: 'false' },
      }),
      ['2 rows of storage/position_mark have the box_id and position box B1'],
    ],
    [
      'a code that names two things',
      withRows('barcodes/code', { id: 'code-2', lookup_key: 'X', state: 'linked', contested: 'false' }),
      ['2 rows of barcodes/code have the lookup_key X'],
    ],
    [
      'two templates of one name and version',
      withRows('templates/template', { id: 'form-2', name: 'Form', version: '1', contested: 'false' }),
      ['2 rows of templates/template have the name and version Form 1'],
    ],
    [
      'a contested code that nobody is shown',
      withRows('barcodes/code', { id: 'code-2', lookup_key: 'X', state: 'linked', contested: 'true' }),
      ['barcodes/code/code-2 is contested in secret'],
    ],
    [
      'a placed container without a place',
      withRows('storage/placement', { ...placement('place-1', 'tube-1', 'A1'), live: 'false' }),
      ['Container tube-1 is placed, with 0 places'],
    ],
    [
      'a container that is checked out, though its place is not kept',
      withRows('storage/placement', placement('place-2', 'tube-2', 'A2')),
      ['Container tube-2 is checked_out, with 1 places'],
    ],
    [
      'a container that has a place, though its state says none',
      withRows('storage/placement', placement('place-3', 'tube-3', 'A5')),
      ['Container tube-3 is unplaced, with 1 places'],
    ],
    [
      'tubes in a box that is gone',
      withRows('storage/storage_node', { id: 'box', removed_at: '2026-11-21' }),
      ['Placement place-1 is in a box that is not there', 'Placement place-2 is in a box that is not there'],
    ],
    [
      'a sample in nobody’s custody',
      withRows('samples/sample', { id: 'lost', state: 'pending' }),
      ["Sample lost is in nobody's custody"],
    ],
    [
      'a step of custody without the one before it',
      withRows('samples/custody_event', custody('held-2', 'gone')),
      ['Custody of sample has a gap: gone is missing'],
    ],
    [
      'custody that settles what is not there',
      withRows('samples/custody_event', { ...custody('held-4', 'held-2'), settles_ids: '["gone"]' }),
      ['Custody of sample has a gap: gone is missing'],
    ],
    [
      'custody in a circle',
      withRows('samples/custody_event', custody('held-1', 'held-4')),
      ['Custody of sample goes in a circle'],
    ],
    [
      'custody that forks in secret',
      withRows('samples/custody_event', custody('held-4', 'held-2')),
      ['Custody of sample is forked in secret: held-2, held-3'],
    ],
    [
      'custody that begins twice in secret',
      withRows('samples/custody_event', custody('held-5', null)),
      ['Custody of sample is forked in secret: held-1, held-5'],
    ],
    [
      'a container that came from nowhere',
      withRows('storage/container', { id: 'tube-4', state: 'unplaced' }),
      ['Container tube-4 came from nowhere'],
    ],
    [
      'a container’s story with a gap',
      withRows('storage/container_event', { id: 'told-2', container_id: 'tube-1', predecessor_id: 'gone' }),
      ['The story of tube-1 has a gap: gone is missing'],
    ],
    [
      'a container’s story that follows that of another',
      withRows('storage/container_event', { id: 'told-2', container_id: 'tube-1', predecessor_id: 'told-3' }),
      ['The story of tube-1 has a gap: told-3 is missing'],
    ],
    [
      'a container’s story that forks in secret',
      withRows('storage/container_event', { id: 'told-5', container_id: 'tube-1', predecessor_id: 'told-1' }),
      ['The story of tube-1 is forked in secret: told-2, told-5'],
    ],
    [
      'a sample in a state that nothing led to',
      withRows('samples/sample', { id: 'sample', state: 'completed' }),
      ['Nothing says how sample sample became completed'],
    ],
    [
      'a step that life does not have',
      withRows('samples/sample_history', history('in_storage', 'archived')),
      ['Sample sample has a step from in_storage to archived in its history'],
    ],
  ])('finds %s', (_what, rows, expected) => {
    expect(findBroken(rows, nobody, [])).toEqual(expected)
  })

  it('is content with forks and contests that people are shown, and finds those that are shown for nothing', () => {
    const contested = withRows('barcodes/code', {
      ...{ id: 'code-2', lookup_key: 'X', state: 'linked', contested: 'true' },
    })
    const item = shown('contested', 'barcodes', 'code', 'code-2')
    expect(findBroken(contested, { ...nobody, open: [item] }, [])).toEqual([])
    expect(findBroken(sound, { ...nobody, open: [item] }, [])).toEqual([
      'barcodes/code/code-2 is not contested',
    ])
    // Of three branches a person saw two.
    const forked = withRows('samples/custody_event', custody('held-4', 'held-2'), custody('held-5', 'held-1'))
    const seen = shown('custody-fork', 'samples', 'custody_event', 'held-2', 'held-3')
    expect(findBroken(forked, { ...nobody, acknowledged: [seen] }, [])).toEqual([
      'Custody of sample is forked in secret: held-5',
    ])
    const all = shown('custody-fork', 'samples', 'custody_event', 'held-2', 'held-3', 'held-5')
    expect(findBroken(forked, { ...nobody, acknowledged: [all] }, [])).toEqual([])
  })

  it('finds a step in the log that life does not have', () => {
    const step = (from: string, to: string) =>
      entry('one', {
        domain: 'samples',
        changes: [
          {
            ...{ table: 'sample', operation: 'update', key: { laboratory_id: 'here', id: 'sample' } },
            ...{ replaces: null, values: { state: to }, before: { state: from } },
          },
        ],
      })
    expect(findBroken(sound, nobody, [step('pending', 'in_storage'), step('validated', 'rejected')])).toEqual(
      [],
    )
    expect(findBroken(sound, nobody, [step('rejected', 'validated')])).toEqual([
      'Entry one takes sample sample from rejected to validated',
    ])
  })
})

describe('how the Hub decides', () => {
  const made = ['one', 'two', 'three'].map((id) => ({ id, domain: id === 'two' ? 'storage' : 'samples' }))

  it('is right in the order of each domain, and again for what waited', () => {
    const log = [entry('two', { outcome: 'parked' }), entry('one'), entry('three'), entry('two')]
    const decided = [entry('four', { outcome: 'resolved' }), entry('five', { causedBy: 'four' })]
    expect(findMisdecided([...log, ...decided], made)).toEqual([])
  })

  it('finds sets of one domain that passed each other', () => {
    expect(findMisdecided([entry('three'), entry('one'), entry('two')], made)).toEqual([
      'Set three of samples was decided before those made earlier',
    ])
  })

  it('finds a set that was decided twice', () => {
    const log = [entry('one'), entry('one', { outcome: 'merged' })]
    expect(findMisdecided(log, [])).toEqual(['Set one was decided as merged after it was applied'])
  })

  it('finds a reaction that was decided before what it reacts to', () => {
    const log = [entry('two', { causedBy: 'one' }), entry('one')]
    expect(findMisdecided(log, [])).toEqual(['Set two was decided before one, which caused it'])
  })
})

function entry(decides: string, said: Partial<LogEntryBody> = {}): LogEntryBody {
  return {
    ...{ id: decides, decides, laboratoryId: 'here', domain: 'storage', workstationId: 'there' },
    ...{ actorId: 'somebody', hybridLogicalTime: '', recordedAt: '', reason: null, correlationId: '' },
    ...{ procedure: '', causedBy: null, changes: [], events: [], parents: [], resolvedBy: null },
    ...{ outcome: 'applied', opens: [], closes: [], acknowledges: [] },
    ...said,
  }
}
