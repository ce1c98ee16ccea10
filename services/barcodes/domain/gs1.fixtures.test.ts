import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  formatBracketedForm,
  formatCaretForm,
  parseBracketedForm,
  parseCaretForm,
  type Gs1Options,
} from './gs1.ts'
import { gs1Identifiers, type Gs1Identifier } from './gs1-identifiers.ts'
import { generateScanData, gs1Symbols, parseScanData, type Gs1Symbol } from './gs1-scan-data.ts'
import { fixturePath, hasFixtures } from '../../testing/fixtures.ts'

/** Vectors from outside, kept outside this repository. See the README of the fixtures for where they come from. */
const vectorFolder = fixturePath('barcodes/gs1-syntax-engine')
const dictionaryFile = fixturePath('barcodes/gs1-syntax-dictionary/gs1-syntax-dictionary.txt')

interface ScanVector {
  readonly scanData: string
  readonly symbology: string
  readonly data: string
  readonly ok: boolean
  readonly digitalLinkAI?: string
}

interface GenerateVector {
  readonly symbology: string
  readonly data: string
  readonly scanData: string | null
  readonly ok: boolean
  readonly addCheckDigit?: boolean
}

interface ElementVectors {
  readonly bracketedToUnbracketed: readonly {
    readonly bracketed: string
    readonly ok: boolean
    readonly unbracketed?: string
    readonly unknownAIsPermitted?: boolean
  }[]
  readonly unbracketedAccepted: readonly {
    readonly unbracketed: string
    readonly ok: boolean
    readonly unknownAIsPermitted?: boolean
  }[]
  readonly contentRules: readonly {
    readonly bracketed: string
    readonly ok: boolean
    readonly error?: string
  }[]
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(vectorFolder, name), 'utf8')) as T
}

function options(vector: { readonly unknownAIsPermitted?: boolean }): Gs1Options {
  return { unknownIdentifiers: vector.unknownAIsPermitted ?? false }
}

function isGs1Symbol(name: string): name is Gs1Symbol {
  return gs1Symbols.some((symbol) => symbol === name)
}

