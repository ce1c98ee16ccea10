/**
 * What a scanner sends with symbology identifiers switched on (`]d2...`), read into symbology and data and written
 * back, in the notation of GS1's own tools: data that begin with `^` are GS1 elements with `^` for FNC1, others are
 * plain text (where a `^` at the start is written `\^`), and `|` stands between a linear symbol and its composite part.
 */

import {
  endsWithoutSeparator,
  groupSeparator,
  parseCaretForm,
  parseMachineForm,
  type Gs1Elements,
} from './gs1.ts'
import { gs1CheckDigit } from './gs1-content-rules.ts'
import { parseDigitalLink } from './gs1-digital-link.ts'
import { accept, refuse, type Reading, type Refusal } from './reading.ts'

/** Symbols that carry GS1 data, and how. GTIN lengths count the check digit. */
const symbols = {
  DataBarOmni: { carries: 'gtin', digits: 14, identifier: ']e0' },
  DataBarTruncated: { carries: 'gtin', digits: 14, identifier: ']e0' },
  DataBarStacked: { carries: 'gtin', digits: 14, identifier: ']e0' },
  DataBarStackedOmni: { carries: 'gtin', digits: 14, identifier: ']e0' },
  DataBarLimited: { carries: 'gtin', digits: 14, identifier: ']e0' },
  DataBarExpanded: { carries: 'elements', identifier: ']e0' },
  GS1_128_CCA: { carries: 'elements', identifier: ']C1' },
  GS1_128_CCC: { carries: 'elements', identifier: ']C1' },
  EAN13: { carries: 'article', digits: 13, identifier: ']E0' },
  UPCA: { carries: 'article', digits: 12, identifier: ']E0' },
  UPCE: { carries: 'article', digits: 12, identifier: ']E0' },
  EAN8: { carries: 'article', digits: 8, identifier: ']E4' },
  QR: { carries: 'either', plain: ']Q1', elements: ']Q3' },
  DM: { carries: 'either', plain: ']d1', elements: ']d2' },
  DotCode: { carries: 'either', plain: ']J0', elements: ']J1' },
} as const

export type Gs1Symbol = keyof typeof symbols
export const gs1Symbols = Object.keys(symbols) as readonly Gs1Symbol[]

export interface ScanData {
  readonly symbology: Gs1Symbol
  readonly data: string
  /** The GS1 elements in the symbol, those of a composite part among them, or in the Digital Link it holds. */
  readonly elements: Gs1Elements | null
  readonly isDigitalLink: boolean
}

/** Reads scan data of the symbols in which GS1 data travel. Content is checked by the rules of the elements. */
export function parseScanData(scanData: string): Reading<ScanData> {
  const identifier = scanData.slice(0, 3)
  const content = scanData.slice(3)
  switch (identifier) {
    case ']Q1':
      return plainScan('QR', content)
    case ']d1':
      return plainScan('DM', content)
    case ']J0':
      return plainScan('DotCode', content)
    case ']Q3':
      return elementScan('QR', content)
    case ']d2':
      return elementScan('DM', content)
    case ']J1':
      return elementScan('DotCode', content)
    case ']C1':
      return elementScan('GS1_128_CCA', content)
    case ']e0':
      return elementScan('DataBarExpanded', content)
    case ']E0':
      return articleScan('EAN13', content)
    case ']E4':
      return articleScan('EAN8', content)
    default:
      return refuse(
        'unknown-symbology-identifier',
        'This does not begin with the identifier of a symbol that GS1 uses',
      )
  }
}

