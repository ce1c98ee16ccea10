import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkCustody,
  custodySteps,
  type CustodyEvent,
  type CustodyKind,
  decideCustody,
  nextCustodyKinds,
  orderCustody,
} from './custody.ts'

function event(
  id: string,
  kind: CustodyKind,
  predecessorId: string | null,
  more: Partial<CustodyEvent> = {},
): CustodyEvent {
  return { id, kind, predecessorId, settlesIds: [], laboratoryId: 'home', toLaboratoryId: null, ...more }
}

const received = event('1', 'received', null)
const stored = event('2', 'stored', '1')
const checkedOut = event('3', 'checked_out', '2')

describe('checking a chain of custody', () => {
  it('finds a sound chain in any order, an event given twice counting once', () => {
    expect(checkCustody([checkedOut, received, stored, received])).toEqual({
      heads: [
        {
          eventId: '3',
          kind: 'checked_out',
          state: 'checked_out',
          laboratoryId: 'home',
          toLaboratoryId: null,
        },
      ],
      problems: [],
    })
    expect(checkCustody([])).toEqual({ heads: [], problems: [] })
  })

  it('shows a gap and judges what comes after it as far as possible', () => {
    const report = checkCustody([received, checkedOut, event('4', 'stored', '3')])
    expect(report.problems).toEqual([
      {
        problem: 'gap',
        eventIds: ['3'],
        message: 'Before "checked out" the event 2 is missing: it has not arrived yet or was lost.',
      },
      { problem: 'impossible_step', eventIds: ['4'], message: '"stored" cannot follow "checked out".' },
    ])
    expect(report.heads.map((head) => head.eventId)).toEqual(['1', '4'])
  })

  it('shows a fork until an event settles it', () => {
    const other = event('4', 'moved', '2')
    const forked = checkCustody([received, stored, checkedOut, other])
    expect(forked.heads.map((head) => head.eventId)).toEqual(['3', '4'])
    expect(forked.problems).toEqual([
      {
        problem: 'fork',
        eventIds: ['3', '4'],
        message: '"checked out" and "moved" were recorded after the same event, without knowing each other.',
      },
    ])
    const going = event('5', 'returned', '3')
    expect(checkCustody([received, stored, checkedOut, other, going]).problems).toHaveLength(1)
    const settled = checkCustody([received, stored, checkedOut, other, { ...going, settlesIds: ['4'] }])
    expect(settled).toMatchObject({ heads: [{ eventId: '5', state: 'stored' }], problems: [] })
  })

  it('finds second starts, wrong starts and circles', () => {
    expect(
      checkCustody([received, event('2', 'received', null)]).problems.map(({ problem }) => problem),
    ).toEqual(['second_start'])
    expect(checkCustody([event('1', 'stored', null)]).problems).toEqual([
      {
        problem: 'impossible_step',
        eventIds: ['1'],
        message: 'A chain of custody begins with "received", not with "stored".',
      },
    ])
    expect(checkCustody([event('1', 'moved', '2'), event('2', 'moved', '1')])).toEqual({
      heads: [],
      problems: [
        { problem: 'circle', eventIds: ['1', '2'], message: 'These events name each other as predecessors.' },
      ],
    })
  })

  it('follows a shipment to another laboratory and back', () => {
    const trip = [
      received,
      stored,
      event('3', 'shipped', '2', { toLaboratoryId: 'away' }),
      event('4', 'received_elsewhere', '3', { laboratoryId: 'away' }),
      event('5', 'stored', '4', { laboratoryId: 'away' }),
      event('6', 'shipped', '5', { laboratoryId: 'away', toLaboratoryId: 'home' }),
      event('7', 'received_elsewhere', '6'),
    ]
    expect(checkCustody(trip)).toMatchObject({
      heads: [{ eventId: '7', state: 'in_hand', laboratoryId: 'home' }],
      problems: [],
    })
    const stray = [...trip.slice(0, 3), event('4', 'received_elsewhere', '3', { laboratoryId: 'nowhere' })]
    expect(checkCustody(stray).problems).toMatchObject([{ problem: 'wrong_holder', eventIds: ['4'] }])
    const behindTheirBack = [...trip.slice(0, 4), event('5', 'consumed', '4')]
    expect(checkCustody(behindTheirBack).problems).toMatchObject([
      { problem: 'wrong_holder', eventIds: ['5'] },
    ])
  })
})

