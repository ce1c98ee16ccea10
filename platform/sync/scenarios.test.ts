import { describe, expect, it } from 'vitest'
import { foldMovements } from '../../services/samples/domain/amount.ts'
import { checkCustody } from '../../services/samples/domain/custody.ts'
import { toCustodyEvent, toMovement } from '../../services/samples/domain/sync-rules.ts'
import { addressOf, ChangeSetSchema, type RowChange, type RowImage } from './change-set.ts'
import { laboratoryRules } from './simulation/model-laboratory.ts'
import { insertOf, makeId, makeSet, updateOf } from './simulation/plain-rules.ts'
import { SimulatedHub } from './simulation/simulated-hub.ts'

const person = '00000000-0000-4000-8000-0000000000cc'
const sampleId = makeId('sample', 1)
const at = { at: '2026-11-21T10:00:00+00:00', by: 'someone', by_id: person }

/** A Hub with a received sample, to which two workstations push what they did without knowing each other. */
class Laboratory {
  readonly hub = new SimulatedHub(laboratoryRules)
  readonly received: string
  #count = 0

  constructor() {
    this.push('auth', [insertOf('app_user', person, { status: 'active' })], 'hub')
    this.received = this.push('samples', [
      insertOf('sample', sampleId, { name: 'S-1', donor: null, state: 'validated', priority: 'normal' }),
      custody('received', null),
      insertOf('amount_movement', makeId('movement', 0), movement('added', '20')),
    ]).id
  }

