import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Container, ContainerId, NodeId } from '../../../services/storage/contract.ts'
import type { BoxContents, BoxPosition } from '../../components/box/box-colours.ts'
import {
  announceScan,
  frame,
  interpretScan,
  nextFreeAfter,
  nothingPlacing,
  placedAt,
  type Placing,
  planTargets,
  putDown,
  rangesOf,
  refuse,
  select,
  showBox,
  startFilling,
  takeInHand,
  tubesThatFit,
} from './placing.ts'

const uuid = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`
const boxId = NodeId.parse(uuid(1))
const otherBox = NodeId.parse(uuid(2))

function tube(number: number, state: Container['state'] = 'unplaced'): Container {
  return {
    id: ContainerId.parse(uuid(100 + number)),
    kind: 'tube',
    sampleId: null,
    material: 'plasma',
    label: `T${String(number)}`,
    state,
    place: null,
    reservedPlace: null,
    heldBy: null,
    heldById: null,
    since: null,
    contested: false,
    revision: uuid(9),
  }
}

/** A box drawn row by row: `.` free, `r` reserved, `x` out of use, a digit the tube of that number. */
function box(...rows: readonly string[]): BoxContents {
  const positions = rows.flatMap((row, rowIndex) =>
    [...row].map((mark, columnIndex): BoxPosition => {
      const digit = /\d/.test(mark) ? Number(mark) : null
      const { id, kind, sampleId, material, label } = tube(digit ?? 0)
      return {
        label: `${String.fromCharCode(65 + rowIndex)}${String(columnIndex + 1)}`,
        row: rowIndex + 1,
        column: columnIndex + 1,
        state:
          mark === '.' ? 'available' : mark === 'r' ? 'reserved' : mark === 'x' ? 'out_of_use' : 'occupied',
        reservedUntil: null,
        reservedFor: null,
        reason: null,
        container:
          digit === null ? null : { id, kind, sampleId, material, label, state: 'placed', placedAt: null },
      }
    }),
  )
  const nextFree = positions.find(({ state }) => state === 'available')?.label ?? null
  return {
    box: { id: boxId, name: 'Box' } as BoxContents['box'],
    path: [],
    positions,
    nextFree,
    contested: [],
  }
}

const shown = (map: BoxContents): Placing => showBox(nothingPlacing, map, null)

describe('the line says what the next scan does', () => {
  const map = box('1.r', '...')

  test('nothing in hand: a tube is taken, a position framed, a box opened', () => {
    const placing = shown(map)
    expect(announceScan(placing, map)).toMatchObject({
      say: 'take',
      else: 'takeFill',
      values: { position: 'A2' },
    })
    expect(interpretScan(placing, { kind: 'tube', tube: tube(7) }).act).toBe('take')
    expect(interpretScan(placing, { kind: 'position', boxId, label: 'B2' }).act).toBe('frame')
    expect(interpretScan(placing, { kind: 'box', boxId: otherBox })).toEqual({ act: 'open', boxId: otherBox })
  })

  test('Enter and F are offered for a free position only', () => {
    const aimed = frame(takeInHand(shown(map), [tube(7)], map), 'A1')
    expect(announceScan(aimed, map)).toMatchObject({ say: 'place', else: 'place' })
    expect(announceScan(frame(shown(map), 'A3'), map)).toMatchObject({ say: 'take', else: 'take' })
  })

  test('a tube in hand: a position places it, another tube replaces it', () => {
    const placing = takeInHand(shown(map), [tube(7)], map)
    expect(announceScan(placing, map)).toMatchObject({
      say: 'place',
      else: 'placeEnter',
      values: { code: 'T7', position: 'A2' },
    })
    expect(interpretScan(placing, { kind: 'position', boxId: otherBox, label: 'C1' })).toEqual({
      act: 'place',
      tubes: [tube(7)],
      boxId: otherBox,
      label: 'C1',
    })
    const intent = interpretScan(placing, { kind: 'tube', tube: tube(8) })
    expect(intent).toEqual({ act: 'take', tube: tube(8) })
    expect(takeInHand(placing, [tube(8)], map).hand).toEqual([tube(8)])
  })

  test('filling: tube after tube, each into the next free position, then the box is full', () => {
    const rows = ['1.x', 'r..']
    let map = box(...rows)
    let placing = startFilling(shown(map), map)
    const went: string[] = []
    for (const number of [5, 6, 7]) {
      const announced = announceScan(placing, map)
      expect(announced.say).toBe('fill')
      const intent = interpretScan(placing, { kind: 'tube', tube: tube(number) })
      if (intent.act !== 'place') throw new Error(intent.act)
      expect(intent.label).toBe(announced.values.position)
      went.push(intent.label)
      map = box(...draw(rows, went))
      placing = placedAt(placing, intent.label, map, intent.tubes)
    }
    expect(went).toEqual(['A2', 'B2', 'B3'])
    expect(announceScan(placing, map).say).toBe('fillFull')
    expect(interpretScan(placing, { kind: 'tube', tube: tube(8) })).toMatchObject({
      act: 'refuse',
      why: 'box-full',
    })
    // Another box goes on.
    expect(announceScan(showBox(placing, box('..'), null), box('..'))).toMatchObject({
      say: 'fill',
      values: { position: 'A1' },
    })
  })

  test('filling: a refused tube stays in hand and the next one is placed', () => {
    const placing = refuse(
      startFilling(shown(map), map),
      [tube(7)],
      { kind: 'zone', words: 'no', boxId, position: 'A2', containerId: tube(7).id },
      map,
    )
    expect(announceScan(placing, map)).toMatchObject({
      say: 'fill',
      else: 'fillRefused',
      values: { code: 'T7' },
    })
    expect(interpretScan(placing, { kind: 'tube', tube: tube(8) })).toMatchObject({
      act: 'place',
      label: 'A2',
    })
    expect(interpretScan(placing, { kind: 'position', boxId, label: 'B3' })).toMatchObject({
      act: 'place',
      tubes: [tube(7)],
    })
    const later = placedAt(placing, 'A2', box('18r', '...'), [tube(8)])
    expect([later.hand, later.framed]).toEqual([[tube(7)], 'B1'])
    expect(placedAt(later, 'B1', box('18r', '7..'), [tube(7)])).toMatchObject({ hand: [], refusal: null })
  })

  test('filling: a position that somebody took meanwhile is passed over', () => {
    const before = startFilling(shown(map), map)
    const after = box('19r', '...')
    const refusal = { kind: 'taken', words: 'no', boxId, position: 'A2', containerId: tube(7).id } as const
    expect(refuse(before, [tube(7)], refusal, after).framed).toBe('B1')
  })

  test('what was disposed of is not taken in hand', () => {
    expect(interpretScan(shown(map), { kind: 'tube', tube: tube(7, 'disposed') })).toMatchObject({
      act: 'refuse',
      why: 'disposed',
    })
  })

  test('without a box', () => {
    expect(announceScan(nothingPlacing, null).say).toBe('anything')
    expect(announceScan(takeInHand(nothingPlacing, [tube(7)], null), null)).toMatchObject({
      say: 'place',
      else: 'place',
    })
  })
})

test('Esc puts down and ends filling; the frame stays', () => {
  const map = box('1.', '..')
  const placing = frame(takeInHand(shown(map), [tube(7)], map), 'B2')
  expect(putDown({ ...placing, filling: true })).toMatchObject({ hand: [], filling: false, framed: 'B2' })
})

test('the frame follows a free position when something is taken in hand, and stays where it is free', () => {
  const map = box('1.3', '4..')
  expect(takeInHand(frame(shown(map), 'B1'), [tube(4)], map).framed).toBe('A2')
  expect(takeInHand(frame(shown(map), 'B3'), [tube(1)], map).framed).toBe('B3')
})

describe('choosing in the map', () => {
  const map = box('123', '456', '...')
  const plain = { extend: false, toggle: false }

  test('shift chooses the rectangle, ctrl one more or less', () => {
    const one = select(shown(map), map, 'A2', plain)
    const four = select(one, map, 'B3', { extend: true, toggle: false })
    expect([...four.selected]).toEqual(['A2', 'A3', 'B2', 'B3'])
    // The corner stays, so that the rectangle can be drawn larger or smaller.
    expect([...select(four, map, 'A3', { extend: true, toggle: false }).selected]).toEqual(['A2', 'A3'])
    const less = select(four, map, 'B2', { extend: false, toggle: true })
    expect([...less.selected]).toEqual(['A2', 'A3', 'B3'])
  })

  test('with a tube in hand a click aims at one position', () => {
    const placing = takeInHand(shown(map), [tube(7)], map)
    const aimed = select(placing, map, 'C2', { extend: true, toggle: true })
    expect([aimed.framed, [...aimed.selected]]).toEqual(['C2', ['C2']])
  })
})

describe('several tubes from a position on', () => {
  test('go into free positions and into those they leave', () => {
    const map = box('12.', '3r.')
    expect(planTargets(map, 'A2', [tube(2), tube(3)])).toEqual(['A2', 'A3'])
    expect(planTargets(map, 'A3', [tube(1), tube(2), tube(3)])).toEqual(['A3', 'B1', 'B3'])
    expect(planTargets(map, 'B3', [tube(1), tube(2)])).toBeNull()
    expect(planTargets(map, 'A1', [tube(2)])).toBeNull()
  })

  test('of tubes without a place as many as fit, of others all or none', () => {
    const map = box('12.', '3r.')
    const received = [tube(7), tube(8), tube(9)]
    expect(tubesThatFit(map, 'A3', received)).toEqual([tube(7), tube(8)])
    expect(tubesThatFit(map, 'B3', received)).toEqual([tube(7)])
    expect(planTargets(map, 'A3', tubesThatFit(map, 'A3', received))).toEqual(['A3', 'B3'])
    const placed = [tube(1, 'placed'), tube(7), tube(8)]
    expect(tubesThatFit(map, 'A3', placed)).toEqual(placed)
    expect(tubesThatFit(map, 'nowhere', received)).toEqual(received)
  })

  test('never two into one, never onto another tube', () => {
    const drawing = fc.array(fc.stringMatching(/^[.rx1-9]{6}$/), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(
        drawing,
        fc.nat(23),
        fc.uniqueArray(fc.integer({ min: 1, max: 9 })),
        (rows, at, numbers) => {
          const map = box(...rows)
          const tubes = numbers.map((number) => tube(number))
          const targets = planTargets(map, map.positions[at]?.label ?? '', tubes)
          if (targets === null) return
          expect(new Set(targets).size).toBe(tubes.length)
          for (const label of targets) {
            const position = map.positions.find((each) => each.label === label)
            const isOwn = tubes.some(({ id }) => id === position?.container?.id)
            expect(position?.state === 'available' || isOwn).toBe(true)
          }
        },
      ),
    )
  })
})

test('the next free position follows the order of filling and begins again at the start', () => {
  const map = box('.1.', '.23')
  expect(['A1', 'A3', 'B1', 'B3'].map((label) => nextFreeAfter(map, label))).toEqual(['A3', 'B1', 'A1', 'A1'])
  expect(nextFreeAfter(box('12'), 'A1')).toBeNull()
})

test('ranges in words follow the order of filling', () => {
  const map = box('...', '...')
  expect(rangesOf(map, ['A2', 'A3', 'B1', 'B3'])).toEqual([
    { first: 'A2', last: 'B1' },
    { first: 'B3', last: 'B3' },
  ])
})

function draw(rows: readonly string[], filled: readonly string[]): readonly string[] {
  return rows.map((row, rowIndex) =>
    [...row]
      .map((mark, columnIndex) =>
        filled.includes(`${String.fromCharCode(65 + rowIndex)}${String(columnIndex + 1)}`) ? '9' : mark,
      )
      .join(''),
  )
}
