import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { changedMeanwhile, notFound, Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { type ReadTransaction, rowsOf, type Transaction } from '../../platform/database/transaction.ts'
import { runSaga, type SagaDefinition } from '../../platform/saga/saga.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { barcodes } from '../barcodes/contract.ts'
import { NewNode, NodeKind, storageEvents } from './contract.ts'
import { countCapacities } from './counts.ts'
import { addCapacities } from './domain/capacity.ts'
import { decideBoxFormat } from './domain/geometry.ts'
import { decideParent, listNodesBelow } from './domain/hierarchy.ts'
import type { InputOf } from './inputs.ts'
import {
  lockNodes,
  type NodeRow,
  type NodesById,
  nodeWords,
  readNodesAbove,
  readNodesAround,
  readNodesToJoin,
  toNode,
  zoneOf,
} from './nodes.ts'
import { container, type nodeChanges, nodeEvent, placement, storageNode } from './schema.ts'
import { byWhom } from './story.ts'
import { passZone } from './zones.ts'

const Begun = z.object({ id: z.string(), kind: NodeKind })
const Coded = z.object({ code: z.string().nullable() })

/** A place and the code on it: the node here, the code at the barcodes domain, both or none. */
export const addNodeSaga: SagaDefinition = {
  name: 'AddStorageNode',
  begin: async (scope, input) => {
    const row = await insertNode(scope, NewNode.parse(input))
    return { id: row.id, kind: row.kind }
  },
  undoBegin: async (scope, _input, outputs) => {
    const { id } = Begun.parse(outputs['begin'])
    await updateRow(scope, id, { removedAt: scope.now })
  },
  steps: [
    {
      name: 'code',
      run: async (scope, input, outputs, key) => {
        const { id, kind } = Begun.parse(outputs['begin'])
        return { code: await giveCode(scope, id, kind, NewNode.parse(input).code, key) }
      },
      undo: (scope, _input, outputs, key) => takeCodesOff(scope, Begun.parse(outputs['begin']).id, key),
    },
  ],
  end: async (scope, _input, outputs) => {
    const { id } = Begun.parse(outputs['begin'])
    const { code } = Coded.parse(outputs['code'])
    if (code !== null) await updateRow(scope, id, { code })
    const nodes = await readNodesAround(scope.tx, id)
    await noteChange(scope, findNode(id, nodes), 'added', null, wordsOf(id, nodes), null)
  },
}

export const createNode = orchestrates(async (scope: OrchestrationScope, input: InputOf<'createNode'>) => {
  const { outputs } = await runSaga(scope, addNodeSaga, input, `${scope.idempotencyKey}/create`)
  const { id } = Begun.parse(outputs['begin'])
  return scope.read((tx) => showNode(tx, id, scope.now))
})

export const updateNode = writes(async (scope: WriteScope, input: InputOf<'updateNode'>) => {
  await lockTree(scope)
  const known = findNode(input.id, await readNodesAbove(scope.tx, [input.id]))
  const parentId = input.parentId === undefined ? known.parentId : input.parentId
  const nodes = await readNodesToJoin(scope.tx, known.id, parentId)
  const row = findNode(input.id, nodes)
  if (row.revision !== input.revision) throw changedMeanwhile(`The ${row.kind} ${row.name}`)
  const after: NodeRow = {
    ...row,
    name: input.name ?? row.name,
    parentId,
    zone: input.zone === undefined ? row.zone : input.zone,
  }
  refuseParent(after, after.parentId, nodes)
  const changed = new Map([...nodes, [row.id, after]])
  const overridden = await passZones(scope, row.id, nodes, changed, input.zoneOverride)
  await updateRow(scope, row.id, { name: after.name, parentId: after.parentId, zone: after.zone })
  const reason = overridden ? (input.zoneOverride?.reason ?? null) : null
  if (after.name !== row.name) await noteChange(scope, after, 'renamed', row.name, after.name, reason)
  if (after.parentId !== row.parentId) {
    await noteChange(scope, after, 'moved', wordsOf(row.id, nodes), wordsOf(row.id, changed), reason)
  }
  if (after.zone !== row.zone) await noteChange(scope, after, 'rezoned', row.zone, after.zone, reason)
  return showNode(scope.tx, row.id, scope.now)
})

export const removeNode = orchestrates(async (scope: OrchestrationScope, input: InputOf<'removeNode'>) => {
  await scope.change('remove', async (write) => {
    await lockTree(write)
    const nodes = await readNodesAround(write.tx, input.id)
    const row = findNode(input.id, nodes)
    await refuseFull(write.tx, row, nodes)
    await updateRow(write, row.id, { removedAt: write.now })
    await noteChange(write, row, 'removed', wordsOf(row.id, nodes), null, input.reason)
    return {}
  })
  await takeCodesOff(scope, input.id, 'remove')
  return {}
})

/** One node with its capacity. */
export async function showNode(tx: ReadTransaction, id: string, now: string) {
  const nodes = await readNodesAround(tx, id)
  const row = findNode(id, nodes)
  const capacities = await countCapacities(tx, nodes, now)
  return toNode(row, nodes, capacities.get(id) ?? addCapacities([]))
}

/** What stands in the tree is decided by one command at a time. */
async function lockTree(scope: WriteScope): Promise<void> {
  await scope.tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`storage tree ${scope.laboratoryId}`}, 0))`,
  )
}

function findNode(id: string, nodes: NodesById): NodeRow {
  const row = nodes.get(id)
  if (row === undefined) throw notFound('place', id)
  return row
}

function wordsOf(id: string, nodes: NodesById): string {
  return nodeWords(findNode(id, nodes), nodes)
}

async function insertNode(scope: WriteScope, input: InputOf<'createNode'>): Promise<NodeRow> {
  await lockTree(scope)
  const id = uuidv7()
  refuseParent(
    { id, kind: input.kind, name: input.name },
    input.parentId,
    await readNodesToJoin(scope.tx, null, input.parentId),
  )
  const [row] = await scope.tx
    .insert(storageNode)
    .values({
      laboratoryId: scope.laboratoryId,
      id,
      kind: input.kind,
      parentId: input.parentId,
      name: input.name,
      zone: input.zone,
      ...boxColumns(input),
      createdAt: scope.now,
      createdBy: byWhom(scope).byId,
    })
    .returning()
  if (row === undefined) throw new Error('The place was not stored')
  return row
}

function boxColumns({ kind, rows, columns, order }: InputOf<'createNode'>) {
  if (kind !== 'box') {
    if (rows === undefined && columns === undefined) return {}
    throw ruleBroken(
      'only_boxes_have_positions',
      `A ${kind} has no rows and columns: only boxes have.`,
      'rows',
    )
  }
  if (rows === undefined || columns === undefined) {
    throw ruleBroken('box_needs_size', 'A box needs its number of rows and columns, such as 9 and 9.', 'rows')
  }
  const format = decideBoxFormat(rows, columns)
  if (!format.ok) throw ruleBroken(format.refusal.rule, format.refusal.message, 'rows')
  return { ...format.value, fillOrder: order }
}

function refuseParent(
  node: Pick<NodeRow, 'id' | 'kind' | 'name'>,
  parentId: string | null,
  nodes: NodesById,
): void {
  const decision = decideParent(node, parentId, nodes)
  if (decision.ok) return
  const { rule, message, allowed } = decision.refusal
  if (rule === 'node_name_taken') throw new Refusal('NAME_TAKEN', message, { name: node.name })
  throw new Refusal('RULE_BROKEN', message, {
    rule,
    field: 'parentId',
    ...(allowed === undefined ? {} : { allowed: [...allowed] }),
  })
}

/** Whatever changes its zone with the node may be there, or the rule is overridden. Asked once for each material. */
async function passZones(
  scope: WriteScope,
  id: string,
  before: NodesById,
  after: NodesById,
  override: { readonly reason: string } | undefined,
): Promise<boolean> {
  const boxes = [id, ...listNodesBelow(id, before).map((node) => node.id)]
    .flatMap((each) => after.get(each) ?? [])
    .filter((row) => row.kind === 'box' && zoneOf(row, after) !== zoneOf(row, before))
  if (boxes.length === 0) return false
  await lockNodes(
    scope.tx,
    boxes.map((row) => row.id),
  )
  const zones = new Map(boxes.map((row) => [row.id, zoneOf(row, after)]))
  const inside = await scope.tx
    .selectDistinctOn([placement.boxId, container.material], {
      boxId: placement.boxId,
      material: container.material,
      label: container.label,
    })
    .from(placement)
    .innerJoin(
      container,
      and(eq(container.laboratoryId, placement.laboratoryId), eq(container.id, placement.containerId)),
    )
    .where(and(placement.live, inArray(placement.boxId, [...zones.keys()])))
    .orderBy(placement.boxId, container.material)
  return inside
    .map(({ boxId, material, label }) =>
      passZone(scope, { label, material, zone: zones.get(boxId) ?? null }, override),
    )
    .some((isOverridden) => isOverridden)
}

async function refuseFull(tx: Transaction, row: NodeRow, nodes: NodesById): Promise<void> {
  const below = listNodesBelow(row.id, nodes)
  const boxIds = [row.id, ...below.map(({ id }) => id)]
  await lockNodes(tx, boxIds)
  const list = sql.join(
    boxIds.map((id) => sql`${id}::uuid`),
    sql`, `,
  )
  const [counted] = await rowsOf<{ containers: number }>(
    tx,
    sql`select count(*)::int as containers from placement where live and box_id in (${list})`,
  )
  const containers = counted?.containers ?? 0
  if (containers === 0 && below.length === 0) return
  throw new Refusal(
    'NOT_EMPTY',
    `${row.name} is not empty: ${containers} containers and ${below.length} places are in it. Nothing was changed; move them first.`,
    { containers, nodes: below.length },
  )
}

/** Codes of our own begin with two letters for the kind of thing; rooms have none unless one is given. */
async function giveCode(
  scope: OrchestrationScope,
  id: string,
  kind: z.infer<typeof NodeKind>,
  given: string | undefined,
  key: string,
): Promise<string | null> {
  const codes = scope.service('barcodes', barcodes)
  const thing = { kind: 'storage-node', id } as const
  // The step may be run again after a crash; what it did then is found here.
  const [known] = await codes.codesOf(thing)
  if (known !== undefined) return known.text
  if (given !== undefined) return (await codes.link({ text: given, thing }, { context: { key } })).text
  if (kind === 'room') return null
  return (await codes.allocateFor({ kind, thing }, { context: { key } })).text
}

async function takeCodesOff(scope: OrchestrationScope, id: string, key: string): Promise<void> {
  const codes = scope.service('barcodes', barcodes)
  for (const code of await codes.codesOf({ kind: 'storage-node', id })) {
    const reason = 'The place it was on was removed'
    await codes.unlink({ codeId: code.id, reason }, { context: { key: `${key}/${code.id}` } })
  }
}

async function updateRow(
  scope: WriteScope,
  id: string,
  values: Partial<typeof storageNode.$inferInsert>,
): Promise<void> {
  await scope.tx
    .update(storageNode)
    .set(values)
    .where(
      and(
        eq(storageNode.laboratoryId, scope.laboratoryId),
        eq(storageNode.id, id),
        isNull(storageNode.removedAt),
      ),
    )
}

async function noteChange(
  scope: WriteScope,
  row: NodeRow,
  what: (typeof nodeChanges)[number],
  from: string | null,
  to: string | null,
  reason: string | null,
): Promise<void> {
  await scope.tx.insert(nodeEvent).values({
    laboratoryId: scope.laboratoryId,
    id: uuidv7(),
    nodeId: row.id,
    what,
    from,
    to,
    reason,
    ...byWhom(scope),
    at: scope.now,
  })
  scope.announce(storageEvents.StorageNodeChanged, {
    nodeId: row.id,
    kind: row.kind,
    name: row.name,
    what,
    from,
    to,
  })
}
