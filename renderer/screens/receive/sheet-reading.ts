import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { ImportId, type ImportRow } from '../../../services/templates/contract.ts'
import { api, client, queries } from '../../client.ts'
import { locateRow } from './locate-row.ts'

/** Rows that are read together. */
export const rowsPerPage = 200
const mostRowsPerRead = 2_000

/** Which list of rows: the whole sheet, or only those with problems. */
export interface SheetList {
  readonly id: string
  readonly onlyProblems: boolean
}

function pageOptions({ id, onlyProblems }: SheetList, page: number) {
  return api.templates.importRows.queryOptions({
    input: { id: ImportId.parse(id), offset: page * rowsPerPage, limit: rowsPerPage, onlyProblems },
  })
}

/** The rows in sight, and how many there are; undefined for rows that are still on their way. */
export function useSheetRows(
  list: SheetList,
  sight: { readonly first: number; readonly last: number },
): {
  readonly total: number | null
  readonly rowAt: (index: number) => ImportRow | undefined
  readonly error: unknown
} {
  const firstPage = Math.floor(sight.first / rowsPerPage)
  const lastPage = Math.max(firstPage, Math.floor(sight.last / rowsPerPage))
  const pages = Array.from({ length: lastPage - firstPage + 1 }, (_, index) => firstPage + index)
  const found = useQueries({ queries: pages.map((page) => pageOptions(list, page)) })
  const byPage = new Map(pages.map((page, index) => [page, found[index]?.data]))
  const total = found.find(({ data }) => data !== undefined)?.data?.total ?? null
  return {
    total,
    rowAt: (index) => byPage.get(Math.floor(index / rowsPerPage))?.rows[index % rowsPerPage],
    error: found.find(({ isError }) => isError)?.error ?? null,
  }
}

/** One row of a list, from what was read lately or from the server. */
async function readRow(list: SheetList, index: number): Promise<ImportRow | null> {
  const page = await queries.query({
    ...pageOptions(list, Math.floor(index / rowsPerPage)),
    staleTime: 5_000,
  })
  return page.rows[index % rowsPerPage] ?? null
}

/** Rows of a list by index, both ends included. */
export async function readRows(
  list: SheetList,
  first: number,
  last: number,
): Promise<ReadonlyMap<number, ImportRow>> {
  const rows = new Map<number, ImportRow>()
  for (let index = first; index <= last; index += 1) {
    const row = await readRow(list, index)
    if (row === null) break
    rows.set(index, row)
  }
  return rows
}

/** Where a row stands in a list; null when it is not in it. */
export async function findIndex(list: SheetList, row: number): Promise<number | null> {
  const first = await queries.query({ ...pageOptions(list, 0), staleTime: 5_000 })
  return locateRow(row, first.total, async (index) => (await readRow(list, index))?.row ?? null)
}

/** The rows with these numbers, in the order of the sheet. */
export async function readNumberedRows(
  id: string,
  numbers: readonly number[],
): Promise<readonly ImportRow[]> {
  const list = { id, onlyProblems: false }
  const rows: ImportRow[] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const index = await findIndex(list, number)
    const row = index === null ? null : await readRow(list, index)
    if (row !== null) rows.push(row)
  }
  return rows
}

/** All rows of a list, as they are now. */
export async function readAllRows({ id, onlyProblems }: SheetList): Promise<readonly ImportRow[]> {
  const rows: ImportRow[] = []
  for (;;) {
    const page = await client.templates.importRows({
      id: ImportId.parse(id),
      offset: rows.length,
      limit: mostRowsPerRead,
      onlyProblems,
    })
    rows.push(...page.rows)
    if (page.rows.length === 0 || rows.length >= page.total) return rows
  }
}

/** The import itself, its template and its problems, read again after each change. */
export function useImport(id: string, polling: boolean) {
  const importId = useMemo(() => ImportId.parse(id), [id])
  const [subject, problems] = useQueries({
    queries: [
      {
        ...api.templates.getImport.queryOptions({ input: { id: importId } }),
        ...(polling ? { refetchInterval: 500 } : {}),
      },
      api.templates.importProblems.queryOptions({ input: { id: importId } }),
    ],
  })
  return { subject, problems }
}
