/**
 * The keys under which codes are stored and found. One thing's code has one canonical key however it was scanned or
 * typed; the further keys say less (batch, product, or just the characters) and serve when the canonical one finds
 * nothing.
 */

import {
  formatBracketedForm,
  formatMachineForm,
  groupSeparator,
  type Gs1Element,
  type Gs1Elements,
} from './gs1.ts'
import { formatHibc, type HibcCode } from './hibc.ts'
import type { OwnCode, PositionLabel } from './own-code.ts'

/**
 * What a key singles out. `text` compares characters only, without case, blanks and separators: it is no identity, and
 * more than one hit has to be shown to the person.
 */
export type Identifies = 'thing' | 'batch' | 'product' | 'text'

export interface LookupKey {
  readonly identifies: Identifies
  readonly key: string
}

/** Most exact first: the first is the canonical key. */
export type LookupKeys = readonly [LookupKey, ...LookupKey[]]

/** Keys of one of our codes; what was typed without dashes might also be somebody else's code. */
export function keysOfOwnCode(code: OwnCode, typed: string): LookupKeys {
  return [{ identifies: 'thing', key: `own:${code.text}` }, textKey(typed)]
}

/** Keys of a position label: the place, not the container. */
export function keysOfPosition(label: PositionLabel): LookupKeys {
  return [{ identifies: 'thing', key: `position:${label.text}` }]
}

/** Keys of a code that means nothing to us but itself. A number with the form of a GTIN may also name a product. */
export function keysOfExternal(text: string, gtin: string | null): LookupKeys {
  const product: LookupKey[] = gtin === null ? [] : [keyOfElements('product', [{ ai: '01', value: gtin }])]
  return [{ identifies: 'thing', key: `code:${text}` }, ...product, textKey(text)]
}

/** Keys of GS1 elements: every identity they contain, the narrowest first, whatever order they stand in. */
export function keysOfGs1(elements: Gs1Elements): LookupKeys {
  const identities = gs1Identities.flatMap(({ identifies, ais, serialAfter }) => {
    const parts = ais.map((ai) => elements.find((element) => element.ai === ai))
    if (!parts.every((part) => part !== undefined)) return []
    if (serialAfter === undefined) return [keyOfElements(identifies, parts)]
    const hasSerial = parts.every(({ value }) => value.length > serialAfter)
    const shortened = parts.map(({ ai, value }) => ({ ai, value: value.slice(0, serialAfter) }))
    const product = keyOfElements('product', shortened)
    return hasSerial ? [keyOfElements('thing', parts), product] : [product]
  })
  const ranked = rank.flatMap((identifies) => identities.filter((key) => key.identifies === identifies))
  const sorted = elements.toSorted((left, right) => (left.ai < right.ai ? -1 : 1))
  const [first = keyOfElements('thing', sorted), ...others] = ranked
  return [first, ...others, textKey(formatMachineForm(elements))]
}

/** Keys of an HIBC code. A secondary part alone names nothing without its primary code. */
export function keysOfHibc(code: HibcCode): LookupKeys {
  const { primary, serial, lot } = code
  if (primary === null) return [{ identifies: 'text', key: `hibc:${code.text}` }, textKey(code.text)]
  const product: LookupKey = { identifies: 'product', key: `hibc:${formatHibc({ primary })}` }
  const batch: LookupKey[] =
    lot === null ? [] : [{ identifies: 'batch', key: `hibc:${formatHibc({ primary, lot })}` }]
  const thing: LookupKey[] =
    serial === null ? [] : [{ identifies: 'thing', key: `hibc:${formatHibc({ primary, serial })}` }]
  const text = textKey(code.text)
  const [first, ...others] = [...thing, ...batch]
  return first === undefined ? [product, text] : [first, ...others, product, text]
}

const rank = ['thing', 'batch', 'product'] as const

interface Gs1Identity {
  readonly identifies: 'thing' | 'batch' | 'product'
  readonly ais: readonly string[]
  /** Characters of the key itself: what follows them in the same value is a serial number. */
  readonly serialAfter?: number
}

/** Which identifiers together name something, after the GS1 identification keys. */
const gs1Identities: readonly Gs1Identity[] = [
  { identifies: 'thing', ais: ['01', '21'] },
  { identifies: 'thing', ais: ['01', '235'] },
  { identifies: 'thing', ais: ['8006', '21'] },
  { identifies: 'thing', ais: ['8010', '8011'] },
  { identifies: 'thing', ais: ['00'] },
  { identifies: 'thing', ais: ['8004'] },
  { identifies: 'thing', ais: ['8003'], serialAfter: 14 },
  { identifies: 'thing', ais: ['253'], serialAfter: 13 },
  { identifies: 'thing', ais: ['255'], serialAfter: 13 },
  { identifies: 'thing', ais: ['8018', '8019'] },
  { identifies: 'thing', ais: ['8018'] },
  { identifies: 'thing', ais: ['8017', '8019'] },
  { identifies: 'thing', ais: ['8017'] },
  { identifies: 'thing', ais: ['414', '254'] },
  { identifies: 'thing', ais: ['414'] },
  { identifies: 'thing', ais: ['417'] },
  { identifies: 'thing', ais: ['401'] },
  { identifies: 'thing', ais: ['402'] },
  { identifies: 'batch', ais: ['01', '10'] },
  { identifies: 'batch', ais: ['8006', '10'] },
  { identifies: 'product', ais: ['01'] },
  { identifies: 'product', ais: ['8006'] },
  { identifies: 'product', ais: ['8010'] },
  { identifies: 'product', ais: ['8013'] },
]

function keyOfElements(identifies: Identifies, elements: readonly Gs1Element[]): LookupKey {
  return { identifies, key: `gs1:${formatBracketedForm(elements)}` }
}

/** Scanners set up badly leave out separators, people leave out case and blanks: this key is the same for all. */
function textKey(text: string): LookupKey {
  return {
    identifies: 'text',
    key: `text:${text.toUpperCase().replace(/\s/g, '').replaceAll(groupSeparator, '')}`,
  }
}
