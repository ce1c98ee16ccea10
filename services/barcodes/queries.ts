import { and, count, eq, ilike, inArray, ne } from 'drizzle-orm'
import type { z } from 'zod'
import { pageClauses, pageOf } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import { toCode, toMeaning, type CodeRow } from './codes.ts'
import type { CodeSource, Thing } from './contract.ts'
import { code, workstationPart } from './schema.ts'

/** Everything a scan needs to know at once: what the text is, and which things it names, best first. */
export const resolve = reads(async (scope: ReadScope, input: { text: string }) => {
  const meaning = toMeaning(input.text)
  if (meaning.lookupKeys.length === 0) return { meaning, matches: [] }
  const rows = await scope.read((tx) => liveCodes(tx, meaning.lookupKeys))
  const rank = (row: CodeRow) => meaning.lookupKeys.indexOf(row.lookupKey)
  return { meaning, matches: [...rows].sort((a, b) => rank(a) - rank(b)).map(toCode) }
})

export const resolveMany = reads(async (scope: ReadScope, input: { texts: string[] }) => {
  const meanings = input.texts.map((text) => ({ text, meaning: toMeaning(text) }))
  const keys = [...new Set(meanings.flatMap(({ meaning }) => meaning.lookupKeys))]
  const rows = keys.length === 0 ? [] : await scope.read((tx) => liveCodes(tx, keys))
  const byKey = new Map(rows.map((row) => [row.lookupKey, row]))
  return meanings.map(({ text, meaning }) => {
    const key = meaning.lookupKeys.find((each) => byKey.has(each))
    const row = key === undefined ? undefined : byKey.get(key)
    return { text, meaning, match: row === undefined ? null : toCode(row) }
  })
})

export const codesOf = reads((scope: ReadScope, thing: Thing) =>
  scope.read(async (tx) => {
    const rows = await tx
      .select()
      .from(code)
      .where(and(eq(code.thingKind, thing.kind), eq(code.thingId, thing.id), ne(code.state, 'released')))
      .orderBy(code.createdAt, code.id)
    return rows.map(toCode)
  }),
)

export const codesOfMany = reads((scope: ReadScope, input: { things: Thing[] }) =>
  scope.read(async (tx) => {
    if (input.things.length === 0) return []
    const rows = await tx
      .select()
      .from(code)
      .where(
        and(
          inArray(code.thingKind, [...new Set(input.things.map((thing) => thing.kind))]),
          inArray(
            code.thingId,
            input.things.map((thing) => thing.id),
          ),
          ne(code.state, 'released'),
        ),
      )
      .orderBy(code.createdAt, code.id)
    return rows.map(toCode)
  }),
)

export const list = reads(
  (
    scope: ReadScope,
    input: {
      limit: number
      cursor?: string | undefined
      sort: string
      source?: z.infer<typeof CodeSource> | undefined
      search?: string | undefined
    },
  ) =>
    scope.read(async (tx) => {
      const page = pageClauses(input, { text: code.text, createdAt: code.createdAt }, code.id)
      const rows = await tx
        .select()
        .from(code)
        .where(
          and(
            page.after,
            input.source === undefined ? undefined : eq(code.source, input.source),
            input.search === undefined ? undefined : ilike(code.text, `%${escapeLike(input.search)}%`),
          ),
        )
        .orderBy(...page.orderBy)
        .limit(page.limit)
      const key = (row: CodeRow) => (input.sort.endsWith('text') ? row.text : row.createdAt)
      return pageOf(rows, input, (row) => [key(row), row.id], toCode)
    }),
)

export const validate = reads((_scope: ReadScope, input: { text: string }) =>
  Promise.resolve(toMeaning(input.text)),
)

export const statistics = reads((scope: ReadScope) =>
  scope.read(async (tx) => {
    const [part] = await tx.select().from(workstationPart)
    const counts = await tx
      .select({ source: code.source, state: code.state, count: count() })
      .from(code)
      .groupBy(code.source, code.state)
    return { workstationPart: part?.part ?? '', counts }
  }),
)

/** The live codes under some lookup keys. */
export async function liveCodes(tx: ReadTransaction, keys: readonly string[]): Promise<readonly CodeRow[]> {
  return tx
    .select()
    .from(code)
    .where(and(inArray(code.lookupKey, [...keys]), ne(code.state, 'released')))
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}
