import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ContainerFacts,
  type ContainerState,
  decideArrangement,
  decideBackInUse,
  decideCancelReservation,
  decideCheckOut,
  decideDispose,
  decideMove,
  decideMoves,
  decideOutOfUse,
  decidePlace,
  decideReserve,
  decideReturn,
  decideTakeOut,
  type Occupancy,
  type OccupancyDecision,
  type PositionFacts,
  readOccupancy,
  splitArrangement,
} from './occupancy.ts'

const now = '2026-03-01T08:00:00.000Z'
const later = '2026-03-01T09:00:00.000Z'

function tube(
  id: string,
  state: ContainerState = 'unplaced',
  positionId: string | null = null,
): ContainerFacts {
  return { id, label: `TS-${id}`, state, positionId }
}

function position(id: string, occupancy: Occupancy = { state: 'available' }): PositionFacts {
  return { id, label: id.toUpperCase(), occupancy }
}

function holding(containerId: string): Occupancy {
  return { state: 'occupied', containerId, containerLabel: `TS-${containerId}` }
}

function keptFor(containerId: string): Occupancy {
  return { state: 'reserved', reservedFor: `TS-${containerId}`, reservedUntil: null, containerId }
}

function reserved(until: string): Occupancy {
  return { state: 'reserved', reservedFor: 'Project Onco', reservedUntil: until, containerId: null }
}

describe('placing', () => {
  it('fills a free position', () => {
    expect(decidePlace(tube('1'), position('c4'), now)).toEqual({
      ok: true,
      value: {
        containers: [{ id: '1', state: 'placed', positionId: 'c4' }],
        positions: [{ id: 'c4', occupancy: holding('1') }],
      },
    })
  })

  it.each([
    [holding('2'), 'position_occupied', 'C4 holds TS-2.', 'TS-2'],
    [keptFor('2'), 'position_reserved', 'C4 is kept for TS-2, which is checked out.', 'TS-2'],
    [
      reserved(later),
      'position_reserved',
      'C4 is reserved for Project Onco until 2026-03-01T09:00:00.000Z.',
      'Project Onco',
    ],
    [{ state: 'out_of_use', reason: 'broken' }, 'position_out_of_use', 'C4 is out of use: broken.', 'broken'],
  ] as const)('is refused where there is %o', (occupancy, rule, message, occupant) => {
    expect(decidePlace(tube('1'), position('c4', occupancy), now)).toEqual({
      ok: false,
      refusal: { rule, message, position: { id: 'c4', label: 'C4', state: occupancy.state, occupant } },
    })
  })

  it('takes a position whose reservation is over', () => {
    expect(decidePlace(tube('1'), position('c4', reserved(now)), now).ok).toBe(true)
    expect(readOccupancy(reserved(later), now)).toEqual(reserved(later))
    expect(readOccupancy(keptFor('2'), later)).toEqual(keptFor('2'))
  })

  it.each([
    ['placed', 'container_already_placed'],
    ['checked_out', 'container_checked_out'],
    ['disposed', 'container_disposed'],
  ] as const)('is refused for a container that is %s', (state, rule) => {
    expect(decidePlace(tube('1', state), position('c4'), now)).toMatchObject({ refusal: { rule } })
  })
})

describe('moving', () => {
  const first = { container: tube('1', 'placed', 'a1'), from: position('a1', holding('1')) }
  const second = { container: tube('2', 'placed', 'a2'), from: position('a2', holding('2')) }

  it('frees the old position', () => {
    expect(decideMove({ ...first, to: position('b1') }, now)).toEqual({
      ok: true,
      value: {
        containers: [{ id: '1', state: 'placed', positionId: 'b1' }],
        positions: [
          { id: 'a1', occupancy: { state: 'available' } },
          { id: 'b1', occupancy: holding('1') },
        ],
      },
    })
  })

  it('lets two containers change places at once', () => {
    const swap = [
      { ...first, to: second.from },
      { ...second, to: first.from },
    ]
    expect(decideMoves(swap, now)).toEqual({
      ok: true,
      value: {
        containers: [
          { id: '1', state: 'placed', positionId: 'a2' },
          { id: '2', state: 'placed', positionId: 'a1' },
        ],
        positions: [
          { id: 'a2', occupancy: holding('1') },
          { id: 'a1', occupancy: holding('2') },
        ],
      },
    })
  })

  it.each([
    ['an occupied target', [{ ...first, to: second.from }], 'position_occupied'],
    ['its own position', [{ ...first, to: first.from }], 'container_already_there'],
    [
      'one target for two',
      [
        { ...first, to: position('b1') },
        { ...second, to: position('b1') },
      ],
      'position_wanted_twice',
    ],
    [
      'one container twice',
      [
        { ...first, to: position('b1') },
        { ...first, to: position('b2') },
      ],
      'container_moved_twice',
    ],
    ['a stale place', [{ ...first, from: position('a1'), to: position('b1') }], 'container_not_there'],
    [
      'a checked-out container',
      [{ container: tube('1', 'checked_out', 'a1'), from: position('a1', keptFor('1')), to: position('b1') }],
      'container_checked_out',
    ],
  ] as const)('is refused for %s', (_, moves, rule) => {
    expect(decideMoves(moves, now)).toMatchObject({ ok: false, refusal: { rule } })
  })
})

