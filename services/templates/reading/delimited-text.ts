import { CsvError, parse } from 'csv-parse/sync'
import type { Cell, Sheet, SheetRow, WorkbookFormat } from '../domain/workbook.ts'
import { MAX_CELL_CHARACTERS, MAX_COLUMNS, SizeGuard } from './limits.ts'
import { SpreadsheetError } from './spreadsheet-error.ts'

type Delimiter = Extract<WorkbookFormat, { type: 'text' }>['delimiter']

const DELIMITERS: readonly Delimiter[] = [',', '\t', ';', '|']
/** How much of a file decides about its delimiter and line ends. */
const SAMPLE_CHARACTERS = 1_000_000
const SAMPLE_RECORDS = 500

/**
 * Reads delimited text into one sheet, each value exactly as written between its delimiters and quotes.
 * @throws SpreadsheetError `unclosed-quote` with the line where the quote opens; `not-a-spreadsheet` for free text.
 */
export function readDelimitedText(text: string, sheetName: string): { sheet: Sheet; delimiter: Delimiter } {
  const sample = text.slice(0, SAMPLE_CHARACTERS)
  const lineEnds = chooseLineEnds(sample)
  const delimiter = chooseDelimiter(sample, lineEnds)
  const guard = new SizeGuard()
  const rows: SheetRow[] = []
  let line = 1
  let number = 0
  try {
    parse(text, {
      delimiter,
      record_delimiter: [...lineEnds],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: false,
      max_record_size: MAX_CELL_CHARACTERS,
      on_record: (record: string[], context) => {
        number += 1
        const cells = collectCells(record, number)
        if (cells.length > 0) {
          guard.addRow(cells.length)
          rows.push({ number, cells, width: record.length, ...(line === number ? {} : { line }) })
        }
        line = context.lines + 1
        return null
      },
    })
  } catch (error) {
    throw explainParseError(error, text, delimiter, lineEnds)
  }
  return { sheet: { name: sheetName, hidden: false, rows, merges: [] }, delimiter }
}

function collectCells(record: readonly string[], number: number): Cell[] {
  if (record.length > MAX_COLUMNS) {
    throw new SpreadsheetError(
      'too-large',
      `Row ${number} has ${record.length} columns; ${MAX_COLUMNS} is the most.`,
    )
  }
  const cells: Cell[] = []
  record.forEach((text, index) => {
    if (text !== '') cells.push({ column: index + 1, text, kind: 'text' })
  })
  return cells
}

function explainParseError(
  error: unknown,
  text: string,
  delimiter: Delimiter,
  lineEnds: readonly string[],
): unknown {
  if (!(error instanceof CsvError)) return error
  if (error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE') {
    const line = scanRecords(text, [delimiter], lineEnds, Infinity).openQuoteLine
    if (line !== null) {
      return new SpreadsheetError(
        'unclosed-quote',
        `Line ${line} opens a quotation mark (") that is never closed, so where its value ends cannot be known.`,
        { line, cause: error },
      )
    }
    return new SpreadsheetError('too-large', `A row holds more than ${MAX_CELL_CHARACTERS} characters.`, {
      cause: error,
    })
  }
  return new SpreadsheetError('damaged', `The text could not be split into columns: ${error.message}`, {
    cause: error,
  })
}

interface Scan {
  /** Number of values of each record that is not blank. */
  readonly widths: readonly number[]
  readonly openQuoteLine: number | null
  /** Line ends outside quotes. */
  readonly lineFeeds: number
  readonly carriageReturns: number
}

/** One pass over the text with the quote rules of the parser, for what has to be known before parsing. */
function scanRecords(
  text: string,
  delimiters: readonly string[],
  lineEnds: readonly string[],
  maxRecords: number,
): Scan {
  const widths: number[] = []
  const carriageReturnEnds = lineEnds.includes('\r')
  const lineFeedEnds = lineEnds.includes('\n')
  let width = 1
  let blank = true
  let fieldStart = true
  let quoteLine: number | null = null
  let line = 1
  let lineFeeds = 0
  let carriageReturns = 0
  for (let index = 0; index < text.length && widths.length < maxRecords; index += 1) {
    const character = text[index] ?? ''
    const breaksLine = character === '\n' || (character === '\r' && text[index + 1] !== '\n')
    if (quoteLine !== null) {
      if (character === '"') {
        if (text[index + 1] === '"') index += 1
        else quoteLine = null
      }
    } else if (character === '"' && fieldStart) {
      quoteLine = line
      fieldStart = false
      blank = false
    } else if (delimiters.includes(character)) {
      width += 1
      fieldStart = true
    } else if (breaksLine) {
      if (character === '\n') lineFeeds += 1
      else carriageReturns += 1
      if (character === '\n' ? lineFeedEnds || text[index - 1] === '\r' : carriageReturnEnds) {
        if (!blank || width > 1) widths.push(width)
        width = 1
        blank = true
        fieldStart = true
      }
    } else if (character !== '\r') {
      fieldStart = false
      if (character !== ' ' && character !== '\t') blank = false
    }
    if (breaksLine) line += 1
  }
  if (!blank || width > 1) widths.push(width)
  return { widths, openQuoteLine: quoteLine, lineFeeds, carriageReturns }
}

