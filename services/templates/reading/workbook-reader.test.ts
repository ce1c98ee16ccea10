import { ZipArchive } from '@cj-tech-master/excelts/archive'
import { Workbook as WrittenWorkbook } from '@cj-tech-master/excelts'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findCell, type Sheet } from '../domain/workbook.ts'
import { SpreadsheetError, type SpreadsheetErrorCode } from './spreadsheet-error.ts'
import { readWorkbook } from './workbook-reader.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function utf16(text: string, options: { bigEndian?: boolean; mark: boolean }): Uint8Array {
  const bytes = Buffer.from((options.mark ? '\ufeff' : '') + text, 'utf16le')
  return new Uint8Array(options.bigEndian === true ? bytes.swap16() : bytes)
}

/** The texts of a sheet as a full grid, empty cells as ''. */
function gridOf(sheet: Sheet | undefined): string[][] {
  const rows = sheet?.rows ?? []
  const height = rows.at(-1)?.number ?? 0
  return Array.from({ length: height }, (_, index) => {
    const row = rows.find((candidate) => candidate.number === index + 1)
    const width = row?.width ?? row?.cells.at(-1)?.column ?? 0
    return Array.from({ length: width }, (_, column) =>
      row === undefined ? '' : (findCell(row, column + 1)?.text ?? ''),
    )
  })
}

async function readGrid(bytes: Uint8Array): Promise<string[][]> {
  return gridOf((await readWorkbook(bytes, 'manifest.csv')).sheets[0])
}

async function refusal(
  bytes: Uint8Array,
): Promise<{ code: SpreadsheetErrorCode; line: number | null; message: string }> {
  try {
    await readWorkbook(bytes, 'manifest.xlsx')
  } catch (error) {
    if (error instanceof SpreadsheetError)
      return { code: error.code, line: error.line, message: error.message }
    throw error
  }
  throw new Error('The file was read, but should have been refused.')
}

describe('delimited text', () => {
  it('is told by its content: delimiter, line ends, encoding and mark', async () => {
    const grid = [
      ['id', 'name', 'µL'],
      ['007', 'Ångström', '495,5'],
    ]
    const variants: readonly [string, Uint8Array][] = [
      ['comma', utf8('id,name,µL\n007,Ångström,"495,5"\n')],
      ['semicolon and CRLF', utf8('id;name;µL\r\n007;Ångström;495,5\r\n')],
      ['tab and bare CR', utf8('id\tname\tµL\r007\tÅngström\t495,5\r')],
      ['bar, no last line end', utf8('id|name|µL\n007|Ångström|495,5')],
      ['UTF-8 mark', utf8('\ufeffid;name;µL\n007;Ångström;495,5\n')],
      ['UTF-16 LE mark', utf16('id\tname\tµL\r\n007\tÅngström\t495,5', { mark: true })],
      ['UTF-16 BE mark', utf16('id;name;µL\r\n007;Ångström;495,5', { mark: true, bigEndian: true })],
      ['UTF-16 LE unmarked', utf16('id;name;µL\r\n007;Ångström;495,5', { mark: false })],
      ['Windows-1252', Uint8Array.from(Buffer.from('id;name;µL\r\n007;Ångström;495,5', 'latin1'))],
    ]
    for (const [name, bytes] of variants) expect([name, await readGrid(bytes)]).toEqual([name, grid])
  })

  it('numbers rows as the file does and leaves out empty ones', async () => {
    const workbook = await readWorkbook(utf8('a,b\n\n,\n"x\ny",2\n3,4\n'), 'manifest.csv')
    expect(workbook.sheets[0]?.rows.map((row) => [row.number, row.line ?? row.number, row.width])).toEqual([
      [1, 1, 2],
      [4, 4, 2],
      [5, 6, 2],
    ])
  })

  it('keeps quotation marks inside values and commas inside a one-column list', async () => {
    expect(await readGrid(utf8('name,size\n12" gel,"say ""hi"""\n'))).toEqual([
      ['name', 'size'],
      ['12" gel', 'say "hi"'],
    ])
    expect(await readGrid(utf8('name\nWater\nSmith, John\nBlank\nEMPTY\nNone\n'))).toHaveLength(6)
    expect((await readGrid(utf8('name\nWater\nSmith, John\nBlank\nEMPTY\nNone\n')))[2]).toEqual([
      'Smith, John',
    ])
  })

  it('is not misled by titles, decimal commas or lists inside cells', async () => {
    const semicolon = 'Clinic 3, Boston\n\nid;volume;note\n1;2,5;a\n2;3,5;b\n3;4,5;c\n'
    expect((await readGrid(utf8(semicolon)))[3]).toEqual(['1', '2,5', 'a'])
    const tags = `sample,tags\n${Array.from({ length: 20 }, (_, index) => `s${index},a;b;c`).join('\n')}\n`
    expect((await readGrid(utf8(tags)))[1]).toEqual(['s0', 'a;b;c'])
    expect((await readGrid(utf8('sep=;\nid;a,b\n1;c,d\n')))[1]).toEqual(['id', 'a,b'])
  })

  it('says where a quotation mark opens that never closes', async () => {
    expect(await refusal(utf8('a,b\n1,2\n3,"4\n5,6\n'))).toMatchObject({ code: 'unclosed-quote', line: 3 })
  })
})

