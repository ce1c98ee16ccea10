import { describe, expect, it } from 'vitest'
import { addressOf, type ChangeSet, type RowChange } from './change-set.ts'
import type { LogEntry } from './log.ts'
import { Chance } from './simulation/chance.ts'
import { insertOf, makeId, makeSet, plainRules, updateOf } from './simulation/plain-rules.ts'
import { SimulatedHub, type Steps } from './simulation/simulated-hub.ts'
import { SimulatedWorkstation } from './simulation/simulated-workstation.ts'

const person = '00000000-0000-4000-8000-0000000000cc'
const [thing, other, third] = ['thing', 'other', 'third'].map((name) => makeId(name, 1)) as [
  string,
  string,
  string,
]
const spotAt = (place: string) => ({ place, live: 'true', contested: 'false', owner: 'x' })

function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** A workstation and its Hub, with everything in the test's hands. */
class Pair {
  readonly hub = new SimulatedHub(plainRules)
  readonly bench = new SimulatedWorkstation(0, plainRules)
  #count = 0

  constructor() {
    this.atHub('auth', [insertOf('app_user', person, { status: 'active' })])
    this.pull()
  }

  atHub(domain: string, changes: readonly RowChange[]): ChangeSet {
    const set = this.#make(domain, changes)
    const decision = this.hub.decide(set, { from: 'hub' })
    if (decision.kind === 'decision') this.hub.commit(decision)
    return set
  }

  work(changes: readonly RowChange[]): ChangeSet {
    return finish(this.bench.execute(this.#make('lab', changes), null))
  }

  push(): void {
    const message = this.bench.makePush(100)
    if (message?.to === 'hub' && message.kind === 'push') finish(this.hub.receive(message))
  }

  pull(): readonly LogEntry[] {
    while (this.hub.hasHeaders) this.hub.sequenceOne(new Chance(1))
    const entries = this.hub.log.slice(this.bench.position)
    finish(this.bench.takeEntries(entries))
    return entries
  }

  row(table: string, id: string) {
    return this.bench.rows.row(addressOf('lab', table, id))
  }

  #make(domain: string, changes: readonly RowChange[]): ChangeSet {
    this.#count += 1
    return makeSet({ id: makeId('set', this.#count), domain, actorId: person, changes })
  }
}

describe('a workstation that follows the Hub', () => {
  it('shows the Hub’s row with what is pending on top, until the log confirms it', () => {
    const pair = new Pair()
    const made = pair.atHub('lab', [insertOf('thing', thing, { name: 'a', note: null })])
    pair.pull()
    const mine = pair.work([updateOf('thing', thing, made.id, { note: [null, 'mine'] })])
    pair.atHub('lab', [updateOf('thing', thing, made.id, { name: ['a', 'b'] })])
    pair.pull()
    expect(pair.row('thing', thing)).toMatchObject({ name: 'b', note: 'mine', revision: mine.id })
    pair.push()
    // The Hub has decided; nothing but the log says so.
    expect(pair.bench.isSettled).toBe(false)
    pair.pull()
    expect(pair.bench.isSettled).toBe(true)
    expect(pair.row('thing', thing)).toEqual(pair.hub.rows.row(addressOf('lab', 'thing', thing)))
    expect(pair.bench.hubImageCount).toBe(0)
  })

  it('takes entries again, late and in pieces without doing anything twice', () => {
    const pair = new Pair()
    pair.atHub('lab', [insertOf('thing', thing, { name: 'a' })])
    pair.atHub('lab', [insertOf('thing', other, { name: 'b' })])
    const entries = pair.pull()
    const before = pair.bench.rows.list()
    finish(pair.bench.takeEntries(entries))
    expect(pair.bench.rows.list()).toEqual(before)
    const late = new SimulatedWorkstation(1, plainRules)
    finish(late.takeEntries(pair.hub.log.slice(1)))
    expect(late.position).toBe(0)
    const [first, ...rest] = pair.hub.log
    expect(() => finish(late.takeEntries([{ ...first, reason: 'forged' } as LogEntry, ...rest]))).toThrow(
      'does not follow',
    )
  })

  it('withdraws a row that only a set made which was not taken, and what lay on it', () => {
    const pair = new Pair()
    pair.work([insertOf('entry', thing, {}), updateOf('thing', third, other, {})].slice(0, 1))
    const forbidden = pair.work([insertOf('local_note', other, {}), insertOf('thing', other, { name: 'x' })])
    const onTop = pair.work([updateOf('thing', other, forbidden.id, { name: ['x', 'y'] })])
    pair.push()
    expect(pair.row('thing', other)?.name).toBe('y')
    pair.pull()
    expect(pair.row('thing', other)).toBeNull()
    expect(pair.row('entry', thing)).not.toBeNull()
    expect([...pair.bench.items.values()].map(({ kind, set }) => [kind, set?.id])).toEqual([
      ['refused', forbidden.id],
      ['parked', onTop.id],
    ])
  })

  it('marks a pending claim contested while somebody at the Hub holds the same, and no longer', () => {
    const pair = new Pair()
    pair.work([insertOf('spot', thing, spotAt('p'))])
    const holder = pair.atHub('lab', [insertOf('spot', other, spotAt('p'))])
    pair.pull()
    expect(pair.row('spot', thing)?.contested).toBe('true')
    expect(pair.row('spot', other)?.contested).toBe('false')
    pair.atHub('lab', [updateOf('spot', other, holder.id, { place: ['p', 'q'] })])
    pair.pull()
    expect(pair.row('spot', thing)?.contested).toBe('false')
    pair.push()
    pair.pull()
    expect(pair.bench.items.size).toBe(0)
    expect(pair.row('spot', thing)).toEqual(pair.hub.rows.row(addressOf('lab', 'spot', thing)))
  })

  it('clears the mark when the holder is moved away here', () => {
    const pair = new Pair()
    pair.work([insertOf('spot', thing, spotAt('p'))])
    const holder = pair.atHub('lab', [insertOf('spot', other, spotAt('p'))])
    pair.pull()
    pair.work([updateOf('spot', other, holder.id, { place: ['p', 'q'] })])
    expect(pair.row('spot', thing)?.contested).toBe('false')
    pair.push()
    pair.pull()
    // In the order in which they came the Hub saw the claim first, then the way out: a person confirms it.
    expect([...pair.bench.items.values()].map(({ kind }) => kind)).toEqual(['contested'])
    expect(pair.row('spot', thing)?.contested).toBe('true')
  })

  it('goes on after a stop between the commit and the journal', () => {
    const pair = new Pair()
    const set = makeSet({
      ...{ id: makeId('cut', 1), domain: 'lab', actorId: person },
      changes: [insertOf('thing', thing, { name: 'a' })],
    })
    const steps = pair.bench.execute(set, null)
    steps.next()
    steps.next()
    expect(pair.bench.makePush(10)).toBeNull()
    expect(pair.bench.restart()).toEqual([set])
    pair.push()
    pair.pull()
    expect(pair.bench.isSettled).toBe(true)
    expect(pair.hub.rows.row(addressOf('lab', 'thing', thing))?.name).toBe('a')
  })
})
