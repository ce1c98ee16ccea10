/**
 * GS1 element strings: lists of application identifier and value, in the forms they take.
 *
 *   machine     010950600013435210LOT-A<GS>21SN1   as scanned; GS (U+001D) ends a value of open length
 *   caret       ^010950600013435210LOT-A^21SN1     the same as GS1 tools write it, `^` for FNC1
 *   bracketed   (01)09506000134352(10)LOT-A(21)SN1 for people; a bracket inside a value is written `\(`
 *
 * All are read into the same elements, with lengths, characters, check digits and content rules checked.
 */

import { brokenContentRule } from './gs1-content-rules.ts'
import {
  gs1Identifiers,
  identifierLength,
  unknownIdentifier,
  type CharacterSet,
  type Gs1Component,
  type Gs1Identifier,
} from './gs1-identifiers.ts'
import { accept, refuse, type Reading, type Refusal } from './reading.ts'

export interface Gs1Element {
  readonly ai: string
  readonly value: string
}

export type Gs1Elements = readonly Gs1Element[]

export interface Gs1Options {
  /** Take identifiers that GS1 has not assigned (yet), where their number of digits is beyond doubt. */
  readonly unknownIdentifiers?: boolean
}

/** FNC1 between elements, as scanners transmit it. */
export const groupSeparator = '\u001d'

const largestElementCount = 64

/** Reads what a scanner sends for a GS1 symbol, without symbology identifier. */
export function parseMachineForm(text: string, options: Gs1Options = {}): Reading<Gs1Elements> {
  return parseSeparated(text, groupSeparator, options)
}

/** Reads the form with `^` for FNC1, the first of which marks the text as GS1. */
export function parseCaretForm(text: string, options: Gs1Options = {}): Reading<Gs1Elements> {
  if (!text.startsWith('^'))
    return refuse('no-leading-fnc1', 'A GS1 element string in this form begins with ^')
  return parseSeparated(text.slice(1), '^', options)
}

