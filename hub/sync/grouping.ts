import type { ChangeSet } from '../../platform/sync/change-set.ts'

type Groupable = Pick<ChangeSet, 'id' | 'domain' | 'causedBy'>

interface Group<Set> {
  readonly domain: string
  readonly sets: Set[]
}

/**
 * Pushed sets in groups of one domain each, to be decided one group after the other: a group costs as much as some dozens of
 * sets. A set stays behind those of its own domain that came before it, and behind the one that caused it. A decision looks
 * at nothing else of other domains, so beyond that sets of different domains may pass each other: the steps of many receipts
 * come to a few groups.
 */
export function groupByDomain<Set extends Groupable>(
  sets: readonly Set[],
  longest: number,
): readonly (readonly Set[])[] {
  const groups: Group<Set>[] = []
  const lastOf = new Map<string, number>()
  const groupOf = new Map<string, number>()
  for (const set of sets) {
    const { id, domain, causedBy } = set
    const last = lastOf.get(domain) ?? -1
    const cause = causedBy === null ? -1 : (groupOf.get(causedBy) ?? -1)
    const group = groups[last]
    const fits = group !== undefined && group.sets.length < longest && cause <= last
    if (fits) group.sets.push(set)
    else groups.push({ domain, sets: [set] })
    const at = fits ? last : groups.length - 1
    lastOf.set(domain, at)
    groupOf.set(id, at)
  }
  return groups.map((each) => each.sets)
}
