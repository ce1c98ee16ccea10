import type { StorageNode } from '../../../services/storage/contract.ts'

export interface TreeRow {
  readonly node: StorageNode
  /** From 1 at the top. */
  readonly level: number
  readonly expandable: boolean
  readonly expanded: boolean
}

/** Places under their parents, in the order a person counts: `Shelf 2` before `Shelf 10`. */
export function childrenByParent(
  nodes: readonly StorageNode[],
): ReadonlyMap<string | null, readonly StorageNode[]> {
  const known = new Set<string>(nodes.map(({ id }) => id))
  const byParent = new Map<string | null, StorageNode[]>()
  for (const node of nodes) {
    // A place whose parent has not come from another workstation yet is shown at the top and not lost.
    const parent = node.parentId !== null && known.has(node.parentId) ? node.parentId : null
    byParent.set(parent, [...(byParent.get(parent) ?? []), node])
  }
  for (const children of byParent.values()) children.sort(inCountingOrder)
  return byParent
}

/** The rows that are in sight, from the top down. */
export function visibleRows(
  nodes: readonly StorageNode[],
  expanded: ReadonlySet<string>,
): readonly TreeRow[] {
  const byParent = childrenByParent(nodes)
  const rowsBelow = (parent: string | null, level: number): readonly TreeRow[] =>
    (byParent.get(parent) ?? []).flatMap((node) => {
      const expandable = (byParent.get(node.id)?.length ?? 0) > 0
      const isOpen = expandable && expanded.has(node.id)
      const row: TreeRow = { node, level, expandable, expanded: isOpen }
      return isOpen ? [row, ...rowsBelow(node.id, level + 1)] : [row]
    })
  return rowsBelow(null, 1)
}

/** The places above one, from the top; empty when it is unknown. */
export function placesAbove(nodes: readonly StorageNode[], id: string): readonly StorageNode[] {
  const byId = new Map<string, StorageNode>(nodes.map((node) => [node.id, node]))
  const above: StorageNode[] = []
  const seen = new Set<string>([id])
  for (let at = byId.get(id)?.parentId ?? null; at !== null && !seen.has(at);) {
    seen.add(at)
    const node = byId.get(at)
    if (node === undefined) break
    above.unshift(node)
    at = node.parentId
  }
  return above
}

export type TreeMove =
  { readonly kind: 'go'; readonly id: string } | { readonly kind: 'expand' | 'collapse'; readonly id: string }

/** What a key does in the tree: up, down, Home, End; right opens or goes in, left closes or goes out. */
export function moveInTree(rows: readonly TreeRow[], at: string, key: string): TreeMove | null {
  const index = rows.findIndex(({ node }) => node.id === at)
  const row = rows[index]
  if (row === undefined) return null
  const go = (to: TreeRow | undefined): TreeMove | null =>
    to === undefined ? null : { kind: 'go', id: to.node.id }
  switch (key) {
    case 'ArrowDown':
      return go(rows[index + 1])
    case 'ArrowUp':
      return go(rows[index - 1])
    case 'Home':
      return go(rows[0])
    case 'End':
      return go(rows.at(-1))
    case 'ArrowRight':
      if (!row.expandable) return null
      return row.expanded ? go(rows[index + 1]) : { kind: 'expand', id: at }
    case 'ArrowLeft':
      if (row.expanded) return { kind: 'collapse', id: at }
      return go(rows.slice(0, index).findLast(({ level }) => level < row.level))
    default:
      return null
  }
}

/** How full a place is, counted as its level is: what is reserved is taken, what is out of use is no space. */
export function takenPercent({ positions, occupied, reserved, outOfUse }: StorageNode['capacity']): number {
  const usable = positions - outOfUse
  if (usable <= 0) return positions === 0 ? 0 : 100
  return Math.floor(((occupied + reserved) * 100) / usable)
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

function inCountingOrder(a: StorageNode, b: StorageNode): number {
  return collator.compare(a.name, b.name)
}
