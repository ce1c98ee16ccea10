/**
 * HIBC supplier labels (ANSI/HIBC 2.6): `+A123BJC5D6E71G` on packages of health products. The primary part names
 * labeller (LIC), product (PCN) and packaging level, the secondary part lot or serial number, expiry and quantity; both
 * may stand in one code, joined by `/`, or in two. The last character is a check character modulo 43.
 */

import { accept, refuse, type Reading, type Refusal } from './reading.ts'

export interface HibcCode {
  readonly primary: HibcPrimary | null
  /** In a code that holds the secondary part alone: the check character of the primary code it belongs to. */
  readonly link: string | null
  readonly lot: string | null
  readonly serial: string | null
  readonly quantity: number | null
  /** As exact as the code says: `2027-03`, `2027-03-31` or `2027-03-31T14`. */
  readonly expiry: string | null
  /** `2026-03-31` */
  readonly produced: string | null
  /** The whole code as read, without asterisks. */
  readonly text: string
}

export interface HibcPrimary {
  readonly labeller: string
  readonly product: string
  /** Packaging level, 0 for the single unit. */
  readonly unitOfMeasure: number
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%'

/** The check character that belongs after the text: the sum of character values modulo 43. */
export function hibcCheckCharacter(text: string): string {
  const sum = [...text].reduce((total, character) => total + alphabet.indexOf(character), 0)
  return alphabet.charAt(sum % alphabet.length)
}

/**
 * Reads an HIBC code as scanned or as printed between asterisks, where a blank as check character is written `_`.
 * Refuses with `not-hibc` what has another shape, with `check-character` what has the shape and fails the check.
 */
export function parseHibc(input: string): Reading<HibcCode> {
  const text = input.replace(/^\*(.*)\*$/, '$1').replace(/_$/, ' ')
  if (
    !text.startsWith('+') ||
    text.length < 5 ||
    [...text].some((character) => !alphabet.includes(character))
  ) {
    return notHibc
  }
  const body = text.slice(1, -1)
  const code = /^[A-Z]/.test(body) ? readPrimary(body, text) : readSecondary(body, text)
  if (!code.ok) return code
  if (hibcCheckCharacter(text.slice(0, -1)) !== text.at(-1)) {
    return refuse('check-character', `The check character of ${text} is wrong: it was misread or mistyped`)
  }
  return code
}

/** Writes primary part, lot, serial number and expiry (a whole day) as one code with its check character. */
export function formatHibc(fields: {
  readonly primary: HibcPrimary
  readonly lot?: string
  readonly serial?: string
  readonly expiry?: string
}): string {
  const { labeller, product, unitOfMeasure } = fields.primary
  const dated = fields.expiry === undefined ? '$' : `$$3${fields.expiry.slice(2).replaceAll('-', '')}`
  const secondary =
    fields.lot === undefined && fields.expiry === undefined ? '' : `/${dated}${fields.lot ?? ''}`
  const serial = fields.serial === undefined ? '' : `/S${fields.serial}`
  const text = `+${labeller}${product}${unitOfMeasure}${secondary}${serial}`
  return text + hibcCheckCharacter(text)
}

const notHibc = refuse('not-hibc', 'This does not have the form of an HIBC code, such as +A123BJC5D6E71G')

type SecondaryFields = Pick<HibcCode, 'lot' | 'serial' | 'quantity' | 'expiry' | 'produced'>
const noFields: SecondaryFields = { lot: null, serial: null, quantity: null, expiry: null, produced: null }

function readPrimary(body: string, text: string): Reading<HibcCode> {
  const [first = '', ...others] = body.split('/')
  const [, labeller, product, unit] = /^([A-Z][A-Z0-9]{3})([A-Z0-9]{1,18})(\d)$/.exec(first) ?? []
  if (labeller === undefined || product === undefined) return notHibc
  const fields = readFields(others)
  if (!fields.ok) return fields
  const primary = { labeller, product, unitOfMeasure: Number(unit) }
  return accept({ primary, link: null, ...fields.value, text })
}

function readSecondary(body: string, text: string): Reading<HibcCode> {
  if (!/^[$\d]/.test(body)) return notHibc
  const fields = readFields(body.slice(0, -1).split('/'))
  return fields.ok ? accept({ primary: null, link: body.slice(-1), ...fields.value, text }) : fields
}

function readFields(parts: readonly string[]): Reading<SecondaryFields> {
  let fields = noFields
  for (const [index, part] of parts.entries()) {
    const read =
      index === 0 && /^[$\d]/.test(part) && !/^1[46]D/.test(part) ? readLotField(part) : readSupplement(part)
    if (!read.ok) return read
    fields = { ...fields, ...read.value }
  }
  return accept(fields)
}

/** The first secondary field: `$lot`, `$+serial`, `$$...` with quantity and expiry, or a day of the year and a lot. */
function readLotField(part: string): Reading<Partial<SecondaryFields>> {
  const julian = /^(\d{5})([A-Z0-9]{0,18})$/.exec(part)
  if (julian !== null) return withExpiry(dayOfYear(julian[1] ?? ''), { lot: orNull(julian[2]) })
  const [, dollars, plus, rest] = /^(\$\$?)(\+?)([A-Z0-9]*)$/.exec(part) ?? []
  if (dollars === undefined || rest === undefined) return notHibc
  const named = (value: string) => (plus === '+' ? { serial: orNull(value) } : { lot: orNull(value) })
  if (dollars === '$') return rest.length > 18 ? notHibc : accept(named(rest))
  const [, two, five, afterQuantity = ''] = /^(?:8(\d{2})|9(\d{5}))?(.*)$/.exec(rest) ?? []
  const counted = two ?? five
  const quantity = counted === undefined ? {} : { quantity: Number(counted) }
  if (counted !== undefined && afterQuantity === '') return accept(quantity)
  for (const { shape, read } of expiryForms) {
    const [, date, value] = shape.exec(afterQuantity) ?? []
    if (date !== undefined && value !== undefined)
      return withExpiry(read(date), { ...quantity, ...named(value) })
  }
  return notHibc
}

/** Date flags of the `$$` field; 7 stands for no date. */
const expiryForms: readonly {
  readonly shape: RegExp
  readonly read: (date: string) => string | null | undefined
}[] = [
  {
    shape: /^([01]\d{3})([A-Z0-9]{0,18})$/,
    read: (date) => calendarDay(`20${date.slice(2)}`, date.slice(0, 2)),
  },
  {
    shape: /^2(\d{6})([A-Z0-9]{0,18})$/,
    read: (date) => calendarDay(`20${date.slice(4)}`, date.slice(0, 2), date.slice(2, 4)),
  },
  { shape: /^3(\d{6})([A-Z0-9]{0,18})$/, read: yearMonthDay },
  {
    shape: /^4(\d{8})([A-Z0-9]{0,18})$/,
    read: (date) => withHour(yearMonthDay(date.slice(0, 6)), date.slice(6)),
  },
  { shape: /^5(\d{5})([A-Z0-9]{0,18})$/, read: dayOfYear },
  {
    shape: /^6(\d{7})([A-Z0-9]{0,18})$/,
    read: (date) => withHour(dayOfYear(date.slice(0, 5)), date.slice(5)),
  },
  { shape: /^7()([A-Z0-9]{0,18})$/, read: () => null },
]

function readSupplement(part: string): Reading<Partial<SecondaryFields>> {
  const [, kind, value = ''] = /^(14D|16D|S|Q)([A-Z0-9]+)$/.exec(part) ?? []
  switch (kind) {
    case 'S':
      return accept({ serial: value })
    case 'Q':
      return /^\d{1,5}$/.test(value) ? accept({ quantity: Number(value) }) : notHibc
    case '14D':
    case '16D': {
      if (!/^\d{8}$/.test(value)) return notHibc
      const day = calendarDay(value.slice(0, 4), value.slice(4, 6), value.slice(6))
      if (day === undefined) return badDate(value)
      return accept(kind === '14D' ? { expiry: day } : { produced: day })
    }
    default:
      return notHibc
  }
}

function withExpiry(
  expiry: string | null | undefined,
  fields: Partial<SecondaryFields>,
): Reading<Partial<SecondaryFields>> {
  return expiry === undefined ? badDate('') : accept({ ...fields, expiry })
}

function badDate(value: string): Refusal {
  return refuse('no-such-date', `The HIBC code names a date that does not exist ${value}`.trim())
}

/** Undefined when there is no such day or month. */
function calendarDay(year: string, month: string, day?: string): string | undefined {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day ?? '1')))
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day ?? '1')
  if (!exists) return undefined
  return day === undefined ? `${year}-${month}` : `${year}-${month}-${day}`
}

function yearMonthDay(date: string): string | undefined {
  return calendarDay(`20${date.slice(0, 2)}`, date.slice(2, 4), date.slice(4, 6))
}

function dayOfYear(date: string): string | undefined {
  const year = 2000 + Number(date.slice(0, 2))
  const day = new Date(Date.UTC(year, 0, Number(date.slice(2))))
  return day.getUTCFullYear() === year && Number(date.slice(2)) > 0
    ? day.toISOString().slice(0, 10)
    : undefined
}

function withHour(day: string | undefined, hour: string): string | undefined {
  return day === undefined || Number(hour) > 23 ? undefined : `${day}T${hour}`
}

function orNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text
}
