/**
 * Content rules of GS1 element values, after the GS1 General Specifications and its syntax dictionary. A broken rule is
 * named as GS1's own tools name it, so that messages can be compared.
 */

import {
  countryLetters,
  countryNumbers,
  currencyNumbers,
  mediaTypes,
  packageTypes,
} from './gs1-code-lists.ts'

/** Null when the value is good, else the name of the rule it breaks. */
type ContentRule = (value: string) => string | null

const rules = {
  'check-digit': (value) =>
    gs1CheckDigit(value.slice(0, -1)) === value.at(-1) ? null : 'INCORRECT_CHECK_DIGIT',
  'check-pair': checkPair,
  'company-prefix': companyPrefix,
  'company-prefix-second': (value) => companyPrefix(value.slice(1)),
  date: (value) => calendarDay(Number(value.slice(0, 2)), value.slice(2), 1),
  'date-or-month': (value) => calendarDay(Number(value.slice(0, 2)), value.slice(2), 0),
  'long-date': (value) => calendarDay(Number(value.slice(0, 4)), value.slice(4), 1),
  hour,
  minute,
  second: (value) => (Number(value) <= 59 ? null : 'ILLEGAL_SECOND'),
  'hour-minute': (value) => hour(value.slice(0, 2)) ?? minute(value.slice(2)),
  'percent-encoding': (value) => (/%(?![0-9A-Fa-f]{2})/.test(value) ? 'INVALID_PERCENT_SEQUENCE' : null),
  country: (value) => (countryNumbers.has(value) ? null : 'NOT_ISO3166'),
  'country-or-999': (value) => (value === '999' || countryNumbers.has(value) ? null : 'NOT_ISO3166_OR_999'),
  'country-letters': (value) => (countryLetters.has(value) ? null : 'NOT_ISO3166_ALPHA2'),
  currency: (value) => (currencyNumbers.has(value) ? null : 'NOT_ISO4217'),
  iban: internationalAccount,
  'importer-index': (value) => (/^[-0-9A-Z_a-z]$/.test(value) ? null : 'INVALID_IMPORT_IDX_CHARACTER'),
  'not-zero': (value) => (/^0+$/.test(value) ? 'ILLEGAL_ZERO_VALUE' : null),
  zero: (value) => (/^0+$/.test(value) ? null : 'NOT_ZERO'),
  'zero-or-one': (value) => (value === '0' || value === '1' ? null : 'NOT_ZERO_OR_ONE'),
  winding: (value) => (['0', '1', '9'].includes(value) ? null : 'INVALID_WINDING_DIRECTION'),
  'piece-of-total': pieceOfTotal,
  'position-of-end': positionOfEnd,
  latitude: (value) => (Number(value) <= 1_800_000_000 ? null : 'INVALID_LATITUDE'),
  longitude: (value) => (Number(value) <= 3_600_000_000 ? null : 'INVALID_LONGITUDE'),
  hyphens: (value) => (/^-+$/.test(value) ? null : 'NOT_HYPHEN'),
  'media-type': (value) => (mediaTypes.has(value) ? null : 'INVALID_MEDIA_TYPE'),
  sex: (value) => (['0', '1', '2', '9'].includes(value) ? null : 'INVALID_BIOLOGICAL_SEX_CODE'),
  'package-type': (value) => (packageTypes.has(value) ? null : 'INVALID_PACKAGE_TYPE'),
  'no-leading-zero': (value) => (/^0./.test(value) ? 'ILLEGAL_ZERO_PREFIX' : null),
  'not-only-digits': (value) => (/^\d*$/.test(value) ? 'REQUIRES_NON_DIGIT_CHARACTER' : null),
  // North American coupons never come to a laboratory; of theirs only length and characters are checked.
  coupon: () => null,
} as const satisfies Record<string, ContentRule>

export type ContentRuleName = keyof typeof rules
export const contentRuleNames = Object.keys(rules) as readonly ContentRuleName[]

/** The rule of GS1 that the value breaks, or null. The value already has the right length and characters. */
export function brokenContentRule(name: ContentRuleName, value: string): string | null {
  return rules[name](value)
}

