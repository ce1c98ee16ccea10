import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal, notFound } from '../../platform/contract/refusal.ts'
import { filesFolder } from '../../platform/gateway/file-store.ts'
import type { CallScope } from '../../platform/service/scopes.ts'
import type { Workbook } from './domain/workbook.ts'
import { RecentlyUsed } from './recently-used.ts'
import { SpreadsheetError } from './reading/spreadsheet-error.ts'
import { readWorkbook } from './reading/workbook-reader.ts'

/** Reading a large workbook takes seconds, and a person looks at one or two at a time. */
const workbooks = new RecentlyUsed<string, Promise<Workbook>>({ most: 2, idleMs: 10 * 60_000 })

/** Whose files are meant. */
export type FileOwner = Pick<CallScope, 'home' | 'laboratoryId'>

/**
 * The workbook that is stored under a hash, read once and kept while it is used. Refused with NOT_FOUND when the
 * laboratory has no such file here, and with NOT_READABLE when it is no spreadsheet or not what was stored.
 */
export function readStoredWorkbook(owner: FileOwner, sha256: string, fileName: string): Promise<Workbook> {
  const key = join(owner.home, owner.laboratoryId, sha256)
  const known = workbooks.get(key)
  if (known !== undefined) return known
  const reading = readOnce(owner, sha256, fileName)
  workbooks.set(key, reading)
  reading.catch(() => workbooks.delete(key))
  return reading
}

async function readOnce(owner: FileOwner, sha256: string, fileName: string): Promise<Workbook> {
  const bytes = await readBytes(owner, sha256)
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

/** A Hub keeps the files of each laboratory apart; a workstation has those of one. */
async function readBytes({ home, laboratoryId }: FileOwner, sha256: string): Promise<Uint8Array> {
  for (const folder of [filesFolder(home, laboratoryId), filesFolder(home, null)]) {
    try {
      return await readFile(join(folder, sha256))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  throw notFound('file', sha256)
}

function notReadable(code: string, why: string, row: number | null): Refusal {
  return new Refusal('NOT_READABLE', why, { why, row, code })
}