/** Writes what a scanner would send for these data in this symbol. `addCheckDigit`: a GTIN comes without its own. */
export function generateScanData(
  symbology: Gs1Symbol,
  data: string,
  options: { readonly addCheckDigit?: boolean } = {},
): Reading<string> {
  const symbol = symbols[symbology]
  if (symbol.carries === 'either') {
    if (!data.startsWith('^')) return accept(symbol.plain + data.replace(/^\\(\\*\^)/, '$1'))
    const elements = parseCaretForm(data)
    return elements.ok ? accept(symbol.elements + separated(data)) : elements
  }
  const bar = data.indexOf('|')
  const linear = bar < 0 ? data : data.slice(0, bar)
  const composite = bar < 0 ? null : data.slice(bar + 1)
  if (composite !== null) {
    const elements = parseCaretForm(composite)
    if (!elements.ok) return elements
  }
  if (symbol.carries === 'elements') {
    const elements = parseCaretForm(linear)
    if (!elements.ok) return elements
    return accept(
      composite === null
        ? symbol.identifier + separated(linear)
        : `]e0${joinComposite(separated(linear), elements.value, separated(composite))}`,
    )
  }
  const number = completeNumber(symbology, symbol.digits, linear, options.addCheckDigit ?? false)
  if (!number.ok) return number
  if (symbol.carries === 'gtin') {
    return accept(symbol.identifier + '01' + number.value + (composite === null ? '' : separated(composite)))
  }
  const transmitted = symbology === 'EAN8' ? number.value : number.value.padStart(13, '0')
  return accept(symbol.identifier + transmitted + (composite === null ? '' : `|]e0${separated(composite)}`))
}

function plainScan(symbology: Gs1Symbol, content: string): Reading<ScanData> {
  const link = parseDigitalLink(content)
  return accept({
    symbology,
    data: content.replace(/^\\*\^/, '\\$&'),
    elements: link.ok ? link.value : null,
    isDigitalLink: link.ok,
  })
}

function elementScan(symbology: Gs1Symbol, content: string): Reading<ScanData> {
  const elements = parseMachineForm(content)
  if (!elements.ok) return elements
  return accept({ symbology, data: withCarets(content), elements: elements.value, isDigitalLink: false })
}

function articleScan(symbology: 'EAN13' | 'EAN8', content: string): Reading<ScanData> {
  const bar = content.indexOf('|]e0')
  const digits = bar < 0 ? content : content.slice(0, bar)
  const number = completeNumber(symbology, symbols[symbology].digits, digits, false)
  if (!number.ok) return number
  const article = { ai: '01', value: digits.padStart(14, '0') }
  if (bar < 0) return accept({ symbology, data: digits, elements: [article], isDigitalLink: false })
  const composite = content.slice(bar + '|]e0'.length)
  const elements = parseMachineForm(composite)
  if (!elements.ok) return elements
  return accept({
    symbology,
    data: `${digits}|${withCarets(composite)}`,
    elements: [article, ...elements.value],
    isDigitalLink: false,
  })
}

/** The number of a GTIN symbol with its check digit, added or verified. Element (01) may stand for the bare number. */
function completeNumber(
  symbology: Gs1Symbol,
  length: number,
  text: string,
  addCheckDigit: boolean,
): Reading<string> {
  const digits = shortened(text, length)
  const wanted = addCheckDigit ? length - 1 : length
  if (!/^\d*$/.test(digits)) return refuse('not-numeric', `${symbology} holds digits only`)
  if (digits.length !== wanted) return wrongLength(symbology, wanted)
  if (symbology === 'DataBarLimited' && digits > '2') {
    return refuse('out-of-range', 'DataBar Limited holds only numbers that begin with 0 or 1')
  }
  const number = addCheckDigit ? digits + gs1CheckDigit(digits) : digits
  if (gs1CheckDigit(number.slice(0, -1)) !== number.at(-1)) {
    return refuse('INCORRECT_CHECK_DIGIT', `The check digit of ${number} is wrong`)
  }
  return accept(number)
}

function wrongLength(symbology: Gs1Symbol, wanted: number): Refusal {
  return refuse('wrong-length', `${symbology} holds ${wanted} digits here`)
}

/** `^01` with 14 digits is the bare number with zeros in front. */
function shortened(text: string, length: number): string {
  const gtin = /^\^01(\d{14})$/.exec(text)?.[1]
  const zeros = 14 - length
  return gtin !== undefined && gtin.startsWith('0'.repeat(zeros)) ? gtin.slice(zeros) : text
}

/** Linear and composite part come as one message, with a separator only where the linear part ends in an open value. */
function joinComposite(linear: string, elements: Gs1Elements, composite: string): string {
  const last = elements.at(-1)
  const ended = last === undefined || endsWithoutSeparator(last) || linear.endsWith(groupSeparator)
  return linear + (ended ? '' : groupSeparator) + composite
}

function separated(caretForm: string): string {
  return caretForm.slice(1).replaceAll('^', groupSeparator)
}

function withCarets(machineForm: string): string {
  return `^${machineForm.replaceAll(groupSeparator, '^')}`
}
