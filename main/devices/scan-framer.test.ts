import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createScanFramer, decodeCode, type FramerEvent, type FramerSettings } from './scan-framer.ts'

const plain: FramerSettings = { suffix: '', maximumFrameBytes: 64, staleAfterMs: 10_000 }

function framerOf(settings: Partial<FramerSettings> = {}) {
  return createScanFramer({ ...plain, ...settings })
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function codesOf(events: readonly FramerEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'code' ? [event.text] : []))
}

describe('ends of a code', () => {
  test.each([
    ['CR', 'A1\rB2\r'],
    ['LF', 'A1\nB2\n'],
    ['CR LF', 'A1\r\nB2\r\n'],
    ['a mixture with blank lines', '\r\n\r\nA1\n\rB2\r\n\n'],
  ])('%s', (_name, stream) => {
    expect(codesOf(framerOf().push(bytesOf(stream), 1))).toEqual(['A1', 'B2'])
  })

  test('a lone CR delivers at once and a following LF in the next read adds nothing', () => {
    const framer = framerOf()
    expect(codesOf(framer.push(bytesOf('A1\r'), 1))).toEqual(['A1'])
    expect(framer.push(bytesOf('\n'), 2)).toEqual([])
    expect(codesOf(framer.push(bytesOf('B2\r'), 3))).toEqual(['B2'])
  })

  test.each(['##', '\t', '\u0003', '##\r\n'])(
    'a set suffix %j beside CR and LF, split anywhere',
    (suffix) => {
      const framer = framerOf({ suffix })
      const events = [...bytesOf(`A1${suffix}B2\rC3${suffix}`)].flatMap((byte) =>
        framer.push(Uint8Array.of(byte), 1),
      )
      expect(codesOf(events)).toEqual(['A1', 'B2', 'C3'])
    },
  )

  test('flush ends a code without a terminator, and a late terminator adds nothing', () => {
    const framer = framerOf()
    expect(framer.push(bytesOf('A1'), 5)).toEqual([])
    expect(framer.flush()).toEqual([{ kind: 'code', text: 'A1', lastByteMonotonicUs: 5 }])
    expect(framer.push(bytesOf('\r\n'), 9)).toEqual([])
  })
})

describe('what is kept of a code', () => {
  test('symbology identifier and group separators stay', () => {
    const code = ']d20109506000134352\u001d21SN1'
    expect(codesOf(framerOf().push(bytesOf(`${code}\r`), 1))).toEqual([code])
  })

  test('UTF-8 first, Latin-1 when it is not UTF-8', () => {
    expect(decodeCode(bytesOf('Präp 5 µl'))).toBe('Präp 5 µl')
    expect(decodeCode(Buffer.from('Präp 5 µl', 'latin1'))).toBe('Präp 5 µl')
  })

  test('the time is that of the read holding the last byte', () => {
    const framer = framerOf()
    framer.push(bytesOf('A'), 100)
    expect(framer.push(bytesOf('1\r'), 250)).toEqual([{ kind: 'code', text: 'A1', lastByteMonotonicUs: 250 }])
  })
})

describe('what is dropped is said', () => {
  test('garbage over the limit is reported once and ends with its terminator', () => {
    const framer = framerOf({ maximumFrameBytes: 8 })
    const events = framer.push(bytesOf(`${'x'.repeat(500)}\rA1\r`), 1)
    expect(events).toEqual([
      { kind: 'dropped', reason: 'too-long', bytes: 9 },
      { kind: 'code', text: 'A1', lastByteMonotonicUs: 1 },
    ])
  })

  test('a code of exactly the limit passes, with a suffix too', () => {
    expect(codesOf(framerOf({ maximumFrameBytes: 8 }).push(bytesOf('12345678\r'), 1))).toEqual(['12345678'])
    const framer = framerOf({ maximumFrameBytes: 8, suffix: '##' })
    expect(framer.push(bytesOf('12345678##123456789##A1##'), 1)).toEqual([
      { kind: 'code', text: '12345678', lastByteMonotonicUs: 1 },
      { kind: 'dropped', reason: 'too-long', bytes: 9 },
      { kind: 'code', text: 'A1', lastByteMonotonicUs: 1 },
    ])
  })

  test('a suffix ends over-long garbage even when it begins where the garbage was cut', () => {
    for (let length = 8; length < 40; length += 1) {
      const framer = framerOf({ maximumFrameBytes: 8, suffix: '##' })
      const events = framer.push(bytesOf(`${'x'.repeat(length)}##A1##`), 1)
      expect(codesOf(events).at(-1)).toBe('A1')
    }
  })

  test('the beginning of a broken-off code is not glued to the next one', () => {
    const framer = framerOf({ staleAfterMs: 1_000 })
    framer.push(bytesOf('HALF'), 0)
    expect(framer.push(bytesOf('A1\r'), 1_000_001)).toEqual([
      { kind: 'dropped', reason: 'broken-off', bytes: 4 },
      { kind: 'code', text: 'A1', lastByteMonotonicUs: 1_000_001 },
    ])
    framer.push(bytesOf('HALF'), 2_000_000)
    expect(framer.breakOff()).toEqual([{ kind: 'dropped', reason: 'broken-off', bytes: 4 }])
    expect(codesOf(framer.push(bytesOf('B2\r'), 2_000_001))).toEqual(['B2'])
  })

  test('a code with NUL bytes is line noise', () => {
    expect(framerOf().push(bytesOf('A\u00001\rB2\r'), 1)).toEqual([
      { kind: 'dropped', reason: 'noise', bytes: 3 },
      { kind: 'code', text: 'B2', lastByteMonotonicUs: 1 },
    ])
  })
})

describe('no code is lost, merged or split', () => {
  const code = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/[\r\n\0\t]/.test(text))
  const terminator = fc.constantFrom('\r', '\n', '\r\n', '\t')

  test('wherever the reads split the stream', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(code, terminator), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 }),
        (scans, readLengths) => {
          const stream = bytesOf(scans.map(([text, end]) => text + end).join(''))
          const framer = framerOf({ suffix: '\t', maximumFrameBytes: 512 })
          const events: FramerEvent[] = []
          for (let start = 0, read = 0; start < stream.length; read += 1) {
            const length = readLengths[read % readLengths.length] ?? 1
            events.push(...framer.push(stream.subarray(start, start + length), read))
            start += length
          }
          expect(events.filter((event) => event.kind === 'dropped')).toEqual([])
          expect(codesOf(events)).toEqual(scans.map(([text]) => text))
        },
      ),
    )
  })

  test('after any bytes at all, a terminated code still arrives as itself', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const framer = framerOf()
        framer.push(noise, 1)
        framer.push(bytesOf('\r'), 2)
        expect(codesOf(framer.push(bytesOf('S-26-000123\r'), 3))).toEqual(['S-26-000123'])
      }),
    )
  })
})