describe.runIf(hasFixtures)('vectors of the GS1 syntax engine', () => {
  test('scan data are read into symbology and data', () => {
    const vectors = read<ScanVector[]>('scan-data-vectors.json')
    const results = vectors.map(({ scanData }) => {
      const scan = parseScanData(scanData)
      if (!scan.ok) return { scanData, symbology: 'NONE', data: '', ok: false }
      const { symbology, data, elements, isDigitalLink } = scan.value
      return {
        scanData,
        symbology,
        data,
        ok: true,
        link: isDigitalLink && elements ? formatCaretForm(elements) : '',
      }
    })
    expect(vectors.length).toBeGreaterThan(0)
    expect(results).toEqual(
      vectors.map(({ scanData, symbology, data, ok, digitalLinkAI }) =>
        ok ? { scanData, symbology, data, ok, link: digitalLinkAI ?? '' } : { scanData, symbology, data, ok },
      ),
    )
  })

  test('scan data are generated from symbology and data', () => {
    const vectors = read<GenerateVector[]>('generate-scan-data-vectors.json')
    const results = vectors.map(({ symbology, data, addCheckDigit }) => {
      if (!isGs1Symbol(symbology)) return { symbology, data, scanData: null }
      const generated = generateScanData(symbology, data, { addCheckDigit: addCheckDigit ?? false })
      return { symbology, data, scanData: generated.ok ? generated.value : null }
    })
    expect(vectors.length).toBeGreaterThan(0)
    expect(results).toEqual(vectors.map(({ symbology, data, scanData }) => ({ symbology, data, scanData })))
  })

  test('bracketed element strings become unbracketed ones', () => {
    const vectors = read<ElementVectors>('ai-vectors.json').bracketedToUnbracketed
    const results = vectors.map((vector) => {
      const elements = parseBracketedForm(vector.bracketed, options(vector))
      return [vector.bracketed, elements.ok ? formatCaretForm(elements.value) : 'refused']
    })
    expect(vectors.length).toBeGreaterThan(0)
    expect(results).toEqual(
      vectors.map(({ bracketed, unbracketed }) => [bracketed, unbracketed ?? 'refused']),
    )
  })

  test('unbracketed element strings are accepted or refused', () => {
    const vectors = read<ElementVectors>('ai-vectors.json').unbracketedAccepted
    const results = vectors.map((vector) => [
      vector.unbracketed,
      parseCaretForm(vector.unbracketed, options(vector)).ok,
    ])
    expect(vectors.length).toBeGreaterThan(0)
    expect(results).toEqual(vectors.map(({ unbracketed, ok }) => [unbracketed, ok]))
  })

  test('broken content rules are found and named; North American coupons are left out', async ({
    annotate,
  }) => {
    const all = read<ElementVectors>('ai-vectors.json').contentRules
    const vectors = all.filter(({ bracketed }) => !/^\((8110|8112)\)/.test(bracketed))
    const results = vectors.map(({ bracketed }) => {
      const elements = parseBracketedForm(bracketed)
      return { bracketed, error: elements.ok ? undefined : elements.rule }
    })
    expect(vectors.length).toBeGreaterThan(0)
    expect(results).toEqual(vectors.map(({ bracketed, error }) => ({ bracketed, error })))
    await annotate(`${vectors.length} vectors checked, ${all.length - vectors.length} coupons skipped`)
  })

  test('what is accepted in one form is the same after a round through the other', () => {
    const accepted = read<ElementVectors>('ai-vectors.json').unbracketedAccepted.filter((vector) => vector.ok)
    for (const { unbracketed } of accepted) {
      const elements = parseCaretForm(unbracketed)
      if (!elements.ok) expect.fail(unbracketed)
      expect(parseBracketedForm(formatBracketedForm(elements.value))).toEqual(elements)
    }
  })
})

describe.runIf(hasFixtures)('the GS1 syntax dictionary', () => {
  test('says of every identifier what our table says', () => {
    const theirs = readFileSync(dictionaryFile, 'utf8')
      .split('\n')
      .filter((line) => /^\d/.test(line))
      .flatMap(identifiersOfDictionaryLine)
    expect(theirs.length).toBeGreaterThan(400)
    expect([...gs1Identifiers.values()].map(comparable)).toEqual(theirs)
  })
})

function comparable({
  ai,
  title,
  components,
  predefinedLength,
  linkAttribute,
  linkQualifiers,
}: Gs1Identifier) {
  return {
    ai,
    title,
    formats: components.map((component) => {
      const length = component.minimum === component.maximum ? '' : '..'
      const format = component.set.toUpperCase() + length + String(component.maximum)
      return { format: component.optional ? `[${format}]` : format, rules: component.rules.length }
    }),
    predefined: predefinedLength !== null,
    linkAttribute,
    linkKey: linkQualifiers === null ? null : linkQualifiers.map((sequence) => sequence.join(',')).join('|'),
  }
}

function identifiersOfDictionaryLine(line: string) {
  const [specification = '', title = ''] = line.split('#')
  const [range = '', ...words] = specification.trim().split(/\s+/)
  const flags = /^[NXYZ[]/.test(words[0] ?? '') ? '' : (words[0] ?? '')
  const key = words.find((word) => word.startsWith('dlpkey'))
  const formats = words
    .filter((word) => /^\[?[NXYZ]/.test(word))
    .map((word) => {
      const [format = '', ...rules] = word.split(',')
      return { format, rules: rules.length }
    })
  const [first = '', last = first] = range.split('-')
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, step) => ({
    ai: String(Number(first) + step).padStart(first.length, '0'),
    title: title.trim(),
    formats,
    predefined: flags.includes('*'),
    linkAttribute: flags.includes('?'),
    linkKey: key === undefined ? null : key.replace(/^dlpkey=?/, ''),
  }))
}
