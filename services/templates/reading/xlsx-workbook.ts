import { Decimal } from 'decimal.js'
import type { Cell, MergedRange, Sheet, SheetRow } from '../domain/workbook.ts'
import { formatSerialDate, formatSerialTime } from '../domain/serial-date.ts'
import { MAX_COLUMNS, SizeGuard } from './limits.ts'
import { SpreadsheetError } from './spreadsheet-error.ts'
import { findBuiltInFormat, readNumberFormat, type NumberFormatMeaning } from './xlsx-number-format.ts'
import { openPackage, type XlsxPackage } from './xlsx-package.ts'

/** The digits a spreadsheet program shows and lets people type; what is stored beyond them is binary residue. */
const SHOWN_DIGITS = 15

interface CellFormat {
  readonly code: string
  readonly meaning: NumberFormatMeaning
}

interface SheetReference {
  readonly name: string
  readonly hidden: boolean
  readonly path: string
}

interface CellContext {
  readonly strings: readonly string[]
  readonly formats: readonly (CellFormat | undefined)[]
  readonly base1904: boolean
}

/**
 * Reads the sheets of an xlsx package from its XML, not through a spreadsheet model: a model turns the stored
 * text of numbers into floats, and builds objects for each of the thousands of formatted cells that are empty.
 * @throws SpreadsheetError when it is no workbook, damaged, protected or too large.
 */
export async function readXlsx(bytes: Uint8Array): Promise<readonly Sheet[]> {
  const source = await openPackage(bytes)
  const workbookPath = await findWorkbookPart(source)
  const relations = await readRelations(source, workbookPath)
  const { sheets, base1904 } = await readWorkbookPart(source, workbookPath, relations)
  const context: CellContext = {
    strings: await readSharedStrings(
      source,
      relations.find((relation) => relation.type === 'sharedStrings')?.path,
    ),
    formats: await readFormats(source, relations.find((relation) => relation.type === 'styles')?.path),
    base1904,
  }
  const guard = new SizeGuard()
  const read: Sheet[] = []
  for (const sheet of sheets) read.push(await readSheet(source, sheet, context, guard))
  return read
}

interface Relation {
  readonly id: string
  readonly type: string
  readonly path: string
}

async function findWorkbookPart(source: XlsxPackage): Promise<string> {
  if (source.has('_rels/.rels')) {
    const main = (await readRelations(source, '')).find((relation) => relation.type === 'officeDocument')
    if (main?.path.endsWith('.bin')) throw refuseFormat('an Excel binary workbook (.xlsb)')
    if (main !== undefined && /^(word|ppt|visio)\//.test(main.path)) {
      throw new SpreadsheetError(
        'not-a-spreadsheet',
        'The file is a document or presentation, not a spreadsheet.',
      )
    }
    if (main !== undefined && source.has(main.path)) return main.path
  }
  if (source.has('xl/workbook.xml')) return 'xl/workbook.xml'
  if (source.has('content.xml')) throw refuseFormat('an OpenDocument file')
  throw new SpreadsheetError('not-a-spreadsheet', 'The file is a zip archive without a workbook in it.')
}

export function refuseFormat(what: string): SpreadsheetError {
  return new SpreadsheetError(
    'unsupported-format',
    `The file is ${what}. Save it as .xlsx or .csv and drop that here.`,
  )
}

async function readRelations(source: XlsxPackage, partPath: string): Promise<readonly Relation[]> {
  const folder = partPath.includes('/') ? partPath.slice(0, partPath.lastIndexOf('/') + 1) : ''
  const relations: Relation[] = []
  await source.read(`${folder}_rels/${partPath.slice(folder.length)}.rels`, {
    open(name, attributes) {
      if (name !== 'Relationship' || attributes['TargetMode'] === 'External') return
      const type = attributes['Type'] ?? ''
      relations.push({
        id: attributes['Id'] ?? '',
        type: type.slice(type.lastIndexOf('/') + 1),
        path: resolvePath(folder, attributes['Target'] ?? ''),
      })
    },
  })
  return relations
}

