/** One way to read a text as a day (or month, or year), in ISO form. */
export interface DateReading {
  /** `2026-11-09`, with the time as written where there is one; `2026-11` or `2026` where only that was given. */
  readonly value: string
  readonly way: 'as-written' | 'day-first' | 'month-first' | 'two-digit-year'
}

const MONTHS: readonly string[] = [
  'jan',
  'feb',
  'mar',
  'apr',
  'may',
  'jun',
  'jul',
  'aug',
  'sep',
  'oct',
  'nov',
  'dec',
]
const MONTH_NAMES: readonly string[] = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July',
  'August', 'September', 'October', 'November', 'December',
] // prettier-ignore

/**
 * Every day a text can mean. ISO dates, dates with the month in letters and dates with dots (day first) have one
 * reading; `09/11/2026` has two; a year of two digits is a guess and says so. Empty when it is no date.
 */
export function readDateText(text: string): readonly DateReading[] {
  const bare = text.normalize('NFKC').trim()
  const timed = /^(.*?\d)(?:[T ]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(bare)
  if (timed === null) return []
  const [, day = '', time, zone = ''] = timed
  if (time !== undefined && !isTime(time)) return []
  const suffix =
    time === undefined ? '' : `T${time.padStart(time.indexOf(':') === 1 ? time.length + 1 : 0, '0')}${zone}`
  return readDay(day).map((reading) => ({ ...reading, value: reading.value + suffix }))
}

/** Reads a month or year given alone, as forms ask with "MM/YY or YYYY only": `2022`, `2022-12`, `12/2022`, `12/22`. */
export function readPartialDateText(text: string): readonly DateReading[] {
  const bare = text.normalize('NFKC').trim()
  if (/^(19|20)\d{2}$/.test(bare)) return [{ value: bare, way: 'as-written' }]
  const yearFirst = /^((?:19|20)\d{2})[-/.](\d{1,2})$/.exec(bare)
  if (yearFirst !== null) return readMonth(yearFirst[1], yearFirst[2], 'as-written')
  const monthFirst = /^(\d{1,2})[-/.]((?:19|20)\d{2})$/.exec(bare)
  if (monthFirst !== null) return readMonth(monthFirst[2], monthFirst[1], 'as-written')
  const short = /^(\d{1,2})[-/.](\d{2})$/.exec(bare)
  return short === null ? [] : readMonth(`20${short[2] ?? ''}`, short[1], 'two-digit-year')
}

/** A day in words, `9 November 2026`, so that it cannot be misread. */
export function spellDate(iso: string): string {
  const [year = '', month = '', day] = iso.slice(0, 10).split('-')
  const name = MONTH_NAMES[Number(month) - 1]
  if (name === undefined) return iso
  return day === undefined ? `${name} ${year}` : `${Number(day)} ${name} ${year}${iso.slice(10)}`
}

function readMonth(
  year: string | undefined,
  month: string | undefined,
  way: DateReading['way'],
): readonly DateReading[] {
  const number = Number(month)
  if (!(number >= 1 && number <= 12)) return []
  return [{ value: `${year ?? ''}-${String(number).padStart(2, '0')}`, way }]
}

function readDay(text: string): readonly DateReading[] {
  const iso = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/.exec(text) ?? /^(\d{4})()(\d{2})(\d{2})$/.exec(text)
  if (iso !== null) return readOne(iso[1], iso[3], iso[4], 'as-written')
  const named =
    /^(\d{1,2})(?:st|nd|rd|th)?[-./, ]*(\p{L}{3,9})\.?[-./, ]*(\d{4}|\d{2})$/iu.exec(text) ??
    swapDay(/^(\p{L}{3,9})\.?[- ]*(\d{1,2})(?:st|nd|rd|th)?[-, ]+(\d{4})$/iu.exec(text))
  if (named !== null) return readNamedMonth(named[1], named[2], named[3])
  const parts = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$/.exec(text)
  if (parts === null) return []
  const [, first, separator, second, written = ''] = parts
  const short = written.length === 2
  const year = short ? `20${written}` : written
  const dayFirst = readOne(year, second, first, short ? 'two-digit-year' : 'day-first')
  const monthFirst =
    separator === '.' ? [] : readOne(year, first, second, short ? 'two-digit-year' : 'month-first')
  if (short) return dropEqual([...dayFirst, ...monthFirst])
  const readings = dropEqual([...dayFirst, ...monthFirst])
  return readings.length === 1 ? readings.map(({ value }) => ({ value, way: 'as-written' })) : readings
}

function swapDay(match: RegExpExecArray | null): readonly (string | undefined)[] | null {
  return match === null ? null : [match[0], match[2], match[1], match[3]]
}

function readNamedMonth(day?: string, name?: string, year = ''): readonly DateReading[] {
  const folded = (name ?? '').toLowerCase()
  const month = MONTHS.indexOf(folded.slice(0, 3)) + 1
  const known =
    month > 0 && (MONTH_NAMES[month - 1] ?? '').toLowerCase().startsWith(folded.replace(/^sept$/, 'sep'))
  if (!known) return []
  return year.length === 2
    ? readOne(`20${year}`, String(month), day, 'two-digit-year')
    : readOne(year, String(month), day, 'as-written')
}

function dropEqual(readings: readonly DateReading[]): readonly DateReading[] {
  return readings.filter(
    (reading, index) => readings.findIndex(({ value }) => value === reading.value) === index,
  )
}

function readOne(
  year?: string,
  month?: string,
  day?: string,
  way: DateReading['way'] = 'as-written',
): DateReading[] {
  const value = `${year ?? ''}-${(month ?? '').padStart(2, '0')}-${(day ?? '').padStart(2, '0')}`
  const instant = new Date(`${value}T00:00:00Z`)
  const real = !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(value)
  return real && Number(year) >= 1900 && Number(year) < 2200 ? [{ value, way }] : []
}

function isTime(text: string): boolean {
  const [hours, minutes, seconds = '0'] = text.split(':')
  return Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60
}
