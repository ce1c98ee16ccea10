import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  expireWedge,
  idleWedge,
  standardWedgeSettings,
  stepWedge,
  type WedgeEffect,
  type WedgeKey,
  type WedgeSettings,
  type WedgeState,
} from './keyboard-wedge.ts'
import { readUsKey } from './us-keyboard.ts'

const codes = [
  ...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (letter) => `Key${letter}`),
  ...Array.from('0123456789', (digit) => `Digit${digit}`),
  ...['Minus', 'Equal', 'BracketLeft', 'BracketRight', 'Backslash', 'Semicolon', 'Quote', 'Backquote'],
  ...['Comma', 'Period', 'Slash', 'Space'],
]
/** How a scanner set to the US layout types each character. */
const keystrokes = new Map(
  [false, true]
    .flatMap((ctrl) =>
      [false, true].flatMap((shift) =>
        codes.map((code): [string, Pick<WedgeKey, 'code' | 'shift' | 'ctrl'>] => [
          readUsKey({ code, shift, ctrl }) ?? '',
          { code, shift, ctrl },
        ]),
      ),
    )
    .reverse(),
)

const still = { key: '', alt: false, meta: false, repeat: false, secret: false, shift: false, ctrl: false }

function keyOf(character: string, timeMs: number): WedgeKey {
  if (character === '\r') return { ...still, code: 'Enter', key: 'Enter', timeMs }
  if (character === '\t') return { ...still, code: 'Tab', key: 'Tab', timeMs }
  const stroke = keystrokes.get(character)
  if (!stroke) throw new Error(`No key types ${JSON.stringify(character)}`)
  return { ...still, ...stroke, key: character, timeMs }
}

/** The keys of a text, each so many milliseconds after the one before. */
function typed(text: string, gapsMs: number | readonly number[], startMs = 1_000): readonly WedgeKey[] {
  let timeMs = startMs
  return Array.from(text, (character, index) => {
    if (index > 0) timeMs += typeof gapsMs === 'number' ? gapsMs : (gapsMs[index % gapsMs.length] ?? 0)
    return keyOf(character, timeMs)
  })
}

interface Outcome {
  readonly scans: readonly string[]
  readonly brokenOff: readonly string[]
  readonly effects: readonly WedgeEffect['kind'][]
  /** What reached the page. */
  readonly passed: string
  readonly state: WedgeState
}

function feed(keys: readonly WedgeKey[], settings: WedgeSettings = standardWedgeSettings): Outcome {
  let state: WedgeState = idleWedge
  const effects: WedgeEffect[] = []
  let passed = ''
  for (const key of keys) {
    const step = stepWedge(state, key, settings)
    state = step.state
    effects.push(...step.effects)
    if (step.key === 'pass') passed += { Enter: '\r', Tab: '\t' }[key.code] ?? readUsKey(key) ?? ''
  }
  return {
    scans: effects.flatMap((effect) => (effect.kind === 'scan' ? [effect.text] : [])),
    brokenOff: effects.flatMap((effect) => (effect.kind === 'broken-off' ? [effect.text] : [])),
    effects: effects.map((effect) => effect.kind),
    passed,
    state,
  }
}

const withPrefix: WedgeSettings = { ...standardWedgeSettings, prefix: '~', timing: null }
const scanCode = fc
  .array(fc.constantFrom(...Array.from('ABCXYZabcxyz0123456789-]\u001d+/.% ')), {
    minLength: 5,
    maxLength: 40,
  })
  .map((characters) => characters.join(''))
  .filter((code) => !code.startsWith('\u001d'))

