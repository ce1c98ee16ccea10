/**
 * What rack and single-tube readers write into a cell when they have no code: such a position counts as empty. Some of
 * the words only say that nothing could be read, so a tube may still be there; screens point that out.
 */

export interface NoTube {
  /** The words as the reader wrote them, blank for an empty cell. */
  readonly said: string
  /** True when the reader does not claim that the place is empty, only that it read nothing. */
  readonly tubeMayBePresent: boolean
}

const emptyWords = [
  'EMPTY',
  'NOTUBE',
  'NOTUBEFOUND',
  'NOVIAL',
  'EMPTYWELL',
  'EMPTYPOSITION',
  'TUBEMISSING',
  'MISSINGTUBE',
]
const unreadWords = [
  'NOREAD',
  'NOTREAD',
  'NOSCAN',
  'NOTSCANNED',
  'NOCODE',
  'NOBARCODE',
  'NOBARCODEFOUND',
  'NODECODE',
  'NODATA',
  'UNREAD',
  'UNREADABLE',
  'READERROR',
  'READFAIL',
  'READFAILED',
  'READFAILURE',
  'SCANERROR',
  'SCANFAILED',
  'DECODEERROR',
  'DECODEFAILED',
  'FAILEDREAD',
  'N/A',
  'NULL',
]

/** Recognises such words in either case, with blanks, dashes or underscores, and in brackets; null for anything else. */
export function readNoTube(text: string): NoTube | null {
  const said = text.trim()
  const word = said.toUpperCase().replace(/[\s_.\-[\]<>(){}"'*#!]/g, '')
  if (emptyWords.includes(word)) return { said, tubeMayBePresent: false }
  if (unreadWords.includes(word) || /^[-?*._]+$/.test(said)) return { said, tubeMayBePresent: true }
  return null
}

/** Like {@link readNoTube} for a cell of a rack file, where nothing at all also means an empty position. */
export function readEmptyCell(text: string): NoTube | null {
  return text.trim() === '' ? { said: '', tubeMayBePresent: false } : readNoTube(text)
}
