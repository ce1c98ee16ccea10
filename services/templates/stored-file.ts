import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal, notFound } from '../../platform/contract/refusal.ts'
import type { Workbook } from './domain/workbook.ts'
import { RecentlyUsed } from './recently-used.ts'
import { SpreadsheetError } from './reading/spreadsheet-error.ts'
import { readWorkbook } from './reading/workbook-reader.ts'

/** Reading a large workbook takes seconds, and a person looks at one or two at a time. */
const workbooks = new RecentlyUsed<string, Promise<Workbook>>({ most: 2, idleMs: 10 * 60_000 })

/**
 * The workbook that is stored under a hash, read once and kept while it is used. Refused with NOT_FOUND when the file
 * is not on this workstation, and with NOT_READABLE when it is no spreadsheet or not what was stored.
 */
export function readStoredWorkbook(home: string, sha256: string, fileName: string): Promise<Workbook> {
  const key = join(home, sha256)
  const known = workbooks.get(key)
  if (known !== undefined) return known
  const reading = readOnce(home, sha256, fileName)
  workbooks.set(key, reading)
  reading.catch(() => workbooks.delete(key))
  return reading
}

async function readOnce(home: string, sha256: string, fileName: string): Promise<Workbook> {
  const bytes = await readBytes(join(home, 'files', sha256), sha256)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw notReadable('damaged', `The stored copy of ${fileName} is damaged. Drop the file once more.`, null)
  }
  try {
    return await readWorkbook(bytes, fileName)
  } catch (error) {
    if (error instanceof SpreadsheetError) throw notReadable(error.code, error.message, error.line)
    throw error
  }
}

async function readBytes(path: string, sha256: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw notFound('file', sha256)
    throw error
  }
}

function notReadable(code: string, why: string, row: number | null): Refusal {
  return new Refusal('NOT_READABLE', why, { why, row, code })
}
