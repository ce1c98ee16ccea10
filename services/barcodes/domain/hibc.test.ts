import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatHibc, hibcCheckCharacter, parseHibc } from './hibc.ts'

const primary = { labeller: 'A123', product: 'BJC5D6E7', unitOfMeasure: 1 }
const nothing = { link: null, lot: null, serial: null, quantity: null, expiry: null, produced: null }
const alphabet = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%')

const fields = fc.record(
  {
    primary: fc.record({
      labeller: fc.stringMatching(/^[A-Z][A-Z0-9]{3}$/),
      product: fc.stringMatching(/^[A-Z0-9]{1,18}$/),
      unitOfMeasure: fc.integer({ min: 0, max: 9 }),
    }),
    lot: fc.stringMatching(/^[A-Z0-9]{1,18}$/),
    serial: fc.stringMatching(/^[A-Z0-9]{1,18}$/),
    expiry: fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  },
  { requiredKeys: ['primary'] },
)

describe('HIBC codes', () => {
  test('the worked example of the standard', () => {
    expect(parseHibc('+A123BJC5D6E71G')).toEqual({
      ok: true,
      value: { ...nothing, primary, text: '+A123BJC5D6E71G' },
    })
    expect(parseHibc('*+A123BJC5D6E71G*')).toEqual(parseHibc('+A123BJC5D6E71G'))
  })

  test('primary and secondary part in one code', () => {
    const text = '+A99912345/$$52001510X3/16D20111212/S77DEFG45'
    expect(parseHibc(text + hibcCheckCharacter(text))).toMatchObject({
      ok: true,
      value: {
        primary: { labeller: 'A999', product: '1234', unitOfMeasure: 5 },
        lot: '10X3',
        expiry: '2020-01-15',
        produced: '2011-12-12',
        serial: '77DEFG45',
      },
    })
  })

  test.each([
    ['$10X3', { lot: '10X3' }],
    ['$+S1', { serial: 'S1' }],
    ['20015LOT', { expiry: '2020-01-15', lot: 'LOT' }],
    ['$$0327LOT', { expiry: '2027-03', lot: 'LOT' }],
    ['$$2033127LOT', { expiry: '2027-03-31', lot: 'LOT' }],
    ['$$3270331LOT', { expiry: '2027-03-31', lot: 'LOT' }],
    ['$$427033114LOT', { expiry: '2027-03-31T14', lot: 'LOT' }],
    ['$$62709014LOT', { expiry: '2027-03-31T14', lot: 'LOT' }],
    ['$$7LOT', { lot: 'LOT' }],
    ['$$+3270331S1', { expiry: '2027-03-31', serial: 'S1' }],
    ['$$8243270331LOT', { quantity: 24, expiry: '2027-03-31', lot: 'LOT' }],
    ['$$9001003270331LOT', { quantity: 100, expiry: '2027-03-31', lot: 'LOT' }],
    ['$$824', { quantity: 24 }],
    ['$$3270331', { expiry: '2027-03-31' }],
    ['$LOT/Q500', { lot: 'LOT', quantity: 500 }],
    ['$LOT/14D20270331', { lot: 'LOT', expiry: '2027-03-31' }],
  ])('secondary part %s', (secondary, expected) => {
    const text = `+${secondary}G`
    expect(parseHibc(text + hibcCheckCharacter(text))).toEqual({
      ok: true,
      value: { ...nothing, primary: null, link: 'G', ...expected, text: text + hibcCheckCharacter(text) },
    })
  })

  test.each([
    ['+A123BJC5D6E71H', 'check-character'],
    ['A123BJC5D6E71G', 'not-hibc'],
    ['+49 30 1234567', 'not-hibc'],
    ['+A123BJC5D6E7xG', 'not-hibc'],
    ['+$$3270231LOTG7', 'no-such-date'],
    ['+27366LOTG7', 'no-such-date'],
    ['', 'not-hibc'],
  ])('%j is refused: %s', (text, rule) => {
    expect(parseHibc(text)).toMatchObject({ ok: false, rule })
  })

  test('are read as they were written', () => {
    fc.assert(
      fc.property(fields, (written) => {
        const text = formatHibc(written)
        expect(parseHibc(text)).toEqual({ ok: true, value: { ...nothing, ...written, text } })
      }),
    )
  })

  test('every replaced character is noticed', () => {
    fc.assert(
      fc.property(fields, fc.nat(), fc.constantFrom(...alphabet), (written, place, character) => {
        const text = formatHibc(written)
        const index = 1 + (place % (text.length - 1))
        fc.pre(text.charAt(index) !== character)
        expect(parseHibc(text.slice(0, index) + character + text.slice(index + 1)).ok).toBe(false)
      }),
    )
  })

  test('reading never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\+?[$\dA-Z/+. -]{0,30}$/), (text) => {
        expect(typeof parseHibc(text).ok).toBe('boolean')
      }),
    )
  })
})
