import { describe, expect, it } from 'vitest'
import { addressOf, type RowChange, type RowImage } from './change-set.ts'
import { neededFor } from './decide.ts'
import { SimulatedHub } from './simulation/simulated-hub.ts'
import { insertOf, makeId, makeSet, plainRules, updateOf } from './simulation/plain-rules.ts'

const person = '00000000-0000-4000-8000-0000000000cc'

/** A Hub with one active person, to which sets can be pushed one by one. */
class Bench {
  readonly hub = new SimulatedHub(plainRules)
  #count = 0

  constructor() {
    this.act('hub', 'auth', [insertOf('app_user', person, { status: 'active' })])
  }

  push(domain: string, changes: readonly RowChange[], more: { readonly causedBy?: string } = {}) {
    return this.act('workstation', domain, changes, more)
  }

  act(
    from: 'workstation' | 'hub',
    domain: string,
    changes: readonly RowChange[],
    more: { readonly causedBy?: string } = {},
  ) {
    this.#count += 1
    const set = makeSet({ id: makeId('set', this.#count), domain, actorId: person, changes, ...more })
    const decision = this.hub.decide(set, { from })
    if (decision.kind === 'decision') this.hub.commit(decision)
    return { set, decision, outcome: decision.kind === 'decision' ? decision.outcome : decision.kind }
  }

  row(domain: string, table: string, id: string): RowImage | null {
    return this.hub.rows.row(addressOf(domain, table, id))
  }

  resolve(kind: string, take: 'hub' | 'pushed') {
    this.#count += 1
    const item = [...this.hub.openItems.values()].find((each) => each.kind === kind)
    const steps = this.hub.resolve(
      item?.id ?? '',
      { take },
      {
        ...makeSet({ id: makeId('resolution', this.#count), domain: 'lab', actorId: person, changes: [] }),
      },
    )
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  }

  get open(): readonly string[] {
    return [...this.hub.openItems.values()].map(({ kind }) => kind).sort()
  }
}

const [thing, other, third, box] = ['thing', 'other', 'third', 'box'].map((name) => makeId(name, 1)) as [
  string,
  string,
  string,
  string,
]

describe('the decision of the Hub, step by step', () => {
  it('1: answers a known id with its first answer, and writes nothing', () => {
    const bench = new Bench()
    const { set } = bench.push('lab', [insertOf('thing', thing, { name: 'a' })])
    const again = bench.hub.decide(set, { from: 'workstation' })
    expect(again).toMatchObject({ kind: 'repeated', fate: { outcome: 'applied', resultId: set.id } })
  })

  it('2: refuses what is the Hub’s, what is not synced, and rows that are written once', () => {
    const bench = new Bench()
    expect(bench.push('auth', [insertOf('app_user', other, { status: 'active' })]).outcome).toBe('refused')
    expect(bench.push('lab', [insertOf('local_note', other, {})]).outcome).toBe('refused')
    expect(bench.push('lab', [insertOf('nowhere', other, {})]).outcome).toBe('refused')
    const { set } = bench.push('lab', [insertOf('entry', other, { said: 'a' })])
    expect(bench.push('lab', [updateOf('entry', other, set.id, { said: ['a', 'b'] })]).outcome).toBe(
      'refused',
    )
    expect(bench.row('auth', 'app_user', other)).toBeNull()
    expect(bench.resolve('refused', 'pushed')).toMatchObject({ kind: 'impossible' })
    expect(bench.resolve('refused', 'hub')).toBeNull()
  })

  it('2: keeps the work of a person who may not any more, until somebody approves or drops it', () => {
    const bench = new Bench()
    const user = bench.row('auth', 'app_user', person)?.revision ?? ''
    const change = updateOf('app_user', person, user, { status: ['active', 'suspended'] })
    expect(bench.act('hub', 'auth', [change]).outcome).toBe('applied')
    const first = bench.push('lab', [insertOf('thing', thing, { name: 'a' })])
    expect(first.outcome).toBe('review')
    // What comes after it waits behind it only where it builds on it.
    const second = bench.push('lab', [updateOf('thing', thing, first.set.id, { name: ['a', 'b'] })])
    expect(second.outcome).toBe('review')
    expect(bench.row('lab', 'thing', thing)).toBeNull()
    expect(bench.resolve('review', 'pushed')).toBeNull()
    expect(bench.row('lab', 'thing', thing)).toMatchObject({ name: 'a', revision: first.set.id })
    expect(bench.resolve('review', 'hub')).toBeNull()
    expect(bench.row('lab', 'thing', thing)).toMatchObject({ name: 'a' })
    expect(bench.open).toEqual([])
  })

  it('3: parks what builds on a waiting set, in chains and across domains, and lets the rest go on', () => {
    const bench = new Bench()
    const made = bench.push('lab', [insertOf('thing', thing, { name: 'a' })]).set.id
    bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'at the Hub'] })])
    const cause = bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'here'] })])
    expect(cause.outcome).toBe('conflict')
    const onTop = bench.push('lab', [updateOf('thing', thing, cause.set.id, { note: [null, 'seen'] })])
    const reaction = bench.push('news', [insertOf('entry', third, {})], { causedBy: cause.set.id })
    const chained = bench.push('news', [insertOf('entry', other, {})], { causedBy: reaction.set.id })
    expect([onTop, reaction, chained].map(({ outcome }) => outcome)).toEqual(['parked', 'parked', 'parked'])
    expect(bench.push('lab', [insertOf('thing', other, { name: 'x' })]).outcome).toBe('applied')
    expect(bench.resolve('parked', 'pushed')).toMatchObject({ kind: 'impossible' })

    expect(bench.resolve('conflict', 'pushed')).toBeNull()
    expect(bench.row('lab', 'thing', thing)).toMatchObject({ name: 'here', note: 'seen' })
    expect(bench.row('news', 'entry', other)).not.toBeNull()
    expect(bench.open).toEqual([])
  })

  it('3: goes on deciding what was parked after a stop in the middle of it', () => {
    const bench = new Bench()
    const cause = bench.push('lab', [updateOf('thing', other, third, { name: ['a', 'b'] })])
    bench.push('news', [insertOf('entry', third, {})], { causedBy: cause.set.id })
    const [conflict] = bench.hub.openItems.values()
    const resolver = makeSet({ id: makeId('resolution', 9), domain: 'lab', actorId: person, changes: [] })
    // The resolution is committed, and then the machine stops.
    bench.hub.resolve(conflict?.id ?? '', { take: 'hub' }, resolver).next()
    expect(bench.open).toEqual(['parked'])
    for (const step of bench.hub.decideReady()) expect(step).toBe('parked set decided again')
    expect(bench.open).toEqual(['conflict'])
  })

  it('3: shows what reacted to a dropped set, and what lay on rows that were never made', () => {
    const bench = new Bench()
    bench.push('lab', [insertOf('thing', other, { name: 'x', place: 'p' })])
    const made = bench.push('lab', [insertOf('entry', thing, {}), updateOf('thing', third, other, {})])
    expect(made.outcome).toBe('conflict')
    const child = bench.push('lab', [insertOf('child', box, { parent_id: thing })])
    expect(child.outcome).toBe('parked')
    const reaction = bench.push('news', [insertOf('entry', third, {})], { causedBy: made.set.id })
    expect(reaction.outcome).toBe('parked')
    expect(bench.resolve('conflict', 'hub')).toBeNull()
    expect(bench.open).toEqual(['conflict', 'conflict'])
    expect(bench.resolve('conflict', 'hub')).toBeNull()
    expect(bench.resolve('conflict', 'pushed')).toBeNull()
    expect(bench.open).toEqual([])
  })

  it('4: field-merge takes what only one side changed, and asks about the rest', () => {
    const bench = new Bench()
    const made = bench.push('lab', [insertOf('thing', thing, { name: 'a', note: null, seen: '1' })]).set.id
    const first = bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'b'], seen: ['1', '9'] })])
    const second = bench.push('lab', [
      updateOf('thing', thing, made, { note: [null, 'n'], seen: ['1', '10'] }),
    ])
    expect(second.outcome).toBe('merged')
    expect(bench.row('lab', 'thing', thing)).toMatchObject({ name: 'b', note: 'n', seen: '10' })
    expect(second.decision).toMatchObject({ body: { parents: [second.set.id, first.set.id] } })
    const third = bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'c'] })])
    expect(third.outcome).toBe('conflict')
    expect(third.decision).toMatchObject({
      body: { opens: [{ conflicts: [{ column: 'name', base: 'a', hub: 'b', pushed: 'c' }] }] },
    })
    expect(bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'b'] })]).outcome).toBe('merged')
  })

  it('4: a set that was merged is no stranger to what its author did next', () => {
    const bench = new Bench()
    const at = (id: string) => ({ place: 'p', live: 'true', contested: 'false', owner: id })
    bench.push('lab', [insertOf('spot', other, at('x'))])
    const mine = bench.push('lab', [insertOf('spot', thing, at('y'))])
    expect(mine.outcome).toBe('merged')
    expect(bench.row('lab', 'spot', thing)?.contested).toBe('true')
    const moved = updateOf('spot', thing, mine.set.id, { place: ['p', 'q'] })
    expect(bench.push('lab', [moved]).outcome).toBe('applied')
    expect(bench.row('lab', 'spot', thing)).toMatchObject({ place: 'q', contested: 'false' })
    expect(bench.open).toEqual([])
  })

  it('4: a row that was resolved may hold what its author has not seen, so the next change is merged, not laid over', () => {
    const bench = new Bench()
    const made = bench.push('lab', [insertOf('thing', thing, { name: 'a', note: null, place: 'p' })]).set.id
    bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'b'], place: ['p', 'q'] })])
    const mine = bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'c'] })]).set.id
    expect(bench.resolve('conflict', 'pushed')).toBeNull()
    expect(bench.row('lab', 'thing', thing)).toMatchObject({ name: 'c', place: 'q' })
    expect(bench.push('lab', [updateOf('thing', thing, mine, { place: ['p', 'r'] })]).outcome).toBe(
      'conflict',
    )
  })

  it('4: rows that are written once are the same or a conflict', () => {
    const bench = new Bench()
    bench.push('lab', [insertOf('entry', thing, { said: 'a' })])
    expect(bench.push('lab', [insertOf('entry', thing, { said: 'a' })]).outcome).toBe('merged')
    expect(bench.push('lab', [insertOf('entry', thing, { said: 'b' })]).outcome).toBe('conflict')
    expect(bench.row('lab', 'entry', thing)?.said).toBe('a')
  })

  it('5: nothing of a set with a conflict is applied', () => {
    const bench = new Bench()
    const made = bench.push('lab', [insertOf('thing', thing, { name: 'a' })]).set.id
    bench.push('lab', [updateOf('thing', thing, made, { name: ['a', 'b'] })])
    const whole = [insertOf('entry', other, {}), updateOf('thing', thing, made, { name: ['a', 'c'] })]
    expect(bench.push('lab', whole).outcome).toBe('conflict')
    expect(bench.row('lab', 'entry', other)).toBeNull()
  })

  it('6: two rows change places in one set; a third that comes to one of them is contested', () => {
    const bench = new Bench()
    const at = (place: string) => ({ place, live: 'true', contested: 'false', owner: place })
    const a = bench.push('lab', [insertOf('spot', thing, at('p'))]).set.id
    const b = bench.push('lab', [insertOf('spot', other, at('q'))]).set.id
    const swap = [
      updateOf('spot', thing, a, { place: ['p', 'q'] }),
      updateOf('spot', other, b, { place: ['q', 'p'] }),
    ]
    expect(bench.push('lab', swap).outcome).toBe('applied')
    expect(bench.push('lab', [insertOf('spot', third, at('p'))]).outcome).toBe('merged')
    expect(bench.row('lab', 'spot', third)?.contested).toBe('true')
    expect([...bench.hub.openItems.values()]).toMatchObject([
      { kind: 'contested', rows: [addressOf('lab', 'spot', third), addressOf('lab', 'spot', other)] },
    ])
    expect(bench.resolve('contested', 'pushed')).toBeNull()
    expect(bench.row('lab', 'spot', third)?.contested).toBe('false')
    expect(bench.row('lab', 'spot', other)?.live).toBe('false')
    expect(bench.open).toEqual([])
  })

  it('6: the contested one gives way when a person decides for the Hub', () => {
    const bench = new Bench()
    const at = { place: 'p', live: 'true', contested: 'false', owner: 'x' }
    bench.push('lab', [insertOf('spot', thing, at)])
    bench.push('lab', [insertOf('spot', other, at)])
    expect(bench.resolve('contested', 'hub')).toBeNull()
    expect(bench.row('lab', 'spot', other)?.live).toBe('false')
    expect(bench.row('lab', 'spot', thing)?.live).toBe('true')
  })

  it('7: keeps the id of what is applied as it came, and derives one for everything else, the same each time', () => {
    const bench = new Bench()
    const { set, decision } = bench.push('lab', [insertOf('thing', thing, { name: 'a' })])
    expect(decision).toMatchObject({ body: { id: set.id, parents: [], decides: set.id } })
    const held = bench.push('lab', [updateOf('thing', other, set.id, { name: ['a', 'b'] })])
    expect(held.outcome).toBe('conflict')
    expect(held.decision).toMatchObject({ body: { parents: [held.set.id], changes: [] } })
    const again = bench.hub.decide(held.set, { from: 'workstation', again: true })
    expect(again).toMatchObject({ body: { opens: [{ id: [...bench.hub.openItems.keys()][0] }] } })
  })

  it('asks first for everything a set touches, so that it can be loaded for many at once', () => {
    const set = makeSet({
      ...{ id: makeId('set', 1), domain: 'lab', actorId: person, causedBy: other },
      changes: [updateOf('spot', thing, third, { place: ['p', 'q'] })],
    })
    const asked = neededFor(set, plainRules).map(({ ask }) => ask)
    expect(asked).toEqual(expect.arrayContaining(['row', 'fate', 'maker', 'permission']))
  })
})
