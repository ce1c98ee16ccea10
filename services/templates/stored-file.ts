import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ORPCError } from '@orpc/client'
import { Refusal } from '../../platform/contract/refusal.ts'
import { filesFolder } from '../../platform/gateway/file-store.ts'
import type { CallScope } from '../../platform/service/scopes.ts'
import { type FileOutcome, sync } from '../../platform/sync/contract.ts'
import type { Workbook } from './domain/workbook.ts'
import { RecentlyUsed } from './recently-used.ts'
import { SpreadsheetError } from './reading/spreadsheet-error.ts'
import { readWorkbook } from './reading/workbook-reader.ts'

/** Reading a large workbook takes seconds, and a person looks at one or two at a time. */
const workbooks = new RecentlyUsed<string, Promise<Workbook>>({ most: 2, idleMs: 10 * 60_000 })

/** Whose files are meant, and who asks for them. */
export type FileOwner = Pick<CallScope, 'home' | 'laboratoryId' | 'service'>

/**
 * The workbook that is stored under a hash, read once and kept while it is used. Refused with NOT_FOUND when the
 * laboratory has no such file here and the Hub cannot give it now, and with NOT_READABLE when it is no spreadsheet or not what was stored.
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
  const bytes = await readBytes(owner, sha256, fileName)
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

async function readBytes(owner: FileOwner, sha256: string, fileName: string): Promise<Uint8Array> {
  const stored = await readHere(owner, sha256)
  if (stored !== null) return stored
  // It was opened at another workstation, and its row was faster.
  const outcome = await askHub(owner, sha256)
  const fetched = outcome === 'here' ? await readHere(owner, sha256) : null
  if (fetched !== null) return fetched
  throw new Refusal('NOT_FOUND', explainMissing(outcome, fileName), { kind: 'file', id: sha256 })
}

/** A Hub keeps the files of each laboratory apart; a workstation has those of one. Null when there is no such file. */
async function readHere({ home, laboratoryId }: FileOwner, sha256: string): Promise<Uint8Array | null> {
  for (const folder of [filesFolder(home, laboratoryId), filesFolder(home, null)]) {
    try {
      return await readFile(join(folder, sha256))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return null
}

async function askHub(owner: FileOwner, sha256: string): Promise<FileOutcome> {
  try {
    return (await owner.service('sync', sync).fetchFile({ sha256 })).outcome
  } catch (error) {
    // A host without sync, as in a bench of services alone.
    if (error instanceof ORPCError && error.code === 'NOT_FOUND') return 'no-hub'
    throw error
  }
}

function explainMissing(outcome: FileOutcome, fileName: string): string {
  switch (outcome) {
    case 'not-at-hub':
      return `The file ${fileName} has not come to the Hub yet. It does by itself, as soon as the workstation where it was opened reaches the Hub.`
    case 'not-now':
      return `The file ${fileName} is at the Hub or at the workstation where it was opened, and could not be fetched from the Hub now. It comes here by itself when it can.`
    case 'here':
    case 'no-hub':
      return `The file ${fileName} is not stored here. Drop the file once more.`
  }
}

function notReadable(code: string, why: string, row: number | null): Refusal {
  return new Refusal('NOT_READABLE', why, { why, row, code })
}