/** The check digit that belongs after these digits: weights 3 and 1 from the right, modulo 10 (GTIN, SSCC, GLN, ...). */
export function gs1CheckDigit(digits: string): string {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0)
  return String((10 - (sum % 10)) % 10)
}

const characterSet82 = '!"%&\'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
const characterSet32 = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'
const smallPrimes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83]

/** The pair of check characters that belongs after a model number: primes as weights from the right, modulo 1021. */
export function gs1CheckPair(value: string): string {
  const sum = [...value]
    .reverse()
    .reduce(
      (total, character, index) => total + characterSet82.indexOf(character) * (smallPrimes[index] ?? 0),
      0,
    )
  const remainder = sum % 1021
  return characterSet32.charAt(remainder >> 5) + characterSet32.charAt(remainder & 31)
}

function checkPair(value: string): string | null {
  const body = value.slice(0, -2)
  const pair = value.slice(-2)
  if (pair.length < 2) return 'TOO_SHORT_FOR_CHECK_PAIR'
  if (body.length > smallPrimes.length) return 'TOO_LONG_FOR_CHECK_PAIR_IMPLEMENTATION'
  if ([...pair].some((character) => !characterSet32.includes(character))) return 'INVALID_CSET32_CHARACTER'
  return gs1CheckPair(body) === pair ? null : 'INCORRECT_CHECK_PAIR'
}

/** A company prefix has at least four digits. Whom it belongs to cannot be known offline. */
function companyPrefix(value: string): string | null {
  if (value.length < 4) return 'TOO_SHORT_FOR_GCP'
  return /^\d{4}/.test(value) ? null : 'INVALID_GCP_PREFIX'
}

/** Two-digit years lie between 1950 and 2099, where every fourth year is a leap year. */
function calendarDay(year: number, monthAndDay: string, firstDay: 0 | 1): string | null {
  const month = Number(monthAndDay.slice(0, 2))
  const day = Number(monthAndDay.slice(2))
  if (month < 1 || month > 12) return 'ILLEGAL_MONTH'
  const leap = year % 4 === 0 && (year < 100 || year % 100 !== 0 || year % 400 === 0)
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 31
  return day < firstDay || day > days ? 'ILLEGAL_DAY' : null
}

function hour(value: string): string | null {
  return Number(value) <= 23 ? null : 'ILLEGAL_HOUR'
}

function minute(value: string): string | null {
  return Number(value) <= 59 ? null : 'ILLEGAL_MINUTE'
}

/** ISO 13616: country, two check digits, account; moved to the end and read as a number, modulo 97 leaves 1. */
function internationalAccount(value: string): string | null {
  if (value.length < 4) return 'IBAN_TOO_SHORT'
  if (!countryLetters.has(value.slice(0, 2))) return 'ILLEGAL_IBAN_COUNTRY_CODE'
  if (value.length > 34) return 'IBAN_TOO_LONG'
  if (value.length <= 10) return 'IBAN_TOO_SHORT'
  if (!/^[0-9A-Z]+$/.test(value)) return 'INVALID_IBAN_CHARACTER'
  const digits = [...(value.slice(4) + value.slice(0, 4))]
    .map((character) => Number.parseInt(character, 36))
    .join('')
  return BigInt(digits) % 97n === 1n ? null : 'INCORRECT_IBAN_CHECKSUM'
}

function pieceOfTotal(value: string): string | null {
  if (value.length % 2 !== 0) return 'INVALID_LENGTH_FOR_PIECE_OF_TOTAL'
  const piece = Number(value.slice(0, value.length / 2))
  const total = Number(value.slice(value.length / 2))
  if (piece === 0) return 'ZERO_PIECE_NUMBER'
  if (total === 0) return 'ZERO_TOTAL_PIECES'
  return piece > total ? 'PIECE_NUMBER_EXCEEDS_TOTAL' : null
}

function positionOfEnd(value: string): string | null {
  const [, position, end] = /^(\d+)\/(\d+)$/.exec(value) ?? []
  if (position === undefined || end === undefined) return 'POSITION_IN_SEQUENCE_MALFORMED'
  if (position.startsWith('0') || end.startsWith('0')) return 'ILLEGAL_ZERO_PREFIX'
  return Number(position) > Number(end) ? 'POSITION_EXCEEDS_END' : null
}
