/** What a number format makes of a number, as far as reading it back needs to know. */
export type NumberFormatMeaning =
  | { readonly shows: 'number' }
  | { readonly shows: 'date'; readonly time: boolean }
  | { readonly shows: 'time' }
  | { readonly shows: 'padded'; readonly digits: number }

/** Built-in formats have no code in the file; these are the ones that are dates and times (ECMA-376, 18.8.30). */
const BUILT_IN_CODES: Readonly<Record<number, string>> = {
  9: '0%',
  10: '0.00%',
  11: '0.00E+00',
  14: 'yyyy-mm-dd',
  15: 'd-mmm-yy',
  16: 'd-mmm',
  17: 'mmm-yy',
  18: 'h:mm AM/PM',
  19: 'h:mm:ss AM/PM',
  20: 'h:mm',
  21: 'h:mm:ss',
  22: 'yyyy-mm-dd h:mm',
  45: 'mm:ss',
  46: '[h]:mm:ss',
  47: 'mm:ss.0',
}

/** The code of a built-in number format; East Asian date formats (27–36, 50–58) all mean a date. */
export function findBuiltInFormat(id: number): string | undefined {
  if ((id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return 'yyyy-mm-dd'
  return BUILT_IN_CODES[id]
}

/** Reads a number format code: only its first section counts, quoted and escaped text says nothing. */
export function readNumberFormat(code: string): NumberFormatMeaning {
  const bare = code.replace(/"[^"]*"|\\.|_.|\*./g, '')
  const section = bare.split(';')[0] ?? ''
  if (/^0+$/.test(section.trim())) return { shows: 'padded', digits: section.trim().length }
  // [h]:mm counts hours beyond a day: a duration, which only the stored number holds exactly.
  if (/\[(h+|m+|s+)\]/i.test(section)) return { shows: 'number' }
  const letters = section.replace(/\[[^\]]*\]/g, '').replace(/general|AM\/PM|A\/P/gi, '')
  const time = /[hs]/i.test(letters)
  const date = /[yd]/i.test(letters) || (/m/i.test(letters) && !time)
  if (date) return { shows: 'date', time }
  return time ? { shows: 'time' } : { shows: 'number' }
}

const DAY_MS = 86_400_000

/**
 * The ISO text of a spreadsheet's serial date: `2026-11-17`, with `T10:30:00` where there is a time of day.
 * Null for serials that are no day, among them 60 in the 1900 system, the 29 February 1900 that never was.
 */
export function formatSerialDate(
  serial: number,
  options: { base1904: boolean; time: boolean },
): string | null {
  if (!Number.isFinite(serial) || serial < 0 || serial >= 2_958_466) return null
  if (!options.base1904 && serial >= 60 && serial < 61) return null
  const epoch = options.base1904
    ? Date.UTC(1904, 0, 1)
    : serial < 60
      ? Date.UTC(1899, 11, 31)
      : Date.UTC(1899, 11, 30)
  const instant = new Date(epoch + Math.round(serial * DAY_MS)).toISOString()
  const time = instant.slice(11, 23)
  if (time === '00:00:00.000' && !options.time) return instant.slice(0, 10)
  return `${instant.slice(0, 10)}T${time.endsWith('.000') ? time.slice(0, 8) : time}`
}

/** The time of day of a serial below 1, `10:30:00`; null when it carries whole days. */
export function formatSerialTime(serial: number): string | null {
  if (!(serial >= 0 && serial < 1)) return null
  const time = new Date(Math.round(serial * DAY_MS)).toISOString().slice(11, 23)
  return time.endsWith('.000') ? time.slice(0, 8) : time
}