describe('a checked-out container', () => {
  const out = tube('1', 'checked_out', 'a1')
  const kept = position('a1', keptFor('1'))

  it('keeps its place', () => {
    expect(decideCheckOut(tube('1', 'placed', 'a1'), position('a1', holding('1')))).toEqual({
      ok: true,
      value: {
        containers: [{ id: '1', state: 'checked_out', positionId: 'a1' }],
        positions: [{ id: 'a1', occupancy: keptFor('1') }],
      },
    })
    expect(decideCancelReservation(kept)).toMatchObject({
      refusal: { message: 'A1 is kept for TS-1, which is checked out.' },
    })
    expect(decideOutOfUse(kept, 'broken', now).ok).toBe(false)
  })

  it('returns to it, or elsewhere and gives it free', () => {
    expect(decideReturn(out, kept, kept, now)).toEqual({
      ok: true,
      value: {
        containers: [{ id: '1', state: 'placed', positionId: 'a1' }],
        positions: [{ id: 'a1', occupancy: holding('1') }],
      },
    })
    expect(decideReturn(out, kept, position('b1'), now)).toMatchObject({
      value: {
        positions: [
          { id: 'a1', occupancy: { state: 'available' } },
          { id: 'b1', occupancy: holding('1') },
        ],
      },
    })
    expect(decideReturn(out, kept, position('b1', holding('2')), now)).toMatchObject({
      refusal: { rule: 'position_occupied' },
    })
    expect(decideReturn(out, null, position('b1'), now).ok).toBe(true)
  })

  it('cannot be checked out or taken out again', () => {
    expect(decideCheckOut(out, kept)).toMatchObject({ refusal: { rule: 'container_checked_out' } })
    expect(decideTakeOut(out, kept)).toMatchObject({ refusal: { rule: 'container_checked_out' } })
    expect(decideReturn(tube('1'), null, position('b1'), now)).toMatchObject({
      refusal: { rule: 'container_not_placed' },
    })
  })

  it('gives its place free when it is disposed of', () => {
    expect(decideDispose(out, kept)).toEqual({
      ok: true,
      value: {
        containers: [{ id: '1', state: 'disposed', positionId: null }],
        positions: [{ id: 'a1', occupancy: { state: 'available' } }],
      },
    })
    expect(decideDispose(out, null)).toMatchObject({ refusal: { rule: 'container_not_there' } })
    expect(decideDispose(tube('1', 'disposed'), null)).toMatchObject({
      refusal: { rule: 'container_disposed' },
    })
  })
})

describe('reservations and broken positions', () => {
  it('end in the future', () => {
    const reservation = { reservedFor: 'Project Onco', until: later }
    expect(decideReserve(position('a1'), reservation, now)).toEqual({
      ok: true,
      value: { containers: [], positions: [{ id: 'a1', occupancy: reserved(later) }] },
    })
    for (const until of [now, 'tomorrow']) {
      expect(decideReserve(position('a1'), { ...reservation, until }, now)).toMatchObject({
        refusal: { rule: 'reservation_in_the_past' },
      })
    }
    expect(decideReserve(position('a1', reserved(later)), reservation, now).ok).toBe(false)
    expect(decideCancelReservation(position('a1', reserved(later))).ok).toBe(true)
    expect(decideCancelReservation(position('a1')).ok).toBe(false)
  })

  it('leave use only when empty, and come back', () => {
    const broken = position('a1', { state: 'out_of_use', reason: 'broken' })
    expect(decideOutOfUse(position('a1'), 'broken', now)).toMatchObject({
      value: { positions: [{ id: 'a1', occupancy: { state: 'out_of_use', reason: 'broken' } }] },
    })
    expect(decideOutOfUse(position('a1', holding('2')), 'broken', now).ok).toBe(false)
    expect(decideOutOfUse(broken, 'broken', now).ok).toBe(false)
    expect(decideBackInUse(broken).ok).toBe(true)
    expect(decideBackInUse(position('a1')).ok).toBe(false)
  })
})

const acts = [
  'place',
  'move',
  'swap',
  'out',
  'return',
  'take',
  'dispose',
  'reserve',
  'cancel',
  'break',
  'mend',
] as const

interface Step {
  readonly act: (typeof acts)[number]
  readonly tube: number
  readonly other: number
  readonly place: number
  readonly minutes: number
}

