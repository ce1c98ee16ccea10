/** Says what a scanned or typed text is. Nothing is looked up here; nothing of the text is changed silently. */

import { splitSymbologyIdentifier } from './aim.ts'
import {
  formatBracketedForm,
  groupSeparator,
  parseBracketedForm,
  parseMachineForm,
  type Gs1Elements,
} from './gs1.ts'
import { gs1CheckDigit } from './gs1-content-rules.ts'
import { parseDigitalLink } from './gs1-digital-link.ts'
import { parseScanData } from './gs1-scan-data.ts'
import { parseHibc, type HibcCode } from './hibc.ts'
import {
  keysOfExternal,
  keysOfGs1,
  keysOfHibc,
  keysOfOwnCode,
  keysOfPosition,
  type LookupKeys,
} from './lookup-keys.ts'
import {
  looksLikeOwnCode,
  parseOwnCode,
  parsePositionLabel,
  type OwnCode,
  type PositionLabel,
} from './own-code.ts'
import { readNoTube, type NoTube } from './rack-read.ts'
import { accept, refuse, type Reading, type Refusal } from './reading.ts'

export type Scan =
  | { readonly kind: 'own-code'; readonly code: OwnCode; readonly keys: LookupKeys }
  | { readonly kind: 'position-label'; readonly label: PositionLabel; readonly keys: LookupKeys }
  | {
      readonly kind: 'gs1'
      readonly elements: Gs1Elements
      readonly humanReadable: string
      /** False when neither identifier, separator nor brackets said so: the digits merely have the form. */
      readonly declared: boolean
      readonly keys: LookupKeys
    }
  | { readonly kind: 'hibc'; readonly code: HibcCode; readonly keys: LookupKeys }
  /** Letters that a sample index may consist of: a tube's code only after a person confirms it. */
  | { readonly kind: 'index-sequence'; readonly sequence: string; readonly keys: LookupKeys }
  | ({ readonly kind: 'no-tube' } & NoTube)
  | { readonly kind: 'external'; readonly text: string; readonly keys: LookupKeys }
  | { readonly kind: 'refused'; readonly rule: string; readonly problem: string }

/** The longest code we take: far above any label, below what could be a document pasted by accident. */
export const longestScan = 512

/**
 * Classifies one scan or typed code. Blanks and line ends around it are taken away, a symbology identifier (`]d2`) is
 * used and removed. What claims to be GS1, HIBC or ours and breaks a rule is refused, never taken for something else.
 */
export function classifyScan(text: string): Scan {
  const unfit = unfitText(text)
  if (unfit !== null) return refused(unfit)
  const trimmed = text.trim().normalize('NFC')
  const { identifier, isGs1, data } = splitSymbologyIdentifier(trimmed)
  if (isGs1 || identifier === ']E0' || identifier === ']E4')
    return gs1Scan(elementsOfSymbol(identifier ?? '', data))
  if (data === '') return refused(nothingRead)
  if (data.includes(groupSeparator)) return gs1Scan(parseMachineForm(withoutLeadingSeparator(data)))

  const noTube = readNoTube(data)
  if (noTube !== null) return { kind: 'no-tube', ...noTube }
  return ownScan(data) ?? claimedScan(text, data) ?? guessedScan(data)
}

/**
 * The keys under which whatever this text names is stored and found; the first is canonical. Human and machine forms of
 * one code give the same. Refuses texts that name nothing.
 */
export function normaliseForLookup(text: string): Reading<LookupKeys> {
  const scan = classifyScan(text)
  switch (scan.kind) {
    case 'refused':
      return refuse(scan.rule, scan.problem)
    case 'no-tube':
      return refuse('no-tube', `${scan.said} means that no tube was read`)
    case 'own-code':
    case 'position-label':
    case 'gs1':
    case 'hibc':
    case 'index-sequence':
    case 'external':
      return accept(scan.keys)
  }
}

/** Ours: codes and position labels, right or wrong. Undefined for anything else. */
function ownScan(data: string): Scan | undefined {
  const code = parseOwnCode(data)
  if (code.ok) return { kind: 'own-code', code: code.value, keys: keysOfOwnCode(code.value, data) }
  const label = parsePositionLabel(data)
  if (label.ok) return { kind: 'position-label', label: label.value, keys: keysOfPosition(label.value) }
  if (!looksLikeOwnCode(data)) return undefined
  return refused(data.includes('/') ? label : code)
}

