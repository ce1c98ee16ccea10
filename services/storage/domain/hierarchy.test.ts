import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decideParent,
  listNodesBelow,
  type NodeKind,
  nodeParents,
  pathTo,
  type StorageNode,
} from './hierarchy.ts'

function node(id: string, kind: NodeKind, parentId: string | null): StorageNode {
  return { id, kind, parentId, name: id.toUpperCase() }
}

function index(nodes: readonly StorageNode[]): ReadonlyMap<string, StorageNode> {
  return new Map(nodes.map((each) => [each.id, each]))
}

const freezer = index([
  node('f1', 'freezer', null),
  node('s1', 'shelf', 'f1'),
  node('s2', 'shelf', 'f1'),
  node('c', 'rack', 's2'),
  node('b1', 'box', 'c'),
])

describe('the tree of places', () => {
  it('shows the way down to a box', () => {
    expect(pathTo('b1', freezer).map(({ name }) => name)).toEqual(['F1', 'S2', 'C', 'B1'])
    expect(pathTo('nowhere', freezer)).toEqual([])
    expect(listNodesBelow('f1', freezer).map(({ id }) => id)).toEqual(['s1', 's2', 'c', 'b1'])
  })

  it('lets a rack move to another shelf, and leaves out levels', () => {
    expect(decideParent(node('c', 'rack', 's2'), 's1', freezer)).toEqual({
      ok: true,
      value: { parentId: 's1' },
    })
    expect(decideParent(node('new', 'box', null), 'f1', freezer).ok).toBe(true)
    expect(decideParent(node('f1', 'freezer', null), null, freezer).ok).toBe(true)
  })

  it.each([
    ['box in a box', node('b2', 'box', null), 'b1', 'node_kind_does_not_fit'],
    ['shelf in a rack', node('s3', 'shelf', null), 'c', 'node_kind_does_not_fit'],
    ['box on its own', node('b2', 'box', null), null, 'node_kind_does_not_fit'],
    ['freezer in a freezer', node('f2', 'freezer', null), 'f1', 'node_kind_does_not_fit'],
    ['shelf in itself', node('s2', 'shelf', 'f1'), 's2', 'node_cycle'],
    ['shelf in its own rack', node('s2', 'shelf', 'f1'), 'c', 'node_cycle'],
    ['unknown parent', node('b2', 'box', null), 'gone', 'node_parent_unknown'],
  ] as const)('refuses: %s', (_, moved, parentId, rule) => {
    expect(decideParent(moved, parentId, freezer)).toMatchObject({ ok: false, refusal: { rule } })
  })

  it('refuses a second name in one place, but not in another', () => {
    const twin = { ...node('x', 'shelf', null), name: ' s2' }
    expect(decideParent(twin, 'f1', freezer)).toMatchObject({
      refusal: { rule: 'node_name_taken', message: 'There is already a shelf named S2 here.' },
    })
    const other = index([...freezer.values(), node('f2', 'freezer', null)])
    expect(decideParent(twin, 'f2', other).ok).toBe(true)
  })

  it('says which kinds would fit', () => {
    expect(decideParent(node('b2', 'box', null), null, freezer)).toMatchObject({
      refusal: { message: 'A box cannot stand on its own.', allowed: ['rack', 'shelf', 'freezer'] },
    })
  })

  it('survives a circle that two workstations made together', () => {
    const circle = index([node('a', 'shelf', 'b'), node('b', 'rack', 'a')])
    expect(pathTo('a', circle).map(({ id }) => id)).toEqual(['b', 'a'])
    expect(listNodesBelow('a', circle).map(({ id }) => id)).toEqual(['b'])
  })

  it('stays a tree in which everything has a fitting place, whatever is asked', () => {
    const kind = fc.constantFrom(...(Object.keys(nodeParents) as NodeKind[]))
    const id = fc.integer({ min: 0, max: 11 }).map(String)
    const wish = fc.record({ id, kind, parentId: fc.option(id, { nil: null }) })
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 80 }), (wishes) => {
        const nodes = new Map<string, StorageNode>()
        for (const { id: nodeId, kind: wanted, parentId } of wishes) {
          const kept = nodes.get(nodeId)?.kind ?? wanted
          if (decideParent(node(nodeId, kept, null), parentId, nodes).ok) {
            nodes.set(nodeId, node(nodeId, kept, parentId))
          }
        }
        for (const each of nodes.values()) {
          const path = pathTo(each.id, nodes)
          expect(path[0]?.parentId).toBeNull()
          expect(path.at(-1)).toEqual(each)
          expect(listNodesBelow(each.id, nodes)).not.toContainEqual(each)
        }
      }),
    )
  })
})
