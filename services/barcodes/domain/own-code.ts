/**
 * TracSeq's own codes: `TS-7K2M-0004-X`.
 *
 *   TS    prefix: the kind of thing
 *   7K2M  workstation part: four characters, drawn at random once per workstation
 *   0004  counter of that workstation: decimal, at least four digits, grows beyond 9999
 *   X     check character over everything before it
 *
 * The alphabet has 29 characters: digits and the letters left when I, L, O, S, B, Z and U are taken away, because people
 * read those as 1, 1, 0, 5, 8, 2 and V. When a person types one of them, it is read as its look-alike. 29 is prime,
 * and the check value is a polynomial in 8 modulo 29: no weight is zero and neighbouring weights differ, so every
 * replaced character and every swap of two neighbours is noticed, in prefix and workstation part too.
 *
 * A position in a container has a label of its own: the container's code, a slash, row letter and column number, and
 * a second check character over all of it: `BX-7K2M-0011-F/C4-H`. Both forms use only characters that Code 128,
 * Code 39, Data Matrix and QR hold.
 */

import { accept, refuse, type Reading } from './reading.ts'

/** Kinds of things that get codes. A prefix, once printed, is never given another meaning. */
export const codePrefixes = {
  sampleTube: 'TS',
  box: 'BX',
  plate: 'PL',
  rack: 'RK',
  freezer: 'FZ',
  shelf: 'SH',
  library: 'LB',
  pool: 'PO',
  sequencingJob: 'JB',
  sequencingRun: 'RN',
  flowCell: 'FC',
  reagentLot: 'RG',
  kit: 'KT',
  instrument: 'NS',
  shipment: 'SM',
  document: 'DX',
} as const

export type CodeKind = keyof typeof codePrefixes

export interface OwnCode {
  readonly kind: CodeKind
  readonly workstationPart: WorkstationPart
  readonly counter: number
  /** The printed form; two codes are the same exactly when their texts are. */
  readonly text: string
}

export type WorkstationPart = string & { readonly __brand: 'WorkstationPart' }

export interface PositionLabel {
  readonly container: OwnCode
  /** First row is 1. */
  readonly row: number
  /** First column is 1. */
  readonly column: number
  /** Row letter and column number as people say it: `C4`. */
  readonly position: string
  readonly text: string
}

/** Draws a whole number from 0 up to, but not including, its argument. */
export type DrawNumber = (exclusiveMaximum: number) => number

const alphabet = '0123456789ACDEFGHJKMNPQRTVWXY'
const lookAlikes: Readonly<Record<string, string>> = {
  I: '1',
  L: '1',
  O: '0',
  S: '5',
  B: '8',
  Z: '2',
  U: 'V',
}
/** Its powers run through all 28 numbers below 29, so weights repeat only after 28 characters. */
const checkBase = 8
const workstationPartLength = 4
const shortestCounter = 4

/** Rows beyond AS would need letters whose check values coincide with digits; the largest plate has 32 rows (AF). */
export const largestRow = 45
export const largestColumn = 99

/**
 * Draws the part that makes a workstation's codes its own. It always holds a letter and a digit, so that it is neither
 * a word nor taken for a counter. The Hub refuses one that is taken; then another is drawn.
 */
export function drawWorkstationPart(draw: DrawNumber): WorkstationPart {
  for (;;) {
    const part = Array.from({ length: workstationPartLength }, () =>
      alphabet.charAt(draw(alphabet.length)),
    ).join('')
    if (isWorkstationPart(part)) return part
  }
}

/** Whether the text can stand as a workstation part: four characters of the alphabet, letters and digits among them. */
export function isWorkstationPart(text: string): text is WorkstationPart {
  return (
    text.length === workstationPartLength &&
    [...text].every((character) => alphabet.includes(character)) &&
    /[0-9]/.test(text) &&
    /[A-Z]/.test(text)
  )
}

/** The code with this kind, workstation part and counter. A counter that is not a whole number above 0 is a defect. */
export function formatOwnCode(kind: CodeKind, workstationPart: WorkstationPart, counter: number): OwnCode {
  if (!Number.isSafeInteger(counter) || counter < 1) {
    throw new RangeError(`A code's counter is a whole number from 1, not ${counter}`)
  }
  const prefix = codePrefixes[kind]
  const digits = String(counter).padStart(shortestCounter, '0')
  const check = alphabet.charAt(checkValue(foldedValues(prefix + workstationPart + digits)))
  return { kind, workstationPart, counter, text: `${prefix}-${workstationPart}-${digits}-${check}` }
}

/**
 * The next code of a workstation and the counter to store with it, in the same transaction: a counter is never used
 * again, whatever becomes of the thing. `lastCounter` is 0 on a new workstation part.
 */
export function nextCode(
  kind: CodeKind,
  workstationPart: WorkstationPart,
  lastCounter: number,
): { readonly code: OwnCode; readonly counter: number } {
  const counter = lastCounter + 1
  return { code: formatOwnCode(kind, workstationPart, counter), counter }
}

/**
 * Reads a code as scanned or as typed: in either case, with dashes, with blanks for dashes, without any, and with
 * look-alike characters. Refuses with `not-an-own-code` what has another shape, with `check-character` what has the
 * shape and a wrong check character.
 */
