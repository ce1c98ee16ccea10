import { z } from 'zod'

/** A statement as a service sent it, with its values. */
export const RecordedStatement = z.object({ text: z.string(), values: z.array(z.unknown()).readonly() })
export type RecordedStatement = z.output<typeof RecordedStatement>

/** What a bare route repeats: of each call its transactions, from `begin` to `commit`. */
export const RecordedCalls = z.object({
  url: z.string(),
  connections: z.int().positive(),
  calls: z.array(z.array(z.array(RecordedStatement))),
})
export type RecordedCalls = z.output<typeof RecordedCalls>

/** A line of what {@link file://./record-statements.ts} notes. */
const RecordedLine = RecordedStatement.extend({ connection: z.string(), database: z.string() })

/**
 * The whole transactions among recorded lines that went to a database and name a laboratory: those are a call's own, and
 * not what a service does for itself meanwhile.
 */
export function readTransactions(
  lines: readonly string[],
  about: { readonly database: string; readonly laboratoryId: string },
): readonly (readonly RecordedStatement[])[] {
  const own = lines
    .map((line) => RecordedLine.parse(JSON.parse(line)))
    .filter(({ database }) => database === about.database)
  const transactions: RecordedStatement[][] = []
  for (const statements of Map.groupBy(own, ({ connection }) => connection).values()) {
    let current: RecordedStatement[] | null = null
    for (const { text, values } of statements) {
      if (/^begin\b/i.test(text)) current = []
      current?.push({ text, values })
      if (!/^(commit|rollback)\b/i.test(text) || current === null) continue
      if (current.some((each) => each.values.includes(about.laboratoryId))) transactions.push(current)
      current = null
    }
  }
  return transactions
}
