import fc from 'fast-check'
import { expect, it } from 'vitest'
import { groupByDomain } from './grouping.ts'

interface Step {
  readonly id: string
  readonly domain: string
  readonly causedBy: string | null
}

function step(id: string, domain: string, causedBy: string | null = null): Step {
  return { id, domain, causedBy }
}

function namesOf(sets: readonly Step[], longest = 200): readonly string[] {
  return groupByDomain(sets, longest).map((group) => group.map(({ id }) => id).join(' '))
}

it('the steps of many receipts come to as many groups as one has', () => {
  const receipts = [1, 2, 3].flatMap((n) => [
    step(`sample${n}`, 'samples'),
    step(`code${n}`, 'barcodes'),
    step(`tube${n}`, 'storage'),
    step(`news${n}`, 'samples', `tube${n}`),
  ])
  expect(namesOf(receipts)).toEqual([
    'sample1',
    'code1 code2 code3',
    'tube1 tube2 tube3',
    'news1 sample2 news2 sample3 news3',
  ])
})

it('one domain alone is cut where it is too long', () => {
  const sets = ['a', 'b', 'c', 'd', 'e'].map((id) => step(id, 'samples'))
  expect(namesOf(sets, 2)).toEqual(['a b', 'c d', 'e'])
  expect(namesOf([])).toEqual([])
})

const domains = ['samples', 'barcodes', 'storage'] as const

/** Sets of some domains, each caused by any of those before it, by one from elsewhere, or by none. */
const histories = fc
  .array(fc.record({ domain: fc.constantFrom(...domains), cause: fc.option(fc.nat(40)) }), { maxLength: 40 })
  .map((made) =>
    made.map(({ domain, cause }, index) =>
      step(
        String(index),
        domain,
        cause === null ? null : cause < index ? String(cause) : `elsewhere ${cause}`,
      ),
    ),
  )

it('nothing comes before what was before it in its domain, or what caused it', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 10 }), (sets, longest) => {
      const groups = groupByDomain(sets, longest)
      const order = groups.flat()
      expect(order.map(({ id }) => Number(id)).toSorted((left, right) => left - right)).toEqual(
        sets.map((_, i) => i),
      )
      for (const group of groups) {
        expect(new Set(group.map(({ domain }) => domain)).size).toBe(1)
        expect(group.length).toBeLessThanOrEqual(longest)
      }
      for (const domain of domains) {
        const of = (all: readonly Step[]) => all.filter((each) => each.domain === domain)
        expect(of(order)).toEqual(of(sets))
      }
      const groupAt = (id: string) => groups.findIndex((group) => group.some((each) => each.id === id))
      for (const { id, domain, causedBy } of sets) {
        const cause = sets.find((each) => each.id === causedBy)
        if (cause === undefined) continue
        // What caused it is decided when its group is, unless it is of the same domain and comes first there.
        expect(groupAt(cause.id)).toBeLessThanOrEqual(groupAt(id) - (cause.domain === domain ? 0 : 1))
        expect(order.indexOf(cause)).toBeLessThan(order.findIndex((each) => each.id === id))
      }
    }),
  )
})
