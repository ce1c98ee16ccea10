import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatEnrolmentCode, hubMarkOf, parseEnrolmentCode, secretFrom } from './enrolment-code.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const bytes = fc.uint8Array({ minLength: 17, maxLength: 17 })
const code = bytes.map((random) => ({
  secret: secretFrom(random),
  hub: hubMarkOf(Buffer.from(random).toString('base64')),
}))

describe('an enrolment code', () => {
  it('reads as it was written, in seven groups of five', () => {
    fc.assert(
      fc.property(code, (given) => {
        const written = formatEnrolmentCode(given)
        expect(written).toMatch(/^([0-9A-Z]{5}-){6}[0-9A-Z]{5}$/)
        expect(parseEnrolmentCode(written)).toEqual(given)
      }),
    )
  })

  it('may be typed in small letters, with blanks, and with letters that look like digits', () => {
    const given = { secret: '01'.repeat(8) + '0', hub: hubMarkOf(randomBytes(44).toString('base64')) }
    const typed = formatEnrolmentCode(given).toLowerCase().replaceAll('-', ' ')
    const misread = typed.slice(0, 10).replaceAll('0', 'o').replaceAll('1', 'l') + typed.slice(10)
    expect(parseEnrolmentCode(misread)).toEqual(given)
  })

  it('is refused when one character is wrong or too many', () => {
    fc.assert(
      fc.property(code, fc.nat(34), fc.nat(31), (given, at, letter) => {
        const whole = formatEnrolmentCode(given).replaceAll('-', '')
        const wrong = `${whole.slice(0, at)}${alphabet.charAt(letter)}${whole.slice(at + 1)}`
        if (wrong !== whole) expect(parseEnrolmentCode(wrong)).toBeNull()
        expect(parseEnrolmentCode(`${whole}0`)).toBeNull()
      }),
    )
    expect(parseEnrolmentCode('')).toBeNull()
    expect(parseEnrolmentCode('TS-7K2M-0004-X')).toBeNull()
  })
})
