import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addAmounts,
  compareAmounts,
  decideMovement,
  deriveMassNg,
  foldMovements,
  judgeThawCycles,
  type Movement,
  type MovementKind,
  type MovementRequest,
} from './amount.ts'

function volume(id: string, kind: MovementKind, value: string, covers: readonly string[] = []): Movement {
  return { id, quantity: 'volume_ul', kind, value, covers }
}

function request(kind: MovementKind, value: string, more: Partial<MovementRequest> = {}): MovementRequest {
  return { id: 'new', quantity: 'volume_ul', kind, value, override: null, ...more }
}

const filled = volume('01', 'added', '20')

describe('what is there now', () => {
  it('is unknown before anything was recorded', () => {
    expect(foldMovements([], 'volume_ul')).toEqual({
      value: null,
      overdrawn: false,
      baseId: null,
      competingCorrectionIds: [],
    })
  })

  it('adds up for two people who each take 5 of 20 offline', () => {
    const first = decideMovement([filled], request('taken', '5', { id: '02' }))
    const second = decideMovement([filled], request('taken', '5', { id: '03' }))
    if (!first.ok || !second.ok) throw new Error('both takes are within the 20 µL each person sees')
    expect(foldMovements([second.value, filled, first.value], 'volume_ul').value).toBe('10')
  })

  it('keeps decimals exact where floating point does not', () => {
    const movements = [
      volume('01', 'added', '0.1'),
      volume('02', 'added', '0.2'),
      volume('03', 'taken', '0.3'),
    ]
    expect(foldMovements(movements, 'volume_ul').value).toBe('0')
  })

  it('shows an overdraft instead of hiding it', () => {
    const takes = [volume('02', 'taken', '15'), volume('03', 'taken', '15')]
    expect(foldMovements([filled, ...takes], 'volume_ul')).toMatchObject({ value: '-10', overdrawn: true })
  })

  it('takes a correction as the new base and later takes from it', () => {
    const corrected = volume('03', 'corrected', '12', ['01', '02'])
    const movements = [filled, volume('02', 'taken', '5'), corrected, volume('04', 'taken', '2')]
    expect(foldMovements(movements, 'volume_ul')).toMatchObject({ value: '10', baseId: '03' })
  })

  it('decides by what the author of a correction saw, not by clocks that may be wrong', () => {
    // The taker's clock runs two hours ahead, so the id of the take is greater although the correction saw it.
    const takeSeen = volume('99', 'taken', '5')
    expect(
      foldMovements([filled, takeSeen, volume('50', 'corrected', '13', ['01', '99'])], 'volume_ul').value,
    ).toBe('13')
    // This taker's clock is behind: the take came after the correction, yet its id is smaller.
    const takeAfter = volume('02', 'taken', '5')
    expect(
      foldMovements([filled, takeAfter, volume('50', 'corrected', '13', ['01'])], 'volume_ul').value,
    ).toBe('8')
  })

  it('lets the same one of two competing corrections win everywhere and names the other', () => {
    const one = volume('05', 'corrected', '18', ['01'])
    const two = volume('06', 'corrected', '17', ['01'])
    expect(foldMovements([two, one, filled], 'volume_ul')).toEqual({
      value: '17',
      overdrawn: false,
      baseId: '06',
      competingCorrectionIds: ['05'],
    })
    const settled = volume('04', 'corrected', '17.5', ['01', '05', '06'])
    expect(foldMovements([settled, two, one, filled], 'volume_ul')).toMatchObject({
      value: '17.5',
      competingCorrectionIds: [],
    })
  })

  it('keeps quantities apart', () => {
    const movements: Movement[] = [
      filled,
      { id: '02', quantity: 'thaw_cycles', kind: 'added', value: '1', covers: [] },
      { id: '03', quantity: 'concentration_ng_per_ul', kind: 'corrected', value: '50.25', covers: [] },
    ]
    const values = (['volume_ul', 'thaw_cycles', 'concentration_ng_per_ul', 'mass_ng'] as const).map(
      (quantity) => foldMovements(movements, quantity).value,
    )
    expect(values).toEqual(['20', '1', '50.25', null])
  })
})

