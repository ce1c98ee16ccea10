import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDateText, readPartialDateText, spellDate } from './date-text.ts'
import { countEdits, findNearest, foldName, foldOption, isOneSlip } from './matching.ts'
import { readNumberText } from './number-text.ts'
import { convertUnit, readUnit } from './unit.ts'

describe('numbers', () => {
  it.each([
    ['495.5', ['as-written 495.5'], null],
    [' 15.0 ', ['as-written 15.0'], null],
    ['−20', ['as-written -20'], null],
    ['+4', ['as-written 4'], null],
    ['.5', ['as-written 0.5'], null],
    ['1E-015', ['as-written 1E-015'], null],
    ['495,5', ['decimal-comma 495.5'], null],
    ['1,234', ['decimal-comma 1.234', 'thousands-separators 1234'], null],
    ['1,234.5', ['thousands-separators 1234.5'], null],
    ['1.234,5', ['decimal-comma 1234.5'], null],
    ['1 234', ['thousands-separators 1234'], null],
    ['1.234.567', ['thousands-separators 1234567'], null],
    ['50uL', ['as-written 50'], 'µL'],
    ['2,5 mL', ['decimal-comma 2.5'], 'mL'],
    ['100 ng/μl', ['as-written 100'], 'ng/µL'],
  ])('reads %j', (text, readings, unit) => {
    const number = readNumberText(text)
    expect(number?.readings.map(({ way, value }) => `${way} ${value}`)).toEqual(readings)
    expect([number?.unit, number?.unknownUnit]).toEqual([unit, null])
  })

  it.each(['', 'n/a', 'about 5', '<5', '5-10', '1.2.3', '1,2,3', '--5', '1e'])(
    'does not take %j for a plain number',
    (text) => {
      const number = readNumberText(text)
      expect(number === null || number.unknownUnit !== null).toBe(true)
    },
  )

  it('keeps every digit of a number as written', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,17})(\.\d{1,10})?$/), (text) => {
        expect(readNumberText(text)?.readings).toEqual([{ value: text, way: 'as-written' }])
      }),
    )
  })
})

describe('units', () => {
  it.each([
    ['ul', 'µL'],
    ['μl', 'µL'],
    ['µL', 'µL'],
    ['UL', 'µL'],
    ['ng_uL', 'ng/µL'],
    ['ng per ul', 'ng/µL'],
    ['nM', 'nM'],
    ['mM', 'mM'],
    ['℃', '°C'],
    ['mm', null],
    ['optional', null],
    ['MM/YY or YYYY only', null],
  ])('reads %j as %j', (text, unit) => {
    expect(readUnit(text)).toBe(unit)
  })

  it('converts exactly and only what measures the same', () => {
    expect([
      convertUnit('2.5', 'mL', 'µL'),
      convertUnit('0.1', 'nL', 'µL'),
      convertUnit('1.10', 'µg/µL', 'ng/µL'),
      convertUnit('1', 'mL', 'ng'),
    ]).toEqual(['2500', '0.0001', '1100', null])
  })
})

describe('dates', () => {
  it.each([
    ['2026-11-17', ['as-written 2026-11-17']],
    ['2026/1/7', ['as-written 2026-01-07']],
    ['20261117', ['as-written 2026-11-17']],
    ['2021-01-01 12:00:00', ['as-written 2021-01-01T12:00:00']],
    ['2021-01-01T9:30Z', ['as-written 2021-01-01T09:30Z']],
    ['17.11.2026', ['as-written 2026-11-17']],
    ['09.11.2026', ['as-written 2026-11-09']],
    ['09/11/2026', ['day-first 2026-11-09', 'month-first 2026-09-11']],
    ['12/12/2022', ['as-written 2022-12-12']],
    ['23/11/2026', ['as-written 2026-11-23']],
    ['11/23/2026', ['as-written 2026-11-23']],
    ['09/11/26', ['two-digit-year 2026-11-09', 'two-digit-year 2026-09-11']],
    ['17-Nov-26', ['two-digit-year 2026-11-17']],
    ['17 November 2026', ['as-written 2026-11-17']],
    ['January 10, 2024', ['as-written 2024-01-10']],
    ['3rd Sept 2024', ['as-written 2024-09-03']],
    ['2026-02-30', []],
    ['30/02/2026', []],
    ['1 Mai 2026', []],
    ['99/99/2026', []],
    ['2026-11-17 25:00', []],
    ['yesterday', []],
    ['45978', []],
  ])('reads %j', (text, readings) => {
    expect(readDateText(text).map(({ way, value }) => `${way} ${value}`)).toEqual(readings)
  })

  it('reads a month or a year where that is enough', () => {
    expect(
      ['2022', '2022-12', '12/2022', '12/22', '13/2022'].map((text) => readPartialDateText(text)[0]?.value),
    ).toEqual(['2022', '2022-12', '2022-12', '2022-12', undefined])
  })

  it('reads every real day back from its ISO form and spells it', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }),
        (day) => {
          const iso = day.toISOString().slice(0, 10)
          expect(readDateText(iso)).toEqual([{ value: iso, way: 'as-written' }])
          expect(readDateText(spellDate(iso))).toEqual([{ value: iso, way: 'as-written' }])
        },
      ),
    )
  })
})

describe('matching', () => {
  it('folds what people write differently for the same thing', () => {
    expect(['Sample_ID', 'sample id', 'SampleID', 'SAMPLE-ID'].map(foldName)).toEqual(
      Array(4).fill('sampleid'),
    )
    expect(['−80 °C', '-80C', '–80 ℃', ' -80 °c'].map(foldOption)).toEqual(Array(4).fill('-80c'))
    expect(foldName('Volume (µL)')).toBe(foldName('VOLUME (μl)'))
  })

  it('counts slips of the hand', () => {
    expect([
      countEdits('plasmaa', 'plasma'),
      countEdits('palsma', 'plasma'),
      countEdits('', 'abc'),
      countEdits('kitten', 'sitting'),
    ]).toEqual([1, 1, 3, 3])
  })

  it('counts the same in both directions and nothing for equal texts', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(countEdits(left, right)).toBe(countEdits(right, left))
        expect(countEdits(left, left)).toBe(0)
        expect(countEdits(left, right)).toBeLessThanOrEqual(Math.max(left.length, right.length))
      }),
    )
  })

  it('one slip is one edit', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
    fc.assert(
      fc.property(word, word, (left, right) => {
        expect(isOneSlip(left, right)).toBe(countEdits(left, right) === 1)
      }),
    )
  })

  it('finds the nearest entries and nothing for what is far off', () => {
    const types = ['plasma', 'serum', 'saliva', 'DNA', 'RNA']
    const find = (text: string): string[] => findNearest(text, types, (type) => [type])
    expect([find('plasmaa'), find('salvia'), find('XNA'), find('concrete')]).toEqual([
      ['plasma'],
      ['saliva'],
      ['DNA', 'RNA'],
      [],
    ])
  })
})
