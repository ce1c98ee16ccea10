import { type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { pageClauses, pageOf, toInstant } from '../../platform/database/paging.ts'
import { rowsOf } from '../../platform/database/transaction.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import type { TimelineItem } from './contract.ts'
import { readSample } from './sample-rows.ts'

type Item = z.input<typeof TimelineItem>

const newestFirst = '-at'

/** The whole life of a sample: its record and storage's news, custody, amounts, relations and notes, newest first. */
export const timeline = reads(
  (scope: ReadScope, input: { id: string; limit: number; cursor?: string | undefined }) =>
    scope.read(async (tx) => {
      await readSample(tx, input.id)
      const request = { ...input, sort: newestFirst }
      const page = pageClauses(request, { at: sql`life.at` }, sql`life.id`)
      const rows = await rowsOf<Item>(
        tx,
        sql`select id::text, at::text, lane, what, detail, reason, by, by_id as "byId"
          from (${sql.join(lanesOf(input.id), sql` union all `)}) as life
          ${page.after === undefined ? sql`` : sql`where ${page.after}`}
          order by ${sql.join([...page.orderBy], sql`, `)} limit ${page.limit}`,
      )
      return pageOf(
        rows,
        request,
        (row) => [row.at, row.id],
        (row) => ({ ...row, at: toInstant(row.at) }),
      )
    }),
)

/** One select for each table that says something of a sample's life. */
function lanesOf(sampleId: string): SQL[] {
  const id = sql`${sampleId}::uuid`
  return [
    sql`select id, at, lane, what, detail, reason, by, by_id from sample_history where sample_id = ${id}`,
    sql`select id, at, 'custody', kind, jsonb_build_object('holder', holder, 'place', place), reason, by, by_id
      from custody_event where sample_id = ${id}`,
    sql`select id, at, 'amount', kind, jsonb_build_object('amount', quantity, 'quantity', value::text), reason, by, by_id
      from amount_movement where sample_id = ${id}`,
    sql`select id, at, 'note', 'noted', jsonb_build_object('note', note), null, by, by_id
      from sample_note where sample_id = ${id}`,
    relationsOf({ own: 'child_id', other: 'parent_id', role: 'parent' }, id),
    relationsOf({ own: 'parent_id', other: 'child_id', role: 'child' }, id),
  ]
}

/** Relations from the sample's side; `role` is what the other one is to it. */
function relationsOf(
  side: { readonly own: string; readonly other: string; readonly role: 'parent' | 'child' },
  id: SQL,
): SQL {
  const [own, other, role] = [sql.identifier(side.own), sql.identifier(side.other), sql.raw(`'${side.role}'`)]
  return sql`select relation.id, relation.at, 'relation', relation.kind,
      jsonb_build_object('role', ${role}, 'sampleId', relation.${other}, 'name', sample.name, 'code', sample.code),
      null, relation.by, relation.by_id
    from sample_relation as relation left join sample on sample.id = relation.${other}
    where relation.${own} = ${id}`
}