/** A bare CR ends records only where it is the file's usual line end (old Macs); elsewhere it is part of a value. */
function chooseLineEnds(sample: string): readonly string[] {
  const { lineFeeds, carriageReturns } = scanRecords(sample, DELIMITERS, ['\n', '\r'], Infinity)
  return carriageReturns > lineFeeds ? ['\r\n', '\r'] : ['\r\n', '\n']
}

interface DelimiterScore {
  readonly delimiter: Delimiter
  readonly score: number
  /** Index of the record where the longest run of the usual width begins: the table, if this is the delimiter. */
  readonly begins: number
}

/**
 * The delimiter that splits most records into equally many values. A character that also stands inside values
 * (the decimal comma, lists in a cell) can look as regular; it loses to the one whose table begins earlier.
 */
function chooseDelimiter(sample: string, lineEnds: readonly string[]): Delimiter {
  const hint = /^sep=([,;\t|])[\r\n]/i.exec(sample)
  if (hint !== null) return hint[1] as Delimiter
  const scores = DELIMITERS.map((delimiter) => scoreDelimiter(delimiter, sample, lineEnds)).filter(
    (score) => score !== null,
  )
  const best = scores.toSorted((a, b) => b.score - a.score)[0]
  if (best === undefined) {
    refuseFreeText(sample)
    return chooseRaggedDelimiter(sample, lineEnds)
  }
  const contenders = scores.filter((score) => score.score * 1.5 >= best.score)
  return (
    contenders.toSorted((a, b) => a.begins - b.begins || b.score - a.score)[0]?.delimiter ?? best.delimiter
  )
}

function scoreDelimiter(
  delimiter: Delimiter,
  sample: string,
  lineEnds: readonly string[],
): DelimiterScore | null {
  const { widths } = scanRecords(sample, [delimiter], lineEnds, SAMPLE_RECORDS)
  const counts = new Map<number, number>()
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1)
  const [width, count] = [...counts].toSorted((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [1, 0]
  const share = count / widths.length
  if (width < 2 || share < 0.5) return null
  return { delimiter, score: share * share * Math.log2(width + 1), begins: findLongestRun(widths, width) }
}

function findLongestRun(widths: readonly number[], width: number): number {
  let best = { start: 0, length: 0 }
  let start = 0
  widths.forEach((candidate, index) => {
    if (candidate !== width) start = index + 1
    else if (index - start + 1 > best.length) best = { start, length: index - start + 1 }
  })
  return best.start
}

/**
 * For text whose records differ in length, such as sections with their own columns: the character that splits
 * most of them. A list in one column keeps the commas inside its values, so a delimiter it lacks is taken.
 */
function chooseRaggedDelimiter(sample: string, lineEnds: readonly string[]): Delimiter {
  const counts = DELIMITERS.map((delimiter) => {
    const { widths } = scanRecords(sample, [delimiter], lineEnds, SAMPLE_RECORDS)
    return { delimiter, share: widths.filter((width) => width > 1).length / widths.length }
  })
  const best = counts.toSorted((a, b) => b.share - a.share)[0]
  if (best !== undefined && best.share >= 0.25) return best.delimiter
  return DELIMITERS.find((delimiter) => !sample.includes(delimiter)) ?? ','
}

/** A list in one column is a table; a form of lines such as "Submitter: Dr. X" is not, and should say so early. */
function refuseFreeText(sample: string): void {
  const lines = sample.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '')
  const labelled = lines.filter((line) => /^[\s*•-]*\p{L}[\p{L}\p{N} ()/-]{0,60}:(?:\s|$)/u.test(line))
  if (labelled.length >= 3 && labelled.length * 4 >= lines.length) {
    throw new SpreadsheetError(
      'not-a-spreadsheet',
      `The file is a text form with lines such as “${(labelled[0] ?? '').trim().slice(0, 60)}”, not a table with columns.`,
    )
  }
}
