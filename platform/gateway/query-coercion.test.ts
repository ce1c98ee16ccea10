import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { YesNo } from '../contract/values.ts'
import { coerceQuery } from './query-coercion.ts'

const Input = z.object({
  limit: z.number().int().default(50),
  all: z.boolean().optional(),
  flag: YesNo.default(false),
  states: z.array(z.enum(['new', 'old'])).optional(),
  counts: z.array(z.number()).nullable(),
  version: z.union([z.literal(1), z.literal('latest')]),
  name: z.string(),
})

test('texts of a query string become what the schema wants', () => {
  const query = {
    limit: '7',
    all: 'true',
    flag: 'false',
    states: 'new',
    counts: ['1', '2.5'],
    version: '1',
    name: '12',
  }
  expect(coerceQuery(Input, query)).toEqual({
    limit: 7,
    all: true,
    flag: false,
    states: ['new'],
    counts: [1, 2.5],
    version: 1,
    name: '12',
  })
})

test('what does not fit is left for the schema to refuse', () => {
  expect(coerceQuery(Input, { limit: 'many', all: 'perhaps', version: 'latest', other: 'x' })).toEqual({
    limit: 'many',
    all: 'perhaps',
    version: 'latest',
    other: 'x',
  })
})

test.each(['no', 'yes', 'False', '', ' true', '2', 'null'])('"%s" is neither yes nor no', (flag) => {
  const { error } = Input.pick({ flag: true }).safeParse(coerceQuery(Input, { flag }))
  expect(error?.issues).toMatchObject([{ path: ['flag'], message: 'Neither true nor false' }])
})

test.each(['', ' ', '0x10', 'true', '1_000', 'Infinity'])('"%s" is no number', (limit) => {
  expect(Input.pick({ limit: true }).safeParse(coerceQuery(Input, { limit })).success).toBe(false)
})

test('any number survives the way through a query string', () => {
  const schema = z.object({ value: z.number() })
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(coerceQuery(schema, { value: String(value) })).toEqual({
        value: value === 0 ? Number(String(value)) : value,
      })
    }),
  )
})
