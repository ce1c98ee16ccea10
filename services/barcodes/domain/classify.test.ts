import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classifyScan, longestScan, normaliseForLookup } from './classify.ts'
import { hibcCheckCharacter } from './hibc.ts'
import {
  codePrefixes,
  formatOwnCode,
  formatPositionLabel,
  isWorkstationPart,
  type CodeKind,
} from './own-code.ts'

const GS = '\u001d'
const workstationPart = '7K2M'
if (!isWorkstationPart(workstationPart)) throw new Error('no workstation part')
const tube = formatOwnCode('sampleTube', workstationPart, 4)
const box = formatOwnCode('box', workstationPart, 11)
const wrongCheck = tube.text.slice(0, -1) + (tube.text.endsWith('X') ? 'Y' : 'X')

function keysOf(text: string): string[] {
  const keys = normaliseForLookup(text)
  if (!keys.ok) throw new Error(`${JSON.stringify(text)}: ${keys.problem}`)
  return keys.value.map(({ identifies, key }) => `${identifies} ${key}`)
}

describe('what a scan is', () => {
  test.each([
    [tube.text, 'own-code'],
    [tube.text.toLowerCase(), 'own-code'],
    [`]C0${tube.text}`, 'own-code'],
    [formatPositionLabel(box, 3, 4).text, 'position-label'],
    [`]d2010950600013435210LOT-A${GS}21SN1`, 'gs1'],
    ['(01)09506000134352(10)LOT-A', 'gs1'],
    [`010950600013435210LOT-A${GS}21SN1`, 'gs1'],
    ['https://id.gs1.org/01/09506000134352', 'gs1'],
    [']E09506000134352', 'gs1'],
    ['+A123BJC5D6E71G', 'hibc'],
    ['*+A123BJC5D6E71G*', 'hibc'],
    ['ACGTAC', 'index-sequence'],
    ['acgtacgtacgn', 'index-sequence'],
    ['ACGTA', 'external'],
    ['ACGTACGTACGTA', 'external'],
    ['NO READ', 'no-tube'],
    [']d1NO TUBE', 'no-tube'],
    ['0123456789', 'external'],
    ['0012345678', 'external'],
    ['FD12345678', 'external'],
    ['BX123456789', 'external'],
    ['+49 30 1234567', 'external'],
    ['https://example.com/tubes/42', 'external'],
    ['Probe Ä 12', 'external'],
  ])('%j is %s', (text, kind) => {
    expect(classifyScan(text).kind).toBe(kind)
  })

  test.each([
    ['', 'nothing-read'],
    [' \r\n', 'nothing-read'],
    [']C0', 'nothing-read'],
    ['AB\u0000C', 'forbidden-character'],
    ['AB\u0007C', 'forbidden-character'],
    ['AB\tC', 'forbidden-character'],
    ['AB\u200bC', 'forbidden-character'],
    ['AB\u202eC', 'forbidden-character'],
    ['AB\ufffdC', 'forbidden-character'],
    ['AB\ud800C', 'broken-character'],
    ['A'.repeat(longestScan + 1), 'too-long'],
    [wrongCheck, 'check-character'],
    [formatPositionLabel(box, 3, 4).text.replace('C4', 'C5'), 'check-character'],
    [']d20109506000134351', 'INCORRECT_CHECK_DIGIT'],
    ['(01)09506000134351', 'INCORRECT_CHECK_DIGIT'],
    ['https://id.gs1.org/01/09506000134351', 'INCORRECT_CHECK_DIGIT'],
    [']E09506000134351', 'INCORRECT_CHECK_DIGIT'],
    [']Q3', 'no-elements'],
    [`AB${GS}C`, 'unknown-identifier'],
    ['+A123BJC5D6E71H', 'check-character'],
  ])('%j is refused: %s', (text, rule) => {
    expect(classifyScan(text)).toEqual({ kind: 'refused', rule, problem: expect.stringMatching(/\w/) })
  })

  test('leading zeros and letters stay as they are', () => {
    expect(classifyScan(' 000123ab\r\n')).toMatchObject({ kind: 'external', text: '000123ab' })
  })

  test('bare digits with the form of GS1 are marked as a guess', () => {
    expect(classifyScan('0109506000134352')).toMatchObject({ kind: 'gs1', declared: false })
    expect(classifyScan(']d20109506000134352')).toMatchObject({ kind: 'gs1', declared: true })
  })

  test('an HIBC code whose check character is a blank survives trimming, and may be printed with an underscore', () => {
    const bodies = Array.from(
      { length: 36 },
      (_, number) => `+A123BJC5D6E${number.toString(36).toUpperCase()}1`,
    )
    const blank = bodies.find((body) => hibcCheckCharacter(body) === ' ') ?? 'none'
    expect(classifyScan(`${blank} \r\n`).kind).toBe('hibc')
    expect(classifyScan(`*${blank}_*`)).toEqual(classifyScan(`${blank} `))
  })

  test('no text makes it throw, and what is not refused can be looked up or is no tube', () => {
    const pieces = fc.constantFrom(
      ']d2',
      ']C1',
      ']E0',
      '(01)',
      '09506000134352',
      GS,
      '10',
      'TS-7K2M-',
      '/',
      '+',
      '$$',
      ' ',
    )
    const composed = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 5 })))
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(composed, fc.string({ unit: 'binary' })), (text) => {
        const scan = classifyScan(text)
        const refused = scan.kind === 'refused' || scan.kind === 'no-tube'
        expect(normaliseForLookup(text).ok).toBe(!refused)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('lookup keys', () => {
  test('own codes have one canonical key however they come', () => {
    const typed = [
      tube.text,
      tube.text.toLowerCase(),
      tube.text.replaceAll('-', ''),
      tube.text.replaceAll('-', ' '),
      ` ${tube.text}\r`,
      `]C0${tube.text}`,
      `]d1${tube.text}`,
      tube.text.replace('0004', 'OOO4'),
    ]
    expect(typed.map((text) => keysOf(text)[0])).toEqual(typed.map(() => `thing own:${tube.text}`))
  })

  test('every kind of own code is found again', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(codePrefixes) as CodeKind[])),
        fc.integer({ min: 1, max: 1_000_000 }),
        (kind, counter) => {
          const { text } = formatOwnCode(kind, workstationPart, counter)
          expect(keysOf(text)[0]).toBe(`thing own:${text}`)
          expect(keysOf(text.toLowerCase().replaceAll('-', ''))[0]).toBe(`thing own:${text}`)
        },
      ),
    )
  })

  test('GS1 codes have the same keys in every form and order', () => {
    const forms = [
      `]d2010950600013435210LOT-A${GS}21SN1`,
      `]C1010950600013435210LOT-A${GS}21SN1`,
      `]d2${GS}010950600013435210LOT-A${GS}21SN1${GS}`,
      `${GS}010950600013435210LOT-A${GS}21SN1`,
      `010950600013435210LOT-A${GS}21SN1`,
      '(01)09506000134352(10)LOT-A(21)SN1',
      '(01) 09506000134352 (10) LOT-A (21) SN1',
      'https://id.gs1.org/01/09506000134352/10/LOT-A/21/SN1',
      ']Q1https://example.com/p/01/9506000134352/10/LOT-A/21/SN1',
    ]
    const expected = [
      'thing gs1:(01)09506000134352(21)SN1',
      'batch gs1:(01)09506000134352(10)LOT-A',
      'product gs1:(01)09506000134352',
      'text text:010950600013435210LOT-A21SN1',
    ]
    expect(forms.map(keysOf)).toEqual(forms.map(() => expected))
    expect(keysOf(`]d20109506000134352` + `1727033121SN1${GS}10LOT-A`).slice(0, 3)).toEqual(
      expected.slice(0, 3),
    )
  })

  test('a scanner that drops the separators still finds the code by its characters', () => {
    const whole = keysOf(`]d2010950600013435210LOT-A${GS}21SN1`)
    expect(keysOf('010950600013435210LOT-A21SN1').at(-1)).toBe(whole.at(-1))
  })

  test.each([
    ['(00)106141412345678908(02)00614141123452(37)25', ['thing gs1:(00)106141412345678908']],
    [
      '(8003)00614141000036ASSET1',
      ['thing gs1:(8003)00614141000036ASSET1', 'product gs1:(8003)00614141000036'],
    ],
    ['(8003)00614141000036', ['product gs1:(8003)00614141000036']],
    ['(91)IN-7(90)A', ['thing gs1:(90)A(91)IN-7']],
    [']E09506000134352', ['product gs1:(01)09506000134352']],
    ['9506000134352', ['thing code:9506000134352', 'product gs1:(01)09506000134352']],
    ['9506000134351', ['thing code:9506000134351']],
    ['Ab 12', ['thing code:Ab 12']],
    ['ACGTACGT', ['thing code:ACGTACGT']],
    ['+A123BJC5D6E71G', ['product hibc:+A123BJC5D6E71G']],
  ])('%s is found under %j and its characters', (text, expected) => {
    const keys = keysOf(text)
    expect(keys.slice(0, -1)).toEqual(expected)
    expect(keys.at(-1)).toMatch(/^text text:/)
  })

  test('external codes keep their case, and are found without it', () => {
    expect(keysOf('ab-12')).toEqual(['thing code:ab-12', 'text text:AB-12'])
    expect(keysOf('AB-12')).toEqual(['thing code:AB-12', 'text text:AB-12'])
  })

  test('serial, lot and product of an HIBC code each have a key', () => {
    const text = '+A99912345/$$3270331LOT1/SS1'
    expect(keysOf(text + hibcCheckCharacter(text)).map((key) => key.replace(/.$/, ''))).toEqual([
      'thing hibc:+A99912345/SS1',
      'batch hibc:+A99912345/$LOT1',
      'product hibc:+A99912345',
      `text text:${text}`,
    ])
  })

  test('a position label has a key of its own, apart from its box', () => {
    const label = formatPositionLabel(box, 3, 4)
    expect(keysOf(label.text.toLowerCase())).toEqual([`thing position:${label.text}`])
  })

  test('an empty rack position names nothing', () => {
    expect(normaliseForLookup('NO READ')).toEqual({
      ok: false,
      rule: 'no-tube',
      problem: 'NO READ means that no tube was read',
    })
  })
})
