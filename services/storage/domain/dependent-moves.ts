/** Something that leaves a position (null: it had none) for another. */
interface Passage {
  readonly from: string | null
  readonly to: string
}

/**
 * Splits passages into groups that must be made together, because one needs the position that another leaves. Groups and
 * what is in them keep their order.
 */
export function groupDependent<Each extends Passage>(
  passages: readonly Each[],
): readonly (readonly Each[])[] {
  const groupOf = new Map<string, Each[]>()
  for (const passage of passages) {
    const positions = passage.from === null ? [passage.to] : [passage.from, passage.to]
    const touching = new Set(positions.flatMap((position) => groupOf.get(position) ?? []).map(findGroup))
    const group = [...[...touching].flat(), passage]
    for (const each of group) {
      groupOf.set(each.to, group)
      if (each.from !== null) groupOf.set(each.from, group)
    }
  }
  const rank = new Map(passages.map((passage, index) => [passage, index]))
  return [...new Set(groupOf.values())]
    .map((group) => group.toSorted((left, right) => (rank.get(left) ?? 0) - (rank.get(right) ?? 0)))
    .toSorted((left, right) => rankOf(left) - rankOf(right))

  function findGroup(passage: Each): Each[] {
    return groupOf.get(passage.to) ?? []
  }

  function rankOf(group: readonly Each[]): number {
    const [first] = group
    return first === undefined ? 0 : (rank.get(first) ?? 0)
  }
}
