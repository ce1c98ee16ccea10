import { accept, type Decision, refuse } from './decision.ts'

/**
 * How a sample came from others. An aliquot or a part of a split has one origin; material can be derived from several
 * (a hybrid capture, say), and a pool is made from as many as went in.
 */
export const relationshipRules = {
  derived_from: { maximumParents: null },
  aliquot_of: { maximumParents: 1 },
  split_from: { maximumParents: 1 },
  pooled_from: { maximumParents: null },
} as const

export type RelationshipKind = keyof typeof relationshipRules

/** One arrow of the lineage, read as "child kind parent": `B aliquot_of A`. */
export interface Relationship {
  readonly childId: string
  readonly kind: RelationshipKind
  readonly parentId: string
}

/**
 * Decides one new arrow given those that exist. Refused: a sample as its own origin, the same pair twice, a second
 * origin of an aliquot or split, and any circle; then `allowed` holds the ids along the circle.
 */
export function decideRelationship(
  existing: readonly Relationship[],
  wanted: Relationship,
): Decision<Relationship> {
  const { childId, kind, parentId } = wanted
  if (childId === parentId) {
    return refuse('relationship_to_itself', 'A sample cannot come from itself.')
  }
  const ofChild = existing.filter((edge) => edge.childId === childId)
  if (ofChild.some((edge) => edge.parentId === parentId)) {
    return refuse('relationship_exists', 'These two samples are already related.')
  }
  const { maximumParents } = relationshipRules[kind]
  const sameKind = ofChild.filter((edge) => edge.kind === kind)
  if (maximumParents !== null && sameKind.length >= maximumParents) {
    const noun = kind === 'aliquot_of' ? 'An aliquot' : 'A part of a split'
    return refuse('relationship_second_origin', `${noun} has one origin, and this sample already has it.`)
  }
  const path = findPath(existing, parentId, childId)
  if (path !== null) {
    return refuse(
      'relationship_cycle',
      'That would make a circle: the sample given as the origin itself comes from this one.',
      path,
    )
  }
  return accept(wanted)
}

/**
 * Finds a circle among arrows that were written without knowing each other (two workstations offline). Returns the ids
 * along it, first and last the same, or null.
 */
export function findCycle(edges: readonly Relationship[]): readonly string[] | null {
  const parents = parentsByChild(edges)
  const finished = new Set<string>()
  for (const start of parents.keys()) {
    // Walked with a stack of our own: lineages of serial passages grow deeper than the call stack should.
    const trail: string[] = []
    const onTrail = new Set<string>()
    const open: { readonly id: string; readonly leaving: boolean }[] = [{ id: start, leaving: false }]
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      if (step.leaving) {
        trail.pop()
        onTrail.delete(step.id)
        finished.add(step.id)
        continue
      }
      if (onTrail.has(step.id)) return [...trail.slice(trail.indexOf(step.id)), step.id]
      if (finished.has(step.id)) continue
      trail.push(step.id)
      onTrail.add(step.id)
      open.push({ id: step.id, leaving: true })
      for (const parentId of parents.get(step.id) ?? []) open.push({ id: parentId, leaving: false })
    }
  }
  return null
}

/** All samples this one comes from, near before far, without itself. Safe on circles. */
export function listAncestors(edges: readonly Relationship[], sampleId: string): readonly string[] {
  return walk(parentsByChild(edges), sampleId)
}

/** All samples that come from this one, near before far, without itself. Safe on circles. */
export function listDescendants(edges: readonly Relationship[], sampleId: string): readonly string[] {
  return walk(parentsByChild(edges.map(reverse)), sampleId)
}

/** The ids from one sample up to another along the arrows, both included; null when there is no way. */
function findPath(edges: readonly Relationship[], fromId: string, toId: string): readonly string[] | null {
  const parents = parentsByChild(edges)
  const cameFrom = new Map<string, string | null>([[fromId, null]])
  for (const id of cameFrom.keys()) {
    if (id === toId) return traceBack(cameFrom, id)
    for (const parentId of parents.get(id) ?? []) if (!cameFrom.has(parentId)) cameFrom.set(parentId, id)
  }
  return null
}

function traceBack(cameFrom: ReadonlyMap<string, string | null>, endId: string): readonly string[] {
  const path: string[] = []
  for (let id: string | null = endId; id !== null; id = cameFrom.get(id) ?? null) path.unshift(id)
  return path
}

function walk(next: ReadonlyMap<string, readonly string[]>, startId: string): readonly string[] {
  const reached = new Set([startId])
  for (const id of reached) for (const nextId of next.get(id) ?? []) reached.add(nextId)
  reached.delete(startId)
  return [...reached]
}

function parentsByChild(edges: readonly Relationship[]): ReadonlyMap<string, readonly string[]> {
  const parents = new Map<string, string[]>()
  for (const edge of edges) {
    const list = parents.get(edge.childId)
    if (list === undefined) parents.set(edge.childId, [edge.parentId])
    else list.push(edge.parentId)
  }
  return parents
}

function reverse(edge: Relationship): Relationship {
  return { ...edge, childId: edge.parentId, parentId: edge.childId }
}
