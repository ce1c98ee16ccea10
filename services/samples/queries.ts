import { and, count, desc, eq, gte, inArray, lte, ne, notInArray, or, type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { pageClauses, pageOf, toInstant } from '../../platform/database/paging.ts'
import { type ReadTransaction, rowsOf } from '../../platform/database/transaction.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import { liveCodes, samplesWithCodes } from './codes.ts'
import type { Saga } from './contract.ts'
import { type DuplicateFacts, findLikelyDuplicates } from './domain/duplicate.ts'
import type { SampleState } from './domain/lifecycle.ts'
import { listAncestors, listDescendants } from './domain/relationship.ts'
import { readFamily } from './lineage.ts'
import {
  readSample,
  readSamples,
  sampleColumns,
  type SampleRow,
  showSample,
  showSamples,
} from './sample-rows.ts'
import { noDay, sample } from './schema.ts'
import { requireType } from './types.ts'

interface ListInput {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly sort: string
  readonly state?: SampleState | SampleState[] | undefined
  readonly type?: string | undefined
  readonly project?: string | undefined
  readonly donor?: string | undefined
  readonly importId?: string | undefined
  readonly createdAfter?: string | undefined
  readonly createdBefore?: string | undefined
  readonly search?: string | undefined
  readonly withDeleted: boolean
}

/** Samples whose day of collection is not known come before all days. */
const collectedDay = sql`coalesce(${sample.collectedOn}, ${sql.raw(`'${noDay}'::date`)})`

export const list = reads((scope: ReadScope, input: ListInput) =>
  scope.read(async (tx) => {
    const page = pageClauses(
      input,
      {
        createdAt: sample.createdAt,
        name: sample.name,
        state: sample.state,
        type: sample.type,
        collectedOn: collectedDay,
      },
      sample.id,
    )
    const rows = await tx
      .select(sampleColumns)
      .from(sample)
      .where(and(page.after, ...(await filtersOf(tx, input))))
      .orderBy(...page.orderBy)
      .limit(page.limit)
    const shown = await showSamples(tx, rows.slice(0, input.limit))
    const byId = new Map(shown.map((item) => [item.id, item]))
    return pageOf(
      rows,
      input,
      (row) => [sortKey(row, input.sort), row.id],
      (row) => byId.get(row.id) ?? missing(row),
    )
  }),
)

export const counts = reads((scope: ReadScope) =>
  scope.read((tx) =>
    tx
      .select({ state: sample.state, count: count() })
      .from(sample)
      .groupBy(sample.state)
      .orderBy(sample.state),
  ),
)

export const get = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => showSample(tx, await readSample(tx, input.id))),
)

export const getMany = reads((scope: ReadScope, input: { ids: string[] }) =>
  scope.read(async (tx) => showSamples(tx, await readSamples(tx, input.ids))),
)

/** Unknown samples are left out, so a map is coloured as far as it can be. */
export const facts = reads((scope: ReadScope, input: { ids: string[] }) =>
  scope.read((tx) =>
    tx
      .select({ id: sample.id, state: sample.state, type: sample.type, project: sample.project })
      .from(sample)
      .where(inArray(sample.id, input.ids)),
  ),
)

export const duplicates = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => {
    const row = await readSample(tx, input.id)
    const codes = await liveCodes(tx, row.id)
    const sharedCodes = await samplesWithCodes(tx, codes)
    const candidates = await findCandidates(
      tx,
      row,
      sharedCodes.map(({ sampleId }) => sampleId),
    )
    const edges = await readFamily(tx, row.id)
    const related = new Set([...listAncestors(edges, row.id), ...listDescendants(edges, row.id)])
    const known = candidates.map((each) =>
      duplicateFacts(
        each,
        sharedCodes.filter(({ sampleId }) => sampleId === each.id).map(({ code }) => code),
      ),
    )
    const found = findLikelyDuplicates(duplicateFacts(row, codes), known, related)
    const shown = await showSamples(
      tx,
      await readSamples(
        tx,
        found.map(({ existingId }) => existingId),
      ),
    )
    const byId = new Map(shown.map((item) => [item.id, item]))
    return found.flatMap(({ existingId, reasons }) => {
      const item = byId.get(existingId)
      return item === undefined ? [] : [{ sample: item, reasons: reasons.map(({ message }) => message) }]
    })
  }),
)

/** Sagas that are over, in the words of the shared table. */
const overStates = ['completed', 'compensated', 'cancelled'] as const

