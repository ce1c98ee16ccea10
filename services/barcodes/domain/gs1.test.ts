import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gs1CheckDigit, gs1CheckPair } from './gs1-content-rules.ts'
import {
  checkElements,
  dayOfGs1Date,
  formatBracketedForm,
  formatCaretForm,
  formatMachineForm,
  parseBracketedForm,
  parseCaretForm,
  parseMachineForm,
  type Gs1Element,
} from './gs1.ts'

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`))
const free = (longest: number) =>
  fc.stringMatching(new RegExp(`^[!"%&'()*+,\\-./0-9:;<=>?A-Z_a-z]{1,${longest}}$`))
const numbered = (length: number) => digits(length - 1).map((body) => body + gs1CheckDigit(body))
const day = fc
  .date({ min: new Date('1980-01-01'), max: new Date('2049-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(2, 10).replaceAll('-', ''))

/** Values of every kind: fixed, open, with check digit, with optional part, with and without predefined length. */
const valuesByIdentifier = {
  '00': numbered(18),
  '01': numbered(14),
  '10': free(20),
  '11': day,
  '17': day,
  '21': free(20),
  '240': free(30),
  '253': fc.tuple(numbered(13), fc.oneof(fc.constant(''), free(17))).map((parts) => parts.join('')),
  '3103': digits(6),
  '37': fc.stringMatching(/^\d{1,8}$/),
  '414': numbered(13),
  '422': fc.constantFrom('276', '756', '840'),
  '8003': fc.tuple(fc.constant('0'), numbered(13), free(16)).map((parts) => parts.join('')),
  '8004': fc.tuple(digits(4), free(26)).map((parts) => parts.join('')),
  '91': free(90),
  '99': free(90),
} as const

const elements = fc
  .shuffledSubarray(Object.keys(valuesByIdentifier) as (keyof typeof valuesByIdentifier)[], { minLength: 1 })
  .chain((identifiers) =>
    fc.tuple(...identifiers.map((ai) => valuesByIdentifier[ai].map((value): Gs1Element => ({ ai, value })))),
  )

describe('GS1 elements', () => {
  test('are read as they were written, in all three forms', () => {
    fc.assert(
      fc.property(elements, (written) => {
        const expected = { ok: true, value: written }
        expect(parseMachineForm(formatMachineForm(written))).toEqual(expected)
        expect(parseCaretForm(formatCaretForm(written))).toEqual(expected)
        expect(parseBracketedForm(formatBracketedForm(written))).toEqual(expected)
      }),
    )
  })

  test('reading never throws, whatever the text', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[()\d^A-Z\u001d]{0,40}$/))
    fc.assert(
      fc.property(text, (anything) => {
        for (const parse of [parseMachineForm, parseCaretForm, parseBracketedForm]) {
          const read = parse(anything)
          if (read.ok) expect(checkElements(read.value)).toEqual(read)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('FNC1 may follow a value of predefined length and may stand at the end', () => {
    const expected = parseBracketedForm('(01)09506000134352(17)270331(10)LOT-A')
    expect(expected.ok).toBe(true)
    expect(parseMachineForm('01095060001343521727033110LOT-A')).toEqual(expected)
    expect(parseMachineForm('0109506000134352\u001d17270331\u001d10LOT-A\u001d')).toEqual(expected)
  })

  test.each([
    ['(01)09506000134351', 'INCORRECT_CHECK_DIGIT', '(01) GTIN: incorrect check digit in 09506000134351'],
    ['(17)270231', 'ILLEGAL_DAY', '(17) USE BY or EXPIRY: illegal day in 270231'],
    ['(10)', 'too-short', '(10) BATCH/LOT: the value is missing'],
    ['(18)1', 'unknown-identifier', 'GS1 has no application identifier that begins with "18"'],
    ['(10)A(10)B', 'contradiction', '(10) stands twice in this code, with different values'],
  ])('%s is refused: %s', (text, rule, problem) => {
    expect(parseBracketedForm(text)).toEqual({ ok: false, rule, problem })
  })

  test('at most 64 elements and the longest value its identifier allows', () => {
    expect(checkElements([{ ai: '91', value: 'A'.repeat(90) }]).ok).toBe(true)
    expect(checkElements([{ ai: '91', value: 'A'.repeat(91) }])).toMatchObject({ rule: 'too-long' })
    const many = Array.from({ length: 65 }, () => ({ ai: '20', value: '11' }))
    expect(checkElements(many.slice(1)).ok).toBe(true)
    expect(checkElements(many)).toMatchObject({ rule: 'too-many-elements' })
  })

  test('identifiers that are not assigned yet are taken on request, if it is clear where they end', () => {
    const options = { unknownIdentifiers: true }
    expect(parseCaretForm('^236ABC^10LOT')).toMatchObject({ ok: false, rule: 'unknown-identifier' })
    expect(parseCaretForm('^236ABC^10LOT', options)).toEqual(parseBracketedForm('(236)ABC(10)LOT', options))
    expect(parseCaretForm('^891234', options).ok).toBe(false)
    expect(parseBracketedForm('(2361)ABC', options).ok).toBe(false)
  })

  test('check characters of the worked examples of GS1', () => {
    expect(gs1CheckDigit('629104150021')).toBe('3')
    expect(gs1CheckDigit('37610425002123456')).toBe('9')
    expect(gs1CheckPair('1987654Ad4X4bL5ttr2310c')).toBe('2K')
  })
})

describe('dates', () => {
  test.each([
    ['270331', 2026, '2027-03-31'],
    ['270300', 2026, '2027-03-31'],
    ['280200', 2026, '2028-02-29'],
    ['760101', 2026, '2076-01-01'],
    ['770101', 2026, '1977-01-01'],
    ['010101', 2099, '2101-01-01'],
  ])('%s in %i is %s', (date, year, expected) => {
    expect(dayOfGs1Date(date, year)).toBe(expected)
  })
})
