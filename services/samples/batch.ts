import { ORPCError } from '@orpc/contract'
import { z } from 'zod'

/** How many rows of a batch are under way at once: they share the journal's group commits. */
const rowsAtOnce = 8

type RowResult<Value> =
  | { readonly ok: true; readonly row: number; readonly value: Value }
  | { readonly ok: false; readonly row: number; readonly error: RowError }

interface RowError {
  readonly code: string
  readonly message: string
  readonly field?: string
}

/**
 * Does each row of a batch by itself, begun in their order; a refused row leaves the others alone. Defects are not
 * refusals: they end the batch, and a repeat with the same key finds the rows that were done.
 */
export async function doEach<Row, Value>(
  rows: readonly Row[],
  work: (row: Row, index: number) => Promise<Value>,
): Promise<RowResult<Value>[]> {
  const results: RowResult<Value>[] = []
  const open = rows.entries()
  async function takeRows(): Promise<void> {
    for (const [index, row] of open) results[index] = await doOne(row, index, work)
  }
  await Promise.all(Array.from({ length: rowsAtOnce }, takeRows))
  return results
}

async function doOne<Row, Value>(
  row: Row,
  index: number,
  work: (row: Row, index: number) => Promise<Value>,
): Promise<RowResult<Value>> {
  try {
    return { ok: true, row: index, value: await work(row, index) }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { ok: false, row: index, error: describe(error) }
  }
}

function isRefusal(error: unknown): error is ORPCError<string, unknown> {
  return error instanceof ORPCError
}

const FieldOfData = z.object({ field: z.string() })

function describe(error: ORPCError<string, unknown>): RowError {
  const { code, message } = error
  const data = FieldOfData.safeParse(error.data)
  return { code, message, ...(data.success ? { field: data.data.field } : {}) }
}