/** Reads the form for people: each identifier in round brackets, before its value. */
export function parseBracketedForm(text: string, options: Gs1Options = {}): Reading<Gs1Elements> {
  if (!text.startsWith('('))
    return refuse('no-identifier', 'GS1 data for people begin with an identifier in brackets')
  const elements: Gs1Element[] = []
  for (const part of text.slice(1).split(/(?<!\\)\(/)) {
    const end = part.indexOf(')')
    if (end < 0) return refuse('bracket-not-closed', `The bracket before ${part} is not closed`)
    const ai = part.slice(0, end)
    if (!/^\d{2,4}$/.test(ai))
      return refuse('bad-identifier', `(${ai}) is no identifier: they have two to four digits`)
    elements.push({ ai, value: part.slice(end + 1).replaceAll('\\(', '(') })
  }
  return checkElements(elements, options)
}

/** What a printer encodes and a scanner sends; GS only where it must stand. */
export function formatMachineForm(elements: Gs1Elements): string {
  return joinElements(elements, groupSeparator)
}

/** The form with `^` for FNC1. */
export function formatCaretForm(elements: Gs1Elements): string {
  return `^${joinElements(elements, '^')}`
}

/** The form for people and labels. */
export function formatBracketedForm(elements: Gs1Elements): string {
  return elements.map(({ ai, value }) => `(${ai})${value.replaceAll('(', '\\(')}`).join('')
}

/** Whether the value before it ends by itself, so that the next element follows without FNC1. */
export function endsWithoutSeparator(element: Gs1Element): boolean {
  const identifier = identifierOf(element.ai, { unknownIdentifiers: true })
  return identifier !== undefined && identifier.predefinedLength !== null
}

/** Checks elements that come from elsewhere (a form, a Digital Link) by the same rules as scanned ones. */
export function checkElements(elements: Gs1Elements, options: Gs1Options = {}): Reading<Gs1Elements> {
  if (elements.length === 0) return refuse('no-elements', 'There is no GS1 element in this')
  if (elements.length > largestElementCount) {
    return refuse('too-many-elements', `More than ${largestElementCount} GS1 elements in one code`)
  }
  const values = new Map<string, string>()
  for (const { ai, value } of elements) {
    const problem = elementProblem(ai, value, options)
    if (problem !== null) return problem
    if ((values.get(ai) ?? value) !== value) {
      return refuse('contradiction', `(${ai}) stands twice in this code, with different values`)
    }
    values.set(ai, value)
  }
  return accept(elements)
}

/**
 * The calendar day of a six-digit GS1 date. Two-digit years are read as the year nearest to the current one (more than
 * 50 back is ahead, and the reverse); day 00 means the last of the month (GS1 General Specifications 7.12).
 */
export function dayOfGs1Date(date: string, currentYear: number): string {
  const [yearInCentury = 0, month = 0, day = 0] = (date.match(/\d\d/g) ?? []).map(Number)
  const century = currentYear - (currentYear % 100)
  const distance = yearInCentury - (currentYear % 100)
  const year = century + yearInCentury + (distance > 50 ? -100 : distance < -49 ? 100 : 0)
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return [year, ...[month, day === 0 ? lastDay : day].map((part) => String(part).padStart(2, '0'))].join('-')
}

function parseSeparated(text: string, separator: string, options: Gs1Options): Reading<Gs1Elements> {
  const elements: Gs1Element[] = []
  let rest = text
  while (rest !== '') {
    const length = identifierLength(rest)
    const ai = rest.slice(0, length)
    const identifier = length === undefined ? undefined : identifierOf(ai, options)
    if (identifier === undefined) return unknown(rest.slice(0, length ?? 2))
    rest = rest.slice(ai.length)
    const separatorAt = rest.indexOf(separator)
    const openEnd = separatorAt < 0 ? rest.length : separatorAt
    const end = Math.min(openEnd, identifier.predefinedLength ?? openEnd)
    elements.push({ ai, value: rest.slice(0, end) })
    rest = rest.slice(end)
    if (rest.startsWith(separator)) rest = rest.slice(separator.length)
  }
  return checkElements(elements, options)
}

function joinElements(elements: Gs1Elements, separator: string): string {
  return elements
    .map((element, index) => {
      const separated = index < elements.length - 1 && !endsWithoutSeparator(element)
      return element.ai + element.value + (separated ? separator : '')
    })
    .join('')
}

function identifierOf(ai: string, options: Gs1Options): Gs1Identifier | undefined {
  return gs1Identifiers.get(ai) ?? (options.unknownIdentifiers === true ? unknownIdentifier(ai) : undefined)
}

function unknown(ai: string): Refusal {
  return refuse(
    'unknown-identifier',
    `GS1 has no application identifier that begins with ${JSON.stringify(ai)}`,
  )
}

/** The refusal that the value earns under its identifier, or null when it is good. */
function elementProblem(ai: string, value: string, options: Gs1Options): Refusal | null {
  const identifier = identifierOf(ai, options)
  if (identifier === undefined) return unknown(ai)
  const named = identifier.title === '' ? `(${ai})` : `(${ai}) ${identifier.title}`
  let rest = value
  for (const component of identifier.components) {
    if (component.optional && rest === '') break
    const part = rest.slice(0, component.maximum)
    if (part.length < component.minimum)
      return refuse(
        'too-short',
        `${named}: ${value === '' ? 'the value is missing' : `${value} is too short`}`,
      )
    const rule = brokenRule(component, part)
    if (rule !== null) return refuse(rule, `${named}: ${describeRule(rule)} in ${value}`)
    rest = rest.slice(part.length)
  }
  return rest === '' ? null : refuse('too-long', `${named}: ${value} is too long`)
}

const characters: Readonly<Record<CharacterSet, { readonly allowed: RegExp; readonly rule: string }>> = {
  n: { allowed: /^\d*$/, rule: 'NON_DIGIT_CHARACTER' },
  x: { allowed: /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*$/, rule: 'INVALID_CSET82_CHARACTER' },
  y: { allowed: /^[#\-/0-9A-Z]*$/, rule: 'INVALID_CSET39_CHARACTER' },
  z: { allowed: /^[-0-9A-Z_a-z]*=*$/, rule: 'INVALID_CSET64_CHARACTER' },
}

function brokenRule(component: Gs1Component, part: string): string | null {
  const { allowed, rule } = characters[component.set]
  if (!allowed.test(part)) return rule
  if (component.set === 'z' && wronglyPadded(part)) return 'INVALID_CSET64_PADDING'
  for (const name of component.rules) {
    const broken = brokenContentRule(name, part)
    if (broken !== null) return broken
  }
  return null
}

/** Pad characters may be left out; where they stand they fill the last group of four. */
function wronglyPadded(part: string): boolean {
  const padding = part.length - part.replace(/=+$/, '').length
  return padding > 2 || (padding > 0 && part.length % 4 !== 0)
}

/** `INCORRECT_CHECK_DIGIT` reads "incorrect check digit". */
function describeRule(rule: string): string {
  return rule.toLowerCase().replaceAll('_', ' ')
}
