/**
 * GS1 Digital Link URIs (uncompressed): `https://id.gs1.org/01/09506000134352/10/LOT-A?17=270331`. The path holds a
 * primary key and its qualifiers in their order, the query all other elements. Any host and path prefix may carry one.
 */

import { checkElements, type Gs1Element, type Gs1Elements } from './gs1.ts'
import { gs1Identifiers } from './gs1-identifiers.ts'
import { accept, refuse, type Reading } from './reading.ts'

/** Reads the elements of a Digital Link. Other web addresses are refused with `not-a-digital-link`. */
export function parseDigitalLink(uri: string): Reading<Gs1Elements> {
  const shape = /^(?:https?|HTTPS?):\/\/([-.:\w[\]]+)(\/[^?#]*)(?:\?([^#]*))?(?:#.*)?$/.exec(uri)
  const [, , path = '', query = ''] = shape ?? []
  if (shape === null || /[^\x21-\x7e]/.test(uri)) return notALink
  const keyAndQualifiers = elementsOfPath(path.replace(/\/$/, '').split('/').slice(1))
  const attributes = elementsOfQuery(query)
  if (keyAndQualifiers === null || attributes === null) return notALink
  return checkElements([...keyAndQualifiers, ...attributes])
}

/**
 * Writes a Digital Link below a base address such as `https://id.gs1.org`. Refuses elements without a primary key, and
 * ones that a link cannot carry beside that key.
 */
export function formatDigitalLink(elements: Gs1Elements, base: string): Reading<string> {
  const checked = checkElements(elements)
  if (!checked.ok) return checked
  const key = elements.find(({ ai }) => linkQualifiersOf(ai) !== null)
  if (key === undefined) return refuse('no-primary-key', 'None of these GS1 elements can lead a Digital Link')
  const sequences = linkQualifiersOf(key.ai) ?? []
  const present = (sequence: readonly string[]) =>
    sequence.flatMap((ai) => elements.find((element) => element.ai === ai) ?? [])
  const qualifiers = sequences.map(present).toSorted((left, right) => right.length - left.length)[0] ?? []
  const inPath = [key, ...qualifiers]
  const inQuery = elements.filter(({ ai }) => !inPath.some((element) => element.ai === ai))
  const misfit = inQuery.find(({ ai }) => !mayBeAttribute(ai))
  if (misfit !== undefined) {
    return refuse('not-in-a-link', `A Digital Link led by (${key.ai}) cannot carry (${misfit.ai})`)
  }
  const path = inPath.map(({ ai, value }) => `/${ai}/${encodeURIComponent(value)}`).join('')
  const query = inQuery.map(({ ai, value }) => `${ai}=${encodeURIComponent(value)}`).join('&')
  return accept(base.replace(/\/+$/, '') + path + (query === '' ? '' : `?${query}`))
}

const notALink = refuse('not-a-digital-link', 'This is not a GS1 Digital Link')

/** The last pair that is a primary key begins the elements; what stands before it belongs to the address. */
function elementsOfPath(segments: readonly string[]): Gs1Element[] | null {
  for (let start = segments.length - 2; start >= 0; start -= 2) {
    const sequences = linkQualifiersOf(segments[start] ?? '')
    if (sequences === null) continue
    const elements = pairs(segments.slice(start))
    const qualifiers = elements?.slice(1).map(({ ai }) => ai) ?? []
    return [[], ...sequences].some((sequence) => isInOrder(qualifiers, sequence)) ? elements : null
  }
  return null
}

function pairs(segments: readonly string[]): Gs1Element[] | null {
  const elements: Gs1Element[] = []
  for (let index = 0; index < segments.length; index += 2) {
    const ai = segments[index] ?? ''
    const value = decodeValue(segments[index + 1] ?? '')
    if (value === null) return null
    elements.push({ ai, value: fullGtin(ai, value) })
  }
  return elements
}

/** Whether the qualifiers are a part of the sequence, in its order. */
function isInOrder(qualifiers: readonly string[], sequence: readonly string[]): boolean {
  const places = qualifiers.map((ai) => sequence.indexOf(ai))
  return places.every((place, index) => place > (places[index - 1] ?? -1))
}

/** Keys made of digits are elements; others are for whoever runs the web server. */
function elementsOfQuery(query: string): Gs1Element[] | null {
  const elements: Gs1Element[] = []
  for (const parameter of query.split(/[&;]/)) {
    const [, ai, encoded] = /^(\d+)=(.*)$/.exec(parameter) ?? []
    if (ai === undefined || encoded === undefined) continue
    const value = decodeValue(encoded)
    if (value === null || !mayBeAttribute(ai)) return null
    elements.push({ ai, value: fullGtin(ai, value) })
  }
  return elements
}

/** The sequences of qualifiers a primary key may take; null for identifiers that are none. */
function linkQualifiersOf(ai: string): readonly (readonly string[])[] | null {
  return gs1Identifiers.get(ai)?.linkQualifiers ?? null
}

function mayBeAttribute(ai: string): boolean {
  return gs1Identifiers.get(ai)?.linkAttribute ?? false
}

/** Links may carry the shorter GTINs, which are GTIN-14 with zeros in front. */
function fullGtin(ai: string, value: string): string {
  return (ai === '01' || ai === '02') && /^(\d{8}|\d{12}|\d{13})$/.test(value)
    ? value.padStart(14, '0')
    : value
}

function decodeValue(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return null
  }
}
