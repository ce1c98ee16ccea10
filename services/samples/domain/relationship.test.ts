import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decideRelationship,
  findCycle,
  listAncestors,
  listDescendants,
  type Relationship,
  type RelationshipKind,
} from './relationship.ts'

function arrow(childId: string, kind: RelationshipKind, parentId: string): Relationship {
  return { childId, kind, parentId }
}

const lineage = [
  arrow('dna', 'derived_from', 'blood'),
  arrow('aliquot-1', 'aliquot_of', 'dna'),
  arrow('aliquot-2', 'aliquot_of', 'dna'),
  arrow('pool', 'pooled_from', 'aliquot-1'),
  arrow('pool', 'pooled_from', 'aliquot-2'),
]

describe('relationships', () => {
  it('may form a lineage with a pool', () => {
    const built: Relationship[] = []
    for (const edge of lineage) {
      expect(decideRelationship(built, edge)).toEqual({ ok: true, value: edge })
      built.push(edge)
    }
    expect(findCycle(built)).toBeNull()
    expect(listAncestors(built, 'pool')).toEqual(['aliquot-1', 'aliquot-2', 'dna', 'blood'])
    expect(listDescendants(built, 'blood')).toEqual(['dna', 'aliquot-1', 'aliquot-2', 'pool'])
  })

  it.each([
    [arrow('dna', 'derived_from', 'dna'), 'relationship_to_itself'],
    [arrow('aliquot-1', 'derived_from', 'dna'), 'relationship_exists'],
    [arrow('aliquot-1', 'aliquot_of', 'other'), 'relationship_second_origin'],
    [arrow('blood', 'derived_from', 'pool'), 'relationship_cycle'],
  ])('refuses %o with %s', (wanted, rule) => {
    expect(decideRelationship(lineage, wanted)).toMatchObject({ ok: false, refusal: { rule } })
  })

  it('names the way round when it refuses a circle', () => {
    expect(decideRelationship(lineage, arrow('blood', 'derived_from', 'aliquot-2'))).toMatchObject({
      refusal: { allowed: ['aliquot-2', 'dna', 'blood'] },
    })
  })

  it('finds a circle that two workstations made together', () => {
    const cycle = findCycle([...lineage, arrow('blood', 'derived_from', 'pool')])
    expect(cycle?.[0]).toBe(cycle?.at(-1))
    expect(new Set(cycle)).toContain('blood')
    expect(listAncestors([...lineage, arrow('blood', 'derived_from', 'pool')], 'dna')).not.toContain('dna')
  })

  it('walks long lineages', () => {
    const passages = Array.from({ length: 20_000 }, (_, index) =>
      arrow(`p${index + 1}`, 'derived_from', `p${index}`),
    )
    expect(findCycle(passages)).toBeNull()
    expect(listAncestors(passages, 'p20000')).toHaveLength(20_000)
    expect(findCycle([...passages, arrow('p0', 'derived_from', 'p20000')])).toHaveLength(20_002)
  })

  it('stay free of circles when every arrow was decided, and then order of samples exists', () => {
    const name = fc.integer({ min: 0, max: 9 }).map(String)
    const kind = fc.constantFrom<RelationshipKind>('derived_from', 'aliquot_of', 'split_from', 'pooled_from')
    const wish = fc.record({ childId: name, kind, parentId: name })
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 60 }), (wishes) => {
        const built: Relationship[] = []
        for (const edge of wishes) {
          const decision = decideRelationship(built, edge)
          if (decision.ok) built.push(edge)
          else if (decision.refusal.rule === 'relationship_cycle')
            expect(findCycle([...built, edge])).not.toBeNull()
        }
        expect(findCycle(built)).toBeNull()
        for (const { childId } of built) expect(listAncestors(built, childId)).not.toContain(childId)
      }),
    )
  })
})