describe('an arrangement that was found', () => {
  const outFrom = (id: string, place: string) => ({
    container: tube(id, 'checked_out', place),
    from: position(place, keptFor(id)),
  })
  const lying = (id: string, place: string) => ({
    container: tube(id, 'placed', place),
    from: position(place, holding(id)),
  })
  const fresh = (id: string) => ({ container: tube(id), from: null })

  it('is taken over whole: a new tube, a move and a return that need each other', () => {
    const found = [
      { ...fresh('1'), to: position('a1', holding('2')) },
      { ...lying('2', 'a1'), to: position('a2', keptFor('3')) },
      { ...outFrom('3', 'a2'), to: position('a3') },
    ]
    expect(decideArrangement(found, now)).toMatchObject({
      ok: true,
      value: {
        containers: [
          { id: '1', state: 'placed', positionId: 'a1' },
          { id: '2', state: 'placed', positionId: 'a2' },
          { id: '3', state: 'placed', positionId: 'a3' },
        ],
        positions: [{ id: 'a1' }, { id: 'a2' }, { id: 'a3' }],
      },
    })
    expect(splitArrangement(found, now)).toEqual({ possible: found, refused: [] })
  })

  it('is split where it cannot be: what waited for the tube that stays is refused too', () => {
    const stays = { ...lying('2', 'a1'), to: position('b1', holding('9')) }
    const waits = { ...fresh('1'), to: position('a1', holding('2')) }
    const other = { ...fresh('3'), to: position('c1') }
    const { possible, refused } = splitArrangement([waits, stays, other], now)
    expect(possible).toEqual([other])
    expect(refused.map(({ container, refusal }) => [container.id, refusal.message])).toEqual([
      ['2', 'B1 holds TS-9.'],
      ['1', 'A1 holds TS-2.'],
    ])
    expect(decideArrangement([waits, stays, other], now)).toMatchObject({
      ok: false,
      refusal: { rule: 'position_occupied' },
    })
  })

  it('refuses what was disposed of', () => {
    const found = [{ container: tube('1', 'disposed'), from: null, to: position('a1') }]
    expect(decideArrangement(found, now)).toMatchObject({
      ok: false,
      refusal: { rule: 'container_disposed' },
    })
  })
})

describe('any sequence of work', () => {
  it('keeps one container per position and every kept place', () => {
    const work = fc.record({
      act: fc.constantFrom(...acts),
      tube: fc.nat(5),
      other: fc.nat(5),
      place: fc.nat(6),
      minutes: fc.nat(30),
    })
    fc.assert(
      fc.property(fc.array(work, { maxLength: 120 }), (steps) => {
        const tubes = new Map(Array.from({ length: 6 }, (_, index) => [`${index}`, tube(`${index}`)]))
        const places = new Map(Array.from({ length: 7 }, (_, index) => [`p${index}`, position(`p${index}`)]))
        let clock = Date.parse(now)

        for (const step of steps) {
          clock += step.minutes * 60_000
          const decision = attempt(step)
          if (decision === null || !decision.ok) continue
          for (const { id, state, positionId } of decision.value.containers) {
            tubes.set(id, { ...find(tubes, id), state, positionId })
          }
          for (const { id, occupancy } of decision.value.positions) {
            places.set(id, { ...find(places, id), occupancy })
          }
          check()
        }

        function attempt(step: Step): OccupancyDecision | null {
          const instant = new Date(clock).toISOString()
          const container = find(tubes, `${step.tube}`)
          const to = find(places, `p${step.place}`)
          const from = container.positionId === null ? null : find(places, container.positionId)
          const other = find(tubes, `${step.other}`)
          switch (step.act) {
            case 'place':
              return decidePlace(container, to, instant)
            case 'move':
              return from && decideMove({ container, from, to }, instant)
            case 'swap': {
              if (from === null || other.positionId === null) return null
              const partner = find(places, other.positionId)
              return decideMoves(
                [
                  { container, from, to: partner },
                  { container: other, from: partner, to: from },
                ],
                instant,
              )
            }
            case 'out':
              return from && decideCheckOut(container, from)
            case 'return':
              return decideReturn(container, from, step.minutes % 2 === 0 ? (from ?? to) : to, instant)
            case 'take':
              return from && decideTakeOut(container, from)
            case 'dispose':
              return step.minutes < 3 ? decideDispose(container, from) : null
            case 'reserve': {
              const until = new Date(clock + 40 * 60_000).toISOString()
              return decideReserve(to, { reservedFor: 'someone', until }, instant)
            }
            case 'cancel':
              return decideCancelReservation(to)
            case 'break':
              return decideOutOfUse(to, 'broken', instant)
            case 'mend':
              return decideBackInUse(to)
          }
        }

        function check() {
          for (const { id, state, positionId } of tubes.values()) {
            const holders = [...places.values()].filter(
              ({ occupancy }) =>
                (occupancy.state === 'occupied' || occupancy.state === 'reserved') &&
                occupancy.containerId === id,
            )
            const expected = state === 'placed' ? ['occupied'] : state === 'checked_out' ? ['reserved'] : []
            expect(holders.map(({ occupancy }) => occupancy.state)).toEqual(expected)
            expect(holders[0]?.id ?? null).toBe(positionId)
          }
        }
      }),
    )
  })
})

function find<Value>(map: ReadonlyMap<string, Value>, id: string): Value {
  const value = map.get(id)
  if (value === undefined) throw new Error(`The test has no ${id}`)
  return value
}