/** Forms that say what they are: brackets, the plus sign of HIBC, web addresses. */
function claimedScan(text: string, data: string): Scan | undefined {
  if (/^\(\d{2,4}\)/.test(data))
    return gs1Scan(parseBracketedForm(data.replace(/\s*(\(\d{2,4}\))\s*/g, '$1')))
  if (/^\*?\+/.test(data)) {
    // The check character of HIBC may be a blank, which trimming has taken away.
    const hibc = [data, ...(/ [\r\n]*$/.test(text) ? [`${data} `] : [])].map(parseHibc)
    const read = hibc.find((reading) => reading.ok) ?? hibc[0]
    if (read?.ok) return { kind: 'hibc', code: read.value, keys: keysOfHibc(read.value) }
    if (read !== undefined && read.rule !== 'not-hibc') return refused(read)
  }
  const link = parseDigitalLink(data)
  if (link.ok) return gs1Scan(link)
  return link.rule === 'not-a-digital-link' ? undefined : refused(link)
}

/** Forms that can only be guessed from the characters. */
function guessedScan(data: string): Scan {
  if (/^[ACGTN]{6,12}$/i.test(data)) {
    return { kind: 'index-sequence', sequence: data.toUpperCase(), keys: keysOfExternal(data, null) }
  }
  if (/^(00|01|8003|8006|8017|8018)\d/.test(data)) {
    const elements = parseMachineForm(data)
    if (elements.ok) return gs1Scan(elements, false)
  }
  return { kind: 'external', text: data, keys: keysOfExternal(data, gtinOf(data)) }
}

function gs1Scan(elements: Reading<Gs1Elements>, declared = true): Scan {
  if (!elements.ok) return refused(elements)
  const humanReadable = formatBracketedForm(elements.value)
  return {
    kind: 'gs1',
    elements: elements.value,
    humanReadable,
    declared,
    keys: keysOfGs1(elements.value),
  }
}

function elementsOfSymbol(identifier: string, data: string): Reading<Gs1Elements> {
  const content = withoutLeadingSeparator(data)
  const scan = parseScanData(identifier + content)
  if (!scan.ok && scan.rule !== 'unknown-symbology-identifier') return scan
  // Symbols outside GS1's own tools (Aztec, Code 16K, ...) carry the same element strings.
  return scan.ok && scan.value.elements !== null ? accept(scan.value.elements) : parseMachineForm(content)
}

/** Some scanners transmit the FNC1 that opens a GS1 symbol. */
function withoutLeadingSeparator(data: string): string {
  return data.startsWith(groupSeparator) ? data.slice(1) : data
}

/** Bare numbers with the length and check digit of a GTIN. Eight digits are left out: rack tubes carry such numbers. */
function gtinOf(text: string): string | null {
  if (!/^(\d{12}|\d{13}|\d{14})$/.test(text)) return null
  return gs1CheckDigit(text.slice(0, -1)) === text.at(-1) ? text.padStart(14, '0') : null
}

const nothingRead = refuse('nothing-read', 'Nothing was read')

/** Texts that no code can be: the reason, or null. */
function unfitText(text: string): Refusal | null {
  const trimmed = text.trim()
  if (trimmed === '') return nothingRead
  if (!text.isWellFormed()) {
    return refuse(
      'broken-character',
      'The text holds half of a character (a lone surrogate): it was damaged on its way',
    )
  }
  if (trimmed.length > longestScan) {
    return refuse('too-long', `A code has at most ${longestScan} characters; this has ${trimmed.length}`)
  }
  const forbidden = /(?!\u001d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u.exec(trimmed)
  if (forbidden === null) return null
  const codePoint = `U+${forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  return refuse(
    'forbidden-character',
    `Character ${forbidden.index + 1} (${codePoint}) is invisible or a control character, which no code holds`,
  )
}

function refused({ rule, problem }: Refusal): Scan {
  return { kind: 'refused', rule, problem }
}
