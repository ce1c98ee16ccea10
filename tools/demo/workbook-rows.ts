import { ZipArchive, ZipReader } from '@cj-tech-master/excelts/archive'

/** New rows of a sheet: row number, then column letters with what stands there. */
export type NewRows = Readonly<Record<number, Readonly<Record<string, string>>>>

/**
 * Adds rows to one sheet of a workbook, in place of those with the same numbers, and leaves every other byte of its
 * parts as it was: a real workbook keeps its formulas, comments and look-up sheets.
 */
export async function addRows(bytes: Uint8Array, sheetName: string, rows: NewRows): Promise<Uint8Array> {
  const parts = new Map<string, Uint8Array>()
  for await (const entry of new ZipReader(bytes).entries()) {
    if (entry.type === 'file') parts.set(entry.path, await entry.bytes())
  }
  const path = sheetPath(parts, sheetName)
  let sheet = textOf(parts, path)
  for (const [number, cells] of Object.entries(rows)) {
    const row = `<row r="${number}">${Object.entries(cells)
      .map(([letter, text]) => `<c r="${letter}${number}" t="inlineStr"><is><t>${escape(text)}</t></is></c>`)
      .join('')}</row>`
    const before = new RegExp(`<row r="${number}"[^>]*?(?:/>|>.*?</row>)`, 's')
    if (!before.test(sheet)) throw new Error(`${sheetName} has no row ${number} to replace`)
    sheet = sheet.replace(before, () => row)
  }
  const archive = new ZipArchive()
  for (const [name, content] of parts) archive.add(name, name === path ? sheet : content)
  return archive.bytes()
}

function sheetPath(parts: ReadonlyMap<string, Uint8Array>, sheetName: string): string {
  const sheet = elements(textOf(parts, 'xl/workbook.xml'), 'sheet').find(({ name }) => name === sheetName)
  const relation = elements(textOf(parts, 'xl/_rels/workbook.xml.rels'), 'Relationship').find(
    ({ Id }) => Id === sheet?.['r:id'],
  )
  if (relation?.['Target'] === undefined) throw new Error(`The workbook has no sheet ${sheetName}`)
  return `xl/${relation['Target']}`
}

/** The attributes of all elements of a name, as they are written by spreadsheet programs. */
function elements(xml: string, name: string): readonly Readonly<Record<string, string>>[] {
  return [...xml.matchAll(new RegExp(`<${name} ([^>]*)>`, 'g'))].map(([, attributes = '']) =>
    Object.fromEntries(
      [...attributes.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    ),
  )
}

function textOf(parts: ReadonlyMap<string, Uint8Array>, path: string): string {
  const part = parts.get(path)
  if (part === undefined) throw new Error(`The workbook has no part ${path}`)
  return new TextDecoder().decode(part)
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
