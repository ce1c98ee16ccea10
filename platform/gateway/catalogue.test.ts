import { oc } from '@orpc/contract'
import { expect, test } from 'vitest'
import { domainContract, query } from '../contract/procedure.ts'
import { Catalogue } from './catalogue.ts'
import { alpha } from './testing/test-contract.ts'

test('procedures are found by domain and name, and nothing else is', () => {
  const catalogue = new Catalogue()
  catalogue.add('alpha', alpha)
  expect(catalogue.find(['alpha', 'echo'])).toMatchObject({ label: 'alpha.echo', meta: { kind: 'query' } })
  expect(
    [['alpha'], ['alpha', 'none'], ['alpha', 'echo', 'more'], [], ['__proto__', 'echo']].map((path) =>
      catalogue.find(path),
    ),
  ).toEqual(Array(5).fill(undefined))
})

test('what would hide something else, or says nothing of itself, is refused', () => {
  const catalogue = new Catalogue()
  catalogue.add('alpha', alpha)
  expect(() => catalogue.add('alpha', alpha)).toThrow('The domain alpha is there already')
  expect(() => catalogue.add('gamma', alpha)).toThrow(
    'gamma.echo and alpha.echo are both served at GET /v1/alpha/echo',
  )
  expect(() => catalogue.add('delta', { bare: oc })).toThrow('delta.bare')
  const twice = {
    one: query({ permission: 'public', summary: 'One', path: '/x' }),
    two: query({ permission: 'public', summary: 'Two', path: '/x' }),
  }
  expect(() => catalogue.add('epsilon', domainContract('epsilon', twice))).toThrow(
    'epsilon.two and epsilon.one',
  )
})
