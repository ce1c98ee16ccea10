import { crc32 } from 'node:zlib'
import { BufferReader, RemoteZipReader, ZipReader } from '@cj-tech-master/excelts/archive'
import { SaxParser } from '@cj-tech-master/excelts/xml'
import { MAX_PART_BYTES, MAX_UNPACKED_BYTES } from './limits.ts'
import { SpreadsheetError } from './spreadsheet-error.ts'

/** Callbacks of one pass over an XML part. Names come without their namespace prefix. */
export interface XmlHandlers {
  open?(name: string, attributes: Readonly<Record<string, string>>): void
  text?(text: string): void
  close?(name: string): void
}

/** The parts of an Office Open XML file, unpacked as streams so that size is checked while it grows. */
export interface XlsxPackage {
  has(path: string): boolean
  /** Streams a part through the handlers. @throws SpreadsheetError `damaged` when it is missing or broken. */
  read(path: string, handlers: XmlHandlers): Promise<void>
}

/**
 * Opens a zip file that should be a workbook; nothing is unpacked yet.
 * @throws SpreadsheetError `damaged` when its table of contents cannot be read.
 */
export async function openPackage(bytes: Uint8Array): Promise<XlsxPackage> {
  const zip = new ZipReader(bytes)
  // The streaming reader does not tell checksums; this one reads the table of contents, which holds them.
  const contents = await RemoteZipReader.fromReader(new BufferReader(bytes)).catch((error: unknown) => {
    throw explainPackageError(error)
  })
  let unpackedBytes = 0

  function countBytes(part: number, added: number): void {
    unpackedBytes += added
    if (part > MAX_PART_BYTES || unpackedBytes > MAX_UNPACKED_BYTES) {
      throw new SpreadsheetError(
        'too-large',
        'The workbook unpacks to more than TracSeq reads. Split it into smaller files.',
      )
    }
  }

  return {
    has: (path) => contents.hasEntry(path),
    async read(path, handlers) {
      const entry = contents.getEntry(path)
      if (entry === undefined) throw new SpreadsheetError('damaged', `The workbook lacks its part ${path}.`)
      if (entry.isEncrypted) throw createPasswordError()
      // What the callbacks throw is ours; what else goes wrong on this way lies in the file.
      const thrown: unknown[] = []
      const parser = createParser(handlers, (error) => thrown.push(error))
      const decoder = new TextDecoder('utf-8', { fatal: true })
      let partBytes = 0
      let checksum = 0
      try {
        const part = await zip.get(path)
        for await (const chunk of part?.stream() ?? []) {
          partBytes += chunk.length
          checksum = crc32(chunk, checksum)
          countBytes(partBytes, chunk.length)
          parser.write(keepDelete(decoder.decode(chunk, { stream: true })))
        }
        parser.write(decoder.decode())
        parser.close()
        if (checksum !== entry.crc32) throw new Error(`the checksum of ${path} is wrong.`)
      } catch (error) {
        throw thrown.length === 0 ? explainPackageError(error) : error
      }
    },
  }
}

/** DEL is a legal character in XML that this parser refuses; the spreadsheet's own escape says the same. */
function keepDelete(text: string): string {
  return text.includes('\x7f') ? text.replaceAll('\x7f', '_x007F_') : text
}

export function createPasswordError(): SpreadsheetError {
  return new SpreadsheetError(
    'password-protected',
    'The file is protected by a password. Save a copy without a password and drop that one here.',
  )
}

function createParser(handlers: XmlHandlers, onThrow: (error: unknown) => void): SaxParser {
  function guard(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      onThrow(error)
      throw error
    }
  }
  // A workbook declares no entities of its own, so the limit on expansions would only stop &amp; and &quot;.
  const parser = new SaxParser({ position: false, maxEntityExpansions: 0 })
  parser.on('opentag', (tag) => guard(() => handlers.open?.(dropPrefix(tag.name), tag.attributes)))
  parser.on('closetag', (tag) => guard(() => handlers.close?.(dropPrefix(tag.name))))
  parser.on('text', (text) => guard(() => handlers.text?.(text)))
  parser.on('cdata', (text) => guard(() => handlers.text?.(text)))
  return parser
}

function dropPrefix(name: string): string {
  const colon = name.indexOf(':')
  return colon < 0 ? name : name.slice(colon + 1)
}

/** The library reports a broken archive with many kinds of error; all of them mean that the file is damaged. */
function explainPackageError(error: unknown): SpreadsheetError {
  if (error instanceof SpreadsheetError) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new SpreadsheetError('damaged', `The workbook is damaged and cannot be read whole: ${detail}`, {
    cause: error,
  })
}