export const sagas = reads((scope: ReadScope, input: { open: boolean }) =>
  scope.read(async (tx): Promise<z.input<typeof Saga>[]> => {
    const over = sql.raw(overStates.map((state) => `'${state}'`).join(', '))
    const rows = await rowsOf<z.input<typeof Saga>>(
      tx,
      sql`select id::text, name, state, step, error, started_at::text as "startedAt", updated_at::text as "updatedAt"
        from platform.saga where state ${input.open ? sql`not in` : sql`in`} (${over})
        order by updated_at desc, id desc limit 200`,
    )
    return rows.map((row) => ({
      ...row,
      startedAt: toInstant(row.startedAt),
      updatedAt: toInstant(row.updatedAt),
    }))
  }),
)

async function filtersOf(tx: ReadTransaction, input: ListInput): Promise<(SQL | undefined)[]> {
  const { state, type, project, donor, importId, createdAfter, createdBefore, search } = input
  const states = state === undefined ? [] : [state].flat()
  return [
    states.length === 0 ? undefined : inArray(sample.state, states),
    input.withDeleted || states.includes('deleted') ? undefined : ne(sample.state, 'deleted'),
    type === undefined ? undefined : eq(sample.type, await requireType(tx, type)),
    project === undefined ? undefined : eq(sample.project, project),
    donor === undefined ? undefined : eq(sample.donor, donor),
    importId === undefined ? undefined : eq(sample.importId, importId),
    createdAfter === undefined ? undefined : gte(sample.createdAt, createdAfter),
    createdBefore === undefined ? undefined : lte(sample.createdAt, createdBefore),
    search === undefined || search.trim() === '' ? undefined : await matchingWords(tx, search),
  ]
}

/** Above this many hits it is quicker to walk along the sort order and look at each sample's words. */
const fewHits = 2_000

/**
 * Rare words are found by the word index and the few hits sorted; common ones are met soon enough along the index of
 * the sort order.
 */
async function matchingWords(tx: ReadTransaction, search: string): Promise<SQL> {
  const hits = await rowsOf<{ id: string }>(
    tx,
    sql`select samples_matching(${search}, ${fewHits + 1})::text as id`,
  )
  if (hits.length > fewHits) return sql`${sample.search} @@ sample_query(${search})`
  if (hits.length === 0) return sql`false`
  return inArray(
    sample.id,
    hits.map(({ id }) => id),
  )
}

function sortKey(row: SampleRow, sort: string): string {
  switch (sort.replace(/^-/, '')) {
    case 'name':
      return row.name
    case 'state':
      return row.state
    case 'type':
      return row.type
    case 'collectedOn':
      return row.collectedOn ?? noDay
    default:
      return row.createdAt
  }
}

function missing(row: SampleRow): never {
  throw new Error(`The sample ${row.id} was read but not shown`)
}

/** How many samples are compared at most; a name such as "1" occurs thousands of times. */
const mostCandidates = 500

/** Whatever may be a duplicate: same sender's name for it in some spelling, same donor and day, a shared code. */
async function findCandidates(
  tx: ReadTransaction,
  row: SampleRow,
  codeHolders: readonly string[],
): Promise<readonly SampleRow[]> {
  return tx
    .select(sampleColumns)
    .from(sample)
    .where(
      and(
        ne(sample.id, row.id),
        notInArray(sample.state, ['deleted']),
        or(
          eq(
            sample.clientSkeleton,
            sql`(select own.client_skeleton from ${sample} as own where own.id = ${row.id}::uuid)`,
          ),
          row.donor === null || row.collectedOn === null
            ? undefined
            : and(eq(sample.donor, row.donor), eq(sample.collectedOn, row.collectedOn)),
          codeHolders.length === 0 ? undefined : inArray(sample.id, [...codeHolders]),
        ),
      ),
    )
    .orderBy(desc(sample.createdAt), desc(sample.id))
    .limit(mostCandidates)
}

/** A project is the nearest that TracSeq knows of who sent a sample; those without one count as one sender's. */
function duplicateFacts(row: SampleRow, externalCodes: readonly string[]): DuplicateFacts {
  return {
    id: row.id,
    clientId: row.project ?? 'no project',
    clientSampleId: row.clientId ?? row.name,
    donorId: row.donor,
    sampleTypeKey: row.type,
    collectedOn: row.collectedOn,
    externalCodes,
  }
}
