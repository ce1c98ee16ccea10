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
