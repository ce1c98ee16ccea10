import { z } from 'zod'

/** The columns of a domain's tables that hold the SHA-256 of a stored file, by table. */
export const FileColumns = z.record(z.string(), z.array(z.string()))
export type FileColumns = z.output<typeof FileColumns>

/** A name under which a file may lie. What a row says comes from elsewhere, and becomes part of a path. */
export const isFileName = (text: unknown): text is string =>
  typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)

/** Of an entry, as much as is looked at here. */
const Content = z.object({
  body: z.object({
    changes: z.array(z.object({ table: z.string(), values: z.record(z.string(), z.unknown()) })),
  }),
})

/** The files that the rows of an entry name: one of a journal, or of the Hub's log. */
export function filesNamedIn(payload: string, columns: FileColumns): readonly string[] {
  if (Object.keys(columns).length === 0) return []
  const content = Content.safeParse(JSON.parse(payload))
  // An entry that is about no rows names no files.
  if (!content.success) return []
  return content.data.body.changes.flatMap(({ table, values }) =>
    (columns[table] ?? []).map((column) => values[column]).filter(isFileName),
  )
}
