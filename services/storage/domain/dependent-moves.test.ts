import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupDependent } from './dependent-moves.ts'

function go(from: string | null, to: string) {
  return { from, to }
}

describe('moves that need each other', () => {
  it('are one group, whatever stands between them', () => {
    const [a, b, c, d, e] = [go('A1', 'A2'), go(null, 'B1'), go('A2', 'A3'), go('C1', 'B2'), go('A3', 'A1')]
    expect(groupDependent([a, b, c, d, e])).toEqual([[a, c, e], [b], [d]])
  })

  it('join groups that were apart', () => {
    const [a, b, c] = [go('A1', 'A2'), go('B1', 'B2'), go('A2', 'B1')]
    expect(groupDependent([a, b, c])).toEqual([[a, b, c]])
  })

  it('are all there once, and no two groups share a position', () => {
    const place = fc.integer({ min: 0, max: 30 }).map(String)
    const passage = fc.record({ from: fc.option(place), to: place })
    fc.assert(
      fc.property(fc.array(passage, { maxLength: 40 }), (passages) => {
        const groups = groupDependent(passages)
        expect(new Set(groups.flat())).toEqual(new Set(passages))
        expect(groups.flat()).toHaveLength(passages.length)
        const positions = groups.map((group) => new Set(group.flatMap(({ from, to }) => [from ?? to, to])))
        const total = positions.reduce((sum, each) => sum + each.size, 0)
        expect(new Set(positions.flatMap((each) => [...each])).size).toBe(total)
      }),
    )
  })
})
