/**
 * Symbology identifiers after ISO/IEC 15424 (AIM): `]`, a letter for the symbology and a modifier, which a scanner can
 * be set to send before the data. They tell a GS1 code from a plain one without guessing.
 */

interface Symbology {
  readonly letter: string
  readonly name: string
  /** Modifiers that say: the data are GS1 element strings (FNC1 stood in first place). */
  readonly gs1Modifiers: string
  /** Modifiers in use; anything else after this letter is not a symbology identifier. */
  readonly modifiers: string
}

const hexadecimal = '0123456789ABCDEF'

/** One row per code character. Letters are case-sensitive: `]C` is Code 128, `]c` Channel Code. */
export const symbologies: readonly Symbology[] = [
  { letter: 'A', name: 'Code 39', modifiers: '0134578', gs1Modifiers: '' },
  { letter: 'B', name: 'Telepen', modifiers: '0124', gs1Modifiers: '' },
  { letter: 'C', name: 'Code 128', modifiers: '0124', gs1Modifiers: '1' },
  { letter: 'D', name: 'Code One', modifiers: '0123456', gs1Modifiers: '1' },
  { letter: 'E', name: 'EAN/UPC', modifiers: '01234', gs1Modifiers: '' },
  { letter: 'F', name: 'Codabar', modifiers: '0124', gs1Modifiers: '' },
  { letter: 'G', name: 'Code 93', modifiers: hexadecimal + 'GHIJKLMNOPQRSTUVWXYZm', gs1Modifiers: '' },
  { letter: 'H', name: 'Code 11', modifiers: '013', gs1Modifiers: '' },
  { letter: 'I', name: 'Interleaved 2 of 5', modifiers: '013', gs1Modifiers: '' },
  { letter: 'J', name: 'DotCode', modifiers: '012345', gs1Modifiers: '1' },
  { letter: 'K', name: 'Code 16K', modifiers: '0124', gs1Modifiers: '1' },
  { letter: 'L', name: 'PDF417', modifiers: '012345', gs1Modifiers: '' },
  { letter: 'M', name: 'MSI Plessey', modifiers: '01', gs1Modifiers: '' },
  { letter: 'N', name: 'Anker', modifiers: '0', gs1Modifiers: '' },
  { letter: 'O', name: 'Codablock', modifiers: '014567', gs1Modifiers: '' },
  { letter: 'P', name: 'Plessey', modifiers: '0', gs1Modifiers: '' },
  { letter: 'Q', name: 'QR Code', modifiers: '0123456', gs1Modifiers: '34' },
  { letter: 'R', name: 'Straight 2 of 5 (two bars)', modifiers: '013', gs1Modifiers: '' },
  { letter: 'S', name: 'Straight 2 of 5 (three bars)', modifiers: '0', gs1Modifiers: '' },
  { letter: 'T', name: 'Code 49', modifiers: '0124', gs1Modifiers: '1' },
  { letter: 'U', name: 'MaxiCode', modifiers: '0123', gs1Modifiers: '' },
  { letter: 'X', name: 'other symbology', modifiers: hexadecimal, gs1Modifiers: '' },
  {
    letter: 'Z',
    name: 'no symbology (keyboard, magnetic stripe, RFID)',
    modifiers: hexadecimal,
    gs1Modifiers: '',
  },
  { letter: 'c', name: 'Channel Code', modifiers: '012345678', gs1Modifiers: '' },
  { letter: 'd', name: 'Data Matrix', modifiers: '0123456', gs1Modifiers: '25' },
  { letter: 'e', name: 'GS1 DataBar or composite', modifiers: '0123', gs1Modifiers: '0' },
  { letter: 'h', name: 'Han Xin', modifiers: '0123', gs1Modifiers: '2' },
  { letter: 'o', name: 'optical characters', modifiers: '0123', gs1Modifiers: '' },
  { letter: 'p', name: 'PosiCode', modifiers: '012', gs1Modifiers: '' },
  { letter: 's', name: 'SuperCode', modifiers: '012345', gs1Modifiers: '' },
  { letter: 'z', name: 'Aztec', modifiers: hexadecimal, gs1Modifiers: '14' },
]

export interface ScannedText {
  /** `]d2` and the like; null when the scanner sent none or a person typed the text. */
  readonly identifier: string | null
  readonly symbology: string | null
  /** True only when the identifier says so. */
  readonly isGs1: boolean
  readonly data: string
}

/** Takes the symbology identifier off the data. Text that starts with `]` and no known identifier is data as a whole. */
export function splitSymbologyIdentifier(text: string): ScannedText {
  const symbology = text.startsWith(']')
    ? symbologies.find((row) => row.letter === text.charAt(1))
    : undefined
  const modifier = text.charAt(2)
  if (symbology === undefined || modifier === '' || !symbology.modifiers.includes(modifier)) {
    return { identifier: null, symbology: null, isGs1: false, data: text }
  }
  return {
    identifier: text.slice(0, 3),
    symbology: symbology.name,
    isGs1: symbology.gs1Modifiers.includes(modifier),
    data: text.slice(3),
  }
}
