import { readUnit } from './unit.ts'

/** One way to read a text as a number: the number in plain decimal digits and, for the person, what was assumed. */
export interface NumberReading {
  readonly value: string
  readonly way: 'as-written' | 'decimal-comma' | 'thousands-separators'
}

export interface NumberText {
  /** More than one reading, or one that assumes something: a person decides. */
  readonly readings: readonly NumberReading[]
  /** The unit written behind the number, in our spelling. */
  readonly unit: string | null
  /** What stood behind the number and is no known unit. */
  readonly unknownUnit: string | null
}

/**
 * Reads a number as people write it, keeping every digit. `495.5` has one reading as written; `495,5` one that
 * takes the comma for a decimal point; `1,234` two. Null when the text is no number.
 */
export function readNumberText(text: string): NumberText | null {
  const bare = text.normalize('NFKC').trim().replace(/^[−–]/, '-')
  const match = /^([+-]?[\d.,' ]*\d[.,]?(?:[eE][+-]?\d+)?)(.*)$/s.exec(bare)
  if (match === null) return null
  const [, digits = '', rest = ''] = match
  const readings = readDigits(digits.trim().replaceAll(/['\s]/g, ' '))
  if (readings.length === 0) return null
  const unit = rest.trim() === '' ? null : readUnit(rest)
  return { readings, unit, unknownUnit: rest.trim() === '' || unit !== null ? null : rest.trim() }
}

function readDigits(digits: string): readonly NumberReading[] {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(digits))
    return [{ value: plain(digits), way: 'as-written' }]
  const readings: NumberReading[] = []
  if (/^[+-]?\d*,\d+([eE][+-]?\d+)?$/.test(digits) || /^[+-]?\d{1,3}([. ]\d{3})+,\d+$/.test(digits)) {
    readings.push({ value: plain(digits.replaceAll(/[. ]/g, '').replace(',', '.')), way: 'decimal-comma' })
  }
  if (/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits) || /^[+-]?\d{1,3}( \d{3})+(\.\d+)?$/.test(digits)) {
    readings.push({ value: plain(digits.replaceAll(/[, ]/g, '')), way: 'thousands-separators' })
  } else if (/^[+-]?\d{1,3}(\.\d{3}){2,}$/.test(digits)) {
    readings.push({ value: plain(digits.replaceAll('.', '')), way: 'thousands-separators' })
  }
  return readings
}

/** Drops a leading plus and completes `.5` and `5.`; every digit that was written stays, `15.0` remains `15.0`. */
function plain(digits: string): string {
  return digits
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.($|[eE])/, '$1')
}