/** Targets are relative to the folder of the part that names them, or begin at the root of the package. */
function resolvePath(folder: string, target: string): string {
  const parts: string[] = []
  for (const part of (target.startsWith('/') ? target : folder + target).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

async function readWorkbookPart(
  source: XlsxPackage,
  path: string,
  relations: readonly Relation[],
): Promise<{ sheets: readonly SheetReference[]; base1904: boolean }> {
  const sheets: SheetReference[] = []
  let base1904 = false
  await source.read(path, {
    open(name, attributes) {
      if (name === 'workbookPr') base1904 = isTrue(attributes['date1904'])
      if (name !== 'sheet') return
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1]
      const relation = relations.find((candidate) => candidate.id === id)
      // Chart and dialogue sheets have no cells.
      if (relation?.type !== 'worksheet') return
      const hidden = attributes['state'] === 'hidden' || attributes['state'] === 'veryHidden'
      sheets.push({ name: attributes['name'] ?? '', hidden, path: relation.path })
    },
  })
  return { sheets, base1904 }
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true'
}

async function readSharedStrings(source: XlsxPackage, path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return []
  const strings: string[] = []
  const text = new TextCollector()
  await source.read(path, {
    open(name) {
      if (name === 'si') text.clear()
      text.open(name)
    },
    text: (part) => text.add(part),
    close(name) {
      text.close(name)
      if (name === 'si') strings.push(decodeEscapes(text.value))
    },
  })
  return strings
}

/** Joins the runs of a rich text; phonetic readings (`rPh`) stand beside the text and are not part of it. */
class TextCollector {
  value = ''
  #inText = false
  #inPhonetic = false

  clear(): void {
    this.value = ''
  }

  open(name: string): void {
    if (name === 'rPh') this.#inPhonetic = true
    else if (name === 't') this.#inText = !this.#inPhonetic
  }

  add(part: string): void {
    if (this.#inText) this.value += part
  }

  close(name: string): void {
    if (name === 'rPh') this.#inPhonetic = false
    else if (name === 't') this.#inText = false
  }
}

/** Characters that XML cannot carry are written `_x000D_`, and a literal `_x` therefore as `_x005F_x`. */
function decodeEscapes(text: string): string {
  if (!text.includes('_x')) return text
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

async function readFormats(
  source: XlsxPackage,
  path: string | undefined,
): Promise<readonly (CellFormat | undefined)[]> {
  if (path === undefined) return []
  const codes = new Map<number, string>()
  const formats: (CellFormat | undefined)[] = []
  let inCellFormats = false
  await source.read(path, {
    open(name, attributes) {
      if (name === 'numFmt') codes.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '')
      else if (name === 'cellXfs') inCellFormats = true
      else if (name === 'xf' && inCellFormats) {
        const id = Number(attributes['numFmtId'] ?? '0')
        const code = codes.get(id) ?? findBuiltInFormat(id)
        formats.push(code === undefined ? undefined : { code, meaning: readNumberFormat(code) })
      }
    },
    close(name) {
      if (name === 'cellXfs') inCellFormats = false
    },
  })
  return formats
}

/** A cell while its elements go by. */
interface OpenCell {
  readonly column: number
  readonly type: string
  readonly format: CellFormat | undefined
  value: string | null
  formula: boolean
}

async function readSheet(
  source: XlsxPackage,
  sheet: SheetReference,
  context: CellContext,
  guard: SizeGuard,
): Promise<Sheet> {
  const rows: SheetRow[] = []
  const merges: MergedRange[] = []
  const inline = new TextCollector()
  let rowNumber = 0
  let rowHidden = false
  let cells: Cell[] = []
  let column = 0
  let cell: OpenCell | null = null
  let inValue = false

  await source.read(sheet.path, {
    open(name, attributes) {
      switch (name) {
        case 'row':
          rowNumber = attributes['r'] === undefined ? rowNumber + 1 : Number(attributes['r'])
          rowHidden = isTrue(attributes['hidden'])
          cells = []
          column = 0
          break
        case 'c':
          column = attributes['r'] === undefined ? column + 1 : readColumn(attributes['r'])
          cell = {
            column,
            type: attributes['t'] ?? 'n',
            format: context.formats[Number(attributes['s'] ?? '0')],
            value: null,
            formula: false,
          }
          break
        case 'v':
          inValue = true
          if (cell !== null) cell.value = ''
          break
        case 'f':
          if (cell !== null) cell.formula = true
          break
        case 'is':
          inline.clear()
          break
        case 'mergeCell':
          merges.push(...readMerge(attributes['ref'] ?? ''))
          break
        default:
          inline.open(name)
      }
    },
    text(part) {
      if (inValue && cell !== null) cell.value = (cell.value ?? '') + part
      else inline.add(part)
    },
    close(name) {
      if (name === 'v') inValue = false
      else if (name === 'is' && cell !== null) cell.value = inline.value
      else if (name === 'c' && cell !== null) {
        const finished = finishCell(cell, context, `${sheet.name}, row ${rowNumber}`)
        if (finished !== null) cells.push(finished)
        cell = null
      } else if (name === 'row' && cells.length > 0) {
        guard.addRow(cells.length)
        rows.push({ number: rowNumber, cells, ...(rowHidden ? { hidden: true as const } : {}) })
      } else inline.close(name)
    },
  })
  return { name: sheet.name, hidden: sheet.hidden, rows, merges }
}

function readColumn(reference: string): number {
  let column = 0
  for (const character of reference) {
    const code = character.charCodeAt(0)
    if (code < 65 || code > 90) break
    column = column * 26 + (code - 64)
  }
  if (column < 1 || column > MAX_COLUMNS) {
    throw new SpreadsheetError('damaged', `The workbook names a cell ${reference}, which no sheet has.`)
  }
  return column
}

function readMerge(range: string): readonly MergedRange[] {
  const match = /^([A-Z]+)(\d+):([A-Z]+)(\d+)$/.exec(range)
  if (match === null) return []
  const [, left = '', top, right = '', bottom] = match
  return [{ left: readColumn(left), top: Number(top), right: readColumn(right), bottom: Number(bottom) }]
}

/** The cell as people see it, or null where it shows nothing. */
function finishCell(cell: OpenCell, context: CellContext, place: string): Cell | null {
  const { column, value } = cell
  const formula = cell.formula ? { formula: true as const } : {}
  if (value === null) return cell.formula ? { column, text: '', kind: 'uncalculated', formula: true } : null
  switch (cell.type) {
    case 's': {
      const text = context.strings[Number(value)]
      if (text === undefined) {
        throw new SpreadsheetError('damaged', `The workbook lacks the text of column ${column} in ${place}.`)
      }
      return text === '' ? null : { column, text, kind: 'text', ...formula }
    }
    case 'str':
    case 'inlineStr': {
      const text = decodeEscapes(value)
      return text === '' ? null : { column, text, kind: 'text', ...formula }
    }
    case 'b':
      return { column, text: isTrue(value) ? 'TRUE' : 'FALSE', kind: 'boolean', stored: value, ...formula }
    case 'e':
      return { column, text: value, kind: 'error', ...formula }
    case 'd':
      return { column, text: value, kind: 'date', ...formula }
    default:
      return value === '' ? null : { column, ...showNumber(value, cell.format, context.base1904), ...formula }
  }
}

/** A stored number as the sheet shows it, where showing it otherwise would lose its meaning or its zeros. */
function showNumber(
  stored: string,
  format: CellFormat | undefined,
  base1904: boolean,
): Pick<Cell, 'text' | 'kind' | 'stored' | 'format'> {
  const code = format === undefined ? {} : { format: format.code }
  const meaning = format?.meaning ?? { shows: 'number' }
  const serial = Number(stored)
  if (meaning.shows === 'date' || meaning.shows === 'time') {
    const text =
      (meaning.shows === 'time' ? formatSerialTime(serial) : null) ??
      formatSerialDate(serial, { base1904, time: meaning.shows === 'date' && meaning.time })
    if (text !== null) return { text, kind: 'date', stored, ...code }
  }
  if (meaning.shows === 'padded' && /^\d+$/.test(stored) && stored.length < meaning.digits) {
    return { text: stored.padStart(meaning.digits, '0'), kind: 'number', stored, ...code }
  }
  const text = dropBinaryResidue(stored)
  return { text, kind: 'number', ...(text === stored ? {} : { stored }), ...code }
}

/**
 * A sheet that shows 1.1 may store 1.1000000000000001: the 16th and 17th digits belong to the binary number, not
 * to what was measured. Whole numbers are left alone: a long barcode typed into a number cell keeps every digit.
 */
function dropBinaryResidue(stored: string): string {
  const digits = /^-?(\d+\.\d+)(?:[eE][+-]?\d+)?$/.exec(stored)?.[1]?.replace('.', '').replace(/^0+/, '')
  if (digits === undefined || digits.length <= SHOWN_DIGITS) return stored
  const rounded = new Decimal(stored).toSignificantDigits(SHOWN_DIGITS)
  return /[eE]/.test(stored) ? rounded.toString() : rounded.toFixed()
}
