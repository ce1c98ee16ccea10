interface Edge {
  readonly childId: string
  readonly parentId: string
}

/** Samples by generation, oldest first: each stands one column after its latest parent. */
export function generationsOf(startId: string, edges: readonly Edge[]): readonly (readonly string[])[] {
  const ids = [...new Set([startId, ...edges.flatMap(({ childId, parentId }) => [parentId, childId])])]
  const depths = new Map<string, number>()
  const depthOf = (id: string, path: ReadonlySet<string>): number => {
    const known = depths.get(id)
    if (known !== undefined) return known
    // The domain allows no cycle; a broken record must still be drawn.
    if (path.has(id)) return 0
    const parents = edges.filter(({ childId }) => childId === id)
    const depth =
      Math.max(-1, ...parents.map(({ parentId }) => depthOf(parentId, new Set([...path, id])))) + 1
    depths.set(id, depth)
    return depth
  }
  const columns: string[][] = []
  for (const id of ids) {
    const depth = depthOf(id, new Set())
    columns[depth] = [...(columns[depth] ?? []), id]
  }
  return columns.filter((column) => column.length > 0)
}
