import { SpreadsheetError } from './spreadsheet-error.ts'

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

export interface DecodedText {
  readonly text: string
  readonly encoding: TextEncoding
  readonly byteOrderMark: boolean
}

/**
 * Turns bytes into text without losing a character: the byte order mark decides, then NUL bytes mean UTF-16,
 * then valid UTF-8 is UTF-8, and what is left is read as Windows-1252, the encoding of older Excel exports.
 * @throws SpreadsheetError `not-a-spreadsheet` when the bytes are no text, `damaged` when marked text is broken.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const mark = findByteOrderMark(bytes)
  if (mark !== null) {
    const text = decodeStrictly(bytes.subarray(mark.length), mark.encoding)
    if (text === null) {
      throw new SpreadsheetError(
        'damaged',
        `The file says it is ${mark.encoding.toUpperCase()} text, but its bytes are not. Export it again.`,
      )
    }
    return { text, encoding: mark.encoding, byteOrderMark: true }
  }
  const guessed = bytes.includes(0) ? decodeUnmarkedUtf16(bytes) : decodeSingleBytes(bytes)
  if (guessed === null || countControls(guessed.text) > guessed.text.length / 20) {
    throw new SpreadsheetError('not-a-spreadsheet', 'The file is neither a spreadsheet nor text.')
  }
  return guessed
}

function findByteOrderMark(bytes: Uint8Array): { encoding: TextEncoding; length: number } | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', length: 3 }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', length: 2 }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', length: 2 }
  return null
}

/** ASCII in UTF-16 leaves a NUL in every second byte; on which side tells the byte order. */
function decodeUnmarkedUtf16(bytes: Uint8Array): DecodedText | null {
  let even = 0
  let odd = 0
  for (let index = 0; index < bytes.length; index += 1) {
    if (bytes[index] === 0) {
      if (index % 2 === 0) even += 1
      else odd += 1
    }
  }
  const encoding = odd >= even ? 'utf-16le' : 'utf-16be'
  const text = decodeStrictly(bytes, encoding)
  return text === null || text.includes('\0') ? null : { text, encoding, byteOrderMark: false }
}

function decodeSingleBytes(bytes: Uint8Array): DecodedText {
  const text = decodeStrictly(bytes, 'utf-8')
  if (text !== null) return { text, encoding: 'utf-8', byteOrderMark: false }
  return {
    text: new TextDecoder('windows-1252').decode(bytes),
    encoding: 'windows-1252',
    byteOrderMark: false,
  }
}

function decodeStrictly(bytes: Uint8Array, encoding: TextEncoding): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    // The decoder throws TypeError for bytes that are not of this encoding; anything else is a defect.
    if (error instanceof TypeError) return null
    throw error
  }
}

function countControls(text: string): number {
  let controls = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) controls += 1
  }
  return controls
}