describe('by speed', () => {
  test.each([
    ['fast, 5 ms', 'S-26-000123', 5],
    ['10 ms', 'S-26-000123', 10],
    ['Bluetooth, 15 to 50 ms', 'S-26-000123', [15, 45, 30, 50, 20]],
    ['symbology identifier and GS by Ctrl+]', ']d20109506000134352\u001d21SN1', 8],
    ['capitals, small letters and blanks', 'Plate Xy-7/b', 8],
  ])('%s', (_name, code, gaps) => {
    const outcome = feed(typed(`${code}\r`, gaps))
    expect(outcome.scans).toEqual([code])
    expect(outcome.effects).toEqual(['remember-field', 'restore-field', 'scan'])
    expect(outcome.passed).toBe(code.replaceAll('\u001d', ''))
  })

  test('Tab ends a code too', () => {
    expect(feed(typed('S-26-000123\t', 5))).toMatchObject({ scans: ['S-26-000123'] })
  })

  test('the layout of the computer does not matter', () => {
    const german = typed('S-26-Y00123\r', 8).map((key) => ({
      ...key,
      key: { y: 'z', Y: 'Z', '-': 'ß', ']': '+' }[key.key] ?? key.key,
    }))
    expect(feed(german).scans).toEqual(['S-26-Y00123'])
  })

  test('a held Shift between the keys disturbs nothing', () => {
    const keys = typed('AB-12345\r', 8).flatMap((key) =>
      key.shift
        ? [{ ...still, code: 'ShiftLeft', key: 'Shift', shift: true, timeMs: key.timeMs }, key]
        : [key],
    )
    expect(feed(keys).scans).toEqual(['AB-12345'])
  })

  test('CR LF typed as two keys ends one code, and the second does not press a button', () => {
    const outcome = feed(typed('S-26-000123\r\r', 5))
    expect(outcome.scans).toEqual(['S-26-000123'])
    expect(outcome.passed).toBe('S-26-000123')
    const lineFeed: WedgeKey = { ...still, code: 'KeyJ', key: 'j', ctrl: true, timeMs: 1_060 }
    expect(feed([...typed('S-26-000123\r', 5), lineFeed]).passed).toBe('S-26-000123')
  })

  test('what a person typed before stays out of the code', () => {
    const keys = [...typed('abc', 120), ...typed('S-26-000123\r', 5, 1_400)]
    const outcome = feed(keys)
    expect(outcome.scans).toEqual(['S-26-000123'])
    expect(outcome.effects.slice(-3)).toEqual(['remember-field', 'restore-field', 'scan'])
  })

  test.each([
    ['a person, 120 ms', 'S-26-000123\r', 120],
    ['a fast typist', 'hello there\r', [70, 110, 80]],
    ['a short word in a hurry', 'abc\r', 40],
    ['fast keys and a thoughtful Enter', 'hello\r', [400, 30, 30, 30, 30]],
  ])('%s is no scanner and loses no key', (_name, text, gaps) => {
    const outcome = feed(typed(text, gaps))
    expect(outcome.scans).toEqual([])
    expect(outcome.passed).toBe(text)
  })

  test('a key that is held down is no scanner', () => {
    const held = typed('aaaaaaaaaaaa\r', 30).map((key, index) => ({
      ...key,
      repeat: index > 0 && key.key === 'a',
    }))
    expect(feed(held)).toMatchObject({ scans: [], passed: 'aaaaaaaaaaaa\r' })
  })

  test('a password is never taken for a scan', () => {
    const secret = typed('correct-horse\r', 5).map((key) => ({ ...key, secret: true }))
    expect(feed(secret)).toMatchObject({ scans: [], effects: [], passed: 'correct-horse\r' })
  })

  test('editing keys end what could have been a code', () => {
    const keys = typed('S-26-000123\r', 5)
    const backspace: WedgeKey = { ...still, code: 'Backspace', key: 'Backspace', timeMs: 1_051 }
    expect(feed([...keys.slice(0, -1), backspace, ...keys.slice(-1)]).scans).toEqual([])
  })

  test('slow scanners are recognised once the limits are raised, and timing can be off', () => {
    const timing = { minimumLength: 5, maximumGapMs: 110, maximumMeanGapMs: 100 }
    expect(feed(typed('S-26-000123\r', 90)).scans).toEqual([])
    expect(feed(typed('S-26-000123\r', 90), { ...standardWedgeSettings, timing }).scans).toEqual([
      'S-26-000123',
    ])
    expect(feed(typed('S-26-000123\r', 5), { ...standardWedgeSettings, timing: null })).toMatchObject({
      scans: [],
      effects: [],
    })
  })

  test('scans that follow each other at once never merge', () => {
    fc.assert(
      fc.property(
        fc.array(scanCode, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 40 }),
        (sent, gap) => {
          expect(feed(typed(sent.map((code) => `${code}\r`).join(''), gap)).scans).toEqual(sent)
        },
      ),
    )
  })

  test('no person triggers it, whatever is typed', () => {
    const text = fc
      .array(fc.constantFrom(...Array.from('abcXYZ019 -.\r\t')), { maxLength: 60 })
      .map((all) => all.join(''))
    const gaps = fc.array(fc.integer({ min: 61, max: 400 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(text, gaps, (content, pauses) => {
        const outcome = feed(typed(content, pauses))
        expect(outcome.scans).toEqual([])
        expect(outcome.passed).toBe(content)
      }),
    )
  })
})

describe('by prefix', () => {
  test('nothing between prefix and suffix reaches the page, however slow', () => {
    const outcome = feed(typed('~S-26-000123\r', 300), withPrefix)
    expect(outcome).toMatchObject({ scans: ['S-26-000123'], passed: '', effects: ['scan'] })
  })

  test('short codes, separators and the prefix character within a code', () => {
    expect(feed(typed('~7\r~]d2A\u001dB\u001e\r~A~B\t', 5), withPrefix).scans).toEqual([
      '7',
      ']d2A\u001dB\u001e',
      'A~B',
    ])
  })

  test.each([
    ['STX', '\u0002', { ...still, code: 'KeyB', key: 'b', ctrl: true, timeMs: 990 }],
    ['a function key', 'F13', { ...still, code: 'F13', key: 'F13', timeMs: 990 }],
  ])('%s as the prefix', (_name, prefix, key) => {
    const outcome = feed([key, ...typed('S-1\r', 5)], { ...withPrefix, prefix })
    expect(outcome).toMatchObject({ scans: ['S-1'], passed: '' })
  })

  test('a new prefix key while a code is open says that the one before broke off', () => {
    const f13 = (timeMs: number): WedgeKey => ({ ...still, code: 'F13', key: 'F13', timeMs })
    const keys = [f13(990), ...typed('S-1', 5), f13(1_020), ...typed('S-2\r', 5, 1_030)]
    expect(feed(keys, { ...withPrefix, prefix: 'F13' })).toMatchObject({ scans: ['S-2'], brokenOff: ['S-1'] })
  })

  test('silence ends a code that has lost its suffix, and typing works again', () => {
    const outcome = feed([...typed('~S-1', 5), ...typed('hello\r', 120, 2_000)], withPrefix)
    expect(outcome).toMatchObject({ scans: [], brokenOff: ['S-1'], passed: 'hello\r' })
    const open = feed(typed('~S-1', 5), withPrefix).state
    expect(expireWedge(open, 1_100, withPrefix)).toEqual({ state: open, effects: [] })
    expect(expireWedge(open, 9_000, withPrefix)).toEqual({
      state: idleWedge,
      effects: [{ kind: 'broken-off', text: 'S-1' }],
    })
  })

  test('Escape gives a code up', () => {
    const escape: WedgeKey = { ...still, code: 'Escape', key: 'Escape', timeMs: 1_020 }
    expect(feed([...typed('~S-1', 5), escape], withPrefix)).toMatchObject({
      brokenOff: ['S-1'],
      state: idleWedge,
    })
  })

  test('an empty code is none', () => {
    expect(feed(typed('~\r~\r', 5), withPrefix)).toMatchObject({ scans: [], brokenOff: [], passed: '' })
  })

  test('without the prefix everything passes when timing is off', () => {
    expect(feed(typed('S-26-000123\r', 5), withPrefix)).toMatchObject({ scans: [], passed: 'S-26-000123\r' })
  })

  test('codes sent one after the other arrive one by one, and nothing of them on the page', () => {
    fc.assert(
      fc.property(
        fc.array(scanCode, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 400 }),
        (sent, gap) => {
          const outcome = feed(typed(sent.map((code) => `~${code}\r`).join(''), gap), withPrefix)
          expect(outcome.scans).toEqual(sent)
          expect(outcome.passed).toBe('')
        },
      ),
    )
  })

  test('with both modes on, a scanner without the prefix is still recognised', () => {
    const outcome = feed([...typed('~S-1\r', 5), ...typed('S-26-000123\r', 5, 3_000)], {
      ...standardWedgeSettings,
      prefix: '~',
    })
    expect(outcome.scans).toEqual(['S-1', 'S-26-000123'])
  })
})