  push(domain: string, changes: readonly RowChange[], from: 'hub' | 'workstation' = 'workstation') {
    this.#count += 1
    const set = makeSet({ id: makeId('set', this.#count), domain, actorId: person, changes })
    const decision = this.hub.decide(set, { from })
    if (decision.kind === 'decision') this.hub.commit(decision)
    return { id: set.id, outcome: decision.kind === 'decision' ? decision.outcome : decision.kind }
  }

  row(domain: string, table: string, id: string): RowImage | null {
    return this.hub.rows.row(addressOf(domain, table, id))
  }

  get open(): readonly string[] {
    return [...this.hub.openItems.values()].map(({ kind }) => kind)
  }
}

function custody(kind: string, predecessor: string | null, settles: readonly string[] = []): RowChange {
  return insertOf('custody_event', makeId(`custody ${kind}`, 1), {
    ...{
      sample_id: sampleId,
      kind,
      predecessor_id: predecessor === null ? null : makeId(`custody ${predecessor}`, 1),
    },
    ...{
      settles_ids: JSON.stringify(settles.map((each) => makeId(`custody ${each}`, 1))),
      to_laboratory_id: null,
    },
    ...{ holder: 'someone', place: null, reason: null, ...at },
  })
}

function movement(kind: string, value: string): RowImage {
  return { sample_id: sampleId, quantity: 'volume_ul', kind, value, covers: '[]', reason: 'work', ...at }
}

function place(laboratory: Laboratory, name: string, position: string) {
  return laboratory.push('storage', [
    insertOf('container', makeId(name, 1), {
      label: name,
      state: 'placed',
      state_since: at.at,
      removed_at: null,
    }),
    insertOf('placement', makeId(`${name} place`, 1), {
      ...{
        container_id: makeId(name, 1),
        box_id: makeId('box', 1),
        position,
        live: 'true',
        contested: 'false',
      },
      ...{ since: at.at, kept: 'false', held_by_id: null, held_by: null, held_since: null },
    }),
  ])
}

describe('laboratory work that met', () => {
  it('a tube destroyed at one workstation and shipped at another: both stand, and a person is told', () => {
    const laboratory = new Laboratory()
    const shipped = laboratory.push('samples', [custody('shipped', 'received')])
    const destroyed = laboratory.push('samples', [
      custody('disposed', 'received'),
      updateOf('sample', sampleId, laboratory.received, { state: ['validated', 'discarded'] }),
    ])
    expect([shipped.outcome, destroyed.outcome]).toEqual(['applied', 'applied'])
    expect(laboratory.row('samples', 'sample', sampleId)?.state).toBe('discarded')
    expect([...laboratory.hub.openItems.values()]).toMatchObject([
      { kind: 'custody-fork', subject: sampleId },
    ])
    // It stays until somebody says which of the two holds.
    laboratory.push('samples', [custody('received_elsewhere', 'shipped', ['disposed'])])
    expect(laboratory.open).toEqual([])
    const chain = laboratory.hub.rows.all('samples', 'custody_event').map(toCustodyEvent)
    expect(checkCustody(chain).problems).toEqual([])
  })

  it('custody that follows a step that waits, waits too: the chain never has a gap', () => {
    const laboratory = new Laboratory()
    laboratory.push('samples', [
      updateOf('sample', sampleId, laboratory.received, { state: ['validated', 'rejected'] }),
    ])
    const stored = laboratory.push('samples', [
      custody('stored', 'received'),
      updateOf('sample', sampleId, laboratory.received, { state: ['validated', 'in_storage'] }),
    ])
    const taken = laboratory.push('samples', [custody('checked_out', 'stored')])
    const settling = laboratory.push('samples', [custody('moved', 'received', ['checked_out'])])
    expect([stored, taken, settling].map(({ outcome }) => outcome)).toEqual(['conflict', 'parked', 'parked'])
  })

  it('two people who each take 5 of 20 µL leave 10; taking more than there is is shown', () => {
    const laboratory = new Laboratory()
    for (const number of [1, 2]) {
      const taken = insertOf('amount_movement', makeId('movement', number), movement('taken', '5'))
      expect(laboratory.push('samples', [taken]).outcome).toBe('applied')
    }
    const movements = laboratory.hub.rows.all('samples', 'amount_movement').map(toMovement)
    expect(foldMovements(movements, 'volume_ul').value).toBe('10')
    laboratory.push('samples', [insertOf('amount_movement', makeId('movement', 3), movement('taken', '15'))])
    expect(laboratory.open).toEqual(['amount'])
    laboratory.push('samples', [insertOf('amount_movement', makeId('movement', 4), movement('added', '15'))])
    expect(laboratory.open).toEqual([])
  })

  it.each([
    ['in_storage', 'in_sequencing', 'in_sequencing', 'merged'],
    ['in_sequencing', 'in_storage', 'in_sequencing', 'merged'],
    ['in_storage', 'in_storage', 'in_storage', 'merged'],
    ['deleted', 'in_storage', 'deleted', 'conflict'],
    ['in_storage', 'discarded', 'in_storage', 'conflict'],
  ])('a sample that became %s at the Hub and %s here', (hub, pushed, result, outcome) => {
    const laboratory = new Laboratory()
    const step = (to: string) => [
      updateOf('sample', sampleId, laboratory.received, { state: ['validated', to] }),
    ]
    laboratory.push('samples', step(hub))
    expect(laboratory.push('samples', step(pushed)).outcome).toBe(outcome)
    expect(laboratory.row('samples', 'sample', sampleId)?.state).toBe(result)
  })

  it('nobody writes to a sample that was deleted meanwhile, without a person seeing it', () => {
    const laboratory = new Laboratory()
    laboratory.push('samples', [
      updateOf('sample', sampleId, laboratory.received, { state: ['validated', 'deleted'] }),
    ])
    const named = updateOf('sample', sampleId, laboratory.received, { donor: [null, 'D-7'] })
    expect(laboratory.push('samples', [named]).outcome).toBe('conflict')
  })

  it('one position filled at two workstations: the second is contested, its custody kept', () => {
    const laboratory = new Laboratory()
    const box = { kind: 'box', name: 'Box 1', parent_id: null, removed_at: null }
    laboratory.push('storage', [insertOf('storage_node', makeId('box', 1), box)])
    expect([place(laboratory, 'a', 'A1').outcome, place(laboratory, 'b', 'A1').outcome]).toEqual([
      'applied',
      'merged',
    ])
    expect(laboratory.row('storage', 'placement', makeId('b place', 1))?.contested).toBe('true')
    expect(laboratory.row('storage', 'container', makeId('b', 1))?.state).toBe('placed')
    expect(laboratory.open).toEqual(['contested'])
  })

  it('a tube moved at one workstation and taken in hand at another is where a person says', () => {
    const laboratory = new Laboratory()
    const box = { kind: 'box', name: 'Box 1', parent_id: null, removed_at: null }
    laboratory.push('storage', [insertOf('storage_node', makeId('box', 1), box)])
    const placed = place(laboratory, 'a', 'A1').id
    const id = makeId('a place', 1)
    expect(
      laboratory.push('storage', [updateOf('placement', id, placed, { position: ['A1', 'B1'] })]).outcome,
    ).toBe('applied')
    const inHand = [
      updateOf('placement', id, placed, { kept: ['false', 'true'] }),
      updateOf('container', makeId('a', 1), placed, { state: ['placed', 'checked_out'] }),
    ]
    expect(laboratory.push('storage', inHand).outcome).toBe('conflict')
    expect(laboratory.row('storage', 'container', makeId('a', 1))?.state).toBe('placed')
  })

  it('a draft that was changed meanwhile is not published unseen, and what was published is not changed', () => {
    const laboratory = new Laboratory()
    const id = makeId('form', 1)
    const draft = {
      name: 'Form',
      version: '1',
      state: 'draft',
      definition: '{}',
      description: '',
      contested: 'false',
    }
    const made = laboratory.push('templates', [insertOf('template', id, draft)]).id
    laboratory.push('templates', [updateOf('template', id, made, { definition: ['{}', '{"fields":[]}'] })])
    const publish = [updateOf('template', id, made, { state: ['draft', 'published'] })]
    expect(laboratory.push('templates', publish).outcome).toBe('conflict')

    const other = makeId('form', 2)
    const second = laboratory.push('templates', [insertOf('template', other, { ...draft, version: '2' })]).id
    laboratory.push('templates', [updateOf('template', other, second, { state: ['draft', 'published'] })])
    const late = [updateOf('template', other, second, { description: ['', 'late'] })]
    expect(laboratory.push('templates', late).outcome).toBe('conflict')
  })

  it('a box that was taken away while somebody filled it: whoever comes second is asked', () => {
    for (const order of ['fill first', 'remove first']) {
      const laboratory = new Laboratory()
      const box = { kind: 'box', name: 'Box 1', parent_id: null, removed_at: null }
      const made = laboratory.push('storage', [insertOf('storage_node', makeId('box', 1), box)]).id
      const remove = () =>
        laboratory.push('storage', [
          updateOf('storage_node', makeId('box', 1), made, { removed_at: [null, at.at] }),
        ])
      const fill = () => place(laboratory, 'a', 'A1')
      const outcomes = (order === 'fill first' ? [fill, remove] : [remove, fill]).map((act) => act().outcome)
      expect(outcomes).toEqual(['applied', 'conflict'])
    }
  })

  it('a code linked to two tubes is contested; two published versions of one name as well, and both stay as they are', () => {
    const laboratory = new Laboratory()
    for (const number of [1, 2]) {
      const linked = { text: 'X', lookup_key: 'x', state: 'linked', thing_id: makeId('tube', number) }
      laboratory.push('barcodes', [
        insertOf('code', makeId('code', number), { ...linked, contested: 'false' }),
      ])
      const version = {
        name: number === 1 ? 'Form' : 'form',
        version: '1',
        state: 'published',
        definition: '{}',
      }
      laboratory.push('templates', [
        insertOf('template', makeId('form', number), { ...version, contested: 'false' }),
      ])
    }
    expect(laboratory.open).toEqual(['contested', 'contested'])
    const published = laboratory.row('templates', 'template', makeId('form', 1))?.revision ?? ''
    const change = updateOf('template', makeId('form', 1), published, { definition: ['{}', '{"fields":[]}'] })
    expect(laboratory.push('templates', [change]).outcome).toBe('conflict')
  })

  it('takes ids in one spelling only, so that a row cannot come back under another text', () => {
    const set = makeSet({
      id: makeId('set', 1),
      domain: 'samples',
      actorId: person,
      changes: [custody('received', null)],
    })
    expect(ChangeSetSchema.safeParse(set).success).toBe(true)
    const loud = { ...set, id: set.id.toUpperCase() }
    expect(ChangeSetSchema.safeParse(loud).error?.issues[0]?.message).toBe('must be a UUID in small letters')
    const uneven = {
      ...set,
      changes: [{ ...updateOf('sample', sampleId, set.id, { name: ['a', 'b'] }), before: {} }],
    }
    expect(ChangeSetSchema.safeParse(uneven).success).toBe(false)
    const huge = { ...set, changes: Array.from({ length: 1_001 }, () => custody('received', null)) }
    expect(ChangeSetSchema.safeParse(huge).success).toBe(false)
  })
})
