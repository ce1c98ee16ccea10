import { eq, getColumns, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { Refusal } from '../../platform/contract/refusal.ts'
import { rowsOf, type ReadTransaction } from '../../platform/database/transaction.ts'
import { reads, writes } from '../../platform/service/implementation.ts'
import type { ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { brokenRule } from './decisions.ts'
import { decideRelationship, type Relationship, type RelationshipKind } from './domain/relationship.ts'
import { occasionOf } from './people.ts'
import { holdSample, readSample, readSamples, requireKept, showSamples } from './sample-rows.ts'
import { sampleRelation } from './schema.ts'

export const relate = writes(
  async (scope: WriteScope, input: { childId: string; parentId: string; relationship: RelationshipKind }) => {
    const { childId, parentId, relationship } = input
    // In the order of their ids, so that two who relate the same samples do not wait for each other.
    for (const id of [childId, parentId].toSorted()) requireKept(await holdSample(scope.tx, id))
    await addRelationship(scope, { childId, parentId, kind: relationship })
    return {}
  },
)

export const lineage = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => {
    await readSample(tx, input.id)
    const edges = await readFamily(tx, input.id)
    const ids = new Set([input.id, ...edges.flatMap((edge) => [edge.childId, edge.parentId])])
    const samples = await showSamples(tx, await readSamples(tx, [...ids]))
    return {
      samples,
      edges: edges.map(({ childId, parentId, kind }) => ({ childId, parentId, relationship: kind })),
    }
  }),
)

/** Writes one arrow of the lineage, unless a rule says no. */
export async function addRelationship(scope: WriteScope, wanted: Relationship): Promise<void> {
  const { childId, parentId } = wanted
  const { childId: child, parentId: parent, kind } = getColumns(sampleRelation)
  const ofChild = await scope.tx
    .select({ childId: child, parentId: parent, kind })
    .from(sampleRelation)
    .where(eq(sampleRelation.childId, childId))
  const decision = decideRelationship([...ofChild, ...(await readAncestry(scope.tx, parentId))], wanted)
  if (!decision.ok) {
    const { rule, message, allowed } = decision.refusal
    if (rule === 'relationship_cycle') throw new Refusal('CYCLE', message, { path: allowed ?? [] })
    if (rule === 'relationship_to_itself') throw new Refusal('CYCLE', message, { path: [childId, childId] })
    throw brokenRule(decision.refusal)
  }
  await insertRelationship(scope, decision.value)
}

export async function insertRelationship(scope: WriteScope, edge: Relationship): Promise<void> {
  await scope.tx
    .insert(sampleRelation)
    .values({ laboratoryId: scope.laboratoryId, id: uuidv7(), ...edge, ...occasionOf(scope) })
}

/** All arrows among the ancestors and the descendants of a sample. */
export async function readFamily(tx: ReadTransaction, sampleId: string): Promise<readonly Relationship[]> {
  const [up, down] = [await readAncestry(tx, sampleId), await readDescent(tx, sampleId)]
  return [...up, ...down]
}

/** The arrows from a sample up to its origins, nearest first. `union` ends on circles that offline work made. */
function readAncestry(tx: ReadTransaction, sampleId: string): Promise<readonly Relationship[]> {
  return rowsOf<Relationship>(
    tx,
    sql`with recursive up as (
        select child_id, parent_id, kind from sample_relation where child_id = ${sampleId}::uuid
        union
        select above.child_id, above.parent_id, above.kind
        from sample_relation as above join up on above.child_id = up.parent_id
      ) select child_id::text as "childId", parent_id::text as "parentId", kind from up`,
  )
}

/** The arrows from a sample down to everything that comes from it. */
function readDescent(tx: ReadTransaction, sampleId: string): Promise<readonly Relationship[]> {
  return rowsOf<Relationship>(
    tx,
    sql`with recursive down as (
        select child_id, parent_id, kind from sample_relation where parent_id = ${sampleId}::uuid
        union
        select below.child_id, below.parent_id, below.kind
        from sample_relation as below join down on below.parent_id = down.child_id
      ) select child_id::text as "childId", parent_id::text as "parentId", kind from down`,
  )
}
