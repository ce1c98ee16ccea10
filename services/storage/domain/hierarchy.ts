import { accept, type Decision, refuse } from './decision.ts'

/**
 * What may lie directly in what; null is the top. A freezer stands for every closed cold or warm place, so a
 * refrigerator, an incubator and a dewar are freezers too. A dewar has no shelves and a shelf may have no rack, so
 * levels can be left out, but never turned round. Positions are not nodes: they belong to their box.
 */
export const nodeParents = {
  room: [null],
  freezer: [null, 'room'],
  shelf: ['freezer', 'room'],
  rack: ['shelf', 'freezer'],
  box: ['rack', 'shelf', 'freezer'],
} as const satisfies Record<string, readonly (string | null)[]>

export type NodeKind = keyof typeof nodeParents

export interface StorageNode {
  readonly id: string
  readonly kind: NodeKind
  readonly parentId: string | null
  readonly name: string
}

/**
 * Decides whether a node, new or existing, may lie in a parent (null for the top). Refused: an unknown parent, a kind
 * that does not fit (`allowed` lists the kinds that would), a node inside itself or below itself, and a second node of
 * the same name in one place.
 */
export function decideParent(
  node: Pick<StorageNode, 'id' | 'kind' | 'name'>,
  parentId: string | null,
  nodes: ReadonlyMap<string, StorageNode>,
): Decision<{ readonly parentId: string | null }> {
  const parent = parentId === null ? null : (nodes.get(parentId) ?? 'unknown')
  if (parent === 'unknown') {
    return refuse('node_parent_unknown', `The place that ${node.name} should go into is not known here.`)
  }
  if (parent !== null && pathTo(parent.id, nodes).some((above) => above.id === node.id)) {
    const message = `${node.name} cannot go into ${parent.name}, which is inside ${node.name} itself.`
    return refuse('node_cycle', message)
  }
  const kinds: readonly (NodeKind | null)[] = nodeParents[node.kind]
  if (!kinds.includes(parent?.kind ?? null)) {
    const where = parent === null ? 'stand on its own' : `lie in a ${parent.kind}`
    const allowed = kinds.filter((kind) => kind !== null)
    return refuse('node_kind_does_not_fit', `A ${node.kind} cannot ${where}.`, allowed)
  }
  const twin = [...nodes.values()].find(
    (other) => other.parentId === parentId && other.id !== node.id && fold(other.name) === fold(node.name),
  )
  if (twin !== undefined) {
    return refuse('node_name_taken', `There is already a ${twin.kind} named ${twin.name} here.`)
  }
  return accept({ parentId })
}

/**
 * The nodes from the top down to one node, itself included; empty when it is unknown. Ends where a parent has not
 * arrived yet, and at a circle that two workstations made together.
 */
export function pathTo(nodeId: string, nodes: ReadonlyMap<string, StorageNode>): readonly StorageNode[] {
  const path: StorageNode[] = []
  for (
    let node = nodes.get(nodeId);
    node !== undefined && !path.includes(node);
    node = node.parentId === null ? undefined : nodes.get(node.parentId)
  ) {
    path.unshift(node)
  }
  return path
}

/** All nodes below one node, top down, without itself. */
export function listNodesBelow(
  nodeId: string,
  nodes: ReadonlyMap<string, StorageNode>,
): readonly StorageNode[] {
  const children = Map.groupBy(nodes.values(), (node) => node.parentId)
  const found = new Map<string, StorageNode>()
  const open = [nodeId]
  for (const id of open) {
    for (const child of children.get(id) ?? []) {
      if (child.id === nodeId || found.has(child.id)) continue
      found.set(child.id, child)
      open.push(child.id)
    }
  }
  return [...found.values()]
}

function fold(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase().replace(/\s+/g, ' ')
}
