import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  codePrefixes,
  drawWorkstationPart,
  formatOwnCode,
  formatPositionLabel,
  isWorkstationPart,
  largestColumn,
  largestRow,
  looksLikeOwnCode,
  nextCode,
  parseOwnCode,
  parsePositionLabel,
  rowLetters,
  type CodeKind,
  type OwnCode,
  type WorkstationPart,
} from './own-code.ts'

const alphabet = Array.from('0123456789ACDEFGHJKMNPQRTVWXY')
const workstationPart = fc
  .array(fc.constantFrom(...alphabet), { minLength: 4, maxLength: 4 })
  .map((characters) => characters.join(''))
  .filter(isWorkstationPart)
const kind = fc.constantFrom(...(Object.keys(codePrefixes) as CodeKind[]))
const counter = fc.oneof(
  fc.integer({ min: 1, max: 99_999 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
)
const ownCode = fc.tuple(kind, workstationPart, counter).map((parts) => formatOwnCode(...parts))
const label = fc
  .tuple(ownCode, fc.integer({ min: 1, max: largestRow }), fc.integer({ min: 1, max: largestColumn }))
  .map((parts) => formatPositionLabel(...parts))
const lookAlikes: Readonly<Record<string, string>> = {
  I: '1',
  L: '1',
  O: '0',
  S: '5',
  B: '8',
  Z: '2',
  U: 'V',
  ' ': '-',
}
const anyPrintable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))

function part(text: string): WorkstationPart {
  if (!isWorkstationPart(text)) throw new Error(`${text} is no workstation part`)
  return text
}

function replaceAt(text: string, index: number, character: string): string {
  return text.slice(0, index) + character + text.slice(index + 1)
}

function swapAt(text: string, index: number): string {
  return text.slice(0, index) + text.charAt(index + 1) + text.charAt(index) + text.slice(index + 2)
}

/** Every text that differs in one printable character, and every one with two neighbours swapped. */
function slipsOf(text: string): string[] {
  const places = [...text].map((_, index) => index)
  return [
    ...places.flatMap((index) => anyPrintable.map((character) => replaceAt(text, index, character))),
    ...places.slice(1).map((index) => swapAt(text, index - 1)),
  ].filter((slip) => slip !== text)
}

