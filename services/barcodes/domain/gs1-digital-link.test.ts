import { describe, expect, test } from 'vitest'
import { formatDigitalLink, parseDigitalLink } from './gs1-digital-link.ts'
import { formatBracketedForm, parseBracketedForm, type Gs1Elements } from './gs1.ts'

function elementsOf(bracketed: string): Gs1Elements {
  const read = parseBracketedForm(bracketed)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

function linkAsBrackets(uri: string): string {
  const read = parseDigitalLink(uri)
  return read.ok ? formatBracketedForm(read.value) : read.rule
}

describe('GS1 Digital Links', () => {
  test.each([
    ['https://id.gs1.org/01/09506000134352', '(01)09506000134352'],
    ['HTTPS://ID.GS1.ORG/01/09506000134352', '(01)09506000134352'],
    [
      'https://example.com:8080/some/path/01/09506000134352/10/LOT-A/21/S%2F1',
      '(01)09506000134352(10)LOT-A(21)S/1',
    ],
    ['http://example.com/01/9506000134352?17=270331&lang=de', '(01)09506000134352(17)270331'],
    ['https://example.com/414/9506000134352/254/ROOM1', '(414)9506000134352(254)ROOM1'],
    [
      'https://example.com/00/106141412345678908?02=00614141123452&37=25',
      '(00)106141412345678908(02)00614141123452(37)25',
    ],
  ])('%s holds %s', (uri, bracketed) => {
    expect(linkAsBrackets(uri)).toBe(bracketed)
  })

  test.each([
    ['https://example.com/', 'not-a-digital-link'],
    ['https://example.com/products/42', 'not-a-digital-link'],
    ['ftp://example.com/01/09506000134352', 'not-a-digital-link'],
    ['HtTps://example.com/01/09506000134352', 'not-a-digital-link'],
    ['https://example.com/01/09506000134352/21/S/10/L', 'not-a-digital-link'],
    ['https://example.com/01/09506000134352/235/T/10/L', 'not-a-digital-link'],
    ['https://example.com/01/09506000134352?21=S', 'not-a-digital-link'],
    ['https://example.com/01/%E0%A4%A', 'not-a-digital-link'],
    ['https://example.com/01/09506000134351', 'INCORRECT_CHECK_DIGIT'],
  ])('%s is refused: %s', (uri, rule) => {
    expect(linkAsBrackets(uri)).toBe(rule)
  })

  test.each([
    [
      '(01)09506000134352(17)270331(10)LOT-A(21)S/1%',
      'https://id.gs1.org/01/09506000134352/10/LOT-A/21/S%2F1%25?17=270331',
    ],
    ['(414)9506000134352(254)ROOM1', 'https://id.gs1.org/414/9506000134352/254/ROOM1'],
    ['(8004)95060001ABC', 'https://id.gs1.org/8004/95060001ABC'],
  ])('%s is written %s and read again', (bracketed, uri) => {
    expect(formatDigitalLink(elementsOf(bracketed), 'https://id.gs1.org/')).toEqual({ ok: true, value: uri })
    const byIdentifier = (elements: Gs1Elements) =>
      elements.toSorted((left, right) => (left.ai < right.ai ? -1 : 1))
    const again = parseDigitalLink(uri)
    expect(again.ok && byIdentifier(again.value)).toEqual(byIdentifier(elementsOf(bracketed)))
  })

  test('elements that no link can carry are refused', () => {
    expect(formatDigitalLink(elementsOf('(10)LOT-A'), 'https://id.gs1.org')).toMatchObject({
      rule: 'no-primary-key',
    })
    expect(formatDigitalLink(elementsOf('(00)106141412345678908(21)S'), 'https://id.gs1.org')).toMatchObject({
      rule: 'not-in-a-link',
    })
  })
})