const amountText = fc
  .tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 9999 }))
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(4, '0')}`)

const move = fc.record({
  kind: fc.constantFrom<MovementKind>('taken', 'taken', 'added', 'corrected'),
  value: amountText,
  /** Which of the movements so far this person has heard of: offline people miss some. */
  heard: fc.array(fc.boolean(), { maxLength: 12 }),
  clockSkew: fc.integer({ min: 0, max: 99 }),
})

describe('order of arrival', () => {
  it('does not matter, whatever people saw and however wrong their clocks were', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (moves, random) => {
        const history: Movement[] = []
        moves.forEach((next, index) => {
          const known = history.filter((_, position) => next.heard[position] ?? true)
          const id = `${String(next.clockSkew).padStart(2, '0')}-${String(index).padStart(2, '0')}`
          const override = { reason: 'the tube shows it' }
          const decision = decideMovement(known, request(next.kind, next.value, { id, override }))
          expect(decision.ok).toBe(true)
          if (decision.ok) history.push(decision.value)
        })
        const shuffled = [...history, ...history.slice(0, 3)]
          .map((movement) => ({ movement, place: random.next().value }))
          .sort((left, right) => left.place - right.place)
          .map(({ movement }) => movement)
        expect(foldMovements(shuffled, 'volume_ul')).toEqual(foldMovements(history, 'volume_ul'))
      }),
    )
  })

  it('never loses a take that a correction has not seen', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }), fc.nat(99), (takes, skew) => {
        const correction = volume(`${String(skew).padStart(2, '0')}-c`, 'corrected', '500', [filled.id])
        const movements = takes.map((value, index) => volume(`50-${index}`, 'taken', String(value)))
        const left = 500 - takes.reduce((sum, value) => sum + value, 0)
        expect(foldMovements([filled, correction, ...movements], 'volume_ul').value).toBe(String(left))
      }),
    )
  })
})

describe('deciding a movement', () => {
  it('writes what a correction covers', () => {
    const known = [volume('02', 'taken', '5'), filled]
    expect(decideMovement(known, request('corrected', '14.50'))).toEqual({
      ok: true,
      value: volume('new', 'corrected', '14.5', ['01', '02']),
    })
  })

  it.each([
    ['taken', '-1', 'amount_negative'],
    ['taken', '0', 'amount_zero'],
    ['added', '0.000', 'amount_zero'],
    ['taken', '1,5', 'amount_not_a_number'],
    ['taken', '.5', 'amount_not_a_number'],
    ['taken', '1e3', 'amount_not_a_number'],
    ['taken', '5 µL', 'amount_not_a_number'],
    ['taken', 'NaN', 'amount_not_a_number'],
    ['taken', '', 'amount_not_a_number'],
    ['added', '0.00000000001', 'amount_not_a_number'],
    ['taken', '20.0001', 'amount_more_than_available'],
  ] as const)('refuses %s %s with %s', (kind, value, rule) => {
    expect(decideMovement([filled], request(kind, value))).toMatchObject({ ok: false, refusal: { rule } })
  })

  it('says how much is left', () => {
    expect(decideMovement([filled], request('taken', '25'))).toMatchObject({
      refusal: { message: 'There are 20 µL left, 25 µL cannot be taken.' },
    })
  })

  it('takes everything there is, and more only with a reason', () => {
    expect(decideMovement([filled], request('taken', '20')).ok).toBe(true)
    expect(decideMovement([filled], request('taken', '21', { override: { reason: ' ' } })).ok).toBe(false)
    const override = { reason: 'the tube was fuller than the label says' }
    expect(decideMovement([filled], request('taken', '21', { override })).ok).toBe(true)
  })

  it('does not take from an amount nobody recorded', () => {
    expect(decideMovement([], request('taken', '1'))).toMatchObject({ refusal: { rule: 'amount_unknown' } })
  })

  it('measures concentrations and counts thaws', () => {
    expect(decideMovement([], request('taken', '1', { quantity: 'concentration_ng_per_ul' }))).toMatchObject({
      refusal: { rule: 'movement_kind_not_allowed', allowed: ['corrected'] },
    })
    expect(decideMovement([], request('added', '0.5', { quantity: 'thaw_cycles' }))).toMatchObject({
      refusal: { rule: 'amount_not_whole' },
    })
    expect(decideMovement([], request('corrected', '0', { quantity: 'concentration_ng_per_ul' })).ok).toBe(
      true,
    )
  })
})

describe('derived values', () => {
  it('multiplies volume and concentration exactly', () => {
    expect(deriveMassNg('50', '250')).toBe('12500')
    expect(deriveMassNg('0.1', '0.2')).toBe('0.02')
    const large = '99999999999999999999.0000000001'
    expect(deriveMassNg(large, large)).toBe('9999999999999999999800000000020000000000.99999999980000000001')
    expect([deriveMassNg(null, '1'), deriveMassNg('1', null)]).toEqual([null, null])
  })

  it('judges thaw cycles by the limits of the laboratory', () => {
    expect([0, 2, 3, 5, 6].map((cycles) => judgeThawCycles(cycles))).toEqual([
      'normal',
      'normal',
      'warning',
      'warning',
      'exceeded',
    ])
    expect(judgeThawCycles(2, { warningAt: 1, maximum: 1 })).toBe('exceeded')
  })
})

describe('sums and comparisons', () => {
  it('are exact', () => {
    expect(addAmounts(['0.1', '0.2', '99999999999999999999.0000000001'])).toBe(
      '99999999999999999999.3000000001',
    )
    expect(addAmounts([])).toBe('0')
    expect(compareAmounts('0.30', '0.3')).toBe(0)
    expect(compareAmounts('0.1', '0.2')).toBeLessThan(0)
  })
})