describe('appending to a chain of custody', () => {
  it('begins with received', () => {
    expect(decideCustody([], received)).toEqual({ ok: true, value: received })
    expect(decideCustody([], event('1', 'stored', null))).toMatchObject({
      refusal: { rule: 'custody_impossible_step', allowed: ['received'] },
    })
  })

  it('refuses what was written without the latest event', () => {
    const { heads } = checkCustody([received, stored, checkedOut])
    expect(decideCustody(heads, event('4', 'moved', '2'))).toMatchObject({
      refusal: {
        rule: 'custody_not_at_head',
        message:
          'Something else was recorded meanwhile: the last event is "checked out". Look at it, then record this again.',
      },
    })
    expect(decideCustody(heads, event('4', 'received', null)).ok).toBe(false)
    expect(decideCustody([], event('4', 'stored', '3')).ok).toBe(false)
  })

  it('goes on from a branch of a fork and settles only other branches', () => {
    const { heads } = checkCustody([received, stored, checkedOut, event('4', 'moved', '2')])
    expect(decideCustody(heads, event('5', 'returned', '3')).ok).toBe(true)
    expect(decideCustody(heads, event('5', 'returned', '3', { settlesIds: ['4'] })).ok).toBe(true)
    expect(decideCustody(heads, event('5', 'returned', '3', { settlesIds: ['2'] }))).toMatchObject({
      refusal: { rule: 'custody_nothing_to_settle', allowed: ['4'] },
    })
  })

  it('offers nothing after the end', () => {
    expect(nextCustodyKinds('ended')).toEqual([])
    expect(nextCustodyKinds('in_transit')).toEqual(['received_elsewhere'])
    expect(nextCustodyKinds(null)).toEqual(['received'])
  })
})

const kinds = Object.keys(custodySteps) as CustodyKind[]
const wish = fc.record({
  kind: fc.constantFrom(...kinds),
  laboratoryId: fc.constantFrom('home', 'away'),
  toLaboratoryId: fc.constantFrom('home', 'away'),
})

/** A chain that grew only by accepted events. */
const soundChain = fc.array(wish, { maxLength: 60 }).map((wishes) => {
  const chain: CustodyEvent[] = []
  for (const next of wishes) {
    const id = String(chain.length).padStart(3, '0')
    const candidate = { ...event(id, next.kind, chain.at(-1)?.id ?? null), ...next }
    if (decideCustody(checkCustody(chain).heads, candidate).ok) chain.push(candidate)
  }
  return chain
})

describe('any chain that grew by accepted events', () => {
  it('is sound, also backwards', () => {
    fc.assert(
      fc.property(soundChain, (chain) => {
        const report = checkCustody(chain)
        expect(report.problems).toEqual([])
        expect(report.heads).toHaveLength(Math.min(chain.length, 1))
        expect(checkCustody(chain.toReversed())).toEqual(report)
      }),
    )
  })

  it('shows exactly one gap when an inner event is taken out', () => {
    fc.assert(
      fc.property(
        soundChain.filter((chain) => chain.length > 2),
        fc.nat(),
        (chain, pick) => {
          const removed = 1 + (pick % (chain.length - 2))
          const rest = chain.filter((_, index) => index !== removed)
          const gaps = checkCustody(rest).problems.filter(({ problem }) => problem === 'gap')
          expect(gaps.map(({ eventIds }) => eventIds)).toEqual([[chain[removed + 1]?.id]])
        },
      ),
    )
  })

  it('shows exactly one fork when someone offline adds to an older event', () => {
    fc.assert(
      fc.property(
        soundChain.filter((chain) => chain.length > 1),
        fc.nat(),
        (chain, pick) => {
          const before = chain[pick % (chain.length - 1)]
          const report = checkCustody([...chain, event('offline', 'moved', before?.id ?? null)])
          expect(report.problems.filter(({ problem }) => problem === 'fork')).toHaveLength(1)
          expect(report.heads).toHaveLength(2)
        },
      ),
    )
  })
})

describe('the order in which a chain is shown', () => {
  const idsOf = (events: readonly CustodyEvent[]) => orderCustody(events).map(({ id }) => id)

  it('is that of the predecessors, whatever the clocks of the workstations said', () => {
    const chain = [event('9', 'received', null), event('4', 'stored', '9'), event('6', 'checked_out', '4')]
    expect(idsOf(chain.toReversed())).toEqual(['9', '4', '6'])
  })

  it('shows a branch whole before the next one, then what is behind gaps, circles last', () => {
    expect(
      idsOf([
        event('1', 'moved', '2'),
        event('2', 'moved', '1'),
        event('3', 'stored', 'lost'),
        event('5', 'received', null),
        event('6', 'stored', '5'),
        event('7', 'checked_out', '5'),
        event('8', 'moved', '6'),
      ]),
    ).toEqual(['5', '6', '8', '7', '3', '1', '2'])
  })
})