describe('what is not a spreadsheet', () => {
  it('is refused with its reason', async () => {
    const compound = (name: string): Uint8Array =>
      Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(100), Buffer.from(name, 'utf16le')])
    const cases: readonly [string, Uint8Array, SpreadsheetErrorCode][] = [
      ['no bytes', new Uint8Array(), 'empty-file'],
      ['only a mark', utf8('\ufeff'), 'empty-file'],
      ['only blanks', utf8(' \r\n\t\n'), 'empty-file'],
      ['only delimiters', utf8(',,,\n,,,\n'), 'empty-file'],
      ['encrypted workbook', compound('EncryptedPackage'), 'password-protected'],
      ['old workbook', compound('Workbook'), 'unsupported-format'],
      ['PDF', utf8('%PDF-1.7 …'), 'not-a-spreadsheet'],
      ['PNG', Buffer.from('89504e470d0a1a0a', 'hex'), 'not-a-spreadsheet'],
      [
        'random bytes',
        Uint8Array.from({ length: 999 }, (_, index) => (index * 37) % 32),
        'not-a-spreadsheet',
      ],
      ['web page', utf8('<html><body><table><tr><td>1</td></tr></table>'), 'unsupported-format'],
      ['JSON', utf8('{"a": [1, 2], "b": [3, 4]}'), 'not-a-spreadsheet'],
      ['text form', utf8('Lab form\n\nName: A\nType: DNA\nVolume: 25 uL, 100 ng/uL\n'), 'not-a-spreadsheet'],
      ['cut zip', utf8('PK\x03\x04 and then nothing'), 'damaged'],
      ['zip of something else', await zip({ 'notes.txt': 'hello' }), 'not-a-spreadsheet'],
      ['document', await zip(packageParts('word/document.xml')), 'not-a-spreadsheet'],
      ['OpenDocument', await zip({ 'content.xml': '<x/>', mimetype: 'x' }), 'unsupported-format'],
      ['UTF-16 cut in half', Uint8Array.from([0xff, 0xfe, 0x41, 0x00, 0x42]), 'damaged'],
    ]
    for (const [name, bytes, code] of cases) expect([name, (await refusal(bytes)).code]).toEqual([name, code])
  })

  it('is refused when it is too large', async () => {
    expect(await refusal(new Uint8Array(65 * 1024 * 1024))).toMatchObject({ code: 'too-large' })
    const rows = '<row><c><v>1</v></c></row>'.repeat(250_001)
    expect(await refusal(await workbookOf(rows))).toMatchObject({ code: 'too-large' })
  })
})

