import type { Workbook } from '../domain/workbook.ts'
import { readDelimitedText } from './delimited-text.ts'
import { MAX_FILE_BYTES } from './limits.ts'
import { SpreadsheetError } from './spreadsheet-error.ts'
import { decodeText } from './text-decoding.ts'
import { createPasswordError } from './xlsx-package.ts'
import { readXlsx, refuseFormat } from './xlsx-workbook.ts'

/** First bytes of files that people drop by mistake; their extension says nothing reliable. */
const FOREIGN_FILES: readonly { readonly start: readonly number[]; readonly what: string }[] = [
  { start: [0x25, 0x50, 0x44, 0x46], what: 'a PDF document' },
  { start: [0x89, 0x50, 0x4e, 0x47], what: 'a picture (PNG)' },
  { start: [0xff, 0xd8, 0xff], what: 'a picture (JPEG)' },
  { start: [0x47, 0x49, 0x46, 0x38], what: 'a picture (GIF)' },
  { start: [0x1f, 0x8b], what: 'a gzip archive; unpack it first' },
  { start: [0x37, 0x7a, 0xbc, 0xaf], what: 'a 7-Zip archive; unpack it first' },
  { start: [0x52, 0x61, 0x72, 0x21], what: 'a RAR archive; unpack it first' },
  { start: [0x7b, 0x5c, 0x72, 0x74, 0x66], what: 'a text document (RTF)' },
]
const ZIP = [0x50, 0x4b, 0x03, 0x04]
const EMPTY_ZIP = [0x50, 0x4b, 0x05, 0x06]
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]

/**
 * Reads a spreadsheet file into sheets of rows of cells, each with the exact text the file holds. What the file
 * is, is decided by its content: xlsx, or text in UTF-8, UTF-16 or Windows-1252 split by comma, semicolon, tab
 * or bar. The name serves messages only.
 * @throws SpreadsheetError with a code and a message for the person who dropped the file.
 */
export async function readWorkbook(bytes: Uint8Array, fileName: string): Promise<Workbook> {
  if (bytes.length === 0)
    throw new SpreadsheetError('empty-file', `${fileName} is empty: it has no bytes at all.`)
  if (bytes.length > MAX_FILE_BYTES) {
    const megabytes = Math.ceil(bytes.length / 1024 / 1024)
    throw new SpreadsheetError(
      'too-large',
      `${fileName} has ${megabytes} MB; ${MAX_FILE_BYTES / 1024 / 1024} MB is the most that is read.`,
    )
  }
  if (startsWith(bytes, COMPOUND_FILE)) throw explainCompoundFile(bytes)
  const foreign = FOREIGN_FILES.find((kind) => startsWith(bytes, kind.start))
  if (foreign !== undefined) {
    throw new SpreadsheetError('not-a-spreadsheet', `${fileName} is ${foreign.what}, not a spreadsheet.`)
  }
  if (startsWith(bytes, EMPTY_ZIP)) {
    throw new SpreadsheetError('not-a-spreadsheet', `${fileName} is an empty zip archive.`)
  }
  return startsWith(bytes, ZIP) ? readPackedWorkbook(bytes, fileName) : readTextWorkbook(bytes, fileName)
}

async function readPackedWorkbook(bytes: Uint8Array, fileName: string): Promise<Workbook> {
  const sheets = await readXlsx(bytes)
  if (sheets.every((sheet) => sheet.rows.length === 0)) {
    throw new SpreadsheetError('empty-file', `${fileName} has no filled cell on any of its sheets.`)
  }
  const hidden = sheets.filter((sheet) => sheet.hidden && sheet.rows.length > 0)
  const notes = hidden.map((sheet) => `The sheet “${sheet.name}” is hidden in the file.`)
  return { fileName, format: { type: 'xlsx' }, sheets, notes }
}

function readTextWorkbook(bytes: Uint8Array, fileName: string): Workbook {
  const { text, encoding, byteOrderMark } = decodeText(bytes)
  if (text.trim() === '') throw new SpreadsheetError('empty-file', `${fileName} holds nothing but blanks.`)
  refuseMarkup(text, fileName)
  const { sheet, delimiter } = readDelimitedText(text, nameSheet(fileName))
  if (sheet.rows.length === 0) throw new SpreadsheetError('empty-file', `${fileName} has no filled cell.`)
  const notes =
    encoding === 'windows-1252'
      ? ['The file is not UTF-8 and was read as Windows-1252 (Western European). Check letters with accents.']
      : []
  return { fileName, format: { type: 'text', encoding, byteOrderMark, delimiter }, sheets: [sheet], notes }
}

function nameSheet(fileName: string): string {
  const base = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1)
  return base.replace(/\.[^.]+$/, '') || base
}

/** Web exports named .xls are HTML or XML inside, and configuration files are JSON; split by commas they are rubbish. */
function refuseMarkup(text: string, fileName: string): void {
  const start = text.slice(0, 1000).trimStart()
  if (/^<(!doctype|html|head|table|meta)/i.test(start))
    throw refuseFormat('a web page under a spreadsheet’s name')
  if (/^<\?xml|^<[a-z]+[\s>]/i.test(start)) throw refuseFormat('an XML file')
  if (/^[{[]/.test(start) && isJson(text)) {
    throw new SpreadsheetError('not-a-spreadsheet', `${fileName} is JSON data, not a spreadsheet.`)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** Old Office files and encrypted new ones share a container; its directory names tell which this is. */
function explainCompoundFile(bytes: Uint8Array): SpreadsheetError {
  const names = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (names.includes(Buffer.from('EncryptedPackage', 'utf16le'))) return createPasswordError()
  if (['Workbook', 'Book'].some((name) => names.includes(Buffer.from(name, 'utf16le')))) {
    return refuseFormat('an Excel 97–2003 workbook (.xls)')
  }
  return new SpreadsheetError('not-a-spreadsheet', 'The file is an old Office document, not a spreadsheet.')
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte)
}
