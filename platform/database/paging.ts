import { type AnyColumn, and, asc, desc, gt, lt, or, eq, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { Refusal } from '../contract/refusal.ts'

/** A list's cursor: the sort value and the id of the last row of the page before. */
const Cursor = z.tuple([z.string().nullable(), z.string()])

/** Where and how a page of a list begins. `sort` is a contract's sort word, `-` in front meaning downwards. */
export interface PageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly sort: string
}

export interface PageClauses {
  readonly after: SQL | undefined
  readonly orderBy: readonly SQL[]
  /** One more than asked for, to learn whether there is a next page. */
  readonly limit: number
}

/**
 * Keyset paging: stable under inserts, and as fast on page 1,000 as on page 1. Sort columns may not be null; give an
 * expression that is not, where they are.
 */
export function pageClauses(
  request: PageRequest,
  columns: Readonly<Record<string, AnyColumn | SQL>>,
  idColumn: AnyColumn | SQL,
): PageClauses {
  const downwards = request.sort.startsWith('-')
  const column = columns[downwards ? request.sort.slice(1) : request.sort]
  if (column === undefined) throw new Refusal('BAD_REQUEST', `It cannot be sorted by ${request.sort}`)
  const beyond = downwards ? lt : gt
  const order = downwards ? desc : asc
  const cursor = request.cursor === undefined ? null : readCursor(request.cursor)
  const after =
    cursor === null
      ? undefined
      : or(
          beyond(sql`${column}`, cursor[0]),
          and(eq(sql`${column}`, cursor[0]), beyond(sql`${idColumn}`, cursor[1])),
        )
  return { after, orderBy: [order(column), order(idColumn)], limit: request.limit + 1 }
}

/** Cuts the extra row off and makes the cursor of the next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  request: PageRequest,
  keyOf: (row: Row) => readonly [string | null, string],
  toItem: (row: Row) => Item,
): { readonly items: Item[]; readonly nextCursor: string | null } {
  const shown = rows.slice(0, request.limit)
  const last = shown.at(-1)
  const more = rows.length > request.limit && last !== undefined
  const nextCursor = more ? Buffer.from(JSON.stringify(keyOf(last))).toString('base64url') : null
  return { items: shown.map(toItem), nextCursor }
}

function readCursor(text: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch {
    throw new Refusal('BAD_REQUEST', 'The cursor is not one that a list of ours gave out')
  }
}

/** PostgreSQL's text of an instant (`2026-01-31 08:00:00.123+00`) as ISO 8601 in UTC. */
export function toInstant(text: string): string {
  return new Date(text).toISOString()
}

/** Like {@link toInstant}, for columns that may be empty. */
export function toInstantOrNull(text: string | null): string | null {
  return text === null ? null : toInstant(text)
}