describe('files that are broken', () => {
  /** Reads or refuses with a reason; anything else thrown would be a defect. */
  async function readOrRefuse(bytes: Uint8Array): Promise<string> {
    try {
      return (await readWorkbook(bytes, 'manifest.xlsx')).format.type
    } catch (error) {
      if (error instanceof SpreadsheetError) return error.code
      throw error
    }
  }

  it('are read or refused, whatever byte of a workbook is wrong or missing', async () => {
    const rows = Array.from({ length: 20 }, (_, index) => `<row r="${index + 1}"><c t="s"><v>0</v></c></row>`)
    const whole = await workbookOf(rows.join(''))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, by, cut) => {
          const broken = cut
            ? whole.slice(0, at)
            : whole.map((byte, index) => (index === at ? byte ^ by : byte))
          // Damage outside the cells may go unnoticed; damage inside never shows as other values.
          if ((await readOrRefuse(broken)) === 'xlsx')
            expect(await readGrid(broken)).toEqual(await readGrid(whole))
        },
      ),
      { numRuns: 300 },
    )
    expect(await readOrRefuse(whole)).toBe('xlsx')
  })

  it('are read or refused, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await readOrRefuse(bytes)).not.toBe('xlsx')
      }),
      { numRuns: 300 },
    )
  })
})

async function zip(parts: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const archive = new ZipArchive()
  for (const [path, content] of Object.entries(parts)) archive.add(path, content)
  return archive.bytes()
}

function packageParts(main: string): Readonly<Record<string, string>> {
  const type = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument'
  return {
    '_rels/.rels': `<Relationships><Relationship Id="a" Type="${type}" Target="${main}"/></Relationships>`,
  }
}

const STYLES = [
  'General',
  'yyyy\\-mm\\-dd',
  'dd/mm/yyyy hh:mm',
  '00000',
  '0.00',
  '[h]:mm',
  'h:mm AM/PM',
  '[Red]"d"0',
]

/** A workbook of one sheet from the XML of its rows, so that the stored text of numbers is under control. */
async function workbookOf(
  rows: string,
  options: { base1904?: boolean; after?: string } = {},
): Promise<Uint8Array> {
  const relation = (id: string, type: string, target: string): string =>
    `<Relationship Id="${id}" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/${type}" Target="${target}"/>`
  return zip({
    ...packageParts('/xl/book.xml'),
    'xl/book.xml': `<x:workbook xmlns:x="a" xmlns:r="b"><x:workbookPr date1904="${options.base1904 === true ? 1 : 0}"/><x:sheets><x:sheet name="Tubes &amp; plates" sheetId="1" r:id="s"/></x:sheets></x:workbook>`,
    'xl/_rels/book.xml.rels': `<Relationships>${relation('s', 'worksheet', 'one.xml')}${relation('t', 'styles', 'styles.xml')}${relation('u', 'sharedStrings', 'strings.xml')}</Relationships>`,
    'xl/styles.xml': `<styleSheet><numFmts>${STYLES.map((code, index) => `<numFmt numFmtId="${200 + index}" formatCode="${code.replaceAll('"', '&quot;')}"/>`).join('')}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${STYLES.map((_, index) => `<xf numFmtId="${200 + index}"/>`).join('')}</cellXfs></styleSheet>`,
    'xl/strings.xml':
      '<sst><si><t>0007</t></si><si><r><t xml:space="preserve">rich </t></r><r><t>text</t></r><rPh><t>sound</t></rPh></si><si><t>a_x000D_b_x005F_x000D_</t></si></sst>',
    'xl/one.xml': `<worksheet><sheetData>${rows}</sheetData>${options.after ?? ''}</worksheet>`,
  })
}

async function readCells(
  cells: string,
  options: { base1904?: boolean } = {},
): Promise<Sheet['rows'][number]['cells']> {
  const workbook = await readWorkbook(await workbookOf(`<row r="1">${cells}</row>`, options), 'manifest.xlsx')
  return workbook.sheets[0]?.rows[0]?.cells ?? []
}