export function parseOwnCode(text: string): Reading<OwnCode> {
  const shape = ownCodeShape.exec(plainDashes(text).trim().toUpperCase())
  if (shape === null) return notAnOwnCode
  const [
    ,
    prefixText = '',
    dash1 = '',
    partText = '',
    dash2 = '',
    counterText = '',
    dash3 = '',
    checkText = '',
  ] = shape
  const kind = kindOfPrefix(prefixText)
  const part = fold(partText)
  const digits = fold(counterText)
  if (kind === undefined || !isWorkstationPart(part) || !/^\d+$/.test(digits)) return notAnOwnCode
  const counter = Number(digits)
  if (!Number.isSafeInteger(counter) || counter < 1) return notAnOwnCode
  if (String(counter).padStart(shortestCounter, '0') !== digits) return notAnOwnCode
  const dashes = [dash1, dash2, dash3].filter((dash) => dash !== '').length
  if (dashes > 0 && dashes < 3 && digits.length > shortestCounter) {
    // Here a dash misread as a digit would make a longer counter, which the check character need not notice.
    return refuse(
      'dashes-incomplete',
      'A code with a counter above 9999 is typed with all its dashes or with none',
    )
  }
  const code = formatOwnCode(kind, part, counter)
  if (!code.text.endsWith(fold(checkText))) {
    return refuse(
      'check-character',
      `The check character of ${text.trim()} is wrong: it was misread or mistyped`,
    )
  }
  return accept(code)
}

/** Whether the text is written with the dashes of an own code and a prefix of ours, right or wrong: never a foreign code. */
export function looksLikeOwnCode(text: string): boolean {
  const shape = /^([A-Z0-9]{2})-[A-Z0-9]{4}-[A-Z0-9]{4,}-[A-Z0-9](?:\/.*)?$/.exec(
    plainDashes(text).trim().toUpperCase(),
  )
  return shape?.[1] !== undefined && kindOfPrefix(shape[1]) !== undefined
}

/** The label of one position in a container; row and column count from 1. Positions beyond 45 × 99 are a defect. */
export function formatPositionLabel(container: OwnCode, row: number, column: number): PositionLabel {
  if (!Number.isInteger(row) || row < 1 || row > largestRow) throw new RangeError(`No label for row ${row}`)
  if (!Number.isInteger(column) || column < 1 || column > largestColumn) {
    throw new RangeError(`No label for column ${column}`)
  }
  const position = `${rowLetters(row)}${column}`
  const values = [...foldedValues(container.text.replaceAll('-', '')), ...positionValues(position)]
  const check = alphabet.charAt(checkValue(values))
  return { container, row, column, position, text: `${container.text}/${position}-${check}` }
}

/** Reads a position label as scanned or typed. Look-alikes are not exchanged in the row letters, where all 26 occur. */
export function parsePositionLabel(text: string): Reading<PositionLabel> {
  const slash = text.indexOf('/')
  const shape = /^([A-Z]{1,2})([1-9]\d?)(?: - |-)([A-Z0-9])$/.exec(
    plainDashes(text.slice(slash + 1))
      .trimEnd()
      .toUpperCase(),
  )
  if (slash < 0 || shape === null) return notAPositionLabel
  const [, letters = '', columnText = '', checkText = ''] = shape
  const container = parseOwnCode(text.slice(0, slash))
  if (!container.ok) return container.rule === notAnOwnCode.rule ? notAPositionLabel : container
  const row = rowOfLetters(letters)
  if (row > largestRow) return notAPositionLabel
  const label = formatPositionLabel(container.value, row, Number(columnText))
  if (!label.text.endsWith(`-${fold(checkText)}`)) {
    return refuse(
      'check-character',
      `The check character of ${text.trim()} is wrong: it was misread or mistyped`,
    )
  }
  return accept(label)
}

// Exactly one dash or blank (or a dash between blanks) per gap: otherwise a character misread as a dash would pass.
const gap = '( - |[- ])?'
const ownCodeShape = new RegExp(`^([A-Z0-9]{2})${gap}([A-Z0-9]{4})${gap}([A-Z0-9]{4,16})${gap}([A-Z0-9])$`)

const notAnOwnCode = refuse(
  'not-an-own-code',
  'This does not have the form of our codes, such as TS-7K2M-0004-X',
)
const notAPositionLabel = refuse(
  'not-a-position-label',
  'This does not have the form of our position labels, such as BX-7K2M-0011-F/C4-H',
)

/** Word processors turn dashes into longer ones. */
function plainDashes(text: string): string {
  return text.replace(/[\u2010-\u2015\u2212]/g, '-').replace(/\u00a0/g, ' ')
}

function fold(text: string): string {
  return [...text].map((character) => lookAlikes[character] ?? character).join('')
}

function kindOfPrefix(prefix: string): CodeKind | undefined {
  return kindsByFoldedPrefix.get(fold(prefix))
}

const kindsByFoldedPrefix: ReadonlyMap<string, CodeKind> = new Map(
  (Object.keys(codePrefixes) as CodeKind[]).map((kind) => [fold(codePrefixes[kind]), kind]),
)

function foldedValues(text: string): number[] {
  return [...fold(text)].map((character) => alphabet.indexOf(character))
}

/** Digits and second letters up to S have values of their own; in the first place all letters have. */
function positionValues(position: string): number[] {
  return [...position].map((character) => Number.parseInt(character, 36) % alphabet.length)
}

/** Less 1, so that text of zeros only does not check itself. */
function checkValue(values: readonly number[]): number {
  const sum = values.reduce((total, value) => ((total + value) * checkBase) % alphabet.length, 0)
  return (sum + alphabet.length - 1) % alphabet.length
}

/** Row 1 is A, 26 is Z, 27 is AA. */
export function rowLetters(row: number): string {
  const letter = String.fromCharCode(65 + ((row - 1) % 26))
  return row > 26 ? rowLetters(Math.floor((row - 1) / 26)) + letter : letter
}

function rowOfLetters(letters: string): number {
  return [...letters].reduce((row, letter) => row * 26 + letter.charCodeAt(0) - 64, 0)
}