describe('own codes', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(ownCode, (code) => {
        expect(parseOwnCode(code.text)).toEqual({ ok: true, value: code })
      }),
    )
  })

  test('any replaced character and any swap of neighbours, anywhere, is refused or is a look-alike of the same code', () => {
    fc.assert(
      fc.property(ownCode, (code) => {
        for (const slip of slipsOf(code.text)) {
          const read = parseOwnCode(slip)
          if (read.ok && read.value.text !== code.text) expect.fail(`${code.text} became ${slip}`)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('without dashes too, for letters and digits', () => {
    fc.assert(
      fc.property(ownCode, (code) => {
        const bare = code.text.replaceAll('-', '')
        for (const slip of slipsOf(bare).filter((text) => /^[A-Z0-9]+$/.test(text))) {
          const read = parseOwnCode(slip)
          if (read.ok && read.value.text !== code.text) expect.fail(`${bare} became ${slip}`)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('of all slips in a code only those that people cannot see are accepted', () => {
    const code = formatOwnCode('sampleTube', part('7K2M'), 4)
    const accepted = slipsOf(code.text).filter((slip) => parseOwnCode(slip).ok)
    const look = (text: string) =>
      [...text.toUpperCase()].map((character) => lookAlikes[character] ?? character).join('')
    expect(accepted.filter((slip) => look(slip) !== look(code.text))).toEqual([])
    expect(accepted).toContain(code.text.replace('0004', 'O004'))
  })

  test('people may type them in their own way', () => {
    const code = formatOwnCode('sampleTube', part('7K2M'), 4)
    const check = code.text.slice(-1)
    const typed = [
      code.text.toLowerCase(),
      `ts7k2m0004${check}`,
      `TS 7K2M 0004 ${check}`,
      `  TS - 7k2m - 0004 - ${check} `,
      `TS7K2M-0004-${check}`,
      `T5-7K2M-OOO4-${check}`,
      `TS–7K2M–0004–${check}`,
    ]
    expect(typed.map((text) => parseOwnCode(text))).toEqual(typed.map(() => ({ ok: true, value: code })))
  })

  test.each([
    ['', 'not-an-own-code'],
    ['TS-7K2M-004-X', 'not-an-own-code'],
    ['TS-7K2M-0000-X', 'not-an-own-code'],
    ['TS-7K2M-00004-X', 'not-an-own-code'],
    ['QQ-7K2M-0004-X', 'not-an-own-code'],
    ['TS-7777-0004-X', 'not-an-own-code'],
    ['TS--7K2M-0004-X', 'not-an-own-code'],
    ['TS-7K2M-9999999999999999-X', 'not-an-own-code'],
    ['TS-7K2M-10004X', 'dashes-incomplete'],
  ])('%j is refused as %s', (text, rule) => {
    expect(parseOwnCode(text)).toMatchObject({ ok: false, rule })
  })

  test('the algorithm never changes: printed labels stay valid', () => {
    expect(formatOwnCode('sampleTube', part('7K2M'), 4).text).toBe('TS-7K2M-0004-X')
    expect(formatPositionLabel(formatOwnCode('box', part('7K2M'), 11), 3, 4).text).toBe('BX-7K2M-0011-F/C4-H')
  })

  test('exactly one of the 29 check characters is right', () => {
    const verdicts = alphabet.map((check) => parseOwnCode(`TS-7K2M-0004-${check}`))
    expect(verdicts.filter((verdict) => verdict.ok)).toHaveLength(1)
    expect(new Set(verdicts.flatMap((verdict) => (verdict.ok ? [] : [verdict.rule])))).toEqual(
      new Set(['check-character']),
    )
  })

  test('10,000 in a row on each of two workstations that never spoke are all different', () => {
    const codes = [part('7K2M'), part('M2K7')].flatMap((workstation) => allocate(workstation, 10_000))
    expect(new Set(codes.map((code) => code.text)).size).toBe(20_000)
    expect(new Set(codes.map((code) => code.text.replaceAll('-', ''))).size).toBe(20_000)
    expect(codes[9_999]?.text).toMatch(/^TS-7K2M-10000-.$/)
  })

  test('prefixes stay apart when look-alikes are exchanged, and cannot be part of an index sequence', () => {
    const fold = (text: string) => [...text].map((character) => lookAlikes[character] ?? character).join('')
    const prefixes = Object.values(codePrefixes)
    expect(new Set(prefixes.map(fold)).size).toBe(prefixes.length)
    expect(prefixes.filter((prefix) => !/^[A-Z]{2}$/.test(prefix) || /^[ACGTN]{2}$/.test(prefix))).toEqual([])
  })

  test('a drawn workstation part is always valid and depends on nothing but the draw', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const drawn = drawWorkstationPart(
          (exclusiveMaximum) => Number(numbers.next().value) % exclusiveMaximum,
        )
        expect(isWorkstationPart(drawn)).toBe(true)
      }),
    )
    const script = [1, 2, 3, 4, 7, 18, 2, 19]
    expect(
      drawWorkstationPart(() => script.shift() ?? 0),
      'the all-digit draw is thrown away',
    ).toBe('7K2M')
  })

  test('a counter below 1 or not whole is a defect', () => {
    expect(() => formatOwnCode('box', part('7K2M'), 0)).toThrow(RangeError)
    expect(() => formatOwnCode('box', part('7K2M'), 1.5)).toThrow(RangeError)
    expect(() => nextCode('box', part('7K2M'), Number.MAX_SAFE_INTEGER)).toThrow(RangeError)
  })

  test('what has our dashes and prefix is recognised as ours even when it is wrong', () => {
    expect(looksLikeOwnCode('ts-7k2m-0004-y')).toBe(true)
    expect(looksLikeOwnCode('BX-7K2M-0011-F/C4-K')).toBe(true)
    expect(looksLikeOwnCode('BX123456789')).toBe(false)
    expect(looksLikeOwnCode('QQ-7K2M-0004-X')).toBe(false)
  })
})

describe('position labels', () => {
  test('are read as they were written, in small letters too', () => {
    fc.assert(
      fc.property(label, (written) => {
        expect(parsePositionLabel(written.text)).toEqual({ ok: true, value: written })
        expect(parsePositionLabel(written.text.toLowerCase())).toEqual({ ok: true, value: written })
      }),
    )
  })

  test('any replaced character and any swap of neighbours is refused or is a look-alike of the same label', () => {
    fc.assert(
      fc.property(label, (written) => {
        for (const slip of slipsOf(written.text)) {
          const read = parsePositionLabel(slip)
          if (read.ok && read.value.text !== written.text) expect.fail(`${written.text} became ${slip}`)
          if (parseOwnCode(slip).ok) expect.fail(`${written.text} became the code ${slip}`)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('name row and column as people say them', () => {
    const box = formatOwnCode('box', part('7K2M'), 11)
    expect(formatPositionLabel(box, 3, 4)).toMatchObject({
      position: 'C4',
      text: expect.stringMatching(/\/C4-.$/),
    })
    expect([1, 26, 27, 32, largestRow].map(rowLetters)).toEqual(['A', 'Z', 'AA', 'AF', 'AS'])
    expect(() => formatPositionLabel(box, largestRow + 1, 1)).toThrow(RangeError)
    expect(() => formatPositionLabel(box, 1, 0)).toThrow(RangeError)
  })

  test('a code without position is none', () => {
    const box = formatOwnCode('box', part('7K2M'), 11)
    expect(parsePositionLabel(box.text)).toMatchObject({ ok: false, rule: 'not-a-position-label' })
    expect(parsePositionLabel(`${box.text}/C4`)).toMatchObject({ ok: false, rule: 'not-a-position-label' })
  })
})

function allocate(workstation: WorkstationPart, count: number): OwnCode[] {
  const codes: OwnCode[] = []
  let last = 0
  for (let index = 0; index < count; index++) {
    const next = nextCode('sampleTube', workstation, last)
    codes.push(next.code)
    last = next.counter
  }
  return codes
}