describe('xlsx', () => {
  it('gives numbers as they are stored, without the residue of binary fractions', async () => {
    const stored = [
      '15.0',
      '131',
      '0.30000000000000004',
      '1.1000000000000001',
      '12345678901234567',
      '1E-3',
      '-0.5',
    ]
    const cells = await readCells(stored.map((value) => `<c><v>${value}</v></c>`).join(''))
    expect(cells.map((cell) => [cell.text, cell.stored])).toEqual([
      ['15.0', undefined],
      ['131', undefined],
      ['0.3', '0.30000000000000004'],
      ['1.1', '1.1000000000000001'],
      ['12345678901234567', undefined],
      ['1E-3', undefined],
      ['-0.5', undefined],
    ])
  })

  it('gives dates as ISO text with the way they were shown, and keeps shown zeros', async () => {
    const cells = await readCells(
      '<c s="1"><v>46343</v></c><c s="2"><v>46343.4375</v></c><c s="3"><v>42</v></c><c s="5"><v>1.5</v></c><c s="6"><v>0.75</v></c><c s="1"><v>60</v></c><c s="1"><v>59</v></c><c s="7"><v>3</v></c>',
    )
    expect(cells.map((cell) => [cell.text, cell.kind, cell.stored, cell.format])).toEqual([
      ['2026-11-17', 'date', '46343', 'yyyy\\-mm\\-dd'],
      ['2026-11-17T10:30:00', 'date', '46343.4375', 'dd/mm/yyyy hh:mm'],
      ['00042', 'number', '42', '00000'],
      ['1.5', 'number', undefined, '[h]:mm'],
      ['18:00:00', 'date', '0.75', 'h:mm AM/PM'],
      ['60', 'number', undefined, 'yyyy\\-mm\\-dd'],
      ['1900-02-28', 'date', '59', 'yyyy\\-mm\\-dd'],
      ['3', 'number', undefined, '[Red]"d"0'],
    ])
    const apple = await readCells('<c s="1"><v>44881</v></c>', { base1904: true })
    expect(apple[0]?.text).toBe('2026-11-17')
  })

  it('reads shared, rich, inline and formula texts, booleans and errors', async () => {
    const cells = await readCells(
      '<c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c><c r="D1" t="s"><v>2</v></c><c r="E1" t="inlineStr"><is><t>in &lt;line&gt;</t></is></c><c r="F1" t="str"><f>A1</f><v>0007</v></c><c r="G1" t="b"><v>1</v></c><c r="H1" t="e"><v>#N/A</v></c><c r="I1"><f>NOW()</f></c><c r="J1" t="str"><f>""</f><v></v></c><c r="AA1" s="4"/>',
    )
    expect(cells.map((cell) => [cell.column, cell.text, cell.kind, cell.formula ?? false])).toEqual([
      [1, '0007', 'text', false],
      [3, 'rich text', 'text', false],
      [4, 'a\rb_x000D_', 'text', false],
      [5, 'in <line>', 'text', false],
      [6, '0007', 'text', true],
      [7, 'TRUE', 'boolean', false],
      [8, '#N/A', 'error', false],
      [9, '', 'uncalculated', true],
    ])
  })

  it('keeps row numbers, hidden rows and merged ranges, and leaves out empty formatted rows', async () => {
    const bytes = await workbookOf(
      '<row r="3"><c r="A3"><v>1</v></c></row><row r="4"><c r="A4" s="1"/></row><row r="9" hidden="1"><c r="A9"><v>2</v></c></row>',
      { after: '<mergeCells><mergeCell ref="B3:D4"/></mergeCells>' },
    )
    const sheet = (await readWorkbook(bytes, 'manifest.xlsx')).sheets[0]
    expect(sheet?.name).toBe('Tubes & plates')
    expect(sheet?.rows.map((row) => [row.number, row.hidden ?? false])).toEqual([
      [3, false],
      [9, true],
    ])
    expect(sheet?.merges).toEqual([{ top: 3, left: 2, bottom: 4, right: 4 }])
  })
})

