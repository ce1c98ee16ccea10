import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from './safe-pattern.ts'

/** Random patterns of the subset, over two letters so that texts often match. */
const patterns = fc.letrec<{ atom: string; item: string; sequence: string; pattern: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-b0-9]', '\\d', '\\w', '\\.', '\\D'),
    tie('pattern').map((inside) => `(${inside})`),
  ),
  item: fc
    .tuple(tie('atom'), fc.constantFrom('', '', '?', '*', '+', '{2}', '{1,3}', '{0,}'))
    .map((parts) => parts.join('')),
  sequence: fc.array(tie('item'), { minLength: 1, maxLength: 4 }).map((items) => items.join('')),
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map((options) => options.join('|')),
}))

describe('safe patterns', () => {
  it('match what a regular expression of the whole text matches', () => {
    fc.assert(
      fc.property(
        patterns.pattern,
        fc.string({ unit: fc.constantFrom('a', 'b', '1', '.'), maxLength: 6 }),
        (pattern, text) => {
          fc.pre(pattern.length <= 60)
          expect([pattern, text, compilePattern(pattern).matches(text)]).toEqual([
            pattern,
            text,
            new RegExp(`^(?:${pattern})$`, 'su').test(text),
          ])
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('take no longer for patterns that ruin backtracking', () => {
    const started = performance.now()
    for (const pattern of ['(a+)+$', '(a|aa)*', '^(a*)*b$', '([a-z]+)*[0-9]']) {
      expect(compilePattern(pattern).matches(`${'a'.repeat(5_000)}!`)).toBe(false)
    }
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it.each([
    'a**',
    '(a',
    'a)',
    '[a',
    '\\1',
    '(?=a)',
    'a{3,1}',
    '*a',
    '((((a{99}){99}){99}){99}',
    '(){999}{2}',
    'a{,2}',
    'a$b',
  ])('refuse %s', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(Error)
  })

  it('refuse what would unroll without end', () => {
    expect(() => compilePattern('((((()){999}){999}){999})')).toThrow('too large')
  })
})
