/** A key as it went down, whatever the layout of the computer makes of it. */
export interface PressedKey {
  /** The place on the keyboard (`KeyboardEvent.code`). */
  readonly code: string
  readonly shift: boolean
  readonly ctrl: boolean
}

/** What each place types on a US keyboard, without and with Shift. */
const usKeys: ReadonlyMap<string, readonly [string, string]> = new Map([
  ...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (letter): [string, readonly [string, string]] => [
    `Key${letter}`,
    [letter.toLowerCase(), letter],
  ]),
  ...Array.from(')!@#$%^&*(', (shifted, digit): [string, readonly [string, string]] => [
    `Digit${digit}`,
    [String(digit), shifted],
  ]),
  ...Array.from({ length: 10 }, (_, digit): [string, readonly [string, string]] => [
    `Numpad${digit}`,
    [String(digit), String(digit)],
  ]),
  ['Minus', ['-', '_']],
  ['Equal', ['=', '+']],
  ['BracketLeft', ['[', '{']],
  ['BracketRight', [']', '}']],
  ['Backslash', ['\\', '|']],
  ['Semicolon', [';', ':']],
  ['Quote', ["'", '"']],
  ['Backquote', ['`', '~']],
  ['Comma', [',', '<']],
  ['Period', ['.', '>']],
  ['Slash', ['/', '?']],
  ['Space', [' ', ' ']],
  ['NumpadAdd', ['+', '+']],
  ['NumpadSubtract', ['-', '-']],
  ['NumpadMultiply', ['*', '*']],
  ['NumpadDivide', ['/', '/']],
  ['NumpadDecimal', ['.', '.']],
])

/** Control characters that are typed with Ctrl and a key that is no letter. */
const controlKeys: ReadonlyMap<string, string> = new Map([
  ['BracketLeft', '\u001b'],
  ['Backslash', '\u001c'],
  ['BracketRight', '\u001d'],
  ['Digit6', '\u001e'],
  ['Minus', '\u001f'],
])

/**
 * The character a keyboard scanner means by a key. Scanners come set to the US layout, so the place of the key is
 * read as one: `event.key` would be wrong on a German computer. Ctrl with a key is a control character, Ctrl+] is GS.
 * Null for keys that type nothing.
 */
export function readUsKey(key: PressedKey): string | null {
  if (!key.ctrl) return usKeys.get(key.code)?.[key.shift ? 1 : 0] ?? null
  const letter = /^Key([A-Z])$/.exec(key.code)?.[1]
  if (letter !== undefined) return String.fromCharCode(letter.charCodeAt(0) - 64)
  return controlKeys.get(key.code) ?? null
}