/** Cell texts as clients send them: leading zeros, accents, quotes, line breaks, formulas, emoji. */
const cellText = fc.oneof(
  fc.stringMatching(/^0[0-9]{1,8}$/),
  fc.constantFrom(
    '',
    ' lead',
    'trail ',
    '"',
    '""',
    '=1+1',
    "'007",
    '1E5',
    '0.30',
    'a,b;c\td|e',
    '−80 °C',
    'µL μL',
    '🧬',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('a', '0', '"', '\n', '\r', '\r\n', ',', ';', '\t', '|', ' ', 'é'),
    maxLength: 10,
  }),
)
const grids = fc
  .integer({ min: 2, max: 5 })
  .chain((width) =>
    fc.array(fc.array(cellText, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 8 }),
  )

/** A header tells the delimiter, as in any real file; the random rows follow. */
function withHeader(rows: readonly (readonly string[])[]): string[][] {
  const width = rows[0]?.length ?? 0
  return [Array.from({ length: width }, (_, index) => `column ${index}`), ...rows.map((row) => [...row])]
}

/** Rows of empty cells are not rows, so they are not compared. */
function dropBlankRows(grid: readonly (readonly string[])[]): (readonly string[])[] {
  return grid.filter((row) => row.some((text) => text !== ''))
}

describe('the importer never alters a value', () => {
  it.each([',', ';', '\t', '|'])('written as text split by %j', async (delimiter) => {
    await fc.assert(
      fc.asyncProperty(
        grids,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom('utf-8', 'utf-8 marked', 'utf-16le', 'utf-16be'),
        async (rows, lineEnd, encoding) => {
          const grid = withHeader(rows)
          const text = stringify(grid, { delimiter, record_delimiter: lineEnd, quoted: true })
          fc.pre(!text.includes('\0') && text.isWellFormed())
          const bytes =
            encoding === 'utf-8'
              ? utf8(text)
              : encoding === 'utf-8 marked'
                ? utf8(`\ufeff${text}`)
                : utf16(text, { mark: true, bigEndian: encoding === 'utf-16be' })
          expect(dropBlankRows(await readGrid(bytes))).toEqual(dropBlankRows(grid))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('written in Windows-1252', async () => {
    const letters = fc.string({
      unit: fc.constantFrom('0', '7', 'ä', 'é', '€', '’', 'µ', '°', ' ', 'x'),
      maxLength: 8,
    })
    const codes = new Map(
      Array.from({ length: 256 }, (_, byte) => [
        new TextDecoder('windows-1252').decode(Uint8Array.of(byte)),
        byte,
      ]),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(letters, letters), { minLength: 1, maxLength: 6 }), async (rows) => {
        const grid = [['näme', 'µL'], ...rows.map((row) => [...row])]
        const bytes = Uint8Array.from(
          [...stringify(grid, { delimiter: ';' })].map((letter) => codes.get(letter) ?? 0),
        )
        expect(dropBlankRows(await readGrid(bytes))).toEqual(dropBlankRows(grid))
      }),
      { numRuns: 100 },
    )
  })

  it('written as xlsx', async () => {
    await fc.assert(
      fc.asyncProperty(grids, async (rows) => {
        const grid = withHeader(rows)
        fc.pre(grid.flat().every((text) => text.isWellFormed()))
        // XML cannot carry control characters, and the writer drops what spreadsheet programs would escape.
        const carried = grid.map((row) => row.map((text) => text.replace(/[\p{Cc}\ufffe\uffff]/gu, '\n')))
        const written = new WrittenWorkbook()
        const sheet = written.addWorksheet('Manifest')
        for (const row of carried) sheet.addRow(row)
        const bytes = new Uint8Array(await written.xlsx.writeBuffer())
        const trimmed = dropBlankRows(carried).map((row) =>
          row.slice(0, row.findLastIndex((text) => text !== '') + 1),
        )
        expect(dropBlankRows(await readGrid(bytes))).toEqual(trimmed)
      }),
      { numRuns: 60 },
    )
  })
})
